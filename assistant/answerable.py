"""Decides whether the chosen statements answer the question, and says what is missing where they do not.

The decision is a logistic function of a few features, calibrated by `python -m evals.calibrate` on the
development questions; the words that are named as missing are those whose support is lowest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.crossencoder import SUREST
from assistant.datamodels import Reason
from assistant.evidence import coverage, unit_weight
from assistant.query import Query
from assistant.scoring import CAUSE, EXPECTED, NUMBER, Calibration, Candidate, asks_why, log_odds

FEATURES = (
    "coverage", "own", "worst", "lost", "lacking_terms", "lacking_attributes", "lacking_words", "lacking_everyday", "lacking_minor", "unseen_terms", "unseen_words", "late", "dense", "lexical", "margin", "score", "undescribed", "wrong_kind",
    "no_number", "no_cause", "no_command", "empty", "nothing", "focus", "plain", "short", "subjects", "yesno", "names", "read", "read_else", "read_kind", "read_entry", "entry", "entry_named",
)
"""Names of what the decision looks at; all but 'score' and 'read…' (−1 to 1) lie between 0 and about 1."""
SUPPORTED = 0.5
"""Support below which a unit counts as not found."""
RIVALS = 5
COMMAND = re.compile(r"[`$/_=]|(?<![a-z])-[a-z]\b|\.sh\b|\bmake\b|命令", re.I)


@dataclass(frozen=True)
class Decision:
    """Whether to answer, and how sure that is."""

    confidence: float
    """Probability that the material answers the question, 0 to 1."""
    answers: bool
    missing: tuple[str, ...]
    """What the question asks for and the statements do not say; empty when they answer."""
    reason: Reason | None


def decide(query: Query, candidates: Sequence[Candidate], judged: Sequence[Candidate], calibration: Calibration) -> Decision:
    """Judge the statements `judged`, chosen among all `candidates` (best first, not empty)."""
    values = features(query, candidates, judged)
    total = log_odds(calibration.decision, values)
    confidence = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
    if confidence >= calibration.threshold:
        return Decision(confidence, True, (), None)
    return Decision(confidence, False, missing(query, candidates, judged), _reason(query, candidates))


def features(query: Query, candidates: Sequence[Candidate], judged: Sequence[Candidate]) -> dict[str, float]:
    """What speaks for and against an answer."""
    best = judged[0]
    supports = _together(judged)
    weights = [unit_weight(unit) for unit in query.units]
    lacking, unseen = _by_class(query, supports), _by_class(query, _together(candidates))
    low = [w for w, s, u in zip(weights, supports, query.units, strict=True) if s < SUPPORTED and not u.generic]
    rivals = [c.score for c in candidates if c.chunk.id not in {j.chunk.id for j in judged}][:RIVALS]
    lost = [u for u, s in zip(query.units, supports, strict=True) if u.key in query.subjects and s < SUPPORTED]
    asked = [s for s, u in zip(supports, query.units, strict=True) if not u.generic and not u.minor]
    return {
        "coverage": coverage(query.units, supports),
        "own": best.feature("own"),
        "worst": max(low, default=0.0) / sum(weights),
        "lacking_terms": lacking["term"],
        "lacking_attributes": lacking["attribute"],
        "lacking_words": lacking["word"],
        "lacking_everyday": lacking["everyday"],
        "lacking_minor": lacking["minor"],
        "unseen_terms": unseen["term"],
        "unseen_words": unseen["word"],
        "lost": float(bool(lost)),
        "late": best.feature("late_around"),
        "dense": max(best.feature("dense"), best.feature("dense_other")),
        "lexical": best.feature("lexical"),
        "margin": 1 / (1 + sum(math.exp(min(0.0, score - best.score)) for score in rivals)),
        "score": best.score / 10,
        "undescribed": float(bool(_undescribed(query, best))),
        "wrong_kind": float(bool(_wrong_kind(query, best))),
        "no_number": float("count" in query.intents and best.segment.kind != "lead" and not (NUMBER.search(best.text) and best.chunk.kind != "entry")),
        "no_cause": float(asks_why(query.text) and not CAUSE.search(best.text)),
        "no_command": float("command" in query.intents and not COMMAND.search(best.text) and best.chunk.kind != "code"),
        "empty": float(all(unit.generic and not unit.is_term for unit in query.units)),
        "nothing": float(bool(asked) and max(asked) < SUPPORTED),
        "focus": _focus(query, best, supports),
        "plain": sum(asked) / len(asked) if asked else 1.0,
        "short": 1 / len(query.units),
        "subjects": float(bool(query.subjects)),
        "yesno": float("yesno" in query.intents),
        "read": (best.read or 0.0) / SUREST,
        "read_else": max((c.read for c in candidates if c.read is not None), default=0.0) / SUREST,
        "read_kind": (best.read or 0.0) / SUREST if query.intents & {"list", "compare", "count"} else 0.0,
        "read_entry": (best.read or 0.0) / SUREST if best.chunk.kind == "entry" else 0.0,
        "entry": float(best.chunk.kind == "entry"),
        "entry_named": float(best.chunk.kind == "entry" and bool(best.feature("entry_described")) and query.intents <= {"what", "where", "yesno"}),
        "names": float(any(unit.is_name and not unit.generic for unit in query.units)),
    }


def _focus(query: Query, best: Candidate, supports: Sequence[float]) -> float:
    """How far what the question word asks for lacks support; 0 where a name of the kind asked for is there."""
    if query.focus is None or best.feature("names_wanted") or query.focus in query.subjects:
        return 0.0
    return next((1 - s for unit, s in zip(query.units, supports, strict=True) if unit.key == query.focus), 0.0)


def _by_class(query: Query, supports: Sequence[float]) -> dict[str, float]:
    """How much of what is asked lacks support, for each class of unit: 1 is two whole units or more."""
    total = {"term": 0.0, "attribute": 0.0, "word": 0.0, "everyday": 0.0, "minor": 0.0}
    for unit, support in zip(query.units, supports, strict=True):
        if not unit.generic:
            kind = "attribute" if unit.attribute else "minor" if unit.minor else "term" if unit.is_name else "everyday" if unit.everyday else "word"
            total[kind] += max(0.0, 1 - support) / 2
    return {kind: min(1.0, value) for kind, value in total.items()}


def missing(query: Query, candidates: Sequence[Candidate], judged: Sequence[Candidate]) -> tuple[str, ...]:
    """Words of the question that the statements do not support, the heaviest first, three at most."""
    best, supports = judged[0], _together(judged)
    attributes = tuple(unit.text for unit, s in zip(query.units, supports, strict=True) if unit.attribute and s < SUPPORTED)
    if said := attributes[:3] or _wrong_kind(query, best) or _undescribed(query, best):
        return said
    lost = [unit.text for unit, s in zip(query.units, supports, strict=True) if unit.key in query.subjects and s < SUPPORTED]
    if lost:
        return tuple(lost[:3])
    low = [(s >= SUPPORTED, -unit_weight(unit), unit.text) for unit, s in zip(query.units, supports, strict=True) if not unit.generic]
    found = [text for known, _, text in sorted(low) if not known]
    return tuple(found[:3]) or asked_for(query)


def asked_for(query: Query) -> tuple[str, ...]:
    """What is asked of the subject, as far as its words tell; never empty where there are units."""
    focus = [unit.text for unit in query.units if unit.key == query.focus]
    apart = [unit.text for unit in query.units if unit.key not in query.subjects and not unit.generic]
    return tuple((focus or apart or [unit.text for unit in query.units])[:1])


def _together(candidates: Sequence[Candidate]) -> list[float]:
    """Support of each unit by the best of the candidates."""
    return [float(value) for value in np.max([c.supports for c in candidates], axis=0)]


def _undescribed(query: Query, best: Candidate) -> tuple[str, ...]:
    """What is asked of a thing that is only listed."""
    chunk = best.chunk
    listed = chunk.kind == "entry" and chunk.name != "." and not chunk.note and not chunk.children
    if listed and not query.intents & {"where", "yesno", "compare"}:
        return (f"{chunk.name} 的说明",) if query.language == "zh" else (f"a description of {chunk.name}",)
    return ()


def _wrong_kind(query: Query, best: Candidate) -> tuple[str, ...]:
    """What kind of answer is asked for (a year, a share, a person, a duration) that the statement does not hold."""
    for asked, holds in EXPECTED:
        if (match := asked.search(query.text)) and not (holds and holds.search(best.text)):
            return (match.group(),)
    return ()


def _reason(query: Query, candidates: Sequence[Candidate]) -> Reason:
    supported = _together(candidates)
    keys = {unit.key: value for unit, value in zip(query.units, supported, strict=True)}
    if any(keys[subject] >= SUPPORTED for subject in query.subjects):
        return "partly_covered"
    return "not_covered" if coverage(query.units, supported) >= 0.35 else "off_topic"
