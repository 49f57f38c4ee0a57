"""The adversarial check of the verifier: does it let false statements through, and does it stop true ones?

True statements are what the material itself says, with the lines that say it: to the letter, in the other
language's rendition, and with a term called by another of its names. False ones are the same with one change
(`evals/mutations.py`). A verifier of plain word overlap stands beside the product's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.datamodels import Chunk, Citation, Document, Segment
from assistant.evidence import Reader
from assistant.index import Index
from assistant.text import detect_language, fold, words
from assistant.verify import verify_statement
from evals.bootstrap import interval
from evals.mutations import MUTATIONS, Vocabulary

Verifier = Callable[[str, Sequence[Citation], Reader], bool]
OVERLAP = 0.75
"""Share of a statement's words that word overlap wants in the lines; the product's own threshold."""
SHORTEST = 4
"""Words of a statement worth changing."""


@dataclass(frozen=True)
class Case:
    """A statement with its citation, true or false."""

    change: str
    """How it was made: 'verbatim', 'rendition', 'synonym', or the name of a mutation."""
    true: bool
    language: str
    text: str
    citation: Citation


def product(text: str, citations: Sequence[Citation], reader: Reader) -> bool:
    """Shown by the product: 'supported' or 'partial'."""
    return verify_statement(text, citations, reader) != "unsupported"


def product_strict(text: str, citations: Sequence[Citation], reader: Reader) -> bool:
    """Called 'supported' by the product."""
    return verify_statement(text, citations, reader) == "supported"


def word_overlap(text: str, citations: Sequence[Citation], reader: Reader) -> bool:
    """Three quarters of the words stand in the cited lines."""
    own = [word.text for word in words(fold(text)) if not word.is_stop]
    cited = {word.text for citation in citations for word in words(fold(citation.quote))}
    return bool(own) and sum(word in cited for word in own) / len(own) >= OVERLAP


VERIFIERS: tuple[tuple[str, Verifier], ...] = (
    ("supported", product_strict), ("shown", product), ("word overlap", word_overlap),
)


def cases(index: Index) -> Iterator[Case]:
    """True and false statements of the whole index, in its order."""
    vocabulary = Vocabulary.of(index.chunks, index.terms)
    seen: set[tuple[str, str, int]] = set()
    for chunk in index.chunks:
        document = index.document(chunk)
        for segment in chunk.segments:
            text = document.text[segment.start : segment.end]
            place = (chunk.source, chunk.path, segment.start)
            if place in seen or len(words(fold(text))) < SHORTEST:
                continue
            seen.add(place)
            citation = _cite(document, segment, chunk.headings)
            language = detect_language(text)
            yield Case("verbatim", True, language, text, citation)
            if synonym := _synonym(text, vocabulary):
                yield Case("synonym", True, language, synonym, citation)
            if rendition := _rendition(index, chunk, segment):
                yield Case("rendition", True, language, text, rendition)
            for name, mutation in MUTATIONS:
                changed = mutation(text, vocabulary)
                if changed is not None and changed != text:
                    yield Case(name, False, language, changed, citation)


def check(index: Index, progress: Callable[[list[Case]], Sequence[Case]] = list) -> dict[str, dict[str, Any]]:
    """Change → number of cases and, for each verifier, the share it accepts (0 to 1) with its 95 % interval.

    'false accepts' and 'false rejects' are the totals over the false and the true statements.
    """
    reader = Reader(index.terms)
    accepted: dict[str, dict[str, list[float]]] = {}
    for case in progress(list(cases(index))):
        for name, verifier in VERIFIERS:
            yes = float(verifier(case.text, [case.citation], reader))
            accepted.setdefault(case.change, {}).setdefault(name, []).append(yes)
            total = accepted.setdefault("false rejects" if case.true else "false accepts", {})
            total.setdefault(name, []).append(1 - yes if case.true else yes)
    result: dict[str, dict[str, Any]] = {}
    for change, by_verifier in accepted.items():
        result[change] = {"statements": len(next(iter(by_verifier.values())))}
        for name, values in by_verifier.items():
            result[change][name] = round(sum(values) / len(values), 4)
            result[change][f"{name}_95"] = [round(end, 4) for end in interval(values)]
    return result


def as_text(result: dict[str, dict[str, Any]]) -> str:
    """The result as lines: for each kind of statement the share accepted, then the two rates of error."""
    names = [name for name, _ in VERIFIERS]
    lines = [f"{'accepted of':16}{'statements':>11}" + "".join(f"{name:>24}" for name in names)]
    totals = ("false accepts", "false rejects")
    for change in [*(c for c in result if c not in totals), *(c for c in totals if c in result)]:
        row = result[change]
        shares = [f"{100 * row[n]:.1f} % ({100 * row[n + '_95'][0]:.1f}–{100 * row[n + '_95'][1]:.1f})" for n in names]
        lines.append(f"{change:16}{row['statements']:>11}" + "".join(f"{share:>24}" for share in shares))
    return "\n".join(lines)


def _cite(document: Document, segment: Segment, headings: tuple[str, ...]) -> Citation:
    start, end = segment.start, segment.end
    return Citation(
        1, document.source, document.path, document.line_at(start), document.line_at(end - 1), start, end,
        document.text[start:end], headings, document.sha256,
    )


def _rendition(index: Index, chunk: Chunk, segment: Segment) -> Citation | None:
    """The same statement's lines in the other language; None where there is no rendition with the same segments."""
    other = index.counterpart(chunk, "en" if chunk.language == "zh" else "zh")
    if other is chunk or len(other.segments) != len(chunk.segments):
        return None
    return _cite(index.document(other), other.segments[chunk.segments.index(segment)], other.headings)


def _synonym(text: str, vocabulary: Vocabulary) -> str | None:
    """The text with its first component called by another of its names in the same language."""
    if fold(text) != text.lower():
        return None  # positions in the folded text are not positions in the text
    for mention in vocabulary.terms.find(fold(text)):
        names = mention.term.en if fold(text)[mention.start : mention.end].isascii() else mention.term.zh
        said = text[mention.start : mention.end]
        others = [name for name in names if fold(name) != fold(said) and name.isascii() == said.isascii()]
        if others and mention.term.kind in ("component", "tool") and mention.term.id != "kubernetes":
            return text[: mention.start] + others[0] + text[mention.end :]
    return None
