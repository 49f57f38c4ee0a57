"""The default engine: chooses the statements that answer a question, as few as do the job.

Every span of the passages is scored by how much of the question it supports, with what stands
around it (its heading, the sentence it follows from) counting for what it leaves unsaid. The shape
of the question (what, which, where, compare …) decides what is added: a list's items, a command
behind its lead-in, each side of a comparison. When too much of the question is unsupported, the
engine declines and says what it did not find.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assistant.answerable import SUPPORTED, decide
from assistant.crossencoder import CrossEncoder
from assistant.datamodels import ARTICLE, Passage, Reason, Segment
from assistant.evidence import Reader, coverage
from assistant.index import Index
from assistant.query import Query
from assistant.reading import reread
from assistant.scoring import ROLE, Calibration, Candidate, named, score

NEAR = 2.0
"""How far a further statement's score may lie behind the best one's."""
ALIKE = 1.6
"""The same where it adds nothing that the question asks for: it may be the answer as well."""
SECTION = 2.5
"""The same for a sentence of the same section that says what the subject does."""
MOST = 3
PRONOUN = re.compile(r"(it|they|its|their|this|these)\b|它们?|该组件|其(?!他|它|中)", re.I)
"""Begins a sentence whose subject stands before it."""


@dataclass(frozen=True)
class Selection:
    """What an engine chose: statements in reading order, the best evidence, or why it declines."""

    chosen: tuple[Candidate, ...]
    best: Candidate | None
    reason: Reason | None = None
    missing: tuple[str, ...] = ()
    confidence: float = 0.0
    """Probability that the material answers the question, 0 to 1."""


def select(query: Query, passages: Sequence[Passage], index: Index, reader: Reader, encoder: CrossEncoder | None) -> Selection:
    """Choose the statements that answer `query`, or say what is missing; without an encoder by the learned weights alone."""
    if not query.units:
        return Selection((), None, "off_topic")
    calibration = Calibration.load(all(passage.chunk.source == ARTICLE for passage in passages))
    candidates = score(query, passages, index, reader, calibration)
    if not candidates:
        return Selection((), None, "off_topic", tuple(unit.text for unit in query.units[:3]))
    if encoder is not None:
        candidates = reread(query, candidates, index, reader, encoder, calibration)
    chosen = choose(query, candidates, lambda side: score(side, passages, index, reader, calibration))
    decision = decide(query, candidates, judged(query, chosen), calibration)
    if not decision.answers:
        return Selection((), chosen[0], decision.reason, decision.missing, decision.confidence)
    expanded = expand(query, chosen, index)
    ordered = sorted(expanded, key=lambda c: (c.chunk.source, c.chunk.path, c.segment.start))
    return Selection(tuple(ordered), chosen[0], confidence=decision.confidence)


def choose(query: Query, candidates: Sequence[Candidate], rank: Callable[[Query], list[Candidate]]) -> list[Candidate]:
    """Choose among candidates (best first, not empty), the best evidence first.

    `rank` scores the passages for another query, as each side of a comparison is one.
    """
    if "compare" in query.intents and len(query.subjects) > 1:
        return _sides(query, candidates, rank) or [candidates[0]]
    return _few(query, candidates)


def judged(query: Query, chosen: Sequence[Candidate]) -> list[Candidate]:
    """What the decision looks at: the best statement, or all sides of a comparison."""
    return list(chosen) if "compare" in query.intents else list(chosen[:1])


def _few(query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best candidate, and those that add what it leaves open or stand close behind it."""
    best = _whole_list(query, candidates)
    chosen = [best]
    described = "what" in query.intents and len(query.subjects) == 1 and best.chunk.kind != "entry"
    spoken_of = [i for i, unit in enumerate(query.units) if unit.key in query.subjects[:1] and best.supports[i] >= SUPPORTED]
    for candidate in candidates[1:12]:
        if len(chosen) == MOST:
            break
        if candidate.segment.kind == "lead" and "list" not in query.intents:
            continue
        if any(candidate.supports[i] < SUPPORTED for i in spoken_of):
            continue  # it speaks of something else
        if candidate.chunk.kind == "entry" and not (candidate.chunk.note or query.intents & {"where", "list"}):
            continue
        before = np.max([c.supports for c in chosen], axis=0)
        gain = coverage(query.units, np.maximum(before, candidate.supports)) - coverage(query.units, before)
        near = candidate.score >= best.score - NEAR
        section = described and candidate.chunk.headings == best.chunk.headings and candidate.score >= best.score - SECTION
        another = "list" in query.intents and candidate.feature("names_wanted") == 1.0 and best.segment.kind == "sentence"
        if (near and (gain > 0.1 or another or candidate.score >= best.score - ALIKE)) or (section and ROLE.search(candidate.text)):
            chosen.append(candidate)
    return chosen


def _whole_list(query: Query, candidates: Sequence[Candidate]) -> Candidate:
    """The best candidate; where a list is asked for and an item of one is best, the sentence that leads into it."""
    best = candidates[0]
    if "list" not in query.intents or best.segment.kind != "item" or best.chunk.segments[0].kind != "lead":
        return best
    lead = best.chunk.segments[0]
    known = next((c for c in candidates if c.chunk.id == best.chunk.id and c.segment == lead), None)
    supports = tuple(max(a, b) for a, b in zip(best.supports, known.supports, strict=True)) if known else best.supports
    return replace(best, segment=lead, supports=supports)


def _sides(query: Query, candidates: Sequence[Candidate], rank: Callable[[Query], list[Candidate]]) -> list[Candidate]:
    """What says how the things compared differ, if one statement does; else what each of them is."""
    if candidates[0].feature("all_sides") and candidates[0].feature("differs"):
        return [candidates[0]]
    chosen: list[Candidate] = []
    for unit in [unit for unit in query.units if unit.key in query.subjects][:3]:
        side = replace(query, text=unit.text, units=(unit,), intents=frozenset({"what"}), subjects=(unit.key,), focus=None, wanted=frozenset())
        own = [c for c in rank(side) if c.supports[0] >= SUPPORTED and (c.chunk.kind != "entry" or (c.chunk.note and named(c.chunk, side) == 1))] or [
            c for c in candidates if c.supports[query.units.index(unit)] >= SUPPORTED
        ]
        if fresh := next((c for c in own if c.place not in {x.place for x in chosen}), None):
            known = next((c for c in candidates if c.place == fresh.place), None)
            supports = tuple(float(u == unit) for u in query.units) if known is None else known.supports
            chosen.append(replace(fresh, supports=supports, read=None if known is None else known.read))
    return chosen


def expand(query: Query, chosen: Sequence[Candidate], index: Index) -> list[Candidate]:
    """Add what a chosen segment announces: a list's items, a command, a folder's entries."""
    result: dict[tuple[str, str, int], Candidate] = {}
    whole = bool(query.intents & {"list", "count", "command", "compare"})
    announced = False
    for candidate in chosen:
        following = followers(query, candidate, index)
        if candidate is not chosen[0] and "compare" not in query.intents and (announced or (following and not whole)):
            continue  # one list an answer, and none behind a sentence that only adds to another
        announced = announced or bool(following)
        for one in [*before(query, candidate), candidate, *following]:
            result.setdefault(one.place, one)
    return list(result.values())


def before(query: Query, candidate: Candidate) -> list[Candidate]:
    """What a chosen segment cannot be read without: the sentence that leads into a command; where a name is asked for,
    the sentence that names what 'it' is."""
    segments = candidate.chunk.segments
    if candidate.segment.kind == "command" and segments[0].kind == "lead":
        return [replace(candidate, segment=segments[0])]
    if candidate.segment.kind != "sentence" or not query.wanted or not PRONOUN.match(candidate.text):
        return []
    at = segments.index(candidate.segment)
    named = [i for i in (0, *range(at - 1, 0, -1)) if i < at and not PRONOUN.match(replace(candidate, segment=segments[i]).text)]
    return [replace(candidate, segment=segments[i]) for i in named[:1]]


def followers(query: Query, candidate: Candidate, index: Index) -> list[Candidate]:
    chunk, segment = candidate.chunk, candidate.segment
    if chunk.kind == "entry":
        if not chunk.children or (chunk.note and not query.intents & {"list", "count"}):
            return []
        named = {c.name: c for c in index.of_document(chunk.source, chunk.path) if c.kind == "entry"}
        return [replace(candidate, chunk=named[n], segment=named[n].segments[0]) for n in chunk.children if n in named]
    leading = next(
        (
            c
            for c in index.of_document(chunk.source, chunk.path)
            if c.kind in ("list", "code")
            and c.segments[0].kind == "lead" and c.segments[0].start == segment.start
        ),
        None,
    )
    if leading is None:
        return []
    firsts: dict[int, Segment] = {}
    for part in leading.segments[1:]:
        firsts.setdefault(part.start if part.item is None else -1 - part.item, part)
    return [replace(candidate, chunk=leading, segment=part) for part in firsts.values()]


