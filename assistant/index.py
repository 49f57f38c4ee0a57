"""The index: generations in a folder, read and written here so that the two cannot drift.

    index/current                     name of the generation in use, replaced atomically
    index/generations/<id>/           manifest.json, chunks.json, documents.json, terms.json, lexical-*/, chroma/

A generation is named by the hash of all that it holds (and a suffix when that name is taken), is written beside the others and only then
pointed to: a reader sees an old one or a new one, never half of one.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import uuid
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from assistant.datamodels import Chunk, Document, Language, Segment, Source, sha256_of
from assistant.errors import IndexMismatchError, IndexNotFoundError, SettingsError
from assistant.lexical import LexicalIndex
from assistant.models import Embedder
from assistant.store import VectorStore
from assistant.terms import TermTable
from assistant.text import TOKENIZER

FORMAT = 1
LANGUAGES: tuple[Language, ...] = ("zh", "en")
REBUILD = "run `python -m ingest --rebuild`"


def searchable(chunk: Chunk) -> str:
    """The text of a chunk that both legs search: its nearest heading, its name and its own text."""
    heading = chunk.headings[-1:] if chunk.kind != "entry" else ()
    return "\n".join([*heading, *([chunk.name] if chunk.name else []), chunk.text])


def generation_id(chunks: Sequence[Chunk], documents: Sequence[Document], terms: TermTable, fingerprint: str, made: str) -> str:
    """Name of the generation that these parts make, 16 hexadecimal digits."""
    parts = [str(FORMAT), TOKENIZER, made, fingerprint, *(c.id for c in chunks), *(d.sha256 for d in documents)]
    return sha256_of("\n".join([*parts, json.dumps(terms.to_records(), sort_keys=True)]))[:16]


@dataclasses.dataclass(frozen=True)
class Index:
    """One generation, open for reading."""

    folder: Path
    id: str
    sources: tuple[Source, ...]
    chunks: tuple[Chunk, ...]
    documents: tuple[Document, ...]
    terms: TermTable
    lexical: dict[Language, LexicalIndex]
    store: VectorStore

    @classmethod
    def open(cls, root: Path, embedder: Embedder, chroma_url: str | None = None) -> Index:
        """Open the current generation.

        Raises IndexNotFoundError when there is none, IndexMismatchError when it is damaged or was
        made with another model or version.
        """
        generation = current_generation(root)
        if generation is None:
            raise IndexNotFoundError(f"there is no index in {root}; run `python -m ingest`")
        folder = root / "generations" / generation
        manifest = _read_json(folder / "manifest.json")
        if manifest.get("format") != FORMAT or manifest.get("tokenizer") != TOKENIZER:
            raise IndexMismatchError(f"the index in {root} was made by another version of this program; {REBUILD}")
        if manifest["embeddings"] != embedder.fingerprint:
            raise IndexMismatchError(
                f"the index in {root} was made with the embedding model {manifest['embeddings']!r}, "
                f"not {embedder.fingerprint!r}; {REBUILD}, or set ASSISTANT_EMBEDDINGS as it was"
            )
        try:
            chunks = tuple(_chunk(row) for row in _read_json(folder / "chunks.json"))
            documents = tuple(Document(**row) for row in _read_json(folder / "documents.json"))
            sources = tuple(Source(**row) for row in manifest["sources"])
        except (TypeError, KeyError) as exc:
            raise IndexMismatchError(f"the index in {root} is damaged ({exc}); {REBUILD}") from exc
        return cls(
            folder,
            content_id(generation),
            sources,
            chunks,
            documents,
            TermTable.from_records(_read_json(folder / "terms.json")),
            {language: LexicalIndex.load(folder / f"lexical-{language}") for language in LANGUAGES},
            VectorStore.open(folder / "chroma", generation, chroma_url, len(chunks)),
        )

    @cached_property
    def by_id(self) -> dict[str, Chunk]:
        return {chunk.id: chunk for chunk in self.chunks}

    @cached_property
    def of_language(self) -> dict[Language, list[Chunk]]:
        """Chunks of each language, in the order of its lexical index."""
        return {language: [c for c in self.chunks if c.language == language] for language in LANGUAGES}

    @cached_property
    def documents_by_path(self) -> dict[tuple[str, str], Document]:
        return {(document.source, document.path): document for document in self.documents}

    @cached_property
    def _renditions(self) -> dict[tuple[str, str], Document]:
        return {(d.source, d.renders): d for d in self.documents if d.renders}

    @cached_property
    def _by_place(self) -> dict[tuple[str, str, int, int, str], Chunk]:
        return {(c.source, c.path, c.start_line, c.end_line, c.kind): c for c in self.chunks}

    def document(self, chunk: Chunk) -> Document:
        return self.documents_by_path[chunk.source, chunk.path]

    def original(self, document: Document) -> Document | None:
        """The document that this one renders; None when it is no rendition."""
        return self.documents_by_path.get((document.source, document.renders)) if document.renders else None

    def counterpart(self, chunk: Chunk, language: Language) -> Chunk:
        """The same lines in another language where there is a rendition; else the chunk itself."""
        if chunk.language == language:
            return chunk
        document = self.document(chunk)
        other = self.original(document) or self._renditions.get((document.source, document.path))
        if other is None or other.language != language:
            return chunk
        return self._by_place.get((other.source, other.path, chunk.start_line, chunk.end_line, chunk.kind), chunk)


def content_id(generation: str) -> str:
    """The hash in a generation's name; what follows the dot tells two of the same content apart."""
    return generation.split(".")[0]


def current_generation(root: Path) -> str | None:
    """Name of the generation in use; None when nothing was ingested."""
    try:
        return (root / "current").read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise SettingsError(f"the index folder {root} cannot be read ({exc.strerror}); set ASSISTANT_INDEX to another") from exc


def write_generation(
    root: Path,
    sources: Sequence[Source],
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    terms: TermTable,
    embedder: Embedder,
    made: str,
    chroma_url: str | None = None,
) -> str:
    """Write a generation and make it the current one; gives its name. The caller holds the lock.

    A folder is never used twice: a process that still has the old one open would see it change.
    """
    content = generation_id(chunks, documents, terms, embedder.fingerprint, made)
    generation = content
    while (folder := root / "generations" / generation).exists():
        generation = f"{content}.{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    VectorStore.create(
        folder / "chroma", generation, chroma_url, chunks, embedder.encode_passages([searchable(c) for c in chunks])
    )
    for language in LANGUAGES:
        LexicalIndex.build([searchable(c) for c in chunks if c.language == language]).save(folder / f"lexical-{language}")
    _write_json(folder / "chunks.json", [dataclasses.asdict(chunk) for chunk in chunks])
    keys = ("source", "path", "language", "text", "renders")
    _write_json(folder / "documents.json", [{key: getattr(d, key) for key in keys} for d in documents])
    _write_json(folder / "terms.json", terms.to_records())
    manifest = {
        "format": FORMAT,
        "tokenizer": TOKENIZER,
        "made": made,
        "embeddings": embedder.fingerprint,
        "dim": embedder.dim,
        "chunks": len(chunks),
        "sources": [dataclasses.asdict(source) for source in sources],
    }
    _write_json(folder / "manifest.json", manifest)
    pointer = root / "current.new"
    with pointer.open("w", encoding="utf-8") as file:
        file.write(generation + "\n")
        file.flush()
        os.fsync(file.fileno())
    previous = current_generation(root)
    os.replace(pointer, root / "current")
    for old in (root / "generations").iterdir():
        if old.name not in (generation, previous):
            shutil.rmtree(old, ignore_errors=True)
    return generation


def _chunk(row: dict[str, Any]) -> Chunk:
    row["segments"] = tuple(Segment(**segment) for segment in row["segments"])
    row["headings"], row["children"] = tuple(row["headings"]), tuple(row["children"])
    return Chunk(**row)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise IndexMismatchError(f"{path} is missing or damaged; {REBUILD}") from exc


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


