"""Learns `assistant/calibration.json` from the development questions: `python -m evals.calibrate`.

Two linear models. The weights of a span's features maximise the likelihood of a span that holds the
key facts on a gold line, by a softmax over the question's candidates (ListNet's top-one probability,
Cao et al. 2007), none below zero. The decision between answering and declining is a logistic
regression on the features of what was then chosen. Both are held small (L2); both are also fitted
without a fifth of the questions in turn, and the figures printed are of the fifth left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from tqdm import tqdm

from assistant import answerable, scoring
from assistant.assistant import Assistant
from assistant.datamodels import Passage, Turn
from assistant.extractive import choose, expand, judged
from assistant.query import Query
from assistant.scoring import CALIBRATION, Calibration, Candidate
from assistant.settings import Settings
from evals.metrics import normal
from evals.questions import Question, read_questions
from ingest.pipeline import ingest

FOLDS = 5
FIXED = {"introduces": 1.0}
"""Weights that are not learned. That a thing's first sentence below its heading says what it is, is what a reader
expects of 'what is …'; the key facts of the questions stand further down as well, so that they do not teach it."""
RANK_L2 = 0.02
DECISION_L2 = 0.1
BLUR = 0.05
"""Width, in probability, over which the losses are smoothed when the threshold is chosen: single questions shall not move it."""
FREE = ("length", "lead_else", "entry", "root", "rank", "first", "number", "place")
"""Features whose weight may fall below zero."""


@dataclass(frozen=True)
class Sample:
    """A question, its candidates as arrays, and what each would be worth as an answer."""

    split: str
    question: Question
    query: Query
    passages: list[Passage]
    candidates: list[Candidate]
    features: np.ndarray
    """(candidates, features) float64."""
    worth: np.ndarray
    """(candidates,) share of the key facts that an answer made of this span alone holds, 0 off the gold lines."""


def collect(splits: Sequence[str]) -> tuple[Assistant, list[Sample]]:
    settings = Settings.from_environment()
    ingest(settings)
    assistant = Assistant.open(settings)
    samples = []
    found = [question for split in splits for question in read_questions(split)]
    there = {source.name for source in assistant.index.sources}
    questions = [(question.set, question) for question in found if question.source in there and question.kind != "tree"]
    for split, question in tqdm(questions, desc="candidates", unit="question", disable=None):
        query = assistant.query(question.question, [Turn(q) for q in question.history])
        passages = assistant.passages(query, [question.source])
        candidates = scoring.score(query, passages, assistant.index.within([question.source]), assistant.reader)
        matrix = np.array([c.features for c in candidates]).reshape(len(candidates), len(scoring.FEATURES))
        worth = np.array([_worth(question, query, candidate, assistant) for candidate in candidates])
        samples.append(Sample(split, question, query, passages, candidates, matrix, worth))
    return assistant, samples


def _worth(question: Question, query: Query, candidate: Candidate, assistant: Assistant) -> float:
    if not question.answerable or not _on_gold(question, candidate, assistant):
        return 0.0
    text = normal(" ".join(c.text + " " + (c.chunk.name or "") for c in expand(query, [candidate], assistant.index)))
    return sum(any(normal(a) in text for a in fact) for fact in question.key_facts) / max(1, len(question.key_facts))


def _on_gold(question: Question, candidate: Candidate, assistant: Assistant) -> bool:
    chunk, document = candidate.chunk, assistant.index.document(candidate.chunk)
    first, last = document.line_at(candidate.segment.start), document.line_at(max(candidate.segment.start, candidate.segment.end - 1))
    return bool(question.holds(chunk.source, chunk.path, first, last))


def fit_ranker(samples: Sequence[Sample]) -> np.ndarray:
    """Weights of the span features, (features,)."""
    usable = [s for s in samples if s.worth.max(initial=0.0) > 0]
    targets = []
    for sample in usable:
        best = (sample.worth == sample.worth.max()).astype(float)
        targets.append(best)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = RANK_L2 * len(usable) * float(weights @ weights) / 10, RANK_L2 * len(usable) * 2 * weights / 10
        for sample, target in zip(usable, targets, strict=True):
            logits = sample.features @ weights
            shifted = np.exp(logits - logits.max())
            p = shifted / shifted.sum()
            mass = float(p @ target)
            value -= np.log(mass + 1e-12)
            gradient -= (p * target / (mass + 1e-12) - p) @ sample.features
        return value, gradient

    bounds = [
        (FIXED[name], FIXED[name]) if name in FIXED else (None, None) if name in FREE else (0, None) for name in scoring.FEATURES
    ]
    return minimize(loss, np.array([FIXED.get(name, 1.0) for name in scoring.FEATURES]), jac=True, method="L-BFGS-B", bounds=bounds).x


def ranked(sample: Sample, weights: np.ndarray) -> list[Candidate]:
    """A sample's candidates, best first under these weights."""
    scores = sample.features @ weights
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], sample.candidates[i].place))
    return [replace(sample.candidates[i], score=float(scores[i])) for i in order]


def fit_decision(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weights of the decision features and, last, the bias."""
    x = np.hstack([rows, np.ones((len(rows), 1))])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ weights
        p = 1 / (1 + np.exp(-z))
        penalty = np.append(weights[:-1], 0)
        value = float(np.sum(np.logaddexp(0, -z) * labels + np.logaddexp(0, z) * (1 - labels)) + DECISION_L2 * penalty @ penalty)
        return value, x.T @ (p - labels) + 2 * DECISION_L2 * penalty

    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x


def decision_row(sample: Sample, weights: np.ndarray, assistant: Assistant) -> tuple[np.ndarray, list[Candidate]]:
    candidates = ranked(sample, weights)
    learned = Calibration(dict(zip(scoring.FEATURES, map(float, weights), strict=True)), {}, 0.0)
    chosen = choose(
        sample.query, candidates, lambda side: scoring.score(side, sample.passages, assistant.index.within([sample.question.source]), assistant.reader, learned)
    )
    values = answerable.features(sample.query, candidates, judged(sample.query, chosen))
    return np.array([values[name] for name in answerable.FEATURES]), chosen


def right(sample: Sample, chosen: Sequence[Candidate], assistant: Assistant) -> bool:
    """Whether these statements would be a right answer, by the rules of evals.metrics."""
    expanded = expand(sample.query, chosen, assistant.index)
    text = normal(" ".join(c.text + " " + (c.chunk.name or "") for c in expanded))
    facts = all(any(normal(a) in text for a in fact) for fact in sample.question.key_facts)
    return facts and any(_on_gold(sample.question, c, assistant) for c in expanded)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.calibrate", description="Learn the engine's weights.")
    parser.add_argument("--write", action="store_true", help=f"write {CALIBRATION.name}")
    parser.add_argument("--splits", nargs="+", default=["dev"])
    parser.add_argument("--failures", action="store_true", help="list held-out failures")
    options = parser.parse_args(arguments)
    assistant, samples = collect(options.splits)
    samples = [s for s in samples if s.candidates]
    labels = np.array([float(s.question.answerable) for s in samples])
    fold = np.random.default_rng(7).permutation(len(samples)) % FOLDS
    confidence, correct = np.zeros(len(samples)), np.zeros(len(samples), bool)
    picks: list[list[Candidate]] = [[] for _ in samples]
    for k in range(FOLDS):
        train = [s for s, f in zip(samples, fold, strict=True) if f != k]
        weights = fit_ranker(train)
        rows, chosen = zip(*(decision_row(s, weights, assistant) for s in samples), strict=True)
        table = np.array(rows)
        decision = fit_decision(table[fold != k], labels[fold != k])
        for i in map(int, np.flatnonzero(fold == k)):
            confidence[i] = 1 / (1 + np.exp(-(table[i] @ decision[:-1] + decision[-1])))
            correct[i], picks[i] = right(samples[i], chosen[i], assistant), chosen[i]
    threshold = best_threshold(confidence, labels)
    print(f"held out, of {len(samples)}: threshold {threshold:.3f}, area under the curve {area(confidence, labels):.3f}")
    for name, mask in (("all", labels >= 0), *((language, np.array([s.question.language == language for s in samples])) for language in ("zh", "en")), *((split, np.array([s.split == split for s in samples])) for split in sorted({s.split for s in samples}))):
        yes, no = mask & (labels == 1), mask & (labels == 0)
        answered = confidence >= threshold
        print(
            f"{name:13} right {np.mean(correct[yes] & answered[yes]):.3f}  chosen right {np.mean(correct[yes]):.3f}  declined wrongly "
            f"{np.mean(~answered[yes]):.3f}  declined rightly {np.mean(~answered[no]):.3f}"
        )
    if options.failures:
        for i, s in enumerate(samples):
            ok = (correct[i] and confidence[i] >= threshold) if labels[i] else confidence[i] < threshold
            if not ok:
                print(f"\n{s.question.id} {s.question.kind} p={confidence[i]:.2f} {s.question.question!r} {list(s.question.history) or ''} gold {', '.join(map(str, s.question.gold))}\n"
                      f"  facts {s.question.key_facts} units {[u.text + ('*' if u.generic else '') for u in s.query.units]} {sorted(s.query.intents)}")
                for c in picks[i]:
                    print(f"  -> {c.chunk.path}:{assistant.index.document(c.chunk).line_at(c.segment.start)} {c.text[:110]!r}")
    weights = fit_ranker(samples)
    table = np.array([decision_row(s, weights, assistant)[0] for s in samples])
    decision = fit_decision(table, labels)
    record = {
        "weights": {n: round(float(w), 3) for n, w in zip(scoring.FEATURES, weights, strict=True)},
        "decision": {n: round(float(w), 3) for n, w in zip((*answerable.FEATURES, "bias"), decision, strict=True)},
        "threshold": round(float(threshold), 3),
    }
    print(json.dumps(record, indent=1))
    if options.write:
        CALIBRATION.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def area(confidence: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve: how often an answerable question is surer than an unanswerable one (Hanley & McNeil 1982)."""
    yes, no = confidence[labels == 1], confidence[labels == 0]
    return float(np.mean((yes[:, None] > no[None, :]) + 0.5 * (yes[:, None] == no[None, :])))


def best_threshold(confidence: np.ndarray, labels: np.ndarray) -> float:
    """The threshold with the least loss, where declining an answerable question costs what answering another does."""
    yes, no = confidence[labels == 1], confidence[labels == 0]
    choices = np.linspace(0.2, 0.9, 141)
    return float(min(choices, key=lambda t: np.mean(expit((t - yes) / BLUR)) + np.mean(expit((no - t) / BLUR))))


if __name__ == "__main__":
    sys.exit(main())
