"""Ranking measures against hand-worked cases and, where it is installed, against pytrec_eval."""

import math
import random

import pytest

from evals.ranking import ndcg, recall, recall_within, reciprocal_rank

NONE: frozenset[int] = frozenset()
HELD = [NONE, frozenset({0}), NONE, frozenset({0, 1})]


def test_recall_counts_places_not_passages() -> None:
    assert [recall(HELD, 4, k) for k in (1, 2, 3, 4, 10)] == [0, 0.25, 0.25, 0.5, 0.5]
    assert recall([], 2, 5) == 0 and recall(HELD, 0, 5) == 0


def test_reciprocal_rank_is_of_the_first_relevant() -> None:
    assert reciprocal_rank(HELD) == 0.5
    assert reciprocal_rank([NONE]) == 0 and reciprocal_rank([]) == 0


def test_ndcg_by_hand() -> None:
    gained = 1 / math.log2(3) + 1 / math.log2(5)
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(HELD, 3, 10) == pytest.approx(gained / ideal)
    assert ndcg(HELD, 3, 2) == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert ndcg([frozenset({0})], 1, 10) == 1 and ndcg([], 0, 10) == 0


def test_recall_within_a_number_of_characters() -> None:
    sizes = [600, 600, 900, 100]
    assert recall_within(HELD, sizes, 2, 1200) == 0.5
    assert recall_within(HELD, sizes, 2, 1199) == 0.0
    assert recall_within(HELD, sizes, 2, 2200) == 1.0
    assert recall_within([frozenset({0})], [5000], 1, 2000) == 1.0


def test_agrees_with_pytrec_eval() -> None:
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="the reference implementation is a development dependency")
    chooser = random.Random(5)
    for case in range(50):
        documents = [f"d{i:02}" for i in range(30)]
        relevant = chooser.sample(documents, chooser.randint(1, 15))
        found = chooser.sample(documents, chooser.randint(1, 20))
        held = [frozenset({relevant.index(d)}) if d in relevant else NONE for d in found]
        judge = pytrec_eval.RelevanceEvaluator({"q": dict.fromkeys(relevant, 1)}, {"recall.5,10", "recip_rank", "ndcg_cut.10"})
        wanted = judge.evaluate({"q": {d: float(len(found) - i) for i, d in enumerate(found)}})["q"]
        assert recall(held, len(relevant), 5) == pytest.approx(wanted["recall_5"]), case
        assert recall(held, len(relevant), 10) == pytest.approx(wanted["recall_10"]), case
        assert reciprocal_rank(held) == pytest.approx(wanted["recip_rank"]), case
        assert ndcg(held, len(relevant), 10) == pytest.approx(wanted["ndcg_cut_10"]), case
