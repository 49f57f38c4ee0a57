"""Measure the bundled embedding model and what it is compared with.

    python -m training.measure [--data DIR] [--xquad DIR] [--also NAME=MODEL …]

Prints Markdown tables: the development questions over the lines of the article in four language
directions; with --data, held-out headings over sections; with --xquad, a folder of xquad.en.json and
xquad.zh.json, XQuAD; word pairs; speeds. --also adds a model folder or any sentence-transformers
model (all-MiniLM-L6-v2, say), which is skipped with a reason where it cannot be loaded.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from assistant.errors import AssistantError, ModelError
from assistant.models import BundledEmbedder, Embedder, load_embedder
from assistant.static import FOLDER, StaticModel
from training.benchmarks import Benchmark, article, development_questions, sections, xquad
from training.hybrid import measure_hybrid
from training.ranking import hit, ndcg
from training.speed import measure_speed
from training.systems import System, embedding, fused, late, lexical, mean
from training.words import measure_words, read_pairs

DIRECTIONS = ("zh→zh", "zh→en", "en→en", "en→zh")


def figures(ranked: Sequence[Sequence[int]], relevant: Sequence[frozenset[int]]) -> str:
    """Write recall@1, @3, @5 and nDCG@10 in percent, means over questions."""
    pairs = list(zip(ranked, relevant, strict=True))
    values = [statistics.mean(hit(found, gold, k) for found, gold in pairs) for k in (1, 3, 5)]
    values.append(statistics.mean(ndcg(found, gold) for found, gold in pairs))
    return " / ".join(f"{100 * value:.0f}" for value in values)


def table(title: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Lay out a Markdown table; `columns` names all but the first."""
    lines = [f"| {title} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)])


def systems_of(name: str, embedder: Embedder) -> dict[str, System]:
    """The ways to rank by one model: three for a static one, one for another."""
    if not isinstance(embedder, BundledEmbedder):
        return {name: embedding(embedder)}
    one, other = mean(embedder.model), late(embedder.model)
    return {f"{name}, mean": one, f"{name}, late interaction": other, f"{name}, both fused": fused(one, other)}


def load(model: str) -> Embedder:
    """Load a folder of a static model with token weights, or any sentence-transformers model."""
    folder = Path(model)
    if (folder / "token_weights.safetensors").is_file():
        return BundledEmbedder(StaticModel.load(folder))
    return load_embedder(model)


def retrieval_table(benchmarks: Sequence[Benchmark], systems: dict[str, System], hybrid: dict[str, str] | None) -> str:
    """One row a system, one column a direction."""
    columns = [d for d in DIRECTIONS if any(b.direction == d for b in benchmarks)]
    by_direction = {b.direction: b for b in benchmarks}
    rows = []
    for name, system in systems.items():
        found = [system(by_direction[d].queries, by_direction[d].units) for d in columns]
        rows.append((name, [figures(f, by_direction[d].relevant) for d, f in zip(columns, found, strict=True)]))
    if hybrid is not None:
        rows.append(("the product's retrieval, passages", [hybrid[d] for d in columns]))
    return table(f"{benchmarks[0].task}: recall@1 / @3 / @5 / nDCG@10, %", columns, rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training.measure", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", type=Path, default=FOLDER, help="model folder (default: the bundled one)")
    parser.add_argument("--data", type=Path, help="folder of the training data, for the held-out headings")
    parser.add_argument("--xquad", type=Path, help="folder of xquad.en.json and xquad.zh.json")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=MODEL", help="another model, a folder or a hub name")
    parser.add_argument("--no-hybrid", action="store_true", help="leave out the product's retrieval")
    options = parser.parse_args()
    try:
        return report(options)
    except AssistantError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1


def report(options: argparse.Namespace) -> int:
    embedders: dict[str, Embedder] = {"this model": load(str(options.model))}
    for item in options.also:
        name, _, model = item.partition("=")
        try:
            embedders[name] = load(model or name)
        except ModelError as exc:
            print(f"left out {name}: {exc}", file=sys.stderr)
    systems: dict[str, System] = {}
    for name, embedder in embedders.items():
        systems |= systems_of(name, embedder)
    systems["BM25"] = lexical
    first = embedders["this model"]
    if isinstance(first, BundledEmbedder):
        systems["this model and BM25, fused"] = fused(mean(first.model), late(first.model), lexical)
    hybrid = None
    if not options.no_hybrid:
        found = measure_hybrid(development_questions())
        hybrid = {d: figures([r for r, _ in rows], [g for _, g in rows]) for d, rows in found.items()}
    articles = list(article())
    print(retrieval_table(articles, systems, hybrid), end="\n\n")
    for folder, read in ((options.data, sections), (options.xquad, xquad)):
        if folder is not None:
            print(retrieval_table(list(read(folder)), systems, None), end="\n\n", flush=True)
    reports = {name: measure_words(embedder, read_pairs()) for name, embedder in embedders.items()}
    columns = ("AUC", "median cosine, one meaning", "median cosine, two meanings")
    print(table("word pairs", columns, [(n, [f"{r.auc:.3f}", f"{r.same:.2f}", f"{r.other:.2f}"]) for n, r in reports.items()]))
    if isinstance(first, BundledEmbedder):
        chunks = [unit for b in articles[::2] for unit in b.units] * 20
        speed = measure_speed(options.model, [q for b in articles for q in b.queries], chunks)
        cells = [f"{speed.imports_s:.2f} s", f"{speed.load_s:.2f} s", f"{speed.query_ms:.2f} ms", f"{speed.chunks_per_s:,.0f}"]
        print("\n" + table("one core", ("imports", "loading", "a question", "chunks a second"), [("this model", cells)]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
