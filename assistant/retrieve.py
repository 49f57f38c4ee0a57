"""Retrieval: each language on its own, lexical and dense, then ranks fused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.datamodels import Passage
from assistant.index import LANGUAGES, Index
from assistant.models import Embedder
from assistant.query import Query

CANDIDATES = 40
"""Chunks fetched from each leg."""
K = 24
"""Passages kept."""
NAMES = 1
"""Names of a term, in each language, that the lexical legs look for besides the one in the question."""
RRF_K = 60
"""Constant of reciprocal rank fusion (Cormack, Clarke & Büttcher 2009); their value."""


def retrieve(query: Query, index: Index, embedder: Embedder, sources: Sequence[str] | None = None, k: int = K) -> list[Passage]:
    """Find the best `k` passages for a query, best first, in its language where a rendition exists.

    Ranks are fused by reciprocal rank fusion. Passages that are the same lines in two languages
    are one, with both their shares.
    """
    scores: dict[str, dict[str, float]] = {}
    fused: dict[str, float] = {}
    said = expanded(query, index)
    vector = embedder.encode_queries([query.text])[0]
    for language in LANGUAGES:
        chunks = index.of_language[language]
        allowed = None if sources is None else np.array([chunk.source in sources for chunk in chunks], bool)
        legs = {
            f"lexical:{language}": [(chunks[i].id, s) for i, s in index.lexical[language].search(said, CANDIDATES, allowed)],
            f"dense:{language}": index.store.search(vector, CANDIDATES, language, sources) if vector.any() else [],
        }
        for leg, found in legs.items():
            for rank, (chunk_id, score) in enumerate(found):
                chunk = index.counterpart(index.by_id[chunk_id], query.language)
                fused[chunk.id] = fused.get(chunk.id, 0.0) + 1 / (RRF_K + rank)
                scores.setdefault(chunk.id, {})[leg] = score
    best = sorted(fused, key=lambda chunk_id: (-fused[chunk_id], chunk_id))[:k]
    return [Passage(index.by_id[c], rank, fused[c], scores[c]) for rank, c in enumerate(best)]


def expanded(query: Query, index: Index) -> str:
    """The query with the other names of its terms, for the lexical legs: '图标' also looks for 'logo'."""
    terms = [index.terms.by_id[unit.key.removeprefix("term:")] for unit in query.units if unit.key.startswith("term:")]
    return " ".join([query.text, *(name for term in terms for name in (*term.zh[:NAMES], *term.en[:NAMES]))])
