"""How far a span of text supports the units of a question: 0 (not at all) to 1 (it says so).

A term supports itself under any of its names; a word supports its own stem, and others by the
cosine of their vectors in the bundled bilingual table (late interaction, Khattab & Zaharia 2020,
on static vectors), which is what carries a Chinese question to an English line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from assistant.query import Unit
from assistant.static import StaticModel
from assistant.terms import TermTable
from assistant.text import fold, parts, stem, words

SOFT_FLOOR = 0.40
"""Cosine below which two words say nothing of each other."""
SOFT_CEILING = 0.85
SOFT_MOST = 0.85
"""Support that a similar word gives at most; the same word gives 1."""
GENERIC_WEIGHT = 0.15
GENERIC_TERM_WEIGHT = 0.6
"""Of 'component', 'directory', 'script': they say what kind of thing is asked for."""
FOREIGN = 8.0
"""Rarity (natural logarithm) in the field's documents from which a plain word is not of this field."""
FOREIGN_WEIGHT = 1.0


MINOR_WEIGHT = 0.5
WORD_WEIGHT = 2.0
"""Most that a plain word weighs; of 6, 3, 2 and 1.5 on the development split, 3 lost fewest answers and refusals together."""


@lru_cache(maxsize=100_000)
def word_vector(word: str) -> np.ndarray:
    """Vector of a word, (dim,) float32, unit length or zero."""
    return StaticModel.load().encode([word])[0]


@lru_cache(maxsize=100_000)
def word_weight(word: str) -> float:
    """Weight of a word: its rarity, 1 (everywhere) to about 11."""
    return max(1.0, StaticModel.load().weight(word))


def unit_weight(unit: Unit) -> float:
    """Weight of a unit in a question, 0.15 to 6.

    A word rare in this field's documents and no name ('nutshell', 'scares') is an everyday word and
    weighs little; what the field speaks of ('port', 'memory') weighs by its rarity.
    """
    if unit.generic:
        return GENERIC_TERM_WEIGHT if unit.is_term else GENERIC_WEIGHT
    rarity = word_weight(unit.text)
    if unit.minor:
        return MINOR_WEIGHT
    if unit.is_name:
        return min(6.0, max(3.0, rarity))
    return min(WORD_WEIGHT, rarity) if rarity < FOREIGN else FOREIGN_WEIGHT


@dataclass(frozen=True)
class Bag:
    """What a span says, ready to be compared."""

    folded: str
    keys: frozenset[str]
    """Stems, parts of names and 'term:…' keys."""
    words: tuple[str, ...]
    opening: str | None = None
    """Key of the term it begins with ('The kubelet …', 'kubelet组件…'); None where it begins otherwise."""

    @cached_property
    def vectors(self) -> np.ndarray:
        """(n, dim) float32 of its words."""
        return np.stack([word_vector(word) for word in self.words]) if self.words else np.zeros((0, 1), np.float32)

    @cached_property
    def vector(self) -> np.ndarray:
        """(dim,) float32, of the whole span; unit length or zero."""
        return StaticModel.load().encode([self.folded])[0]

    @cached_property
    def weights(self) -> np.ndarray:
        """(n,) float32, rarity of its words."""
        return np.array([word_weight(word) for word in self.words], np.float32)

    def nearest(self, asked: Bag) -> np.ndarray:
        """(n,) float32, for each of the n words of `asked` the largest cosine with a word of this span, 0 to 1."""
        if not self.words or not asked.words:
            return np.zeros(len(asked.words), np.float32)
        return np.maximum(0, (asked.vectors @ self.vectors.T).max(axis=1))

    def average(self, values: np.ndarray) -> float:
        """Mean of a value for each of its words, weighted by rarity; 0 without words."""
        return float(values @ self.weights / self.weights.sum()) if self.words else 0.0

    def support(self, unit: Unit) -> float:
        if unit.key in self.keys:
            return 1.0
        if unit.attribute:
            return 0.0
        if unit.key.startswith("term:") and unit.text.isascii():
            return 0.0 if "-" in unit.text else self._soft(unit)
        if not unit.text.isascii() and len(unit.text) > 1 and unit.text in self.folded:
            return 1.0
        return self._soft(unit)

    def _soft(self, unit: Unit) -> float:
        vector = word_vector(unit.text)
        if not self.words or not vector.any():
            return 0.0
        nearest = float((self.vectors @ vector).max())
        return SOFT_MOST * min(1.0, max(0.0, (nearest - SOFT_FLOOR) / (SOFT_CEILING - SOFT_FLOOR)))


class Reader:
    """Reads spans into bags, with one term table; keeps what it read."""

    def __init__(self, terms: TermTable) -> None:
        self.terms = terms
        self._bags: dict[str, Bag] = {}

    def read(self, text: str) -> Bag:
        bag = self._bags.get(text)
        if bag is None:
            folded = fold(text)
            found = [word for word in words(folded) if not word.is_stop]
            mentions = self.terms.find(folded)
            first = mentions[0] if mentions and mentions[0].start <= len("the kubernetes ") else None
            for word in found:  # 'build' inside 'build Kubernetes' is still said
                if any(m.start <= word.start and word.end <= m.end and m.end - m.start > len(word.text) for m in mentions):
                    mentions = mentions + self.terms.find(word.text)
            keys = {f"term:{mention.term.id}" for mention in mentions}
            for word in found:
                if len(word.text) == 1 and (term := self.terms.word(word.text)):
                    keys.add(f"term:{term.id}")
                keys.add(stem(word.text))
                keys.update(stem(piece) for piece in parts(word.text))
            bag = Bag(folded, frozenset(keys), tuple(dict.fromkeys(word.text for word in found)), f"term:{first.term.id}" if first else None)
            if len(self._bags) > 20_000:
                self._bags.clear()
            self._bags[text] = bag
        return bag


def coverage(units: Sequence[Unit], supports: Sequence[float]) -> float:
    """Share of the question that is supported, weighted by rarity, 0 to 1; 0 without units."""
    weights = [unit_weight(unit) for unit in units]
    total = sum(weights)
    return sum(w * s for w, s in zip(weights, supports, strict=True)) / total if total else 0.0
