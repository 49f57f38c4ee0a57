"""Learns `assistant/calibration.json` from the development questions: `python -m evals.calibrate`.

Small models. The weights of a span's features maximise the likelihood of a span that holds the
key facts on a gold line, by a softmax over the question's candidates (ListNet's top-one probability,
Cao et al. 2007), none below zero; so is the one weight of the cross-encoder's verdict beside them, which was
trained on other questions (`train`). The decision between answering and declining is a logistic
regression on the features of what was then chosen. Both are held small (L2); both are also fitted
without a fifth of the questions in turn, and the figures printed are of the fifth left out. Where the article
and a checkout both answer, another regression says which is heard; it learns from the fifths left out. How directories are ranked is learned by `evals/places.py`, what is asked of a tree by
`evals/asks.py`, and when the tree is heard by `evals/trees.py`, which rests on all the others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logsumexp

from assistant import answerable, scoring
from assistant.asks import write as write_asks
from assistant.assistant import Assistant
from assistant.extractive import choose, judged
from assistant.groups import BETWEEN, between
from assistant.reading import BEHIND, READ, worth_reading
from assistant.scoring import CALIBRATION, Calibration, Candidate, learned
from evals import asks, places, trees
from evals.logistic import area, best_threshold, fit_decision
from evals.samples import Sample, collect, ready, right

FOLDS = 5
FIXED = {"introduces": 1.0}
"""Weights that are not learned. That a thing's first sentence below its heading says what it is, is what a reader
expects of 'what is …'; the key facts of the questions stand further down as well, so that they do not teach it."""
RANK_L2 = 0.02
FREE = ("length", "lead_else", "entry", "root", "rank", "first", "number", "place")
"""Features whose weight may fall below zero."""


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


def fit_reading(samples: Sequence[Sample], weights: np.ndarray) -> float:
    """What the cross-encoder's log odds weigh beside the score, 0 or more: a span worth most is to come first among those it reads."""
    rows = []
    for sample in samples:
        scores = sample.features @ weights
        first = np.argsort(-scores, kind="stable")[: READ]
        first = first[scores[first] >= scores[first[0]] - BEHIND]
        if sample.worth.max(initial=0.0) > 0 and sample.worth[first].max() == sample.worth.max():
            rows.append((scores[first], sample.reads[first], sample.worth[first] == sample.worth.max()))

    def loss(weight: float) -> float:
        logits = [scores + weight * reads for scores, reads, _ in rows]
        return -sum(float(logsumexp(z[target]) - logsumexp(z)) for z, (_, _, target) in zip(logits, rows, strict=True))

    return float(minimize_scalar(loss, bounds=(0, 3), method="bounded").x)


def ranked(sample: Sample, weights: np.ndarray, reading: float) -> list[Candidate]:
    """A sample's candidates, best first under these weights, as reading.reread ranks them."""
    scores = sample.features @ weights
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], sample.candidates[i].place))
    count = len(worth_reading([replace(sample.candidates[i], score=float(scores[i])) for i in order[: READ]]))
    first, rest = order[:count], order[count:]
    least = min((sample.reads[i] for i in first), default=0.0)
    found = [replace(sample.candidates[i], score=float(scores[i] + reading * sample.reads[i]), read=float(sample.reads[i])) for i in first]
    found += [replace(sample.candidates[i], score=float(scores[i] + reading * least)) for i in rest]
    return sorted(found, key=lambda c: (c.read is None, -c.score, c.place))


def decision_row(sample: Sample, weights: np.ndarray, reading: float, assistant: Assistant) -> tuple[np.ndarray, list[Candidate]]:
    candidates = ranked(sample, weights, reading)
    learned = Calibration(dict(zip(scoring.FEATURES, map(float, weights), strict=True)), {}, 0.0)
    chosen = choose(
        sample.query, candidates, lambda side: scoring.score(side, sample.passages, assistant.index.within([sample.source]), assistant.reader, learned)
    )
    values = answerable.features(sample.query, candidates, judged(sample.query, chosen))
    return np.array([values[name] for name in answerable.FEATURES]), chosen


@dataclass(frozen=True)
class HeldOut:
    """What became of each question by weights that were learned without it."""

    samples: Sequence[Sample]
    labels: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray
    picks: Sequence[Sequence[Candidate]]
    threshold: float

    @classmethod
    def of(cls, samples: Sequence[Sample], also: Sequence[Sample], assistant: Assistant) -> HeldOut:
        """Leave a fifth of the samples out in turn; `also` are learned from for the ranking, always."""
        labels = np.array([float(s.answerable) for s in samples])
        rival = np.array([s.rival for s in samples])
        fold = np.random.default_rng(7).permutation(len(samples)) % FOLDS
        confidence, correct = np.zeros(len(samples)), np.zeros(len(samples), bool)
        picks: list[Sequence[Candidate]] = [[] for _ in samples]
        for k in range(FOLDS):
            train = [s for s, f in zip(samples, fold, strict=True) if f != k]
            weights = fit_ranker([*train, *also])
            reading = fit_reading(train, weights)
            rows, chosen = zip(*(decision_row(s, weights, reading, assistant) for s in samples), strict=True)
            table = np.array(rows)
            others = (fold != k) & ~rival
            decision = fit_decision(table[others], labels[others])
            for i in map(int, np.flatnonzero(fold == k)):
                confidence[i] = expit(table[i] @ decision[:-1] + decision[-1])
                correct[i], picks[i] = right(samples[i], chosen[i], assistant), chosen[i]
        own = np.array([s.source == s.question.source for s in samples])
        return cls(samples, labels, confidence, correct, picks, best_threshold(confidence[own], labels[own]))

    def report(self) -> Iterator[str]:
        answered = self.confidence >= self.threshold
        groups = {"all": np.array([not s.rival for s in self.samples])} | {f"{x}": np.array([s.question.language == x for s in self.samples]) for x in ("zh", "en")}
        own = groups["all"]
        yield f"held out, of {own.sum()}: threshold {self.threshold:.3f}, area under the curve {area(self.confidence[own], self.labels[own]):.3f}"
        groups |= {split: np.array([s.split == split for s in self.samples]) for split in sorted({s.split for s in self.samples})}
        for name, mask in groups.items():
            mask = mask & own
            yes, no = mask & (self.labels == 1), mask & (self.labels == 0)
            if yes.any() and no.any():
                yield (
                    f"{name:15} right {np.mean(self.correct[yes] & answered[yes]):.3f}  chosen right {np.mean(self.correct[yes]):.3f}  "
                    f"declined wrongly {np.mean(~answered[yes]):.3f}  declined rightly {np.mean(~answered[no]):.3f}"
                )

    def failures(self, assistant: Assistant) -> Iterator[str]:
        for i, s in enumerate(self.samples):
            answered = self.confidence[i] >= self.threshold
            if s.rival or ((self.correct[i] and answered) if s.answerable else not answered):
                continue
            q = s.question
            yield (
                f"\n{q.id} {q.kind} p={self.confidence[i]:.2f} {q.question!r} {list(q.history) or ''} of {s.source}: gold {', '.join(map(str, q.gold))}\n"
                f"  facts {q.key_facts} units {[u.text + ('*' if u.generic else '') for u in s.query.units]} {sorted(s.query.intents)}"
            )
            for c in self.picks[i]:
                line = assistant.index.document(c.chunk).line_at(c.segment.start)
                yield f"  -> {c.chunk.path}:{line} read {c.read} {c.text[:110]!r}"


def fit_sources(found: Mapping[str, HeldOut]) -> dict[str, float]:
    """Weights of assistant.groups.ahead: of questions that both an article and a checkout would answer, and their own source rightly."""
    article = {(s.question.set, s.question.id): i for i, s in enumerate(found["article"].samples)}
    rows, labels = [], []
    for j, sample in enumerate(found["checkout"].samples):
        i = article.get((sample.question.set, sample.question.id))
        if i is None or not sample.question.answerable:
            continue
        sides = [(found["article"], i), (found["checkout"], j)]
        own = sides[sample.answerable]
        if all(side.confidence[at] >= side.threshold for side, at in sides) and own[0].correct[own[1]]:
            rows.append(between(sample.query, *((float(side.confidence[at]), side.picks[at][0]) for side, at in sides)))
            labels.append(float(sample.answerable))
    if not rows:
        print("no question that both an article and a checkout would answer: what decides between them stays", file=sys.stderr)
        return learned()["sources"]  # type: ignore[no-any-return]
    weights = fit_decision(np.array(rows), np.array(labels))
    found_right = np.mean((np.array(rows) @ weights[:-1] + weights[-1] > 0) == np.array(labels))
    print(f"which source: {len(rows)} questions, {np.mean(labels):.2f} of a checkout, {found_right:.3f} found rightly")
    return {name: round(float(w), 3) for name, w in zip((*BETWEEN, "bias"), weights, strict=True)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.calibrate", description="Learn the engine's weights.")
    parser.add_argument("--write", action="store_true", help=f"write {CALIBRATION.name}")
    parser.add_argument("--splits", nargs="+", default=["dev"])
    parser.add_argument("--failures", action="store_true", help="list held-out failures")
    options = parser.parse_args(arguments)
    assistant = ready()
    samples = [sample for sample in collect(assistant, options.splits) if not sample.is_told_elsewhere]
    more = [sample for sample in collect(assistant, ["train"], read=False) if not sample.is_told_elsewhere]
    record: dict[str, Any] = {}
    found: dict[str, HeldOut] = {}
    for kind in ("article", "checkout"):
        everything, also = [s for s in samples if s.kind == kind], [s for s in more if s.kind == kind]
        own = [s for s in everything if not s.rival]
        if not any(s.answerable for s in own):
            print(f"no questions on a {kind}: its weights stay", file=sys.stderr)
            record[kind] = learned()[kind]
            continue
        found[kind] = HeldOut.of(everything, also, assistant)
        print(kind, *found[kind].report(), sep="\n")
        if options.failures:
            print(*found[kind].failures(assistant), sep="\n")
        weights = fit_ranker([*own, *also])
        reading = fit_reading(own, weights)
        labels = np.array([float(s.answerable) for s in own])
        decision = fit_decision(np.array([decision_row(s, weights, reading, assistant)[0] for s in own]), labels)
        record[kind] = {
            "weights": {n: round(float(w), 3) for n, w in zip(scoring.FEATURES, weights, strict=True)},
            "decision": {n: round(float(w), 3) for n, w in zip((*answerable.FEATURES, "bias"), decision, strict=True)},
            "threshold": round(float(found[kind].threshold), 3),
            "reading": round(reading, 3),
        }
    record["sources"] = fit_sources(found) if len(found) > 1 else learned()["sources"]
    checkouts = [source.name for source in assistant.index.sources if source.kind != "article"]
    record |= {"places": places.fit(assistant, checkouts[0]) if checkouts else learned()["places"], "tree": learned()["tree"]}
    if options.write:
        _write(record)
    if checkouts:  # it rests on the others
        told = asks.fit(assistant)
        if options.write:
            write_asks(told)
        record["tree"] = trees.fit(assistant)
    print(json.dumps(record, indent=1))
    if options.write:
        _write(record)
    return 0


def _write(record: Mapping[str, Any]) -> None:
    """Write what was learned, and take it into use."""
    CALIBRATION.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    learned.cache_clear()
    Calibration.load.cache_clear()


if __name__ == "__main__":
    sys.exit(main())
