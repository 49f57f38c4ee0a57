"""A folder (a Kubernetes checkout, or any folder of documents) → a source: documents, chunks, directories.

What an earlier ingest read is taken from the index where a file's size and time, or else its bytes,
are the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from assistant.datamodels import Chunk, Document, Folder, Language, Source, SourceKind, Span, Visit, sha256_of
from assistant.index import Index
from assistant.text import CJK
from ingest.gopackage import chunk_go
from ingest.makefile import chunk_makefile
from ingest.markdown import CHUNKER, chunk_markdown
from ingest.patterns import Choice, FileKind, left_out
from ingest.plain import chunk_plain
from ingest.revision import Revision, read_revision
from ingest.walk import Found, Listing, Walked, read, text_of, walk

CHUNKERS: dict[FileKind, Callable[[Document], list[Chunk]]] = {
    "markdown": chunk_markdown, "plain": chunk_plain, "go": chunk_go, "makefile": chunk_makefile, "owners": lambda document: [],
}
CHINESE = 0.1
"""Share of Chinese characters among the letters from which a document counts as Chinese."""
MODULE = re.compile(r"^module\s+(\S+)", re.M)
NO_PROSE = re.compile(r"\s*(?:\[!\[|!\[|>|<|https?://|⚠)")
MARKS = ("go.mod", "Makefile", "OWNERS", "WORKSPACE", ".gitignore")
"""Names at the top of a folder, two of which make it a checkout where there is no `.git`."""


@dataclass(frozen=True)
class Wanted:
    """A source as asked for."""

    name: str
    root: Path
    choice: Choice = field(default_factory=Choice)


@dataclass(frozen=True)
class Reading:
    """What reading a folder gave."""

    source: Source
    changed: bool
    """Whether anything differs from what the index holds; when not, documents, chunks and folders are empty."""
    visits: tuple[Visit, ...]
    documents: tuple[Document, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    folders: tuple[Folder, ...] = ()
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    """Files left out by default, counted by reason."""
    modified: bool | None = False
    """Whether the checkout was modified; None where that could not be told."""

    @property
    def skipped(self) -> list[Visit]:
        return [visit for visit in self.visits if visit.outcome == "skipped"]


Progress = Callable[[str, int], None]
"""Told what is being read, and how many more files that was."""


def read_source(wanted: Wanted, index: Index | None, progress: Progress = lambda what, count: None) -> Reading:
    """Read a folder as a source; raises CorpusError when it is none or may not be read."""
    walked = walk(wanted.root, lambda count: progress("listing", count))
    reader = _Reader(wanted, index, progress)
    visits = reader.visit(walked)
    modules = walked.folders[0]
    revision = read_revision(wanted.root)
    described = Source(
        wanted.name, _kind(modules, revision), _title(wanted.root), revision.commit if revision else "", revision.tag if revision else None,
        bool(revision and revision.dirty), str(wanted.root), revision.url if revision else None, wanted.choice.include, wanted.choice.exclude,
    )
    digest = _digest(walked, visits)
    source = dataclasses.replace(described, revision=described.revision or digest, digest=digest)
    known = {s.name: s for s in index.sources}.get(wanted.name) if index and index.made == CHUNKER else None
    before = {path for path, visit in reader.earlier.items() if visit.outcome == "read"}
    now = {visit.path: visit for visit in visits if visit.outcome == "read"}
    same = sum(1 for path, visit in now.items() if path in before and reader.earlier[path].sha256 == visit.sha256)
    reading = Reading(
        source, source != known, visits, unchanged=same, added=len(now.keys() - before), updated=len(now.keys() & before) - same,
        removed=len(before - now.keys()), left_out=reader.left_out, modified=revision.dirty if revision else False,
    )
    if not reading.changed:
        return reading
    documents, chunks = reader.parts(now)
    return dataclasses.replace(reading, documents=documents, chunks=chunks, folders=_folders(wanted.name, walked.folders, documents, chunks))


class _Reader:
    """Visits the files of one source, and makes documents and chunks of them."""

    def __init__(self, wanted: Wanted, index: Index | None, progress: Progress) -> None:
        self.wanted = wanted
        self.index = index if index and index.made == CHUNKER else None
        self.progress = progress
        self.earlier = self.index.records.visits(wanted.name) if self.index else {}
        self.texts: dict[str, str] = {}
        self.made: dict[str, tuple[Document, list[Chunk]]] = {}
        self.left_out: dict[str, int] = {}

    def visit(self, walked: Walked) -> tuple[Visit, ...]:
        """Visit every file that may be of use; of a directory's Go files, one by one until one has a package comment."""
        visits = [Visit(path, 0, 0, "", "skipped", reason) for path, reason in walked.problems]
        packages: dict[str, list[Found]] = {}
        for found in walked.files:
            kind = self.wanted.choice.kind_of(found.path)
            if kind is None:
                if (reason := left_out(found.path)) is not None:
                    self.left_out[reason] = self.left_out.get(reason, 0) + 1
            elif not found.size:
                continue
            elif kind == "go":
                packages.setdefault(found.path.rpartition("/")[0], []).append(found)
            else:
                visits.append(self._visit(found, kind))
        for folder, files in packages.items():
            leaf = folder.rpartition("/")[2]
            for found in sorted(files, key=lambda f: _go_order(f.path.rpartition("/")[2], leaf)):
                visits.append(self._visit(found, "go"))
                if visits[-1].outcome == "read":
                    break
        return _without_repeats(visits)

    def _visit(self, found: Found, kind: FileKind) -> Visit:
        self.progress(found.path, 1)
        known = self.earlier.get(found.path)
        if known and known.sha256 and (known.size, known.modified) == (found.size, found.modified):
            return dataclasses.replace(known, outcome="read", reason="") if known.reason.startswith(REPEATS) else known
        data = read(self.wanted.root, found.path)
        if isinstance(data, str):
            return Visit(found.path, found.size, found.modified, "", "skipped", data)
        digest = hashlib.sha256(data).hexdigest()
        if known and known.sha256 == digest and not known.reason.startswith(REPEATS):
            return dataclasses.replace(known, size=found.size, modified=found.modified)
        text, reason = text_of(data)
        if text is None:
            return Visit(found.path, found.size, found.modified, digest, "skipped", reason)
        document = Document(self.wanted.name, found.path, language_of(text), text)
        if kind == "go":
            chunks = chunk_go(document)
            if not chunks:
                return Visit(found.path, found.size, found.modified, digest, "nothing")
            self.made[found.path] = (document, chunks)
        else:
            self.texts[found.path] = text
        return Visit(found.path, found.size, found.modified, digest, "read")

    def parts(self, visits: Iterable[str]) -> tuple[tuple[Document, ...], tuple[Chunk, ...]]:
        """Documents and chunks of the files read, from the index where it has them."""
        old: dict[str, list[Chunk]] = {}
        kept: dict[str, Document] = {}
        if self.index:
            kept = {document.path: document for document in self.index.records.documents(self.wanted.name)}
            for chunk in self.index.records.chunks(self.wanted.name):
                old.setdefault(chunk.path, []).append(chunk)
        documents: list[Document] = []
        chunks: list[Chunk] = []
        for path in sorted(visits):
            if path in self.made:
                document, own = self.made[path]
            elif path not in self.texts and path in kept:
                document, own = kept[path], old.get(path, [])
            else:
                document, own = self._make(path)
            documents.append(document)
            chunks += own
        return tuple(documents), tuple(chunks)

    def _make(self, path: str) -> tuple[Document, list[Chunk]]:
        self.progress(path, 0)
        text = self.texts.get(path)
        if text is None:  # known by its bytes, but no longer in the index
            data = read(self.wanted.root, path)
            text = (text_of(data)[0] if isinstance(data, bytes) else None) or ""
        document = Document(self.wanted.name, path, language_of(text), text)
        folder = path.rpartition("/")[0]
        kind = self.wanted.choice.kind_of(path) or "plain"
        chunks = CHUNKERS[kind](document)
        if kind in ("markdown", "plain"):  # fifty READMEs have the heading 'Usage': the directory tells them apart
            chunks = [dataclasses.replace(chunk, headings=(folder or self.wanted.name, *chunk.headings)) for chunk in chunks]
        return document, chunks


REPEATS = "same text as "


def _without_repeats(visits: list[Visit]) -> tuple[Visit, ...]:
    """The visits in the order of their paths; of files with the same bytes, the one nearest to the top is read."""
    first: dict[str, str] = {}
    for visit in sorted(visits, key=lambda v: (v.path.count("/"), v.path)):
        if visit.outcome == "read" and not visit.path.endswith(("OWNERS", ".go")):
            first.setdefault(visit.sha256, visit.path)
    result = []
    for visit in sorted(visits, key=lambda v: v.path):
        other = first.get(visit.sha256, visit.path)
        if visit.outcome == "read" and other != visit.path and not visit.path.endswith(("OWNERS", ".go")):
            visit = dataclasses.replace(visit, outcome="skipped", reason=f"{REPEATS}{other}")
        result.append(visit)
    return tuple(result)


def language_of(text: str) -> Language:
    """The language of a document: Chinese from one Chinese letter in ten."""
    sample = text[:50_000]
    chinese = len(CJK.findall(sample))
    letters = sum(1 for character in sample if character.isalpha())
    return "zh" if letters and chinese / letters >= CHINESE else "en"


def _go_order(name: str, leaf: str) -> tuple[int, str]:
    order = ("doc.go", f"{leaf}.go", "main.go")
    return (order.index(name) if name in order else len(order), name)


def _kind(top: Listing, revision: Revision | None) -> SourceKind:
    names = {*top.files, *top.directories}
    return "checkout" if revision or len(names & set(MARKS)) > 1 else "documents"


def _title(root: Path) -> str:
    data = read(root, "go.mod")
    match = MODULE.search(data.decode("utf-8", "replace")) if isinstance(data, bytes) else None
    return match[1] if match else root.name


def _digest(walked: Walked, visits: Iterable[Visit]) -> str:
    """Hash of every path, and of the bytes of every file that was read, 64 hexadecimal digits."""
    listing = [[folder.path, *folder.directories, "", *folder.files] for folder in walked.folders]
    read_files = [[visit.path, visit.sha256, visit.outcome, visit.reason] for visit in visits]
    return sha256_of(json.dumps([listing, read_files]))


def _folders(source: str, listings: Iterable[Listing], documents: Iterable[Document], chunks: Iterable[Chunk]) -> tuple[Folder, ...]:
    """Every directory, with its description: its README's first sentence, or else its package comment's."""
    readmes: dict[str, str] = {}
    for document in documents:
        folder, _, name = document.path.rpartition("/")
        if re.fullmatch(r"readme(\.\w+)?", name, re.I):
            readmes.setdefault(folder or ".", document.path)
    described: dict[str, Span] = {}
    for chunk in chunks:
        folder = chunk.path.rpartition("/")[0] or "."
        if chunk.kind == "package":
            described.setdefault(folder, Span(chunk.path, chunk.segments[0].start, chunk.segments[0].end))
        elif chunk.kind == "paragraph" and readmes.get(folder) == chunk.path and not NO_PROSE.match(chunk.text):
            if described.get(folder, Span("", 0, 0)).path == chunk.path:
                continue  # an earlier paragraph of the README
            for segment in chunk.segments:
                if chunk.language == "zh" or chunk.text[segment.start - chunk.start : segment.end - chunk.start].count(" ") > 2:
                    described[folder] = Span(chunk.path, segment.start, segment.end)
                    break
    return tuple(Folder(source, f.path, f.directories, f.files, described.get(f.path)) for f in listings)
