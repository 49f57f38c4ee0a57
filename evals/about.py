"""What a run was made with: versions, commit, machine, settings, how fast it was."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from assistant.index import Index
from assistant.settings import Settings
from evals.bootstrap import Total, interval

LIBRARIES = ("numpy", "chromadb", "bm25s", "tokenizers", "rjieba", "sentence-transformers", "torch", "langchain-text-splitters")
ROOT = Path(__file__).parent.parent


def about(settings: Settings, index: Index, questions: str) -> dict[str, Any]:
    """Settings, index, versions, commit, machine and date, for people and for comparing."""
    return {
        "settings": {
            "embeddings": settings.embeddings or "bundled", "reranker": settings.reranker, "llm": settings.llm,
            "chroma": "server" if settings.chroma_url else "folder",
        },
        "index": {
            "id": index.id, "chunks": len(index.chunks), "documents": len(index.documents),
            "sources": [f"{source.name} {source.label}" for source in index.sources],
        },
        "questions": questions,
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}},
        "commit": commit(),
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def commit() -> str | None:
    """Hash of the checked-out commit, '+' when files differ from it; None outside a checkout."""
    try:
        run = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"], cwd=ROOT, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() or None


def percentile(share: float) -> Total:
    """The percentile as a total (`share` from 0 to 100)."""
    return lambda rows: np.asarray(np.percentile(rows[..., 0], share, axis=-1))


def timings(answers: Sequence[float], cold: Sequence[float], chunks: int) -> dict[str, Any]:
    """Milliseconds of each answer with p50 and p95, each with its 95 % interval, and of cold starts."""
    found: dict[str, Any] = {"answers": list(answers), "chunks": chunks, "cold_start": list(cold)}
    for share in (50, 95):
        if answers:
            found[f"p{share}"] = round(float(np.percentile(answers, share)), 2)
            found[f"p{share}_95"] = [round(end, 2) for end in interval(answers, percentile(share))]
    return found


def cold_start(settings: Settings, times: int) -> list[float]:
    """Milliseconds from starting a new process to its whole answer, `times` times."""
    environment = {**os.environ, "ASSISTANT_INDEX": str(settings.index)}
    command = [sys.executable, "-m", "assistant", "ask", "--json", "kubelet 是什么？"]
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True, timeout=120)
        found.append(round((time.perf_counter() - begin) * 1000, 1))
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
