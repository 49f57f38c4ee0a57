"""The first candidates, read with the question by the cross-encoder, and ranked by what it makes of them too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.crossencoder import CrossEncoder, States, span_text
from assistant.datamodels import Chunk
from assistant.evidence import Reader
from assistant.index import Index
from assistant.query import VAGUE, Query
from assistant.scoring import ANY_COMPONENT, Calibration, Candidate, leading
from assistant.terms import Mention
from assistant.text import fold

READ = 6
"""Most candidates that the cross-encoder reads."""
BEHIND = 3.0
"""How far behind the first a candidate may score that it reads. On the development questions 6 and 3.0 find as many answers as 12 without
a limit; half of the questions need no more than three readings."""
PLAIN = 4.0
"""Log odds, at least, of an entry that the question plainly asks for."""
PLAINLY = 0.9
"""Support of every unit of the question from which that is so."""


def reread(
    query: Query, candidates: Sequence[Candidate], index: Index, reader: Reader, encoder: CrossEncoder, calibration: Calibration
) -> list[Candidate]:
    """Let the cross-encoder read the first candidates with the question, and rank them by both scores; the others follow.

    Of a document that has an English rendition, that is read: the encoder knows English best.
    """
    first = worth_reading(candidates)
    read = verdicts(query, first, index, reader, encoder)
    read = [max(value, PLAIN) if is_plain(query, candidate) else value for value, candidate in zip(read, first, strict=True)]
    ranked = [replace(c, read=value, score=c.score + calibration.reading * value) for c, value in zip(first, read, strict=True)]
    least = min(read, default=0.0)
    ranked += [replace(c, score=c.score + calibration.reading * least) for c in candidates[len(first) :]]
    return sorted(ranked, key=lambda c: (c.read is None, -c.score, c.place))


def is_plain(query: Query, candidate: Candidate) -> bool:
    """Whether the question asks for nothing but what an entry is or where: its few words are little to read, its name says it."""
    asked = [support for unit, support in zip(query.units, candidate.supports, strict=True) if not unit.generic and not unit.minor]
    told = bool(candidate.chunk.note or candidate.chunk.children) or "where" in query.intents
    return told and bool(candidate.feature("entry_described")) and query.intents <= {"what", "where"} and bool(asked) and min(asked) >= PLAINLY


def worth_reading(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """The first candidates, as many as may turn out the best."""
    return [c for c in candidates[:READ] if c.score >= candidates[0].score - BEHIND]


def verdicts(query: Query, candidates: Sequence[Candidate], index: Index, reader: Reader, encoder: CrossEncoder) -> list[float]:
    """Log odds, by the cross-encoder, that each candidate is the answer.

    A sentence on any component ('a single component, such as kubectl') is read as if its example had been asked for.
    """
    asked = [as_example(query, candidate, reader) for candidate in candidates]
    found = states(candidates, index, encoder)
    values = dict.fromkeys(range(len(candidates)), 0.0)
    for text in dict.fromkeys(asked):
        among = [i for i, other in enumerate(asked) if other == text]
        values.update(zip(among, map(float, encoder.score(text, [found[i] for i in among])), strict=True))
    return [values[i] for i in range(len(candidates))]


def as_example(query: Query, candidate: Candidate, reader: Reader) -> str:
    """The question, with the one component it names replaced by the example of a sentence on any component."""
    said = fold(leading(candidate.chunk, candidate.segment))
    if not (match := ANY_COMPONENT.search(said)):
        return query.text
    example = next(iter(_components(said, reader, match.start())), None)
    named = _components(query.text, reader)
    if example is None or len({mention.term for mention in named}) != 1 or named[0].term == example.term:
        return query.text
    text = query.text
    for mention in reversed(named):
        text = text[: mention.start] + example.term.id + text[mention.end :]
    return text


def _components(folded: str, reader: Reader, start: int = 0) -> list[Mention]:
    """Where a text names a component, from a place on."""
    return [m for m in reader.terms.find(folded) if m.start >= start and m.term.kind in ("component", "tool") and m.term.id not in VAGUE]


def states(candidates: Sequence[Candidate], index: Index, encoder: CrossEncoder) -> list[States]:
    """What the cross-encoder's upper layers read of candidates."""
    texts = [span_text(readable(c.chunk, index), c.chunk.segments.index(c.segment)) for c in candidates]
    return index.states.of(texts, encoder)


def readable(chunk: Chunk, index: Index) -> Chunk:
    """The chunk that is read for one: its English rendition where it has one of the same make."""
    english = index.counterpart(chunk, "en")
    return english if len(english.segments) == len(chunk.segments) else chunk
