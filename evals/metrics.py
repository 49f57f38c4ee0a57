"""Metrics: pure functions of a question and its answer."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.datamodels import Answer
from evals.questions import Question


@dataclass(frozen=True)
class Score:
    """What one answer is worth."""

    right: bool
    """Answered, every key fact in the answer, a gold line cited; for an unanswerable question: declined."""
    facts: float
    """Share of the key facts that stand in the answer, 0 to 1; 1 where there are none."""
    first_gold: bool
    """The first citation stands on a gold line."""
    off_gold: float
    """Share of the statements none of whose lines is gold, 0 to 1; 0 without statements."""
    length: int
    """Characters of the answer."""


def normal(text: str) -> str:
    """Fold for comparing key facts: NFKC, lower case, no white space."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


def score(question: Question, answer: Answer) -> Score:
    """Score one answer."""
    text = normal(answer.answer)
    facts = [any(normal(alternative) in text for alternative in fact) for fact in question.key_facts]
    lines = {c.id: set(range(c.start_line or 0, (c.end_line or 0) + 1)) for c in answer.citations}
    cited = set().union(*lines.values()) if lines else set()
    share = sum(facts) / len(facts) if facts else 1.0
    off = [not any(lines[c] & question.gold for c in s.citations) for s in answer.statements]
    right = answer.answered and share == 1 and bool(cited & question.gold) if question.answerable else not answer.answered
    return Score(
        right,
        share if answer.answered else 0.0,
        bool(answer.citations) and bool(lines[answer.citations[0].id] & question.gold),
        sum(off) / len(off) if off else 0.0,
        len(answer.answer),
    )


def interval(values: Sequence[float], samples: int = 1000, seed: int = 7) -> tuple[float, float]:
    """95 % bootstrap interval of the mean (Efron 1979, percentile); (0, 0) without values."""
    if not values:
        return 0.0, 0.0
    chooser = random.Random(seed)
    means = sorted(sum(chooser.choices(values, k=len(values))) / len(values) for _ in range(samples))
    return means[int(samples * 0.025)], means[int(samples * 0.975)]
