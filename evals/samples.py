"""Questions with all that the engine could choose among, as arrays to learn from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from tqdm import tqdm

from assistant import reading, scoring
from assistant.assistant import Assistant
from assistant.datamodels import ARTICLE, Passage, Turn
from assistant.extractive import expand
from assistant.query import Query
from assistant.scoring import Candidate
from assistant.settings import Settings
from evals.judgements import Grade, read_judgements
from evals.metrics import found_facts
from evals.questions import Question, read_questions
from ingest.pipeline import ingest

POOL = 24
"""Candidates of a question, best first by the weights in use, that the cross-encoder reads to learn from; new weights seldom reach further."""
OFF_TOPIC = frozenset({"far", "chit-chat", "injection"})
"""Kinds of questions that no source answers."""
ON_TREE = frozenset({"tree", "where"})
"""Kinds of questions that the tree itself answers."""


@dataclass(frozen=True)
class Sample:
    """A question asked of one source, its candidates as arrays, and what each would be worth as an answer."""

    split: str
    """Name of the file it stands in."""
    question: Question
    source: str
    """What it is asked of; where that is not the question's own source it is taken to be unanswerable."""
    query: Query
    passages: list[Passage]
    candidates: list[Candidate]
    features: np.ndarray
    """(candidates, features) float64."""
    reads: np.ndarray
    """(candidates,) log odds by the cross-encoder, 0 where it was not asked."""
    worth: np.ndarray
    """(candidates,) share of the key facts that an answer made of this span alone holds, 0 off the gold lines."""
    grades: np.ndarray
    """(candidates,) the `Grade` that a span was judged to have, −1 where it was not judged."""

    @property
    def answerable(self) -> bool:
        return self.question.answerable and self.question.source == self.source

    @property
    def rival(self) -> bool:
        """Whether it tells nothing but which of two sources to answer from."""
        return self.question.answerable and self.source != ARTICLE and self.question.source == ARTICLE

    @property
    def is_told_elsewhere(self) -> bool:
        """Whether a source that is not the question's own was judged to say the answer, or a part of it."""
        return self.source != self.question.source and bool((self.grades >= Grade.PARTLY).any())

    @property
    def kind(self) -> Literal["article", "checkout"]:
        return "article" if self.source == ARTICLE else "checkout"


def ready() -> Assistant:
    """The configured assistant, its index brought up to date."""
    settings = Settings.from_environment()
    ingest(settings)
    return Assistant.open(settings)


def collect(assistant: Assistant, splits: Sequence[str], *, read: bool = True, share: float = 1.0) -> list[Sample]:
    """Ask the questions of some splits, or a share of them drawn by chance; `read`: let the cross-encoder read their candidates,
    those of rivals too.

    Questions on another source are asked of the article too, and those off the topic of every other source:
    there they cannot be answered. Those on the article are asked of the others too: answerable ones for `rival` only, as a checkout says
    much of it again, the others as near misses, but for what was judged to be told there. Of those on a tree only what it cannot say is asked, since the tree itself
    answers the others.
    """
    there = [source.name for source in assistant.index.sources]
    found = [question for split in splits for question in read_questions(split)]
    asked = [
        (question, source) for question in found if (question.kind not in ON_TREE or not question.answerable) and question.source in there
        for source in there
        if source in (question.source, ARTICLE, *(place[0] for place in read_judgements().get(question.id, ())))
        or question.kind in OFF_TOPIC or (read and question.source == ARTICLE)
    ]
    if share < 1:
        asked = random.Random(7).sample(asked, round(share * len(asked)))
    samples = [_sample(question, source, assistant, read) for question, source in tqdm(asked, desc="candidates", unit="question", disable=None)]
    return [sample for sample in samples if sample.candidates]


def _sample(question: Question, source: str, assistant: Assistant, read: bool) -> Sample:
    query = assistant.query(question.question, [Turn(q) for q in question.history])
    passages = assistant.passages(query, [source])
    candidates = scoring.score(query, passages, assistant.index.within([source]), assistant.reader, scoring.Calibration.load(source == ARTICLE))
    matrix = np.array([c.features for c in candidates]).reshape(len(candidates), len(scoring.FEATURES))
    worth = np.array([_worth(question, query, candidate, assistant) for candidate in candidates])
    reads = np.zeros(len(candidates))
    if read and assistant.encoder is not None:
        reads[:POOL] = reading.verdicts(query, candidates[:POOL], assistant.index, assistant.reader, assistant.encoder)
    judged = read_judgements().get(question.id, {})
    grades = np.array([judged.get(candidate.place, -1) for candidate in candidates])
    return Sample(question.set, question, source, query, passages, candidates, matrix, reads, worth, grades)


def _worth(question: Question, query: Query, candidate: Candidate, assistant: Assistant) -> float:
    if not question.answerable or not on_gold(question, candidate, assistant):
        return 0.0
    return found_facts(question, _said(query, [candidate], assistant))


def on_gold(question: Question, candidate: Candidate, assistant: Assistant) -> bool:
    """Whether a candidate touches a gold place."""
    chunk, document = candidate.chunk, assistant.index.document(candidate.chunk)
    first, last = document.line_at(candidate.segment.start), document.line_at(max(candidate.segment.start, candidate.segment.end - 1))
    return bool(question.holds(chunk.source, chunk.path, first, last))


def right(sample: Sample, chosen: Sequence[Candidate], assistant: Assistant) -> bool:
    """Whether these statements would be a right answer, by the rules of evals.metrics."""
    expanded = expand(sample.query, chosen, assistant.index)
    facts = found_facts(sample.question, _said(sample.query, chosen, assistant))
    return facts == 1 and any(on_gold(sample.question, c, assistant) for c in expanded)


def _said(query: Query, chosen: Sequence[Candidate], assistant: Assistant) -> str:
    return " ".join(f"{c.text} {c.chunk.name or ''}" for c in expand(query, chosen, assistant.index))
