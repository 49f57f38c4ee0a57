"""The nouns of the project, all frozen: what is ingested, what is found, what is answered.

Offsets are characters of the document's text (Python string indices), end exclusive; lines are
1-based and inclusive. A document's text is its file decoded as UTF-8 with newlines as they stand in
the file, so offsets hold for the file itself. This module knows nothing of storage or models.
"""

from __future__ import annotations

import bisect
import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote

Language = Literal["zh", "en"]
Verdict = Literal["supported", "partial", "unsupported"]
Reason = Literal["not_covered", "partly_covered", "off_topic"]
SourceKind = Literal["article", "checkout", "documents"]
ChunkKind = Literal["paragraph", "list", "table", "code", "entry", "directory", "package", "target", "owners"]
SegmentKind = Literal["lead", "sentence", "item", "row", "command", "entry"]

SCHEMA = 1
ARTICLE = "article"
"""Name of the bundled source."""


def sha256_of(text: str) -> str:
    """Hash a text's UTF-8 bytes (lone surrogates kept), as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Source:
    """Something ingested as a whole: the bundled article, or one checkout or folder."""

    name: str
    kind: SourceKind
    title: str
    revision: str
    """Commit hash, or a content hash where there is no version control."""
    tag: str | None = None
    dirty: bool = False
    root: str | None = None
    """Absolute folder it was read from; None for bundled material."""
    url: str | None = None
    """Permalink pattern with {path}, {start} and {end}, where the remote is known."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """Patterns it was ingested with."""
    digest: str = ""
    """Hash of all that was read of it."""

    @property
    def label(self) -> str:
        """Revision for people: the tag, or the first 12 digits; '+' when the tree was modified."""
        return (self.tag or self.revision[:12]) + ("+" if self.dirty else "")

    def permalink(self, path: str, start: int | None = None, end: int | None = None) -> str | None:
        """Address of lines of a file, or of a directory (no lines), at this revision; None where the remote is unknown."""
        if self.url is None:
            return None
        quoted = quote("" if path == "." else path)
        if start is None:
            return self.url.replace("/blob/", "/tree/").split("#")[0].format(path=quoted, start="", end="").rstrip("/")
        return self.url.format(path=quoted, start=start, end=end)


@dataclass(frozen=True)
class Span:
    """Characters of one document of a source: `text[start:end]`."""

    path: str
    start: int
    end: int


@dataclass(frozen=True)
class Folder:
    """One directory of a source, with the names it holds."""

    source: str
    path: str
    """Inside the source, posix, without a slash at its end; '.' is the source itself."""
    directories: tuple[str, ...]
    files: tuple[str, ...]
    described: Span | None = None
    """Where the material says best what the directory is for; None when it does not say."""

    @property
    def name(self) -> str:
        """Last part of the path; '' for the source itself."""
        return "" if self.path == "." else self.path.rsplit("/", 1)[-1]

    @cached_property
    def listing(self) -> str:
        """What it holds, a name a line, directories first and with a slash: what a citation of it quotes."""
        return "\n".join(name.replace("\n", "\\n") for name in [*(f"{name}/" for name in self.directories), *self.files])

    @property
    def sha256(self) -> str:
        return sha256_of(self.listing)

    def within(self, name: str) -> str:
        """Path of a name in this directory."""
        return name if self.path == "." else f"{self.path}/{name}"


@dataclass(frozen=True)
class Visit:
    """What an ingest did with one file: the memory that lets the next one leave it alone."""

    path: str
    size: int
    """Bytes."""
    modified: int
    """Nanoseconds since the epoch."""
    sha256: str
    """Of the bytes; '' when they were not read."""
    outcome: Literal["read", "nothing", "skipped"]
    """'nothing': read, but it holds nothing of use (a Go file without a package comment)."""
    reason: str = ""
    """Why it was skipped."""


@dataclass(frozen=True)
class Document:
    """One file of a source as read."""

    source: str
    path: str
    """Inside the source, posix."""
    language: Language
    text: str
    renders: str | None = None
    """Path of the document that this one renders line for line in another language."""

    @cached_property
    def sha256(self) -> str:
        return sha256_of(self.text)

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of each line, line 1 first."""
        return [0] + [i + 1 for i, character in enumerate(self.text) if character == "\n"]

    @property
    def line_count(self) -> int:
        return len(self.line_starts) - (1 if self.text.endswith("\n") else 0)

    def line_at(self, offset: int) -> int:
        """Line (1-based) that holds the character at `offset`."""
        return bisect.bisect_right(self.line_starts, offset)

    def span_of_lines(self, start_line: int, end_line: int) -> tuple[int, int]:
        """Offsets of whole lines, without the last line's newline."""
        start = self.line_starts[start_line - 1]
        end = self.line_starts[end_line] - 1 if end_line < len(self.line_starts) else len(self.text)
        return start, max(start, end - (1 if self.text[start:end].endswith("\r") else 0))


@dataclass(frozen=True)
class Segment:
    """A span inside a chunk that can be quoted as one statement: a sentence, item, entry or command."""

    kind: SegmentKind
    start: int
    end: int
    item: int | None = None
    """Number of the list item (0-based) it belongs to; None outside lists."""


@dataclass(frozen=True)
class Chunk:
    """A span of a document, the unit stored: `document.text[start:end]` is its text."""

    id: str
    """Hash of source, path, kind, place and text: the same corpus gives the same ids."""
    source: str
    path: str
    language: Language
    kind: ChunkKind
    start: int
    end: int
    start_line: int
    end_line: int
    text: str
    headings: tuple[str, ...]
    """Headings above it, outermost first; for a directory entry the folders above it follow."""
    segments: tuple[Segment, ...]
    name: str | None = None
    """What an entry, directory, package, make target or owners file is about: `build/run.sh`, `cross`."""
    note: str | None = None
    """The remark that describes `name`, as written; None when the material gives none."""
    children: tuple[str, ...] = ()
    """Names of the entries directly inside `name`, in their order."""

    def before(self, position: int) -> tuple[int, ...]:
        """Positions of the segments that one follows from: what leads into the whole, and the beginning and the end of what is
        said before it in its paragraph; of an item the item's beginning, of a row the table's head."""
        segment, lead = self.segments[position], self.segments[0].kind == "lead"
        if segment.kind == "item":
            own = next(i for i, other in enumerate(self.segments) if other.item == segment.item)
            found = [*([0] if lead else []), own, position - 1 if position - 1 > own else own]
        elif segment.kind == "row":
            found = [0, int(lead)]
        else:
            found = [0, 0 if lead else position - 1]
        return tuple(dict.fromkeys(i for i in found if 0 <= i < position))

    @staticmethod
    def make_id(source: str, path: str, kind: str, start: int, text: str) -> str:
        return sha256_of("\0".join([source, path, kind, str(start), text]))[:24]


@dataclass(frozen=True)
class Passage:
    """A chunk as a search result."""

    chunk: Chunk
    rank: int
    """0-based; 0 is best."""
    score: float
    """Fused score, higher is better; comparable within one search only."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Score of each retrieval leg that found it, e.g. {'lexical:zh': 7.1, 'dense:en': 0.63}."""


@dataclass(frozen=True)
class Citation:
    """A checkable pointer: `text[start_char:end_char]` of the cited file is `quote`, exactly."""

    id: int
    source: str
    path: str
    start_line: int | None
    """None (as the three below): a directory is cited, which has no lines."""
    end_line: int | None
    start_char: int | None
    end_char: int | None
    quote: str
    headings: tuple[str, ...]
    sha256: str
    """Of the whole cited file."""
    url: str | None = None
    original: Citation | None = None
    """The lines behind a rendition, in the language they were written in."""
    note: str | None = None
    """What is known of this line against an ingested checkout ('not in v1.28: now …')."""


@dataclass(frozen=True)
class Statement:
    """One sentence, list item, directory entry or command of an answer."""

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    kind: SegmentKind = "sentence"
    """How it is rendered; not part of the JSON."""


@dataclass(frozen=True)
class Declined:
    """Why a question is not answered, or not wholly."""

    reason: Reason
    missing: tuple[str, ...]
    """Words of the question that the material does not hold."""
    nearest: tuple[Citation, ...]


@dataclass(frozen=True)
class Turn:
    """An earlier question and its answer."""

    question: str
    answer: str = ""


@dataclass(frozen=True)
class Answer:
    """What a question is answered with; a growing one while it streams."""

    question: str
    query: str
    """The standalone form actually searched."""
    language: Language
    answered: bool
    engine: str
    """'extractive', or 'provider:model'."""
    answer: str
    """Markdown for a person, with citation marks [1] [2]."""
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    """citations[0] is the best evidence."""
    declined: Declined | None
    index: str
    timings_ms: Mapping[str, float]
    confidence: float = 0.0
    """Calibrated probability that the material answers the question, 0 to 1 (`assistant/answerable.py`); not part of the JSON."""
    usage: Mapping[str, int] | None = None
    """Tokens a language model took and gave; None without one."""
    warnings: tuple[str, ...] = ()
    """One line each: what a language model could not do, and what was shown instead."""

    def to_json(self) -> dict[str, Any]:
        """The answer as the JSON object of the command line (schema 1)."""
        record = {"schema": SCHEMA, **dataclasses.asdict(self)}
        for statement in record["statements"]:
            del statement["kind"]
        del record["confidence"]
        for optional in ("usage", "warnings"):
            if not record[optional]:
                del record[optional]
        for citation in [*record["citations"], *(record["declined"] or {"nearest": []})["nearest"]]:
            for one in (citation, citation["original"] or {}):
                if not one.get("note"):
                    one.pop("note", None)
        return record
