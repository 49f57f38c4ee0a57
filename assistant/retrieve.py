"""Retrieval: each source and each language on its own, lexical and dense, then ranks fused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from assistant.datamodels import Chunk, Passage
from assistant.index import LANGUAGES, Index, searchable
from assistant.models import Embedder, Reranker
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
    are one, with both their shares; the shares of a source that stands in two languages weigh half,
    so that its passages do not stand before those of a source in one.
    """
    scores: dict[str, dict[str, float]] = {}
    said = expanded(query, index)
    vector = embedder.encode_queries([query.text])[0]
    ranked: list[tuple[str, int, str, float, float]] = []
    for source in index.sources:
        if sources is not None and source.name not in sources:
            continue
        parts = {language: index.part(source.name, language) for language in LANGUAGES}
        share = 1 / max(1, sum(index.lexical(part).size > 0 for part in parts.values()))
        for language, part in parts.items():
            found = index.lexical(part).search(said, CANDIDATES)
            there = index.at(source.name, language, [i for i, _ in found])
            ranked += [(f"lexical:{language}", rank, there[i].id, score, share) for rank, (i, score) in enumerate(found)]
            if vector.any():
                nearest = index.store.search(vector, CANDIDATES, part)
                ranked += [(f"dense:{language}", rank, id_, score, share) for rank, (id_, score) in enumerate(nearest)]
    chunks = index.by_ids(list(dict.fromkeys(id_ for _, _, id_, _, _ in ranked)))
    fused: dict[str, float] = {}
    found_chunks: dict[str, Chunk] = {}
    for leg, rank, id_, score, share in ranked:
        chunk = index.counterpart(chunks[id_], query.language)
        found_chunks[chunk.id] = chunk
        fused[chunk.id] = fused.get(chunk.id, 0.0) + share / (RRF_K + rank)
        scores.setdefault(chunk.id, {})[leg] = score
    best = sorted(fused, key=lambda id_: (-fused[id_], id_))
    return [Passage(chunk, rank, fused[chunk.id], scores[chunk.id]) for rank, chunk in enumerate(_distinct(found_chunks[i] for i in best)[:k])]


def _distinct(chunks: Iterable[Chunk]) -> list[Chunk]:
    """Chunks without those that say in one version of a tree what another version said in the same file."""
    found: dict[tuple[str, str], Chunk] = {}
    for chunk in chunks:
        if (other := found.setdefault((chunk.path, chunk.text), chunk)) is not chunk and other.source == chunk.source:
            found[chunk.path, f"{chunk.text}\0{chunk.id}"] = chunk
    return list(found.values())


def expanded(query: Query, index: Index) -> str:
    """The query with the other names of its terms, for the lexical legs: '图标' also looks for 'logo'."""
    terms = [index.terms.by_id[unit.key.removeprefix("term:")] for unit in query.units if unit.key.startswith("term:")]
    return " ".join([query.text, *(name for term in terms for name in (*term.zh[:NAMES], *term.en[:NAMES]))])


def rerank(query: Query, passages: Sequence[Passage], reranker: Reranker) -> list[Passage]:
    """Put passages in the order of a cross-encoder's scores; its score becomes one more leg, 'reranker'."""
    if not passages:
        return []
    values = reranker.score(query.text, [searchable(passage.chunk) for passage in passages])
    order = sorted(range(len(passages)), key=lambda i: (-values[i], i))
    return [
        replace(passages[i], rank=rank, score=float(values[i]), scores={**passages[i].scores, "reranker": float(values[i])})
        for rank, i in enumerate(order)
    ]
