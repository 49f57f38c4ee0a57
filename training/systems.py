"""What is measured: each system ranks all units for each query."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from assistant.lexical import LexicalIndex
from assistant.models import Embedder
from assistant.static import StaticModel
from training.ranking import fuse

Ranked = list[list[int]]
System = Callable[[Sequence[str], Sequence[str]], Ranked]
"""(queries, units) → positions of units for each query, best first."""


def lexical(queries: Sequence[str], units: Sequence[str]) -> Ranked:
    """BM25; only units that share a token with the query are ranked."""
    index = LexicalIndex.build(units)
    return [[position for position, _ in index.search(query, len(units))] for query in queries]


def embedding(embedder: Embedder) -> System:
    """Cosine of the texts' vectors."""

    def rank(queries: Sequence[str], units: Sequence[str]) -> Ranked:
        return _order(embedder.encode_queries(queries) @ embedder.encode_passages(units).T)

    return rank


def mean(model: StaticModel) -> System:
    """Cosine of the means of token vectors."""
    return lambda queries, units: _order(model.encode(queries) @ model.encode(units).T)


def late(model: StaticModel) -> System:
    """Late interaction."""
    return lambda queries, units: _order(late_scores(model, queries, units))


def fused(*systems: System) -> System:
    """Ranks of several systems, fused."""

    def rank(queries: Sequence[str], units: Sequence[str]) -> Ranked:
        found = [system(queries, units) for system in systems]
        return [fuse(*rankings) for rankings in zip(*found, strict=True)]

    return rank


def late_scores(model: StaticModel, queries: Sequence[str], units: Sequence[str]) -> np.ndarray:
    """Score by the greatest cosine that each query token has in a unit, weighted by rarity (Khattab & Zaharia 2020).

    (queries, units) float32, −1 to 1, higher is better; 0 for a query or unit without tokens.
    """
    asked, held = _tokens(model, queries), _tokens(model, units)
    kinds, position = np.unique(np.concatenate([*asked, np.zeros(1, int)]), return_inverse=True)
    rows = _unit_rows(model, kinds)
    best = np.zeros((len(kinds), len(units)), np.float32)
    for i, ids in enumerate(held):
        if len(ids):
            best[:, i] = (rows @ _unit_rows(model, np.unique(ids)).T).max(axis=1)
    scores = np.zeros((len(queries), len(units)), np.float32)
    start = 0
    for i, ids in enumerate(asked):
        chosen = position[start : start + len(ids)]
        start += len(ids)
        weights = model.weights[ids]
        if weights.sum() > 0:
            scores[i] = weights @ best[chosen] / weights.sum()
    return scores


def _tokens(model: StaticModel, texts: Sequence[str]) -> list[np.ndarray]:
    encodings = model.tokenizer.encode_batch(list(texts), add_special_tokens=False)
    return [np.array(encoding.ids, int) for encoding in encodings]


def _unit_rows(model: StaticModel, ids: np.ndarray) -> np.ndarray:
    rows = model.table[ids].astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _order(scores: np.ndarray) -> Ranked:
    return [[int(i) for i in np.argsort(-row, kind="stable")] for row in scores]
