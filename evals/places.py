"""Learns, for `python -m evals.calibrate`, how the directories of a tree are ranked for a question on where a thing lives.

The weights of what speaks for a directory maximise the likelihood of the right ones on the training questions, by a softmax over many
(ListNet, Cao et al. 2007); questions on what a directory holds or whether it is there teach it as well. What their sum weighs beside
the cross-encoder's verdict, and from which score a directory is given, two numbers, are learned on the development questions, which it
has not seen; the figures printed are of those.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp

from assistant.assistant import Assistant
from assistant.places import FEATURES, LIKELY, Likely, Places, given
from assistant.scoring import learned
from evals.questions import Question, on_places, read_questions

NEAREST, OTHERS = 150, 50
"""Directories of a question that the weights learn from: the nearest by the weights in use, and some by chance."""
L2 = 0.5
WRONG = 0.5
CHOICES = np.linspace(-4, 10, 141)
"""Scores among which the least is chosen."""


@dataclass(frozen=True)
class Asked:
    """A question with directories, and which of them are right."""

    question: Question
    features: np.ndarray
    """(directories, features) float64."""
    right: np.ndarray
    """(directories,) bool."""


def fit(assistant: Assistant, source: str) -> dict[str, Any]:
    """The record of `calibration.json` for `assistant.places`."""
    places = assistant.trees.places(source)
    asked = list(_asked("train", places, assistant))
    if not asked or not any(question.answerable for question in _questions("dev", source)):
        print(f"no questions on where a thing lives in {source}: the weights of places stay", file=sys.stderr)
        return learned()["places"]  # type: ignore[no-any-return]
    weights = fit_weights(asked)
    record = {"weights": {name: round(float(w), 3) for name, w in zip(FEATURES, weights, strict=True)}}
    found = [(question, _read(question, places, assistant, weights)) for question in _questions("dev", source)]
    nearness = fit_nearness(found)
    least = fit_least(found, nearness)
    told = [(question, _given(likely, nearness, least)) for question, likely in found]
    yes, no = [pair for pair in told if pair[0].answerable], [pair for pair in told if not pair[0].answerable]
    print(
        f"places: {len(found)} questions, a right one among {LIKELY} {np.mean([_held(q, f) for q, f in found if q.answerable]):.3f}, "
        f"given {np.mean([_held(*pair) for pair in yes]):.3f}, none given {np.mean([not places for _, places in yes]):.3f}, "
        f"declined rightly {np.mean([not places for _, places in no]):.3f}"
    )
    return record | {"nearness": round(nearness, 3), "least": round(least, 3)}


def fit_weights(asked: Sequence[Asked]) -> np.ndarray:
    """Weights of the features, (features,)."""

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = L2 * float(weights @ weights) / 2, L2 * weights
        for one in asked:
            logits = one.features @ weights
            p = np.exp(logits - logsumexp(logits))
            mass = float(p[one.right].sum()) + 1e-12
            value -= np.log(mass)
            gradient = gradient - (p * one.right / mass - p) @ one.features
        return value, gradient

    return minimize(loss, np.ones(len(FEATURES)), jac=True, method="L-BFGS-B").x  # type: ignore[no-any-return]


def fit_nearness(found: Sequence[tuple[Question, Sequence[Likely]]]) -> float:
    """What nearness weighs beside the cross-encoder's log odds, 0 or more."""
    rows = [(likely, _right(question, likely)) for question, likely in found]

    def loss(weight: float) -> float:
        total = 0.0
        for likely, right in rows:
            if right.any():
                logits = np.array([one.scored(weight) for one in likely])
                total -= float(logsumexp(logits[right]) - logsumexp(logits))
        return total

    return float(minimize_scalar(loss, bounds=(0, 2), method="bounded").x)


def fit_least(found: Sequence[tuple[Question, Sequence[Likely]]], nearness: float) -> float:
    """The score from which a directory is given. Wrong ones cost half of what it costs to withhold the right one: the reader sees
    from a path that it is not what was meant."""

    def loss(least: float) -> float:
        cost = 0.0
        for question, likely in found:
            told, known = _given(likely, nearness, least), _given(likely, nearness, CHOICES[0])
            cost += WRONG * (bool(told) and not _held(question, told)) + (_held(question, known) and not told)
        return cost

    return float(min(CHOICES, key=loss))


def _questions(split: str, source: str) -> Iterator[Question]:
    """Those whose answer is a place, and what is like them but cannot be answered."""
    return (question for question in read_questions(split) if (question.kind == "where" or question.asks == "where") and question.source == source)


def _asked(split: str, places: Places, assistant: Assistant) -> Iterator[Asked]:
    order = np.random.default_rng(7)
    for question in (q for q in read_questions(split) if on_places(q) and q.source == places.tree.source and not q.expect_absent):
        features = places.features(assistant.query(question.question))
        gold = {place.path for place in question.gold}
        if features is None or not question.answerable:
            continue
        right = np.array([path in gold for path in places.paths])
        if not right.any():
            continue
        nearest = np.argsort(-features @ places.weights, kind="stable")[:NEAREST]
        kept = np.unique([*np.flatnonzero(right), *nearest, *order.choice(len(right), OTHERS)])
        yield Asked(question, features[kept], right[kept])


def _read(question: Question, places: Places, assistant: Assistant, weights: np.ndarray) -> list[Likely]:
    assert assistant.encoder is not None
    return places.likely(assistant.query(question.question), assistant.encoder, LIKELY, weights)


def _right(question: Question, likely: Sequence[Likely]) -> np.ndarray:
    gold = {place.path for place in question.gold}
    return np.array([one.place.path in gold for one in likely], bool)


def _held(question: Question, likely: Sequence[Likely]) -> bool:
    return bool(_right(question, likely).any())


def _given(likely: Sequence[Likely], nearness: float, least: float) -> list[Likely]:
    """What would be given if nearness weighed that much."""

    def score(one: Likely) -> float:
        return one.scored(nearness)

    return given(sorted(likely, key=score, reverse=True), least, score)
