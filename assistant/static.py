"""The bundled embedding model at run time: a table of token vectors, with numpy alone.

It reads a sentence-transformers StaticEmbedding folder (`0_StaticEmbedding/tokenizer.json` and
`model.safetensors`) and, beside it, the weight of each token. No torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from assistant.errors import ModelError

FOLDER = Path(__file__).parent / "model"


@dataclass(frozen=True)
class StaticModel:
    """Token vectors; a text's vector is the mean of its tokens', scaled to length 1."""

    name: str
    tokenizer: Tokenizer
    table: np.ndarray
    """(vocabulary, dim) float16."""
    weights: np.ndarray
    """(vocabulary,) float32, inverse document frequency, 0 or more; higher is rarer."""
    fingerprint: str
    """Hash of the files the vectors depend on, 16 hexadecimal digits."""

    @property
    def dim(self) -> int:
        return int(self.table.shape[1])

    @classmethod
    @lru_cache(maxsize=2)
    def load(cls, folder: Path = FOLDER) -> StaticModel:
        """Load a model folder; raises ModelError when a file of it is missing or damaged."""
        part = folder / "0_StaticEmbedding"
        files = [part / "tokenizer.json", part / "model.safetensors", folder / "token_weights.safetensors"]
        for path in files:
            if not path.is_file():
                raise ModelError(f"the embedding model lacks {path}; reinstall the package")
        try:
            tokenizer = Tokenizer.from_file(str(files[0]))
            table = load_file(files[1])["embedding.weight"]
            weights = load_file(files[2])["weights"].astype(np.float32)
        except (SafetensorError, KeyError, ValueError, OSError) as exc:
            raise ModelError(f"the embedding model in {folder} cannot be read ({exc}); reinstall the package") from exc
        digest = hashlib.sha256()
        for path in files:
            digest.update(f"{path.name}:{path.stat().st_size}".encode())
        digest.update(table[:: max(1, len(table) // 997)].tobytes())
        return cls(folder.name, tokenizer, table, weights, digest.hexdigest()[:16])

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts, (n, dim) float32, unit rows; a zero row for a text without tokens."""
        rows = np.zeros((len(texts), self.dim), np.float32)
        for i, encoding in enumerate(self.tokenizer.encode_batch(list(texts), add_special_tokens=False)):
            if encoding.ids:
                rows[i] = self.table[encoding.ids].astype(np.float32).mean(axis=0)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(norms == 0, 1, norms)

    def weight(self, text: str) -> float:
        """Weight of a word: that of its rarest token, 0 for a text without tokens."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        return float(self.weights[ids].max()) if ids else 0.0

    def knows(self, word: str) -> bool:
        """Whether the vocabulary holds a word whole, as it holds the common ones."""
        return len(self.tokenizer.encode(word, add_special_tokens=False).ids) == 1
