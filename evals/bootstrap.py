"""Intervals and differences by bootstrap (Efron 1979, percentile), seeded: the same values, the same figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

SAMPLES = 1_000
SEED = 7
Total = Callable[[np.ndarray], np.ndarray]
"""(…, n, fields) float64 of n questions → (…) figures."""


def mean(rows: np.ndarray) -> np.ndarray:
    """Mean of the first field."""
    return np.asarray(rows[..., 0].mean(axis=-1))


def median(rows: np.ndarray) -> np.ndarray:
    """Median of the first field."""
    return np.asarray(np.median(rows[..., 0], axis=-1))


def resample(rows: np.ndarray) -> np.ndarray:
    """`SAMPLES` resamples with replacement, (SAMPLES, n, fields)."""
    chosen = np.random.default_rng(SEED).integers(0, len(rows), (SAMPLES, len(rows)))
    return np.asarray(rows[chosen])


def as_rows(values: Sequence[float] | Sequence[tuple[float, ...]]) -> np.ndarray:
    """(n, fields) float64."""
    return np.asarray(values, np.float64).reshape(len(values), -1)


def interval(values: Sequence[float] | Sequence[tuple[float, ...]], total: Total = mean) -> tuple[float, float]:
    """95 % interval of a figure of the values; (0, 0) without values."""
    if not len(values):
        return 0.0, 0.0
    low, high = np.percentile(total(resample(as_rows(values))), [2.5, 97.5])
    return float(low), float(high)


def difference(
    first: Sequence[tuple[float, ...]], second: Sequence[tuple[float, ...]], total: Total = mean
) -> tuple[float, tuple[float, float], float]:
    """Second less first of the same questions: the difference, its 95 % interval, and p (two-sided, 0 to 1).

    Paired bootstrap (Efron & Tibshirani 1993): both are resampled together; p is twice the smaller share of
    the resampled differences on either side of zero, never below 1 / SAMPLES. Without values: 0, (0, 0), 1.
    """
    if not len(first):
        return 0.0, (0.0, 0.0), 1.0
    a, b = as_rows(first), as_rows(second)
    resampled = total(resample(b)) - total(resample(a))  # the same seed draws the same questions for both
    below, above = float((resampled <= 0).mean()), float((resampled >= 0).mean())
    low, high = np.percentile(resampled, [2.5, 97.5])
    p = min(1.0, max(1 / SAMPLES, 2 * min(below, above)))
    return float(total(b) - total(a)), (float(low), float(high)), p
