"""The one place that loads models: the bundled static model, or any sentence-transformers model.

sentence-transformers (and with it torch) is imported here only, and only when a setting asks for it.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from assistant.errors import ModelError
from assistant.static import StaticModel


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


PROMPTS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"(^|[/_-])(multilingual-)?e5-(small|base|large)", re.I), "query: ", "passage: "),
    (re.compile(r"(^|[/_-])bge-\w+-en", re.I), "Represent this sentence for searching relevant passages: ", ""),
    (re.compile(r"(^|[/_-])bge-\w+-zh", re.I), "为这个句子生成表示以用于检索相关文章：", ""),
)
"""Prompts of families whose model folders often do not carry them; from the models' own cards (intfloat, BAAI)."""


class TransformerEmbedder:
    """A sentence-transformers model with its own query and passage prompts, or those of its family."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self.model = model
        if not any(model.prompts.values()):
            for family, query, passage in PROMPTS:
                if family.search(name):
                    model.prompts.update(query=query, document=passage)
                    break
        self.dim = int(model.get_embedding_dimension())
        self.fingerprint = f"{name}:{self.dim}"

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return np.asarray(self.model.encode_query(list(texts), normalize_embeddings=True), np.float32)

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        return np.asarray(self.model.encode_document(list(texts), normalize_embeddings=True), np.float32)


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


ADVICE = "give the folder of a model, or unset the variable to use the bundled one"
HUB = "https://huggingface.co"


def _hub_answers() -> bool:
    """Whether the model hub can be connected to within three seconds; with a proxy, only trying tells."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        return False
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True
    address = urlsplit(os.environ.get("HF_ENDPOINT") or HUB)
    try:
        socket.create_connection((address.hostname or "", address.port or 443), timeout=3).close()
    except (OSError, ValueError):
        return False
    return True


def _load(kind: str, spec: str, variable: str) -> Any:
    """Load from a folder or the local cache, else from the hub with one short try."""
    if (spec.startswith((".", "/", "~"))) and not Path(spec).expanduser().is_dir():
        raise ModelError(f"{variable}: there is no folder {spec!r}; give a model folder or a hub name")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", "3")
    import sentence_transformers  # seconds: torch and transformers

    make = getattr(sentence_transformers, kind)
    try:
        return make(str(Path(spec).expanduser()), local_files_only=True)
    except (OSError, ValueError):
        pass  # not cached: the hub is the last resort
    if not _hub_answers():  # the hub's own client would try again for more than a minute
        raise ModelError(f"{variable}: model {spec!r} is not on this machine and the model hub cannot be reached; {ADVICE}")
    try:
        return make(spec)
    except (OSError, ValueError, RuntimeError) as exc:
        raise ModelError(
            f"{variable}: model {spec!r} is not on this machine and cannot be downloaded ({type(exc).__name__}); {ADVICE}"
        ) from exc
