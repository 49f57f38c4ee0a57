"""Writes a generation of the index (`assistant/index.py` says what it holds) and makes it the current one."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.crossencoder import CrossEncoder, span_text
from assistant.datamodels import ARTICLE, Chunk, Document, Folder, Source, Visit, sha256_of
from assistant.index import FORMAT, LANGUAGES, Index, current_generation, searchable
from assistant.lexical import LexicalIndex
from assistant.models import Embedder
from assistant.places import folder_text
from assistant.records import LineNote, write_records
from assistant.states import StateStore
from assistant.store import VectorStore
from assistant.terms import TermTable
from assistant.text import CODE, TOKENIZER, fold, stem

LONG_DOCUMENT = 100_000
LARGE_SOURCE = 1_000_000
LARGE_TREE = 10_000
"""Characters, and directories; see `_read_beforehand`."""


def fingerprint(embedder: Embedder, encoder: CrossEncoder) -> str:
    """Names the models that a generation is made with."""
    return f"{embedder.fingerprint} {encoder.fingerprint}"


def generation_id(
    chunks: Sequence[Chunk], documents: Sequence[Document], terms: TermTable, fingerprint: str, made: str, sources: Sequence[Source] = ()
) -> str:
    """Name of the generation that these parts make, 16 hexadecimal digits.

    Chunks and documents of a source that has a digest need not be given: the digest stands for them.
    """
    whole = {source.name for source in sources if source.digest}
    parts = [str(FORMAT), TOKENIZER, made, fingerprint]
    parts += [json.dumps(dataclasses.asdict(source), sort_keys=True) for source in sources if source.digest]
    parts += [c.id for c in chunks if c.source not in whole] + [d.sha256 for d in documents if d.source not in whole]
    return sha256_of("\n".join([*parts, json.dumps(terms.to_records(), sort_keys=True)]))[:16]


def write_generation(
    root: Path,
    sources: Sequence[Source],
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    terms: TermTable,
    embedder: Embedder,
    encoder: CrossEncoder,
    made: str,
    chroma_url: str | None = None,
    *,
    folders: Sequence[Folder] = (),
    visits: Mapping[str, Iterable[Visit]] | None = None,
    notes: Iterable[LineNote] = (),
    reuse: Index | None = None,
    progress: Callable[[str, int], None] = lambda what, count: None,
) -> str:
    """Write a generation and make it the current one; gives its name. The caller holds the lock.

    A folder is never used twice: a process that still has the old one open would see it change.
    Vectors and states of chunks that `reuse` (an index made with the same models) holds are taken from there.
    """
    content = generation_id(chunks, documents, terms, fingerprint(embedder, encoder), made, sources)
    generation = content
    while (folder := root / "generations" / generation).exists():
        generation = f"{content}.{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    vectors = _vectors(chunks, embedder, reuse)
    np.save(folder / "vectors.npy", vectors)
    StateStore.write(folder, _read_beforehand(documents, chunks, folders), encoder, reuse.states if reuse else None, progress)
    parts: dict[str, list[int]] = {}
    for n, source in enumerate(sources):
        for language in LANGUAGES:
            parts[f"{n}-{language}"] = [i for i, c in enumerate(chunks) if c.source == source.name and c.language == language]
    position = {i: p for rows in parts.values() for p, i in enumerate(rows)}
    write_records(
        folder / "records.sqlite", documents, ((chunk, position[i]) for i, chunk in enumerate(chunks)), folders,
        {name for text in [*(d.text for d in documents), *(n for f in folders for n in (f.name, *f.files))] for name in names_in(text)},
        visits or {}, notes,
    )
    VectorStore.create(
        folder / "chroma", generation, chroma_url, {part: ([chunks[i] for i in rows], vectors[rows]) for part, rows in parts.items() if rows}
    )
    for part, rows in parts.items():
        LexicalIndex.build([searchable(chunks[i]) for i in rows]).save(folder / f"lexical-{part}")
    _write_json(folder / "terms.json", terms.to_records())
    manifest = {
        "format": FORMAT,
        "tokenizer": TOKENIZER,
        "made": made,
        "embeddings": embedder.fingerprint,
        "encoder": encoder.fingerprint,
        "dim": embedder.dim,
        "chunks": len(chunks),
        "parts": {part: len(rows) for part, rows in parts.items()},
        "sources": [dataclasses.asdict(source) for source in sources],
    }
    _write_json(folder / "manifest.json", manifest)
    _point_to(root, generation, chroma_url)
    return generation


def _read_beforehand(documents: Sequence[Document], chunks: Sequence[Chunk], folders: Sequence[Folder]) -> Iterator[str]:
    """Texts that the cross-encoder reads when they are ingested: of the article those of the language it reads; of a source what
    documents of usual length hold, and its directories, unless that is so much that ingesting would take minutes. Others are read when asked for.
    """
    usual = {(document.source, document.path): document for document in documents if len(document.text) <= LONG_DOCUMENT}
    sizes = Counter[str]()
    for chunk in chunks:
        sizes[chunk.source] += len(chunk.text) if (chunk.source, chunk.path) in usual else 0
    for chunk in chunks:
        if (chunk.source, chunk.path) in usual and sizes[chunk.source] <= LARGE_SOURCE and (chunk.source != ARTICLE or chunk.language == "en"):
            yield from (span_text(chunk, position) for position in range(len(chunk.segments)))
    trees = Counter(folder.source for folder in folders)
    for folder in folders:
        if trees[folder.source] <= LARGE_TREE:
            span = folder.described
            document = usual.get((folder.source, span.path)) if span else None
            yield folder_text(folder, document.text[span.start : span.end] if span and document else "")


def _vectors(chunks: Sequence[Chunk], embedder: Embedder, reuse: Index | None) -> np.ndarray:
    """Vectors of chunks, (chunks, dim) float32: those known from another index, the rest encoded."""
    vectors = np.zeros((len(chunks), embedder.dim), np.float32)
    known = {searchable(chunk): number for number, chunk in enumerate(reuse.records.chunks())} if reuse else {}
    texts = [searchable(chunk) for chunk in chunks]
    old = [i for i, text in enumerate(texts) if text in known]
    if reuse and old:
        vectors[old] = reuse.vectors()[[known[texts[i]] for i in old]]
    new = [i for i, text in enumerate(texts) if text not in known]
    for start in range(0, len(new), 1_000):
        part = new[start : start + 1_000]
        vectors[part] = embedder.encode_passages([texts[i] for i in part])
    return vectors


def _point_to(root: Path, generation: str, chroma_url: str | None) -> None:
    """Make a generation the current one and remove those that no reader was told of since the last."""
    pointer = root / "current.new"
    with pointer.open("w", encoding="utf-8") as file:
        file.write(generation + "\n")
        file.flush()
        os.fsync(file.fileno())
    previous = current_generation(root)
    os.replace(pointer, root / "current")
    for old in (root / "generations").iterdir():
        if old.name not in (generation, previous):
            if chroma_url:
                VectorStore.drop(chroma_url, old.name)
            shutil.rmtree(old, ignore_errors=True)


def names_in(text: str) -> set[str]:
    """Latin words and names of a text, folded, and their stems."""
    found = {match.group().strip("./:") for match in CODE.finditer(fold(text))}
    return found | {stem(word) for word in found}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
