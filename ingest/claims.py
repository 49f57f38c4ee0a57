"""What the bundled article says of the source tree that a tree can confirm or contradict.

Claims are read off the article's own structure (its listing, its lists and headings, its commands), so
another article would give others; none is written down here by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.datamodels import Chunk, Document
from assistant.terms import TermTable
from assistant.text import fold

ClaimKind = Literal["path", "component", "target", "output", "method", "count", "third party"]
MAKE = re.compile(r"\bmake(?:[ \t]+(?P<argument>[A-Za-z][\w-]*(?:=[\w./-]+)?))?(?![\w./-])", re.A)
OUTPUT = re.compile(r"(?<![\w/])_output(?:/[\w.-]+)*", re.A)
METHODS = re.compile(r"(?P<name>[A-Za-z]+|本地|容器)环境构建")
COUNT = re.compile(r"(?P<number>\d+|[两三四五六七八九])种")
NAME = re.compile(r"[A-Za-z][\w-]*", re.A)
WHOLE = "kubernetes"
"""Term of the whole project, which is no component of it."""
NO_TARGETS = frozenset({"command", "commands", "with", "the", "and"})


@dataclass(frozen=True)
class Claim:
    """One thing the article says of the tree, and where."""

    kind: ClaimKind
    name: str
    """A path, a component, a make target or setting, an output path, a way to build, or what is counted."""
    path: str
    """Of the document that says it."""
    line: int
    """1-based."""
    text: str
    """The line as written, without space around it."""


def claims_of(document: Document, chunks: Sequence[Chunk], terms: TermTable) -> list[Claim]:
    """The claims of one document, from its text and its own chunks, in the order of their lines; none is named twice on a line."""
    found = sorted({*_entries(document, chunks), *_components(document, chunks, terms), *_written(document)}, key=lambda c: (c.line, c.kind, c.name))
    return found


def _claim(document: Document, kind: ClaimKind, name: str, line: int) -> Claim:
    start, end = document.span_of_lines(line, line)
    return Claim(kind, name, document.path, line, document.text[start:end].strip())


def _entries(document: Document, chunks: Sequence[Chunk]) -> Iterator[Claim]:
    """The listing's paths, and the projects that the remark on third-party code names."""
    for chunk in chunks:
        if chunk.kind == "entry" and chunk.name and chunk.name != ".":
            yield _claim(document, "path", chunk.name, chunk.start_line)
            if chunk.name == "third_party" and chunk.note:
                for match in NAME.finditer(chunk.note):
                    yield _claim(document, "third party", match.group(), chunk.start_line)


def _components(document: Document, chunks: Sequence[Chunk], terms: TermTable) -> Iterator[Claim]:
    """Components that a heading or a list item is about."""
    for number in range(1, document.line_count + 1):
        start, end = document.span_of_lines(number, number)
        line = document.text[start:end]
        if match := re.match(r"#{2,}\s+|[-*]\s+", line):
            mentions = terms.find(fold(line[match.end() :]))
            term = mentions[0].term if mentions and mentions[0].start == 0 else None
            if term is not None and term.id != WHOLE and term.kind in ("component", "tool") and re.fullmatch(r"[a-z][a-z-]+", term.id) and term.id in fold(line):
                yield _claim(document, "component", term.id, number)


def _written(document: Document) -> Iterator[Claim]:
    """Commands, output paths, ways to build and counts, wherever they are written."""
    for number in range(1, document.line_count + 1):
        start, end = document.span_of_lines(number, number)
        line = document.text[start:end]
        for match in MAKE.finditer(line):
            if (match["argument"] or "").lower() not in NO_TARGETS:
                yield _claim(document, "target", match["argument"] or "make", number)
        for match in OUTPUT.finditer(line):
            yield _claim(document, "output", match.group().rstrip("/."), number)
        methods = list(METHODS.finditer(line))
        if not line.startswith("#"):
            for match in methods:
                yield _claim(document, "method", match["name"], number)
        for match in COUNT.finditer(line):
            yield _claim(document, "count", "ways to build" if methods else match.group(), number)
