"""Measures of a ranking, pure functions of what each passage holds; checked against pytrec_eval.

A ranking is a sequence, best first, of the sets of gold places that each passage holds; a passage
that holds none is irrelevant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Held = Sequence[frozenset[int]]


def recall(held: Held, places: int, k: int) -> float:
    """Share of the `places` gold places that the first `k` passages hold, 0 to 1; 0 without places.

    Subtopic recall (Zhai, Cohen & Lafferty 2003); plain recall@k where each passage holds one place.
    It compares systems that cut the text differently, which counting passages does not.
    """
    return len(frozenset().union(*held[:k])) / places if places else 0.0


def reciprocal_rank(held: Held) -> float:
    """1 / rank of the first relevant passage, 0 to 1; 0 when there is none (Voorhees 1999)."""
    return next((1 / rank for rank, one in enumerate(held, 1) if one), 0.0)


def ndcg(held: Held, relevant: int, k: int) -> float:
    """Normalised discounted cumulative gain of the first `k`, 0 to 1 (Järvelin & Kekäläinen 2002).

    Gain 1 for a relevant passage, discount log2(rank + 1); the ideal ranking has the `relevant`
    passages that the system could have found first. 0 when there is none.
    """
    gained = sum(1 / math.log2(rank + 1) for rank, one in enumerate(held[:k], 1) if one)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(relevant, k) + 1))
    return gained / ideal if ideal else 0.0


def recall_within(held: Held, sizes: Sequence[int], places: int, characters: int) -> float:
    """Share of the gold places held by the passages that fit whole into so many `characters`, 0 to 1.

    What a reader (or a language model's window) gets for its length: large passages do not gain here.
    The first passage always counts.
    """
    taken: list[frozenset[int]] = []
    room = characters
    for one, size in zip(held, sizes, strict=True):
        if taken and size > room:
            break
        room -= size
        taken.append(one)
    return recall(taken, places, len(taken))
