"""Corpus → documents → chunks → a new index generation; nothing is written when nothing changed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.errors import IndexMismatchError, IndexNotFoundError, SettingsError
from assistant.index import Index, content_id, current_generation, generation_id, write_generation
from assistant.models import load_embedder
from assistant.settings import Settings
from ingest.corpus import bundled_folder, read_corpus
from ingest.markdown import CHUNKER, chunk_markdown

LOCK_SECONDS = 120


@dataclass(frozen=True)
class Report:
    """What an ingest did."""

    index: str
    changed: bool
    documents: int
    chunks: int
    seconds: float

    def __str__(self) -> str:
        if not self.changed:
            return f"nothing changed: {self.documents} documents, {self.chunks} chunks, index {self.index}"
        return f"{self.documents} documents, {self.chunks} chunks in {self.seconds:.1f} s, index {self.index}"


def ingest(settings: Settings, rebuild: bool = False, corpus: Path | None = None) -> Report:
    """Bring the index up to date with the material, one writer at a time.

    Raises CorpusError, ModelError, or SettingsError when the index folder cannot be written or is
    locked for longer than two minutes.
    """
    begin = time.perf_counter()
    root = settings.index
    material = read_corpus(corpus or bundled_folder())
    embedder = load_embedder(settings.embeddings)
    chunks = [chunk for document in material.documents for chunk in chunk_markdown(document)]
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / "lock", timeout=LOCK_SECONDS):
            generation = generation_id(chunks, material.documents, material.terms, embedder.fingerprint, CHUNKER)
            changed = rebuild or content_id(current_generation(root) or "") != generation or not _is_whole(settings)
            if changed:
                write_generation(
                    root, [material.source], material.documents, chunks, material.terms, embedder, CHUNKER, settings.chroma_url
                )
    except Timeout as exc:
        raise SettingsError(f"another ingest holds {root / 'lock'}; wait until it ends, then run this again") from exc
    except OSError as exc:
        raise SettingsError(
            f"the index folder {root} cannot be written ({exc.strerror}); set ASSISTANT_INDEX to a folder of yours"
        ) from exc
    return Report(generation, changed, len(material.documents), len(chunks), time.perf_counter() - begin)


def _is_whole(settings: Settings) -> bool:
    try:
        Index.open(settings.index, load_embedder(settings.embeddings), settings.chroma_url).check()
    except (IndexMismatchError, IndexNotFoundError):
        return False
    return True
