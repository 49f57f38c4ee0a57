"""The vector store: Chroma, in a folder or as a server; the only module that imports it.

Each source has a collection for each language: a search that must leave the rest out needs no
filter, which costs Chroma 18 ms on 8,000 vectors where the search itself costs 1.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from assistant.datamodels import Chunk
from assistant.errors import IndexMismatchError, ModelError, SettingsError

BATCH = 2_000
COLLECTION = "ksa-{generation}-{part}"
BROKEN = "the vectors in {place} cannot be read ({reason}); run `python -m ingest --rebuild`"
_LOCK = threading.Lock()
_READERS: dict[Path, Any] = {}
"""Clients of the folders this process reads. Chroma shares what lies behind two clients of a folder,
and loses it where two threads open or close them at once."""


def _reader(folder: Path) -> Any:
    """The one client of a folder; those of folders that are gone are closed."""
    with _LOCK:
        for other in [f for f in _READERS if not (f / "chroma.sqlite3").is_file()]:
            _READERS.pop(other).close()
        if folder not in _READERS:
            _READERS[folder] = _client(folder, None)
        return _READERS[folder]


def _client(folder: Path, url: str | None) -> Any:
    import chromadb  # a second

    settings = chromadb.Settings(anonymized_telemetry=False)
    if url is None:
        return chromadb.PersistentClient(str(folder), settings=settings)
    parts = urlsplit(url)
    try:
        return chromadb.HttpClient(
            host=parts.hostname or "", port=parts.port or (443 if parts.scheme == "https" else 80),
            ssl=parts.scheme == "https", settings=settings,
        )
    except (ValueError, OSError) as exc:
        raise SettingsError(f"no Chroma server answers at CHROMA_URL {url!r}; start it, or unset CHROMA_URL") from exc


class VectorStore:
    """The chunks of one index generation with their vectors, compared by cosine; a collection for each part."""

    def __init__(self, collections: Mapping[str, Any]) -> None:
        self._collections = collections

    @classmethod
    def create(cls, folder: Path, generation: str, url: str | None, parts: Mapping[str, tuple[Sequence[Chunk], np.ndarray]]) -> None:
        """Write the chunks of every part into a new collection; vectors are (chunks, dim) float32."""
        with _LOCK:
            client = _client(folder, url)
        there = {collection.name for collection in client.list_collections()} if url else set()
        for part, (chunks, vectors) in parts.items():
            name = COLLECTION.format(generation=generation, part=part)
            if name in there:
                client.delete_collection(name)
            collection = client.create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
            )
            for start in range(0, len(chunks), BATCH):
                batch = chunks[start : start + BATCH]
                collection.add(
                    ids=[chunk.id for chunk in batch],
                    embeddings=vectors[start : start + BATCH],
                    documents=[chunk.text for chunk in batch],
                    metadatas=[
                        {"source": c.source, "path": c.path, "kind": c.kind, "start_line": c.start_line, "end_line": c.end_line}
                        for c in batch
                    ],
                )
        if url is None:
            with _LOCK:
                client.close()

    @classmethod
    def open(cls, folder: Path, generation: str, url: str | None, sizes: Mapping[str, int]) -> VectorStore:
        """Open a generation's collections; raises IndexMismatchError when one is not whole."""
        import chromadb

        place = url or folder
        if url is None and not (folder / "chroma.sqlite3").is_file():
            # Chroma keeps folders open in this process, and would go on answering from one that is gone
            raise IndexMismatchError(BROKEN.format(place=place, reason="chroma.sqlite3 is not there"))
        collections = {}
        try:
            client = _client(folder, url) if url else _reader(folder)
            for part, size in sizes.items():
                if size:
                    collections[part] = client.get_collection(COLLECTION.format(generation=generation, part=part), embedding_function=None)
                    if (count := collections[part].count()) != size:
                        raise IndexMismatchError(BROKEN.format(place=place, reason=f"{count} of {size} are there"))
        except chromadb.errors.ChromaError as exc:
            raise IndexMismatchError(BROKEN.format(place=place, reason=exc)) from exc
        return cls(collections)

    @staticmethod
    def drop(url: str, generation: str) -> None:
        """Delete a generation's collections from a server."""
        client = _client(Path(), url)
        for collection in client.list_collections():
            if collection.name.startswith(COLLECTION.format(generation=generation, part="")):
                client.delete_collection(collection.name)

    def search(self, vector: np.ndarray, k: int, part: str) -> list[tuple[str, float]]:
        """Best `k` chunk ids of a part with their cosine similarity (−1 to 1), best first."""
        if part not in self._collections:
            return []
        import chromadb

        try:
            found = self._collections[part].query(query_embeddings=[vector], n_results=k, include=["distances"])
        except chromadb.errors.ChromaError as exc:
            raise ModelError(f"the vector store did not answer ({exc}); run `python -m assistant doctor`") from exc
        return [(id_, 1 - float(d)) for id_, d in zip(found["ids"][0], found["distances"][0], strict=True)]
