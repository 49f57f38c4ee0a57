"""The vector store: Chroma, in a folder or as a server; the only module that imports it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from assistant.datamodels import Chunk
from assistant.errors import IndexMismatchError, ModelError, SettingsError

BATCH = 2_000
COLLECTION = "ksa-{generation}"


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
    """The chunks of one index generation with their vectors, compared by cosine."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    @classmethod
    def create(cls, folder: Path, generation: str, url: str | None, chunks: Sequence[Chunk], vectors: np.ndarray) -> None:
        """Write all chunks into a new collection; `vectors` is (len(chunks), dim) float32."""
        client = _client(folder, url)
        name = COLLECTION.format(generation=generation)
        if name in [collection.name for collection in client.list_collections()]:
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
                    {
                        "source": chunk.source,
                        "path": chunk.path,
                        "language": chunk.language,
                        "kind": chunk.kind,
                        "start_line": chunk.start_line,
                        "end_line": chunk.end_line,
                    }
                    for chunk in batch
                ],
            )
        if url is None:
            client.close()

    @classmethod
    def open(cls, folder: Path, generation: str, url: str | None, size: int) -> VectorStore:
        """Open a generation's collection; raises IndexMismatchError when it is not whole."""
        import chromadb

        try:
            collection = _client(folder, url).get_collection(COLLECTION.format(generation=generation), embedding_function=None)
            count = collection.count()
        except chromadb.errors.ChromaError as exc:
            raise IndexMismatchError(f"the vectors in {url or folder} cannot be read ({exc}); run `python -m ingest --rebuild`") from exc
        if count != size:
            raise IndexMismatchError(f"{url or folder} holds {count} of {size} vectors; run `python -m ingest --rebuild`")
        return cls(collection)

    def search(self, vector: np.ndarray, k: int, language: str, sources: Sequence[str] | None) -> list[tuple[str, float]]:
        """Best `k` chunk ids of a language with their cosine similarity (−1 to 1), best first."""
        where: dict[str, Any] = {"language": language}
        if sources is not None:
            where = {"$and": [where, {"source": {"$in": list(sources)}}]}
        import chromadb

        try:
            found = self._collection.query(query_embeddings=[vector], n_results=k, where=where, include=["distances"])
        except chromadb.errors.ChromaError as exc:
            raise ModelError(f"the vector store did not answer ({exc}); run `python -m assistant doctor`") from exc
        return [(id_, 1 - float(d)) for id_, d in zip(found["ids"][0], found["distances"][0], strict=True)]
