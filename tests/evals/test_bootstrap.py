"""Intervals, paired differences and the risk–coverage curve."""

import numpy as np
import pytest

from evals.bootstrap import as_rows, difference, interval, median
from evals.risk import DECLINED, area, curve


def test_the_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    assert interval([]) == (0.0, 0.0)
    assert interval([1.0] * 9) == (1.0, 1.0)
    low, high = interval([0.0, 1.0] * 20)
    assert 0.3 < low < 0.5 < high < 0.7
    assert interval([0.0, 1.0] * 20) == (low, high)


def test_the_interval_is_about_as_wide_as_theory_says() -> None:
    low, high = interval([0.0] * 50 + [1.0] * 50)
    assert high - low == pytest.approx(2 * 1.96 * 0.05, abs=0.03)  # 1.96 standard errors of a share of one half


def test_the_median_has_an_interval_too() -> None:
    low, high = interval([float(x) for x in range(101)], median)
    assert 30 < low < 50 < high < 70


def test_a_difference_knows_when_it_is_sure() -> None:
    first = [(0.0,)] * 30 + [(1.0,)] * 30
    assert difference(first, first) == (0.0, (0.0, 0.0), 1.0)
    change, (low, high), p = difference(first, [(1.0,)] * 60)
    assert change == 0.5 and 0.3 < low < high < 0.7 and p == 0.001
    one = [(0.0,)] * 29 + [(1.0,)] * 31
    assert difference(first, one)[2] > 0.5
    assert difference([], []) == (0.0, (0.0, 0.0), 1.0)


def test_pairs_are_kept_together() -> None:
    """A gain of the same size on every question is sure, however much the questions differ."""
    first = [(float(x % 2) / 2,) for x in range(40)]
    change, (low, high), _ = difference(first, [(x + 0.1,) for (x,) in first])
    assert (change, low, high) == pytest.approx((0.1, 0.1, 0.1))


def test_risk_and_coverage_by_hand() -> None:
    rows = as_rows([(0.0, 0.9), (1.0, 0.5), (0.0, 0.7), (1.0, DECLINED)])
    coverage, risk = curve(rows)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 2])
    assert float(area(rows)) == pytest.approx((1 / 3 + 1 / 2) / 4)


def test_ties_do_not_depend_on_the_order_of_the_questions() -> None:
    rows = [(1.0, 0.5), (0.0, 0.5), (0.0, 0.9)]
    assert float(area(as_rows(rows))) == pytest.approx(float(area(as_rows(rows[::-1]))))
    assert curve(as_rows(rows))[1].tolist() == pytest.approx([0, 0.25, 1 / 3])


def test_curves_of_many_samples_at_once() -> None:
    rows = np.random.default_rng(3).random((5, 20, 2))
    assert area(rows).tolist() == pytest.approx([float(area(one)) for one in rows])
