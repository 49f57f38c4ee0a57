"""Risk and coverage of a system that may decline (El-Yaniv & Wiener 2010).

Questions are taken in the order of the system's confidence; coverage is the share taken so far, risk
the share of those that were not dealt with rightly. What the system declined comes after all that it
answered and counts as wrong: what it would have said is not known, so the curve flatters nobody.
"""

from __future__ import annotations

import numpy as np

DECLINED = -1.0
"""Confidence of a declined question: below every answered one (0 to 1)."""


def curve(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coverage and risk after each question, both (…, n), 0 to 1.

    `rows` is (…, n, 2): 1.0 where the answer was wrong, and its confidence. Ties are taken together, in
    that each of them gets their mean wrongness, so the order of the questions does not matter.
    """
    order = np.argsort(-rows[..., 1], axis=-1, kind="stable")
    confidence = np.take_along_axis(rows[..., 1], order, -1)
    wrong = np.take_along_axis(rows[..., 0], order, -1)
    count = np.arange(1, rows.shape[-2] + 1)
    total = np.cumsum(wrong, axis=-1)
    new = np.concatenate([np.ones_like(confidence[..., :1], bool), confidence[..., 1:] != confidence[..., :-1]], -1)
    last = np.concatenate([new[..., 1:], np.ones_like(new[..., :1])], -1)
    n = rows.shape[-2]
    start = np.maximum.accumulate(np.where(new, count - 1, 0), axis=-1)
    end = np.flip(np.minimum.accumulate(np.flip(np.where(last, count, n), -1), axis=-1), -1)
    padded = np.concatenate([np.zeros_like(total[..., :1]), total], -1)
    before, after = np.take_along_axis(padded, start, -1), np.take_along_axis(padded, end, -1)
    smooth = before + (after - before) * (count - start) / (end - start)
    return np.broadcast_to(count / n, smooth.shape), smooth / count


def area(rows: np.ndarray) -> np.ndarray:
    """Area under the risk–coverage curve, 0 to 1, lower is better: the mean risk over all coverages."""
    return np.asarray(curve(rows)[1].mean(axis=-1))
