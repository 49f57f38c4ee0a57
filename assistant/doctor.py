"""Examines an installation: settings, model, index, sources; each finding says what to type."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from assistant import __version__
from assistant.errors import AssistantError
from assistant.settings import Settings

LIBRARIES = ("chromadb", "bm25s", "onnxruntime", "gradio", "langchain-core", "sentence-transformers")


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    what: str
    good: bool
    detail: str

    def __str__(self) -> str:
        return f"{'ok ' if self.good else 'BAD'} {self.what}: {self.detail}"


def examine(settings: Settings) -> list[Finding]:
    """Look at everything a question needs."""
    findings = [Finding("program", True, f"{__version__}, Python {platform.python_version()}"), *map(_library, LIBRARIES)]
    if not all(finding.good for finding in findings):
        return findings  # the rest cannot be imported
    from assistant.crossencoder import CrossEncoder
    from assistant.index import Index
    from assistant.models import load_embedder

    encoder = None
    try:
        encoder = CrossEncoder.load()
        findings.append(Finding("cross-encoder", True, "bundled"))
    except AssistantError as error:
        findings.append(Finding("cross-encoder", False, str(error)))
    try:
        embedder = load_embedder(settings.embeddings)
        findings.append(Finding("embeddings", True, f"{embedder.fingerprint}, {embedder.dim} dimensions"))
    except AssistantError as error:
        return [*findings, Finding("embeddings", False, str(error))]
    try:
        index = Index.open(settings.index, embedder, settings.chroma_url)
        if encoder is not None:
            index.check_encoder(encoder)
    except AssistantError as error:
        return [*findings, Finding("index", False, str(error))]
    if settings.llm:
        from assistant.llm import load_language_model

        try:
            findings.append(Finding("language model", True, f"{load_language_model(settings.llm).name}, not asked"))
        except AssistantError as error:
            findings.append(Finding("language model", False, str(error)))
    findings.append(Finding("index", True, f"{settings.index}, generation {index.id}, {index.records.chunk_count} chunks"))
    for source in index.sources:
        holds = f"{index.records.document_count(source.name)} documents, {index.records.folder_count(source.name)} directories"
        findings.append(Finding(f"source {source.name}", True, f"{source.title}, {source.kind}, {holds}, revision {source.label}"))
    return findings


def _library(name: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, "not installed; type: pip install -r requirements.lock")
