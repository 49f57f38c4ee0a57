"""All systems that are measured beside each other: the product, its ablations, and what a tutorial builds."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant.assistant import Assistant
from assistant.models import load_embedder
from assistant.settings import Settings
from evals.baseline import Bm25, Tutorial
from evals.systems import ABLATIONS, Product, System
from ingest.pipeline import ingest

TOPS = (1, 4)
"""Passages that the tutorial pipeline answers with: the best one, and LangChain's default."""


def ablations(assistant: Assistant) -> Iterator[System]:
    """The product first, then with one part taken out, and without the reranker where one is configured."""
    for name, make in ABLATIONS:
        yield Product(make(assistant), name)
    if assistant.settings.reranker:
        plain = dataclasses.replace(assistant.settings, reranker=None)
        yield Product(Assistant(assistant.index, assistant.embedder, plain), "no reranker")


def baselines(assistant: Assistant, models: Sequence[str] = ()) -> Iterator[System]:
    """The tutorial pipeline, with the assistant's embedding model and each of `models`, and BM25 alone, on its documents."""
    documents = assistant.index.documents
    for shown in TOPS:
        yield Tutorial(documents, assistant.embedder, shown)
    for model in models:
        yield Tutorial(documents, load_embedder(model), TOPS[0], f" with {Path(model).name}")
    yield Bm25(documents, TOPS[0])


def other_models(settings: Settings, models: Sequence[str], folder: Path) -> Iterator[System]:
    """The product with another embedding model each, in an index of its own under `folder`, on the bundled material."""
    for number, model in enumerate(models):
        own = dataclasses.replace(settings, embeddings=model, index=folder / str(number), chroma_url=None)
        ingest(own)
        yield Product(Assistant.open(own), f"embeddings {Path(model).name}")


def installed_models() -> list[str]:
    """Sentence-transformers models in the local hub cache, by name, sorted."""
    home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    found = Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").glob("models--*/snapshots/*/modules.json")
    return sorted({path.parents[2].name.removeprefix("models--").replace("--", "/") for path in found})
