"""Metrics of ranked lists, pure functions.

A ranked list holds positions of units, best first; `relevant` holds the positions that answer the question.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

RRF_K = 60
"""Constant of reciprocal rank fusion (Cormack, Clarke & Büttcher 2009); their value."""


def hit(ranked: Sequence[int], relevant: Collection[int], k: int) -> float:
    """Say whether a relevant unit stands among the first `k`: 1.0 or 0.0.

    Its mean over questions is what the tables call recall@k: any one of the right lines will do.
    """
    return float(any(unit in relevant for unit in ranked[:k]))


def ndcg(ranked: Sequence[int], relevant: Collection[int], k: int = 10) -> float:
    """Normalised discounted cumulative gain with binary relevance (Järvelin & Kekäläinen 2002).

    0 to 1, higher is better; 0.0 when nothing is relevant.
    """
    gain = sum(1 / math.log2(rank + 2) for rank, unit in enumerate(ranked[:k]) if unit in relevant)
    ideal = sum(1 / math.log2(rank + 2) for rank in range(min(k, len(relevant))))
    return gain / ideal if ideal else 0.0


def fuse(*rankings: Sequence[int]) -> list[int]:
    """Fuse ranked lists by reciprocal rank, best first; ties go to the lower position."""
    scores: dict[int, float] = {}
    for ranked in rankings:
        for rank, unit in enumerate(ranked):
            scores[unit] = scores.get(unit, 0.0) + 1 / (RRF_K + rank)
    return sorted(scores, key=lambda unit: (-scores[unit], unit))


def area(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties count half.

    0 to 1, 0.5 is chance, higher is better; 0.0 when either side is empty.
    """
    if not positives or not negatives:
        return 0.0
    difference = np.asarray(positives)[:, None] - np.asarray(negatives)[None, :]
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))
