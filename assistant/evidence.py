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
        """(n,) float32, rarity of its words; they sum to 1."""
        weights = np.array([word_weight(word) for word in self.words], np.float32)
        return weights / weights.sum()  # type: ignore[no-any-return]

    def average(self, values: np.ndarray) -> float:
        """Mean of a value for each of its words, weighted by rarity; 0 without words."""
        return float(values @ self.weights) if self.words else 0.0


def softly(close: np.ndarray) -> np.ndarray:
    """What likeness of meaning (cosines) is worth beside a word itself, 0 to `SOFT_MOST`."""
    return SOFT_MOST * np.minimum(1, np.maximum(0, (close - SOFT_FLOOR) / (SOFT_CEILING - SOFT_FLOOR)))  # type: ignore[no-any-return]


class Asked:
    """A question's units and words, held against spans; what is found of a span is kept."""

    def __init__(self, units: Sequence[Unit], bag: Bag = Bag("", frozenset(), ())) -> None:
        self.units = units
        self.bag = bag
        vectors = [word_vector(unit.text) for unit in units]
        self._vectors = np.concatenate([np.stack(vectors), bag.vectors]) if units and bag.words else np.stack(vectors) if units else bag.vectors
        known = np.array([vector.any() for vector in vectors], bool)
        self._soft = known & np.array([not (u.attribute or (u.key.startswith("term:") and u.text.isascii() and "-" in u.text)) for u in units], bool)
        self._literal = [not (u.attribute or u.text.isascii()) and len(u.text) > 1 for u in units]
        self._read: dict[int, tuple[Bag, np.ndarray, np.ndarray]] = {}

    @cached_property
    def shares(self) -> np.ndarray:
        """As `shares` gives them."""
        return shares(self.units)

    def supports(self, span: Bag) -> np.ndarray:
        """(units,) float32, how far a span supports each unit, 0 to 1: 1 where it names it, less where it has a similar word."""
        return self._against(span)[1]

    def nearest(self, span: Bag) -> np.ndarray:
        """(n,) float32, for each of the n words of the question the largest cosine with a word of the span, 0 to 1."""
        return self._against(span)[2]

    def _against(self, span: Bag) -> tuple[Bag, np.ndarray, np.ndarray]:
        found = self._read.get(id(span))
        if found is not None:
            return found
        count = len(self.units)
        close = np.zeros(count + len(self.bag.words), np.float32)
        if span.words and len(close):
            close = (self._vectors @ span.vectors.T).max(axis=1)
        soft = softly(close[:count]) * self._soft
        for i, unit in enumerate(self.units):
            if unit.key in span.keys or (self._literal[i] and unit.text in span.folded):
                soft[i] = 1.0
        found = self._read[id(span)] = (span, soft, np.maximum(0, close[count:]))
        return found


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


def shares(units: Sequence[Unit]) -> np.ndarray:
    """(units,) float64, the part of the question that each unit is, by rarity; they sum to 1."""
    weights = np.array([unit_weight(unit) for unit in units])
    return weights / weights.sum() if len(weights) else weights


def coverage(units: Sequence[Unit], supports: Sequence[float] | np.ndarray) -> float:
    """Share of the question that is supported, weighted by rarity, 0 to 1; 0 without units."""
    return float(shares(units) @ np.asarray(supports)) if units else 0.0
