"""Systems under test: the product, and the product with one part taken out or another put in.

A system answers (with its confidence) and shows its ranking; `evals/baseline.py` has those that are not
the product. Ablations replace parts of an open assistant; nothing in the product knows of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from assistant.assistant import Assistant
from assistant.datamodels import Answer, Chunk, Document, Folder, Language, Passage, Turn
from assistant.evidence import Reader
from assistant.index import Index, searchable
from assistant.lexical import LexicalIndex
from assistant.models import Embedder
from assistant.query import Query
from assistant.retrieve import CANDIDATES, RRF_K, K, expanded
from assistant.terms import TermTable


class System(Protocol):
    """What can be measured."""

    name: str

    def ask(self, question: str, history: Sequence[Turn], sources: Sequence[str] | None) -> Answer: ...

    def search(self, question: str, history: Sequence[Turn], sources: Sequence[str] | None) -> list[Passage]: ...

    def chunks(self, language: Language) -> Sequence[Chunk]:
        """All that `search` could find for a question of this language."""

    def document(self, source: str, path: str) -> Document:
        """Raises KeyError when there is none of that name."""

    def folder(self, source: str, path: str) -> Folder | None:
        """A directory of a source; None when there is none of that name."""

    @property
    def reader(self) -> Reader: ...


class Product:
    """The assistant as it is."""

    def __init__(self, assistant: Assistant, name: str = "product") -> None:
        self.assistant = assistant
        self.name = name
        self.reader = assistant.reader

    def ask(self, question: str, history: Sequence[Turn], sources: Sequence[str] | None) -> Answer:
        return self.assistant.ask(question, history, sources)

    def search(self, question: str, history: Sequence[Turn], sources: Sequence[str] | None) -> list[Passage]:
        return self.assistant.passages(self.assistant.query(question, history), sources)

    def chunks(self, language: Language) -> Sequence[Chunk]:
        index = self.assistant.index
        return list({found.id: found for c in index.chunks for found in [index.counterpart(c, language)]}.values())

    def document(self, source: str, path: str) -> Document:
        return self.assistant.document(source, path)

    def folder(self, source: str, path: str) -> Folder | None:
        return self.assistant.index.records.folder(source, path)


class _NoVector:
    """An embedder of zero vectors, for which retrieval skips the dense leg."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dim, self.fingerprint = embedder.name, embedder.dim, embedder.fingerprint

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), self.dim), np.float32)

    encode_passages = encode_queries


class _NoLexical(Index):
    """An index whose lexical legs find nothing."""

    def lexical(self, part: str) -> LexicalIndex:
        return LexicalIndex(None, 0)


class _OneList(Assistant):
    """Both languages in one ranking: one lexical leg and one dense leg over all chunks."""

    def passages(self, query: Query, sources: Sequence[str] | None = None, k: int = K) -> list[Passage]:
        index, chunks = self.index, self.index.chunks
        lexical, vectors = self._merged
        allowed = np.array([sources is None or chunk.source in sources for chunk in chunks], bool)
        close = np.where(allowed, vectors @ self.embedder.encode_queries([query.text])[0], -1)
        legs = {
            "lexical": lexical.search(expanded(query, index), CANDIDATES, allowed),
            "dense": [(int(i), float(close[i])) for i in np.argsort(-close, kind="stable")[:CANDIDATES]],
        }
        kept: dict[str, Chunk] = {}
        fused: dict[str, float] = {}
        scores: dict[str, dict[str, float]] = {}
        for leg, found in legs.items():
            for rank, (position, value) in enumerate(found):
                chunk = index.counterpart(chunks[position], query.language)
                kept[chunk.id] = chunk
                fused[chunk.id] = fused.get(chunk.id, 0.0) + 1 / (RRF_K + rank)
                scores.setdefault(chunk.id, {})[leg] = value
        best = sorted(fused, key=lambda chunk_id: (-fused[chunk_id], chunk_id))[:k]
        return [Passage(kept[c], rank, fused[c], scores[c]) for rank, c in enumerate(best)]

    @cached_property
    def _merged(self) -> tuple[LexicalIndex, np.ndarray]:
        texts = [searchable(chunk) for chunk in self.index.chunks]
        return LexicalIndex.build(texts), self.embedder.encode_passages(texts)


class _NoEncoder(Assistant):
    """The learned weights alone choose and decide."""

    encoder = None


def _lexical(own: Assistant) -> Assistant:
    return Assistant(own.index, _NoVector(own.embedder), own.settings)


def _dense(own: Assistant) -> Assistant:
    parts = {field.name: getattr(own.index, field.name) for field in dataclasses.fields(own.index)}
    return Assistant(_NoLexical(**parts), own.embedder, own.settings)


def _without_terms(own: Assistant) -> Assistant:
    return Assistant(dataclasses.replace(own.index, terms=TermTable.from_records([])), own.embedder, own.settings)


def _without_encoder(own: Assistant) -> Assistant:
    return _NoEncoder(own.index, own.embedder, own.settings)


def _one_list(own: Assistant) -> Assistant:
    return _OneList(own.index, own.embedder, own.settings)


ABLATIONS: tuple[tuple[str, Callable[[Assistant], Assistant]], ...] = (
    ("hybrid", lambda own: own),
    ("lexical only", _lexical),
    ("dense only", _dense),
    ("no term table", _without_terms),
    ("no cross-encoder", _without_encoder),
    ("one list", _one_list),
)
"""Name, and what makes the assistant of an ablation from the assistant as it is; the first is the product."""
