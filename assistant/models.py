"""The one place that loads models: the bundled static model, or any sentence-transformers model.

sentence-transformers (and with it torch) is imported here only, and only when a setting asks for it.
"""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors import SafetensorError

from assistant.errors import ModelError
from assistant.static import StaticModel

HUB_SECONDS = 3
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, SafetensorError)
"""What sentence-transformers raises, by kind of damage, for a model that is missing or cannot be read."""

FAMILIES = (
    (re.compile(r"(^|[/\\_-])e5-(small|base|large)(-v2|-unsupervised)?$", re.I), ("query: ", "passage: ")),
    (
        re.compile(r"e5-(large|mistral-7b)-instruct$", re.I),
        ("Instruct: Given a question, retrieve passages that answer it\nQuery: ", ""),
    ),
    (re.compile(r"bge-(small|base|large)-en(-v1\.5)?$", re.I), ("Represent this sentence for searching relevant passages: ", "")),
    (re.compile(r"bge-(small|base|large)-zh(-v1\.5)?$", re.I), ("为这个句子生成表示以用于检索相关文章：", "")),
    (re.compile(r"nomic-embed-text-v[\d.]+$", re.I), ("search_query: ", "search_document: ")),
)
"""(query, passage) prompts that model cards ask for where the model's own configuration may have none; by the end of the name."""


class Embedder(Protocol):
    """Turns texts into vectors, (n, dim) float32, unit rows."""

    name: str
    dim: int
    fingerprint: str

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray: ...

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray: ...


class BundledEmbedder:
    """The bundled static model; queries and passages are encoded alike."""

    def __init__(self, model: StaticModel) -> None:
        self.model = model
        self.name = "bundled"
        self.dim = model.dim
        self.fingerprint = f"bundled:{model.fingerprint}"

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self.model.encode(texts)

    encode_passages = encode_queries


class TransformerEmbedder:
    """A sentence-transformers model with its query and passage prompts."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self.model = model
        self.dim = int(model.get_embedding_dimension())
        self.query_prompt, self.passage_prompt = prompts_of(name, model.prompts)
        self.fingerprint = f"{name}:{self.dim}:{self.passage_prompt}"

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        vectors = self.model.encode_query(list(texts), prompt=self.query_prompt, normalize_embeddings=True)
        return np.asarray(vectors, np.float32)

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        vectors = self.model.encode_document(list(texts), prompt=self.passage_prompt, normalize_embeddings=True)
        return np.asarray(vectors, np.float32)


def prompts_of(name: str, declared: Mapping[str, str]) -> tuple[str, str]:
    """The prompts of a model for queries and for passages, '' for none: its own, or else its family's.

    `declared` is what the model's configuration says, by name.
    """
    passage = next((declared[key] for key in ("document", "passage", "corpus") if declared.get(key)), "")
    if declared.get("query") or passage:
        return declared.get("query", ""), passage
    return next((prompts for family, prompts in FAMILIES if family.search(name)), ("", ""))


class Reranker:
    """A cross-encoder."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self.model = model

    def score(self, query: str, texts: Sequence[str]) -> np.ndarray:
        """Score texts against a query, (n,) float32, higher is better."""
        return np.asarray(self.model.predict([(query, text) for text in texts]), np.float32)


def load_embedder(spec: str | None = None) -> Embedder:
    """Load the model a setting names, or the bundled one.

    Raises ModelError when it is neither a folder nor in the local cache nor to be downloaded.
    """
    if spec is None:
        return BundledEmbedder(StaticModel.load())
    return TransformerEmbedder(spec, _load("SentenceTransformer", spec, "ASSISTANT_EMBEDDINGS"))


def load_reranker(spec: str | None) -> Reranker | None:
    """Load the cross-encoder a setting names; None when none is named."""
    return None if spec is None else Reranker(spec, _load("CrossEncoder", spec, "ASSISTANT_RERANKER"))


def _load(kind: str, spec: str, variable: str) -> Any:
    """Load from a folder, else from the local cache, else from the hub where it answers at once."""
    folder = Path(spec).expanduser()
    if spec.startswith((".", "/", "~")) and not folder.is_dir():
        raise ModelError(f"{variable}: there is no folder {spec!r}; give a model folder or a hub name")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import sentence_transformers  # seconds: torch and transformers

    make = getattr(sentence_transformers, kind)
    if folder.is_dir():
        try:
            return make(str(folder), local_files_only=True)
        except UNREADABLE as exc:
            raise ModelError(
                f"{variable}: {spec!r} holds no model that can be read ({type(exc).__name__}); "
                "give the folder of a sentence-transformers model, or unset the variable"
            ) from exc
    try:
        return make(spec, local_files_only=True)
    except UNREADABLE as exc:
        if not _hub_answers():
            raise ModelError(
                f"{variable}: model {spec!r} is not on this machine and the hub cannot be reached; "
                "give the folder of a model, or unset the variable"
            ) from exc
    try:
        return make(spec)
    except UNREADABLE as exc:
        raise ModelError(
            f"{variable}: the hub has no model {spec!r} that can be read ({type(exc).__name__}); "
            "give the folder or the hub name of a sentence-transformers model, or unset the variable"
        ) from exc


def _hub_answers() -> bool:
    """Ask the hub once: its own client tries each file six times, which takes over a minute without a network."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        urllib.request.urlopen(urllib.request.Request(constants.ENDPOINT, method="HEAD"), timeout=HUB_SECONDS).close()
    except urllib.error.HTTPError:
        return True  # it answers, if only with a refusal
    except (OSError, ValueError):
        return False
    return True
