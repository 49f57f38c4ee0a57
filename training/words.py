"""Cosines of single words: whether words of one meaning lie closer than others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.models import Embedder
from training.ranking import area

PAIRS = Path(__file__).parent / "words.tsv"


@dataclass(frozen=True)
class WordReport:
    """Cosines of word pairs, −1 to 1."""

    auc: float
    """Chance that a pair of one meaning scores above a pair of two, 0 to 1."""
    same: float
    """Median cosine of pairs of one meaning."""
    other: float
    """Median cosine of pairs of two meanings."""


def read_pairs(path: Path = PAIRS) -> list[tuple[str, str, bool]]:
    """Read (word, word, whether they mean the same), one pair a line between tabs; `#` begins a comment."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [(one, other, same == "1") for one, other, same in rows]


def measure_words(embedder: Embedder, pairs: list[tuple[str, str, bool]]) -> WordReport:
    cosines = np.sum(
        embedder.encode_queries([one for one, _, _ in pairs]) * embedder.encode_queries([other for _, other, _ in pairs]), axis=1
    )
    same = np.array([s for _, _, s in pairs])
    return WordReport(
        area(list(cosines[same]), list(cosines[~same])), float(np.median(cosines[same])), float(np.median(cosines[~same]))
    )
