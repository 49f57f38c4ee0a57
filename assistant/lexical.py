"""The lexical index: BM25 (Robertson & Zaragoza 2009) by bm25s, the only module that imports it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np

from assistant.errors import IndexMismatchError
from assistant.text import lexical_tokens


class LexicalIndex:
    """BM25 over a list of texts; results are positions in that list."""

    def __init__(self, model: bm25s.BM25 | None, size: int) -> None:
        self._model = model
        self.size = size

    @classmethod
    def build(cls, texts: Sequence[str]) -> LexicalIndex:
        tokens = [lexical_tokens(text) or [""] for text in texts]
        if not texts:
            return cls(None, 0)
        model = bm25s.BM25()
        model.index(tokens, show_progress=False)
        return cls(model, len(texts))

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "size").write_text(f"{self.size}\n")
        if self._model is not None:
            self._model.save(str(folder))

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Load what `save` wrote; raises IndexMismatchError when a file is missing or damaged."""
        try:
            size = int((folder / "size").read_text())
            return cls(bm25s.BM25.load(str(folder)) if size else None, size)
        except (OSError, ValueError, KeyError) as exc:
            raise IndexMismatchError(f"the lexical index in {folder} is damaged ({exc}); run `python -m ingest --rebuild`") from exc

    def search(self, query: str, k: int, allowed: np.ndarray | None = None) -> list[tuple[int, float]]:
        """Best `k` positions with their BM25 score (above 0, higher is better), best first.

        `allowed` is a mask, (size,) bool; other positions are left out.
        """
        known = [] if self._model is None else [t for t in lexical_tokens(query) if t in self._model.vocab_dict]
        if self._model is None or not known:
            return []
        scores = self._model.get_scores(known)
        if allowed is not None:
            scores = np.where(allowed, scores, 0)
        best = np.argsort(-scores, kind="stable")[:k]
        return [(int(i), float(scores[i])) for i in best if scores[i] > 0]
