"""The default engine: chooses the statements that answer a question, as few as do the job.

Every span of the passages is scored by how much of the question it supports, with what stands
around it (its heading, the sentence it follows from) counting for what it leaves unsaid. The shape
of the question (what, which, where, compare …) decides what is added: a list's items, a command
behind its lead-in, each side of a comparison. When too much of the question is unsupported, the
engine declines and says what it did not find.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assistant.datamodels import Chunk, Passage, Reason, Segment
from assistant.evidence import Bag, Reader, coverage, unit_weight
from assistant.index import Index
from assistant.query import Query, Unit
from assistant.static import StaticModel

# Chosen on the development split of evals/data; `python -m evals` shows what each change does.
OWN, AROUND, DENSE, RANK = 0.35, 0.65, 0.25, 0.10
DEFINES, FITS, COUNTED = 0.12, 0.10, 0.25
NAMED: frozenset[str] = frozenset({"what", "list", "count", "other", "where", "yesno"})
ANSWERED = 0.62
"""Coverage of the question that the chosen statements must reach."""
WORST = 0.38
"""Largest share of the question's weight that one unsupported unit may have."""
SUPPORTED = 0.5
"""Support below which a unit counts as not found."""
CONTEXT = 0.9
"""What support from the surroundings is worth beside the span's own."""
NUMBER = re.compile(r"\d|[一二两三四五六七八九十]|\b(one|two|three|four|five|six|seven|single|only)\b", re.I)
DEFINITION = re.compile(r"是.{0,24}(工具|包|组件|代理|接口|库|服务|集群|方式)|也?被称为|\bis (a|an|the)\b|also called|\bas the\b", re.I)
EXPECTED: tuple[tuple[re.Pattern[str], re.Pattern[str] | None], ...] = (
    (re.compile(r"哪一?年|什么时候|何时|几月|(what|which) year|when was|when did"), re.compile(r"\d{4}|年")),
    (re.compile(r"百分之几|百分比|percent(age)?"), re.compile(r"%|percent|百分", re.I)),
    (re.compile(r"几秒|多少秒|几分钟|多久|how many (seconds|minutes)|how often|how long"), re.compile(r"\d\s*(秒|分|s\b|min)|定期|regular")),
    (re.compile(r"谁(写|开发|创建|发明|维护|设计|提出)\S*|who (wrote|created|made|invented|maintains|designed|develops)"), None),
)
"""Expected answer types (Li & Roth 2002, the few that matter here): what asks for one, and what holds one."""
PLACE = re.compile(r"目录|路径|\bdirectory\b|\bpath\b|(?<![a-z])[_/][a-z]+/?", re.I)
ROLE = re.compile(r"负责|用于|用来|主要|提供|管理|监控|responsible|manag|provid|expos|monitor|mainly|\bfor\b.*\bPod\b", re.I)
"""Words of a sentence that says what its subject does."""
ANY_COMPONENT = re.compile(r"(某一?个|任[一何意]个?|每个)组件|\b(a single|any|each|every) component\b[^.]*\bsuch as\b", re.I)
EXAMPLE = 0.6
NEAR = 0.88
"""Score, relative to the best, that a further statement needs."""
SECTION = 0.75
"""The same for a sentence of the same section that says what the subject does."""
MOST = 3


@dataclass(frozen=True)
class Candidate:
    """A segment of a passage with its score."""

    chunk: Chunk
    segment: Segment
    score: float
    supports: tuple[float, ...]
    """Support of each unit of the query, surroundings included, 0 to 1."""

    @property
    def text(self) -> str:
        return self.chunk.text[self.segment.start - self.chunk.start : self.segment.end - self.chunk.start]

    @property
    def place(self) -> tuple[str, str, int]:
        return self.chunk.source, self.chunk.path, self.segment.start


@dataclass(frozen=True)
class Selection:
    """What an engine chose: statements in reading order, the best evidence, or why it declines."""

    chosen: tuple[Candidate, ...]
    best: Candidate | None
    reason: Reason | None = None
    missing: tuple[str, ...] = ()


def select(query: Query, passages: Sequence[Passage], index: Index, reader: Reader) -> Selection:
    """Choose the statements that answer `query`, or say what is missing."""
    if not query.units:
        return Selection((), None, "off_topic")
    candidates = score(query, passages, index, reader)
    if not candidates:
        return Selection((), None, "off_topic", tuple(unit.text for unit in query.units[:3]))
    if "compare" in query.intents and len(query.subjects) > 1:
        chosen = _sides(query, candidates, reader)
    else:
        chosen = _few(query, candidates)
    best = chosen[0] if chosen else candidates[0]
    judged = chosen if "compare" in query.intents and chosen else [best]
    missing = _missing(query, np.max([c.supports for c in judged], axis=0).tolist()) or _undescribed(query, best)
    missing = missing or _wrong_kind(query, best)
    if missing:
        return Selection((), best, _reason(query, candidates), missing)
    expanded = _expand(query, chosen, index)
    return Selection(tuple(sorted(expanded, key=lambda c: (c.chunk.source, c.chunk.path, c.segment.start))), best)


def score(query: Query, passages: Sequence[Passage], index: Index, reader: Reader) -> list[Candidate]:
    """Score every segment of the passages, best first; one candidate for each place."""
    vector = StaticModel.load().encode([query.text])[0]
    found: dict[tuple[str, str, int], Candidate] = {}
    for passage in _with_named(query, passages, index):
        chunk = passage.chunk
        previous = [reader.read(" \n".join(chunk.headings[1:][-2:])), *_opening(chunk, index, reader)]
        known = len(previous)
        for segment in chunk.segments:
            text = chunk.text[segment.start - chunk.start : segment.end - chunk.start]
            own_text = _entry_text(chunk) if chunk.kind == "entry" and chunk.name != "." else text
            bag = reader.read(own_text)
            own = [max(bag.support(unit), _as_example(unit, text, reader)) for unit in query.units]
            around = [CONTEXT * max(b.support(unit) for b in previous) for unit in query.units]
            supports = tuple(max(a, b) for a, b in zip(own, around, strict=True))
            dense = max(0.0, float(bag.vector @ vector))
            value = OWN * coverage(query.units, own) + AROUND * coverage(query.units, supports) + DENSE * dense
            value += RANK / (1 + passage.rank) + _shape(query, chunk, segment, text, reader)
            if query.intents & {"list", "count"} and (segment.kind == "lead" or NUMBER.search(text)):
                value += COUNTED * any(unit.generic and unit.key in bag.keys for unit in query.units)
            described = bool(chunk.note or chunk.children) or (chunk.name or "").lower() in query.text
            if chunk.kind == "entry" and described and NAMED & set(query.intents) and _is_named(chunk, query):
                value += COUNTED
            candidate = Candidate(chunk, segment, value, supports)
            if candidate.place not in found or found[candidate.place].score < value:
                found[candidate.place] = candidate
            if segment.kind == "lead" or len(previous) == known:
                previous.append(bag)
    return sorted(found.values(), key=lambda c: (-c.score, c.place))


def _with_named(query: Query, passages: Sequence[Passage], index: Index) -> Iterable[Passage]:
    """The passages, and every entry that the question names, whatever its rank."""
    seen = {passage.chunk.id for passage in passages}
    yield from passages
    for chunk in index.of_language[query.language]:
        if chunk.kind == "entry" and chunk.id not in seen and _is_named(chunk, query):
            yield Passage(chunk, len(passages), 0.0)


def _is_named(chunk: Chunk, query: Query) -> bool:
    """Whether the question names this entry, by its path or its last part."""
    name = (chunk.name or "").lower()
    return any(unit.text in (name, name.rsplit("/", 1)[-1]) for unit in query.units)


def _as_example(unit: Unit, text: str, reader: Reader) -> float:
    """Support for a component from a sentence on any component ('a single component, such as kubectl')."""
    term = reader.terms.by_id.get(unit.key.removeprefix("term:"))
    return EXAMPLE if term is not None and term.kind in ("component", "tool") and ANY_COMPONENT.search(text) else 0.0


def _opening(chunk: Chunk, index: Index, reader: Reader) -> list[Bag]:
    """The first sentence of the paragraph that a list or code block continues: it names what is spoken of."""
    if chunk.kind not in ("list", "code", "table") or chunk.segments[0].kind != "lead":
        return []
    for other in index.of_language[chunk.language]:
        same = other.source == chunk.source and other.path == chunk.path and other.kind == "paragraph"
        if same and other.start <= chunk.start < other.end:
            first = other.segments[0]
            return [reader.read(other.text[first.start - other.start : first.end - other.start])]
    return []


def _entry_text(chunk: Chunk) -> str:
    """What a directory entry says, with the word for what it is."""
    file = "." in (chunk.name or "").rsplit("/", 1)[-1]
    leaf = (chunk.name or "").rsplit("/", 1)[-1]
    return f"{chunk.name} {chunk.note or ''} " + ("脚本 script file" if file else f"{leaf}目录 {leaf} directory folder")


def _about(key: str, chunk: Chunk, text: str, reader: Reader) -> float:
    """How far a sentence is about a subject: 2 it opens the subject's section, 1 it begins with it or stands in its section."""
    heading = bool(chunk.headings) and key in reader.read(chunk.headings[-1]).keys
    opens = reader.read(text).opening == key
    return float(opens) + float(heading)


def _shape(query: Query, chunk: Chunk, segment: Segment, text: str, reader: Reader) -> float:
    """What a segment's form is worth for the form of the question."""
    value = 0.0
    if query.intents & {"what", "compare"} and chunk.kind != "entry" and query.subjects:
        about = _about(query.subjects[0], chunk, text, reader)
        value += DEFINES * about
        if about and ROLE.search(text):
            value += FITS
        if about and DEFINITION.search(text):
            value += FITS
        if segment.kind == "lead" and "list" not in query.intents and not ROLE.search(text):
            value -= FITS
    if query.intents & {"list", "count"} and (segment.kind == "lead" or (chunk.kind == "entry" and chunk.children)):
        value += FITS
    if "count" in query.intents and NUMBER.search(text) and chunk.kind != "entry":
        value += FITS
    if "where" in query.intents and chunk.kind == "entry":
        value += FITS if chunk.name != "." else -FITS
    if "where" in query.intents and chunk.kind != "entry" and PLACE.search(text):
        value += 2 * FITS
    if "command" in query.intents and (chunk.kind == "code" or "make" in text.lower().split()):
        value += FITS
    return value


def _few(query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best candidate, and those that add what it leaves open or stand close behind it."""
    best = candidates[0]
    chosen = [best]
    described = "what" in query.intents and len(query.subjects) == 1 and best.chunk.kind != "entry"
    for candidate in candidates[1:12]:
        if len(chosen) == (MOST if described else 2):
            break
        if candidate.segment.kind == "lead" and "list" not in query.intents:
            continue
        before = np.max([c.supports for c in chosen], axis=0)
        gain = coverage(query.units, np.maximum(before, candidate.supports).tolist()) - coverage(query.units, before.tolist())
        near = candidate.score >= NEAR * best.score
        section = described and candidate.chunk.headings == best.chunk.headings and candidate.score >= SECTION * best.score
        if (near and (gain > 0.1 or candidate.score >= 0.95 * best.score)) or (section and ROLE.search(candidate.text)):
            chosen.append(candidate)
    return chosen


def _sides(query: Query, candidates: Sequence[Candidate], reader: Reader) -> list[Candidate]:
    """For each thing compared, the best candidate that is about it."""
    keys = [unit.key for unit in query.units]
    chosen: list[Candidate] = []
    for subject in query.subjects[:3]:
        own = [c for c in candidates if c.supports[keys.index(subject)] >= SUPPORTED and c not in chosen]
        own.sort(key=lambda c: -(c.score + 3 * DEFINES * _about(subject, c.chunk, c.text, reader)))
        if own:
            chosen.append(own[0])
    return chosen


def _undescribed(query: Query, best: Candidate) -> tuple[str, ...]:
    """What is asked of a thing that is only listed, or of a number where there is none."""
    chunk = best.chunk
    listed = chunk.kind == "entry" and chunk.name != "." and not chunk.note and not chunk.children
    if listed and not query.intents & {"where", "list", "yesno", "compare"}:
        return (f"{chunk.name} 的说明",) if query.language == "zh" else (f"a description of {chunk.name}",)
    if "count" in query.intents and "list" not in query.intents and chunk.kind != "entry" and not NUMBER.search(best.text):
        asked = [unit.text for unit in query.units if unit.key not in query.subjects]
        return (asked[0] if asked else "数量",)
    return ()


def _wrong_kind(query: Query, best: Candidate) -> tuple[str, ...]:
    """What kind of answer is asked for (a year, a share, a person, a duration) that the statement does not hold."""
    for asked, holds in EXPECTED:
        if (match := asked.search(query.text)) and not (holds and holds.search(best.text)):
            return (match.group(),)
    return ()


def _missing(query: Query, supports: Sequence[float]) -> tuple[str, ...]:
    """Words of the question that are not supported; empty when the question is answered."""
    weights = [unit_weight(unit) for unit in query.units]
    total = sum(weights)
    lacking = [
        (w, unit.text) for w, s, unit in zip(weights, supports, query.units, strict=True) if s < SUPPORTED and not unit.generic
    ]
    if lost := [u.text for u, s in zip(query.units, supports, strict=True) if u.key in query.subjects and s < SUPPORTED]:
        return tuple(lost)
    covered = coverage(query.units, list(supports))
    if covered >= ANSWERED and all(w / total < WORST for w, _ in lacking):
        return ()
    worst = sorted(lacking, reverse=True)[:3] or [(unit_weight(u), u.text) for u in query.units[:1]]
    return tuple(text for _, text in worst)


def _reason(query: Query, candidates: Sequence[Candidate]) -> Reason:
    supported = np.max([c.supports for c in candidates], axis=0)
    keys = {unit.key: value for unit, value in zip(query.units, supported, strict=True)}
    if any(keys[subject] >= SUPPORTED for subject in query.subjects):
        return "partly_covered"
    return "not_covered" if coverage(query.units, supported.tolist()) >= 0.35 else "off_topic"


def _expand(query: Query, chosen: Sequence[Candidate], index: Index) -> list[Candidate]:
    """Add what a chosen segment announces: a list's items, a command, a folder's entries."""
    result: dict[tuple[str, str, int], Candidate] = {}
    announced = False
    for candidate in chosen:
        followers = [] if announced else _followers(query, candidate, index)
        if announced and candidate.place not in result and candidate is not chosen[0]:
            continue
        announced = announced or bool(followers)
        for one in [candidate, *followers]:
            result.setdefault(one.place, one)
    return list(result.values())


def _followers(query: Query, candidate: Candidate, index: Index) -> list[Candidate]:
    chunk, segment = candidate.chunk, candidate.segment
    if chunk.kind == "entry":
        if not chunk.children or (chunk.note and not query.intents & {"list", "count"}):
            return []
        named = {c.name: c for c in index.of_language[chunk.language] if c.kind == "entry" and c.path == chunk.path}
        return [replace(candidate, chunk=named[n], segment=named[n].segments[0]) for n in chunk.children if n in named]
    leading = next(
        (
            c
            for c in index.of_language[chunk.language]
            if c.source == chunk.source and c.path == chunk.path and c.kind in ("list", "code")
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


