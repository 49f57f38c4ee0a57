"""Scores every span of the passages for a question: features, weighed as the calibration says.

A feature says one thing of a span (how much of the question it says, how near its vector is, whether
its form fits what is asked); the weights are learned by `python -m evals.calibrate` on the development
questions and stand in `calibration.json`. Nothing here chooses or declines.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from pathlib import Path
from typing import Any

import numpy as np

from assistant.datamodels import ARTICLE, Chunk, Passage, Segment
from assistant.evidence import Asked, Bag, Reader
from assistant.index import Index
from assistant.query import VAGUE, Query, Unit

FEATURES = (
    "own", "around", "other", "dense", "dense_other", "dense_chunk", "late", "late_around", "rank", "length", "first",
    "opens", "heading", "role", "lead_of_list", "lead_else", "number", "entry", "entry_where",
    "entry_described", "root", "place", "make", "names_wanted", "opens_wanted", "all_sides",
    "enumerates", "differs", "cause", "late_other", "lexical", "expected", "introduces",
)
"""Names of the features, in the order of `Candidate.features`; all are 0 or more, higher is more."""
CALIBRATION = Path(__file__).with_name("calibration.json")
CONTEXT = 0.9
"""What support from the surroundings, or from the same line in the other language, is worth beside the span's own."""
EXAMPLE = 0.6
NUMBER = re.compile(r"\d|[一二两三四五六七八九十]|\b(one|two|three|four|five|six|seven|single|only)\b", re.I)
PLACE = re.compile(r"目录|路径|\bdirectory\b|\bpath\b|(?<![a-z])[_/][a-z]+/?", re.I)
ROLE = re.compile(r"负责|用于|用来|主要|提供|管理|监控|responsible|manag|provid|expos|monitor|mainly|\bfor\b.*\bPod\b", re.I)
"""Words of a sentence that says what its subject does."""
ANY_COMPONENT = re.compile(r"(某一?个|任[一何意]个?|每个)组件|\b(a single|any|each|every) component\b[^.]*\bsuch as\b", re.I)
FOLDER_WORD = re.compile(r"\s*(directory|folder|dir|目录|文件夹|脚本|script)$")
ENUMERATES = re.compile(r"分为|分别[是为有]|包括|包含|例如|there are \w+ |includ|such as|for example|、[^、。]+[、及和]|, [^,.]+,? and ", re.I)
DIFFERS = re.compile(r"区别|不同|差异|而不|differ|unlike|whereas|rather than|only", re.I)
WHY = re.compile(r"为什么|为何|为啥|原因|理由|\bwhy\b|\breasons?\b|how come")
CAUSE = re.compile(r"因为|由于|以便|为了|从而|使其|保证|确保|这样|because|since|so that|in order|ensur|therefore|thus|as a result", re.I)
EXPECTED: tuple[tuple[re.Pattern[str], re.Pattern[str] | None], ...] = (
    (re.compile(r"哪一?年|什么时候|何时|几月|(what|which) year|when was|when did"), re.compile(r"\d{4}|年")),
    (re.compile(r"百分之几|百分比|percent(age)?"), re.compile(r"%|percent|百分", re.I)),
    (re.compile(r"[几多]少?(毫?秒|分钟|小时|天)|how many (milli)?(second|minute|hour|day)s"), re.compile(r"\d\s*(毫?秒|分|小?时|天|m?s\b|min|sec|hour|day)")),
    (re.compile(r"多久|how (often|long)"), re.compile(r"\d\s*(毫?秒|分|小?时|天|m?s\b|min|sec|hour|day)|定期|实时|regular|real time", re.I)),
    (re.compile(r"(哪一?个|什么|啥|几点?几?的?)版本|版本号|(which|what) version|version number"), re.compile(r"v?\d+\.\d+")),
    (re.compile(r"端口|\bport\b(?! forward)"), re.compile(r"(?<![\d.])\d{2,5}(?![\d.])")),
    (re.compile(r"多少(g|m|gb|mb|内存|核|cpu|钱)|多大|how (much|big|large|fast)\b"), re.compile(r"\d")),
    (re.compile(r"谁(写|开发|创建|发明|维护|设计|提出)\S*|who (\w+ )?(wrote|created|made|invented|maintains|designed|develops|came up with)"), None),
)
"""Expected answer types (Li & Roth 2002, the few that matter here): what asks for one, and what holds one."""
NAMED: frozenset[str] = frozenset({"what", "list", "count", "other", "where", "yesno"})


@lru_cache(maxsize=64)
def expected(question: str) -> tuple[re.Pattern[str], ...]:
    """What holds answers of the types that a question expects; those that nothing holds are left out."""
    return tuple(holds for asked, holds in EXPECTED if holds is not None and asked.search(question))


@lru_cache(maxsize=64)
def asks_why(question: str) -> bool:
    return WHY.search(question) is not None


@cache
def learned() -> Mapping[str, Any]:
    """What `python -m evals.calibrate` wrote: for an article and a checkout as `Calibration` has it, what tells which of them is
    heard where both answer (`sources`), and how directories are ranked (`places`)."""
    return json.loads(CALIBRATION.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def log_odds(weights: Mapping[str, float], values: Mapping[str, float]) -> float:
    """Of a learned yes or no: the weights' bias and the values, each by its weight."""
    return float(weights["bias"] + sum(weights.get(name, 0.0) * value for name, value in values.items()))


@dataclass(frozen=True)
class Calibration:
    """Learned weights: of a span's features, and of what decides between answering and declining."""

    weights: Mapping[str, float]
    decision: Mapping[str, float]
    """With 'bias'; the sum through the logistic function is the probability that the material answers."""
    threshold: float
    """Probability from which an answer is given."""
    reading: float = 0.0
    """What the cross-encoder's log odds weigh beside a span's score."""

    @classmethod
    @cache
    def load(cls, article: bool = True) -> Calibration:
        """What was learned on the bundled article, or on a checkout, whose passages are many and alike."""
        record = learned()["article" if article else "checkout"]
        return cls(record["weights"], record["decision"], record["threshold"], record["reading"])


@dataclass(frozen=True)
class Candidate:
    """A segment of a passage with its score."""

    chunk: Chunk
    segment: Segment
    score: float
    supports: tuple[float, ...]
    """Support of each unit of the query, surroundings included, 0 to 1."""
    features: tuple[float, ...] = ()
    read: float | None = None
    """Log odds, by the cross-encoder, that it is the answer rather than nothing; None where it was not asked."""

    @property
    def text(self) -> str:
        return self.chunk.text[self.segment.start - self.chunk.start : self.segment.end - self.chunk.start]

    @property
    def place(self) -> tuple[str, str, int]:
        return self.chunk.source, self.chunk.path, self.segment.start

    def feature(self, name: str) -> float:
        return self.features[FEATURES.index(name)]


def score(
    query: Query, passages: Sequence[Passage], index: Index, reader: Reader, calibration: Calibration
) -> list[Candidate]:
    """Score every segment of the passages, best first; one candidate for each place."""
    weights = np.array([calibration.weights.get(name, 0.0) for name in FEATURES])
    asked = Asked(query.units, reader.read(query.text))
    most = max((s for p in passages for leg, s in p.scores.items() if leg.startswith("lexical")), default=1.0)
    found: dict[tuple[str, str, int], Candidate] = {}
    lists = bool(query.intents & {"list", "count"})
    announced = lists or ("command" in query.intents and bool(query.subjects))

    def rank(candidate: Candidate) -> tuple[bool, float]:
        """What announces a list or a command stands in it and in the paragraph before it; the former is read where one is asked for, of a thing."""
        return (candidate.segment.kind == "lead") == announced, candidate.score

    for passage in with_named(query, passages, index):
        read = list(_read(query, asked, passage, most, index, reader))
        if lists and read[0][0].kind == "lead":  # what it announces is said with it
            read[0] = (*read[0][:2], tuple(map(max, *(supports for _, _, supports in read))) if len(read) > 1 else read[0][2])
        for segment, features, supports in read:
            candidate = Candidate(passage.chunk, segment, float(weights @ features), supports, features)
            if candidate.place not in found or rank(found[candidate.place]) < rank(candidate):
                found[candidate.place] = candidate
    return sorted(found.values(), key=lambda c: (-c.score, c.place))


def leading(chunk: Chunk, segment: Segment) -> str:
    """What a segment says; of a command the sentence that leads into it."""
    lead = chunk.segments[0] if segment.kind == "command" else segment
    return chunk.text[lead.start - chunk.start : lead.end - chunk.start]


def with_named(query: Query, passages: Sequence[Passage], index: Index) -> Iterable[Passage]:
    """The passages, the commands that they announce, and every entry that the question names, whatever its rank."""
    seen = {passage.chunk.id for passage in passages}
    for passage in passages:
        yield passage
        for chunk in index.of_document(passage.chunk.source, passage.chunk.path) if passage.chunk.kind == "paragraph" else ():
            if chunk.kind == "code" and chunk.id not in seen and passage.chunk.start <= chunk.start < passage.chunk.end:
                seen.add(chunk.id)
                yield Passage(chunk, passage.rank, 0.0)
    for chunk in index.entries(query.language):
        if chunk.kind == "entry" and chunk.id not in seen and is_named(chunk, query):
            yield Passage(chunk, len(passages), 0.0)


def is_named(chunk: Chunk, query: Query) -> bool:
    """Whether the question names this entry, by its path or its last part."""
    return named(chunk, query) > 0


def named(chunk: Chunk, query: Query) -> float:
    """1 where the question names this entry by its whole path, 0.5 by its last part, else 0."""
    name = (chunk.name or "").lower()
    said = {FOLDER_WORD.sub("", unit.text) for unit in query.units} | {unit.text for unit in query.units}
    return 1.0 if name in said else 0.5 if name.rsplit("/", 1)[-1] in said else 0.0


def _read(
    query: Query, asked: Asked, passage: Passage, most: float, index: Index, reader: Reader
) -> Iterable[tuple[Segment, tuple[float, ...], tuple[float, ...]]]:
    """Features and supports of each segment of a passage."""
    chunk = passage.chunk
    whole, vector, weights = reader.read(chunk.text), asked.bag.vector, asked.shares
    titles = chunk.headings[1:][-2:] if chunk.source == ARTICLE else dict.fromkeys((*chunk.headings[:1], *chunk.headings[-2:]))
    standing = [reader.read(" \n".join(titles)), *_opening(chunk, index, reader)]
    standing_supports = reduce(np.maximum, [asked.supports(b) for b in standing])
    standing_nearest = reduce(np.maximum, [asked.nearest(b) for b in standing])
    read: list[Bag] = []
    lexical = max((s for leg, s in passage.scores.items() if leg.startswith("lexical")), default=0.0)
    other = index.counterpart(chunk, "en" if chunk.language == "zh" else "zh")
    for position, segment in enumerate(chunk.segments):
        text = chunk.text[segment.start - chunk.start : segment.end - chunk.start]
        bag = reader.read(_entry_text(chunk) if chunk.kind == "entry" and chunk.name != "." else text)
        bag_other = None
        if other is not chunk and len(other.segments) == len(chunk.segments):
            same = other.segments[position]
            bag_other = reader.read(other.text[same.start - other.start : same.end - other.start])
        read.append(bag)
        above = [read[i] for i in chunk.before(position) if i == 0 or segment.kind in ("item", "row")]
        above_supports = reduce(np.maximum, [asked.supports(b) for b in above], standing_supports)
        above_nearest = reduce(np.maximum, [asked.nearest(b) for b in above], standing_nearest)
        own = asked.supports(bag)
        if ANY_COMPONENT.search(leading(chunk, segment)):
            own = np.maximum(own, [_as_example(unit, reader) for unit in query.units])
        there = asked.supports(bag_other) if bag_other else own
        around = CONTEXT * above_supports
        supports = np.maximum(np.maximum(own, around), CONTEXT * there)
        late = asked.nearest(bag)
        late_around = np.maximum(late, above_nearest)
        values = {
            "own": float(own @ weights),
            "around": float(np.maximum(own, around) @ weights),
            "other": float(there @ weights),
            "dense": max(0.0, float(bag.vector @ vector)),
            "dense_other": max(0.0, float((bag_other or bag).vector @ vector)),
            "dense_chunk": max(0.0, float(whole.vector @ vector)),
            "late": asked.bag.average(late),
            "late_around": asked.bag.average(late_around),
            "late_other": asked.bag.average(asked.nearest(bag_other)) if bag_other else asked.bag.average(late),
            "lexical": lexical / most,
            "rank": 1 / (1 + passage.rank),
            "length": math.log1p(len(bag.words)) / 4,
            "first": float(position == 0),
            **_form(query, chunk, segment, text, bag, index, reader),
        }
        yield segment, tuple(values.get(name, 0.0) for name in FEATURES), tuple(supports.tolist())


def _as_example(unit: Unit, reader: Reader) -> float:
    """Support for a component from a sentence on any component ('a single component, such as kubectl')."""
    term = reader.terms.by_id.get(unit.key.removeprefix("term:"))
    return EXAMPLE if term is not None and term.kind in ("component", "tool") else 0.0


def _opening(chunk: Chunk, index: Index, reader: Reader) -> list[Bag]:
    """The first sentence of the paragraph that a list or code block continues: it names what is spoken of."""
    if chunk.kind not in ("list", "code", "table") or chunk.segments[0].kind != "lead":
        return []
    for other in index.of_document(chunk.source, chunk.path):
        if other.kind == "paragraph" and other.start <= chunk.start < other.end:
            first = other.segments[0]
            return [reader.read(other.text[first.start - other.start : first.end - other.start])]
    return []


def _entry_text(chunk: Chunk) -> str:
    """What a directory entry says, with the word for what it is."""
    leaf = (chunk.name or "").rsplit("/", 1)[-1]
    return f"{chunk.name} {chunk.note or ''} " + ("脚本 script file" if "." in leaf else f"{leaf}目录 {leaf} directory folder")


def about(key: str, chunk: Chunk, text: str, reader: Reader) -> tuple[bool, bool]:
    """Whether a sentence begins with a subject, and whether it stands in the subject's section."""
    heading = bool(chunk.headings) and key in reader.read(chunk.headings[-1]).keys
    return reader.read(text).opening == key, heading


def _form(query: Query, chunk: Chunk, segment: Segment, text: str, bag: Bag, index: Index, reader: Reader) -> dict[str, float]:
    """What fits the form of the question; features left out are 0."""
    asks, entry = query.intents, chunk.kind == "entry"
    values: dict[str, float] = {"entry": entry, "root": entry and chunk.name == "."}
    if asks & {"what", "compare"} and not entry and query.subjects:
        opens, heading = about(query.subjects[0], chunk, text, reader)
        values |= {"opens": opens, "heading": heading}
        if heading and segment == chunk.segments[0] and segment.kind == "sentence":
            first = next(c for c in index.of_document(chunk.source, chunk.path) if c.headings == chunk.headings)
            values["introduces"] = first.id == chunk.id and set(query.subjects) >= {u.key for u in query.units if not u.generic and not u.minor}
        if opens or heading:
            values["role"] = bool(ROLE.search(text))
    if segment.kind == "lead":
        counted = any(unit.generic and unit.key in bag.keys for unit in query.units)
        values["lead_of_list"] = (1 + counted) / 2 if asks & {"list", "count"} else 0.0
        values["lead_else"] = not asks & {"list", "count"}
    if query.wanted:
        known = {unit.key for unit in query.units}
        sought = frozenset({"component", "tool"}) if query.wanted & {"component", "tool"} else query.wanted
        fresh = {k for k in bag.keys if k not in known and (t := reader.terms.by_id.get(k.removeprefix("term:"))) and t.kind in sought and t.id not in VAGUE}
        above = reader.read(chunk.headings[-1]).keys - known if chunk.headings else frozenset()
        implied = bag.opening is None and any((t := reader.terms.by_id.get(k.removeprefix("term:"))) and t.kind in sought and t.id not in VAGUE for k in above)
        values |= {"names_wanted": 1.0 if fresh else 0.7 * implied, "opens_wanted": bag.opening in fresh}
    if "compare" in asks and len(query.subjects) > 1:
        values["all_sides"] = all(key in bag.keys for key in query.subjects)
    if "compare" in asks:
        values["differs"] = bool(DIFFERS.search(text))
    if asks_why(query.text):
        values["cause"] = bool(CAUSE.search(text))
    if asks & {"list", "count"}:
        values["enumerates"] = bool(ENUMERATES.search(text)) and not entry
        values["number"] = bool(NUMBER.search(text)) and not entry
    if entry and NAMED & asks and is_named(chunk, query):
        values["entry_described"] = bool(chunk.note or chunk.children) or (chunk.name or "").lower() in query.text
    if types := expected(query.text):
        values["expected"] = all(holds.search(text) for holds in types)
    if "where" in asks:
        values |= {"entry_where": entry and chunk.name != ".", "place": not entry and bool(PLACE.search(text))}
    if "command" in asks:
        values["make"] = "make" in text.lower().split()
    return {name: float(value) for name, value in values.items()}
