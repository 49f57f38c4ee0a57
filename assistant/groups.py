"""Which sources answer: the bundled article first, on equal evidence; the checkouts where it does not answer.

A tree holds a hundred times as many passages as the article and would crowd it out of one ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from assistant.answerable import asked_for
from assistant.datamodels import Passage
from assistant.evidence import Reader, coverage
from assistant.extractive import Selection, select
from assistant.index import Index
from assistant.query import Query

SURE = 0.9
"""Confidence of an answer from the article from which the checkouts are not asked."""
AHEAD = 0.15
"""How much more of the question a checkout's answer must cover to be given instead of the article's."""
COVERED = 0.7
"""Share of the question, by weight, that a checkout's statements must support. Among thousands of passages one always resembles
the question: of 96 questions far from the field, calibrated confidence alone let 36 % through, this and RESEMBLES none, for a
third of the README questions answered; 0.6 would keep half of those and answer 5 % more of the near misses."""
RESEMBLES = 0.4
"""Late interaction, 0 to 1, that they need besides."""


@dataclass(frozen=True)
class Evidence:
    """What was chosen, and the passages it was chosen among."""

    passages: list[Passage]
    selection: Selection

    @property
    def answers(self) -> bool:
        return bool(self.selection.chosen)

    def covers(self, query: Query) -> float:
        """Share of the question that the best statement supports, or all chosen ones where things are compared; 0 when declined."""
        best = self.selection.best
        if not self.selection.chosen or best is None:
            return 0.0
        judged = self.selection.chosen if "compare" in query.intents else (best,)
        supports = [max(c.supports[i] for c in judged if len(c.supports) == len(query.units)) for i in range(len(query.units))]
        return coverage(query.units, supports)


def find_evidence(
    query: Query, index: Index, passages: Callable[[Query, Sequence[str]], list[Passage]], reader: Reader, sources: Collection[str] | None = None
) -> Evidence:
    """Choose the statements that answer `query` from the article, or from the other sources where they say it more surely.

    `passages` gives the ranked passages of a query in some sources.
    """

    def evidence(names: list[str]) -> Evidence:
        found = passages(query, names)
        return Evidence(found, select(query, found, index.within(names), reader))

    def strict(one: Evidence) -> Evidence:
        best = one.selection.best
        if not one.answers or (best and one.covers(query) >= COVERED and best.feature("late_around") >= RESEMBLES):
            return one
        return Evidence(one.passages, replace(one.selection, chosen=(), reason="not_covered", missing=asked_for(query)))

    allowed = [source for source in index.sources if sources is None or source.name in sources]
    article = [source.name for source in allowed if source.kind == "article"]
    others = [source.name for source in allowed if source.kind != "article"]
    found = [evidence(article)] if article or not others else []
    if others and not (found and found[0].answers and found[0].selection.confidence >= SURE):
        found.append(strict(evidence(others)))
    if len(found) == 1:
        return found[0]
    first, second = found
    if first.answers and second.answers:
        return second if second.covers(query) > first.covers(query) + AHEAD else first
    if first.answers or second.answers:
        return first if first.answers else second
    return max(found, key=lambda one: one.selection.confidence)
