"""Which sources answer: the bundled article first, on equal evidence; the checkouts where it does not answer.

A tree holds a hundred times as many passages as the article and would crowd it out of one ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from assistant.crossencoder import CrossEncoder
from assistant.datamodels import Passage
from assistant.evidence import Reader
from assistant.extractive import Selection, select
from assistant.index import Index
from assistant.query import Query

SURE = 0.95
"""Confidence of an answer from the article from which the checkouts are not asked."""
AHEAD = 0.1
"""How much surer a checkout's answer must be to be given instead of the article's."""


@dataclass(frozen=True)
class Evidence:
    """What was chosen, and the passages it was chosen among."""

    passages: list[Passage]
    selection: Selection

    @property
    def answers(self) -> bool:
        return bool(self.selection.chosen)


def find_evidence(
    query: Query, index: Index, passages: Callable[[Query, Sequence[str]], list[Passage]], reader: Reader, encoder: CrossEncoder | None,
    sources: Collection[str] | None = None,
) -> Evidence:
    """Choose the statements that answer `query` from the article, or from the other sources where they say it more surely.

    `passages` gives the ranked passages of a query in some sources.
    """

    def evidence(names: list[str]) -> Evidence:
        found = passages(query, names)
        return Evidence(found, select(query, found, index.within(names), reader, encoder))

    allowed = [source for source in index.sources if sources is None or source.name in sources]
    article = [source.name for source in allowed if source.kind == "article"]
    others = [source.name for source in allowed if source.kind != "article"]
    found = [evidence(article)] if article or not others else []
    if others and not (found and found[0].answers and found[0].selection.confidence >= SURE):
        found.append(evidence(others))
    if len(found) == 1:
        return found[0]
    first, second = found
    if first.answers and second.answers:
        return second if second.selection.confidence > first.selection.confidence + AHEAD else first
    if first.answers or second.answers:
        return first if first.answers else second
    knows_subject = [one for one in found if one.selection.reason == "partly_covered"]
    return knows_subject[0] if knows_subject else max(found, key=lambda one: one.selection.confidence)
