"""The index as it is read: generations in a folder, which `assistant/generation.py` writes.

    index/current                     name of the generation in use, replaced atomically
    index/generations/<id>/           manifest.json, records.sqlite, vectors.npy, states.npy …, terms.json, lexical-<part>/, chroma/

A generation is named by the hash of all that it holds (and a suffix when that name is taken), is written beside the others and only then
pointed to: a reader sees an old one or a new one, never half of one. Each source is searched on its
own, in each language: a part is `<number of the source>-<language>`. Adding a source therefore
changes nothing in how another one is searched.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from assistant.crossencoder import CrossEncoder
from assistant.datamodels import ARTICLE, Chunk, Document, Language, Source
from assistant.errors import REBUILD, IndexMismatchError, IndexNotFoundError, SettingsError
from assistant.lexical import LexicalIndex
from assistant.models import Embedder
from assistant.records import LineNote, Records
from assistant.states import StateStore
from assistant.store import VectorStore
from assistant.terms import TermTable
from assistant.text import TOKENIZER

FORMAT = 3
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def searchable(chunk: Chunk) -> str:
    """The text of a chunk that both legs search: its headings, its name and its own text.

    Of the article the nearest heading; of other documents, which are many and alike, the directory and two headings.
    """
    heading = chunk.headings[-1:] if chunk.kind != "entry" else ()
    if chunk.source != ARTICLE:
        heading = tuple(dict.fromkeys((*chunk.headings[:1], *chunk.headings[-2:])))
    return "\n".join([*heading, *([chunk.name] if chunk.name else []), chunk.text])


@dataclasses.dataclass(frozen=True)
class Index:
    """One generation, open for reading."""

    folder: Path
    id: str
    sources: tuple[Source, ...]
    made: str
    """Version of the chunker."""
    terms: TermTable
    records: Records
    store: VectorStore
    states: StateStore
    encoder: str
    """Fingerprint of the cross-encoder that the states are of."""
    only: frozenset[str] | None = None
    """Names of the sources that `entries` and `of_language` are limited to; None: all."""
    loaded: dict[str, LexicalIndex] = dataclasses.field(default_factory=dict)
    """Lexical indexes of the parts that were searched."""

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
                f"not {embedder.fingerprint!r}; {REBUILD} with the same --embeddings, or set ASSISTANT_EMBEDDINGS as it was"
            )
        try:
            sources = tuple(source_of(row) for row in manifest["sources"])
            parts, count, made, encoder = dict(manifest["parts"]), int(manifest["chunks"]), str(manifest["made"]), str(manifest["encoder"])
        except (TypeError, KeyError, ValueError) as exc:
            raise IndexMismatchError(f"the index in {root} is damaged ({exc}); {REBUILD}") from exc
        records = Records(folder / "records.sqlite")
        if records.chunk_count != count:
            raise IndexMismatchError(f"{folder / 'records.sqlite'} holds {records.chunk_count} of {count} chunks; {REBUILD}")
        index = cls(
            folder, content_id(generation), sources, made, TermTable.from_records(_read_json(folder / "terms.json")),
            records, VectorStore.open(folder / "chroma", generation, chroma_url, parts), StateStore(folder), encoder,
        )
        for part in parts:
            if part.startswith("0-"):  # the others are read when they are searched
                index.lexical(part)
            elif not (folder / f"lexical-{part}" / "size").is_file():
                raise IndexMismatchError(f"the index in {root} lacks {folder / f'lexical-{part}'}; {REBUILD}")
        return index

    def check_encoder(self, encoder: CrossEncoder) -> None:
        """Raise IndexMismatchError where the states are another cross-encoder's."""
        if self.encoder != encoder.fingerprint:
            raise IndexMismatchError(f"the index in {self.folder.parent.parent} was made with another cross-encoder; {REBUILD}")

    def within(self, sources: Iterable[str]) -> Index:
        """The same index, with `entries`, `of_language` and `chunks` limited to some sources."""
        names = frozenset(sources)
        if names not in self._views:
            self._views[names] = dataclasses.replace(self, only=names)
        return self._views[names]

    @cached_property
    def _views(self) -> dict[frozenset[str], Index]:
        return {}

    def part(self, source: str, language: Language) -> str:
        """Name of a searchable part."""
        return f"{[s.name for s in self.sources].index(source)}-{language}"

    def source(self, name: str) -> Source:
        """A source by its name; raises KeyError when the index holds none of that name."""
        for source in self.sources:
            if source.name == name:
                return source
        raise KeyError(name)

    def lexical(self, part: str) -> LexicalIndex:
        """The lexical index of a part; raises IndexMismatchError when it is damaged."""
        if part not in self.loaded:
            self.loaded[part] = LexicalIndex.load(self.folder / f"lexical-{part}")
        return self.loaded[part]

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """All chunks: for measuring; a question reads those it needs."""
        return tuple(c for c in self.records.chunks() if self.only is None or c.source in self.only)

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """All documents: for measuring, as `chunks`."""
        return tuple(self.records.documents())

    @cached_property
    def of_language(self) -> dict[Language, list[Chunk]]:
        """All chunks of each language; slow on a large tree, see `entries` and `of_document`."""
        return {language: [c for c in self.chunks if c.language == language] for language in LANGUAGES}

    def entries(self, language: Language) -> list[Chunk]:
        """The entries of directory listings written in documents of a language."""
        return self._entries[language]

    @cached_property
    def _entries(self) -> dict[Language, list[Chunk]]:
        found = {language: self.records.chunks_of_kind("entry", language) for language in LANGUAGES}
        return {language: [c for c in chunks if self.only is None or c.source in self.only] for language, chunks in found.items()}

    def of_document(self, source: str, path: str) -> list[Chunk]:
        """Chunks of one document, in reading order."""
        return self._chunks_of_document(source, path)

    @cached_property
    def _chunks_of_document(self) -> Callable[[str, str], list[Chunk]]:
        return lru_cache(KEPT)(self.records.chunks_of_document)

    def at(self, source: str, language: Language, positions: Sequence[int]) -> dict[int, Chunk]:
        """Chunks at positions of a part's lexical index."""
        return _kept(self._at.setdefault((source, language), {}), positions, lambda missing: self.records.chunks_at(source, language, missing))

    @cached_property
    def _at(self) -> dict[tuple[str, str], dict[int, Chunk]]:
        return {}

    def by_ids(self, ids: Sequence[str]) -> dict[str, Chunk]:
        """Chunks of these ids."""
        return _kept(self._by_id, ids, lambda missing: {chunk.id: chunk for chunk in self.records.chunks_by_id(missing)})

    @cached_property
    def _by_id(self) -> dict[str, Chunk]:
        return {}

    def document_at(self, source: str, path: str) -> Document:
        """A document; raises KeyError when the index holds none of that name."""
        document = self._documents_by_path(source, path)
        if document is None:
            raise KeyError((source, path))
        return document

    @cached_property
    def _documents_by_path(self) -> Callable[[str, str], Document | None]:
        return lru_cache(KEPT)(self.records.document)

    @cached_property
    def _renditions(self) -> dict[tuple[str, str], str]:
        return self.records.renditions()

    def _rendition(self, source: str, path: str) -> Document | None:
        """The document that renders another one."""
        rendition = self._renditions.get((source, path))
        return None if rendition is None else self.document_at(source, rendition)

    def document(self, chunk: Chunk) -> Document:
        return self.document_at(chunk.source, chunk.path)

    def original(self, document: Document) -> Document | None:
        """The document that this one renders; None when it is no rendition."""
        return self.document_at(document.source, document.renders) if document.renders else None

    def counterpart(self, chunk: Chunk, language: Language) -> Chunk:
        """The same lines in another language where there is a rendition; else the chunk itself."""
        if chunk.language == language:
            return chunk
        document = self.document(chunk)
        other = self.original(document) or self._rendition(document.source, document.path)
        if other is None or other.language != language:
            return chunk
        return self._lines(other).get((chunk.start_line, chunk.end_line, chunk.kind), chunk)

    @cached_property
    def _by_lines(self) -> dict[tuple[str, str], dict[tuple[int, int, str], Chunk]]:
        return {}

    def _lines(self, document: Document) -> dict[tuple[int, int, str], Chunk]:
        """The chunks of a document that renders another, or is rendered, by their lines; the first of each."""
        place = document.source, document.path
        if place not in self._by_lines:
            self._by_lines[place] = {(c.start_line, c.end_line, c.kind): c for c in reversed(self.of_document(*place))}
        return self._by_lines[place]

    @cached_property
    def line_notes(self) -> dict[tuple[str, str, int], list[LineNote]]:
        """What is known of the article's lines against the checkouts, by source, path and line."""
        found: dict[tuple[str, str, int], list[LineNote]] = {}
        for note in self.records.notes(ARTICLE):
            found.setdefault((note.source, note.path, note.line), []).append(note)
        return found

    def note_on(self, document: Document, first: int, last: int) -> str | None:
        """What is known of lines of a document against the checkouts, in its language; None when nothing is."""
        found = [
            note.note for line in range(first, last + 1) for note in self.line_notes.get((document.source, document.path, line), ())
            if note.language == document.language
        ]
        return "; ".join(dict.fromkeys(found)) or None

    def check(self) -> None:
        """Read what `open` leaves for later; raises IndexMismatchError when something is damaged."""
        for source in self.sources:
            for language in LANGUAGES:
                part = self.part(source.name, language)
                if (self.folder / f"lexical-{part}").exists():
                    self.lexical(part)
        self.vectors()
        self.states.check()

    def vectors(self) -> np.ndarray:
        """Vectors of all chunks in their order, (chunks, dim) float32, not read into memory."""
        path = self.folder / "vectors.npy"
        try:
            vectors: np.ndarray = np.load(path, mmap_mode="r")
        except (OSError, ValueError) as exc:
            raise IndexMismatchError(f"{path} is missing or damaged ({exc}); {REBUILD}") from exc
        if len(vectors) != self.records.chunk_count:
            raise IndexMismatchError(f"{path} holds {len(vectors)} of {self.records.chunk_count} vectors; {REBUILD}")
        return vectors


KEPT = 500
"""Documents kept in memory once read."""
CHUNKS_KEPT = 8 * KEPT
Key = TypeVar("Key")


def _kept(known: dict[Key, Chunk], keys: Sequence[Key], read: Callable[[list[Key]], Mapping[Key, Chunk]]) -> dict[Key, Chunk]:
    """The chunks of some keys, those that are not known read and kept; another question may empty what is known meanwhile."""
    found = {key: chunk for key in keys if (chunk := known.get(key)) is not None}
    if missing := [key for key in keys if key not in found]:
        fresh = read(missing)
        if len(known) >= CHUNKS_KEPT:
            known.clear()
        known.update(fresh)
        found.update(fresh)
    return {key: found[key] for key in keys}


@dataclasses.dataclass(frozen=True)
class Names:
    """Latin words of the whole index, folded and stemmed: what is no misspelling. A container, nothing else."""

    records: Records

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.records.has_name(name)


def source_of(row: Mapping[str, Any]) -> Source:
    """A source from a manifest's row; raises TypeError when it is none."""
    return Source(**{**row, "include": tuple(row.get("include", ())), "exclude": tuple(row.get("exclude", ()))})


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


def remembered_sources(root: Path) -> dict[str, Source]:
    """Sources named by the manifests in an index folder, the current generation's last: what a damaged index held."""
    found: dict[str, Source] = {}
    folders = sorted((root / "generations").glob("*"), key=lambda folder: (folder.name == current_generation(root), folder.stat().st_mtime))
    for folder in folders:
        try:
            found.update((row["name"], source_of(row)) for row in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["sources"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half a generation says nothing
    return found


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise IndexMismatchError(f"{path} is missing or damaged; {REBUILD}") from exc
