"""Which sources answer: the bundled article first, on equal evidence; the checkouts where it does not answer; the directory tree
where that is likelier right.

A tree holds a hundred times as many passages as the article and would crowd it out of one ranking.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from assistant.answerable import SUPPORTED
from assistant.crossencoder import SUREST, CrossEncoder
from assistant.datamodels import Passage
from assistant.evidence import Reader, coverage
from assistant.extractive import Selection, select
from assistant.index import Index
from assistant.query import Query
from assistant.scoring import Candidate, learned, log_odds
from assistant.tree import Reply

SURE = 0.95
"""Confidence of an answer from the article from which the checkouts are not asked."""
BESIDE = -1.0
"""Log odds of what is asked from which the tree is heard beside the article's own line."""
PLAINLY = 2.0
"""Log odds of what is asked of a path from which the documents are not asked."""
BETWEEN = ("confidence", "read", "coverage", "entry")
"""Names of what tells, where both answer, which is heard."""
TREE = ("confidence", "path", "about_tree", "documents", "read", "place", "says_place", "entry", "lacking", "below")
"""Names of what tells whether the tree is heard where documents answer too."""
SAYS_PLACE = re.compile(r"(?<![\w./:-])[\w.-]+/\w|_output")


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
        return second if ahead(query, first.selection, second.selection) > 0 else first
    if first.answers or second.answers:
        return first if first.answers else second
    knows_subject = [one for one in found if one.selection.reason == "partly_covered"]
    return knows_subject[0] if knows_subject else max(found, key=lambda one: one.selection.confidence)


def ahead(query: Query, article: Selection, checkout: Selection) -> float:
    """Log odds that a checkout's answer is the one that was asked for, rather than the article's."""
    assert article.best and checkout.best
    values = between(query, (article.confidence, article.best), (checkout.confidence, checkout.best))
    return log_odds(learned()["sources"], dict(zip(BETWEEN, values, strict=True)))


def between(query: Query, article: tuple[float, Candidate], checkout: tuple[float, Candidate]) -> list[float]:
    """How far a checkout's answer is ahead of the article's: in the log odds that it answers, what the cross-encoder
    makes of it, how much of the question it says; and whether the article has no more than an entry of its source tree."""
    (one, said), (other, told) = article, checkout
    read = 0.0 if told.read is None or said.read is None else told.read - said.read
    return [
        _log_odds(other) - _log_odds(one), read,
        coverage(query.units, told.supports) - coverage(query.units, said.supports), float(said.chunk.kind == "entry"),
    ]


def is_alone(reply: Reply) -> bool:
    """Whether the documents need not be asked: the question plainly asks a path something that the tree says, or speaks of the tree itself."""
    return not reply.is_beside and bool(reply.feature("path")) and reply.feature("asked") >= (0 if reply.feature("about_tree") else PLAINLY)


def tells(reply: Reply, query: Query, evidence: Evidence) -> bool:
    """Whether the tree is heard: sure enough where no document answers, else likelier right than they are."""
    if reply.is_beside:
        return reply.feature("asked") > BESIDE
    if is_alone(reply):
        return True
    if not evidence.answers:
        return reply.is_plain or bool(reply.confidence >= learned()["tree"]["threshold"])
    return log_odds(learned()["tree"]["ahead"], dict(zip(TREE, against(reply, reply.confidence, query, evidence), strict=True))) > 0


def against(reply: Reply, confidence: float, query: Query, evidence: Evidence) -> list[float]:
    """What tells between the tree and the documents, which both answer: how sure the tree is, whether it was asked by a path or by a word for it;
    how sure the documents are; what the cross-encoder makes of both; whether a place is told, and whether the sentence names one itself; of
    an entry of the article's source tree, whether the question asks something beyond it, and whether the tree tells of what lies below it."""
    best = evidence.selection.best
    assert best is not None
    read, entry = reply.feature("read") * SUREST, best.chunk.kind == "entry"
    lacking = any(s < SUPPORTED for u, s in zip(query.units, best.supports, strict=True) if not (u.generic or u.minor or u.everyday))
    place = reply.what in ("where", "exists")
    return [
        _log_odds(confidence), reply.feature("path"), reply.feature("about_tree"), _log_odds(evidence.selection.confidence),
        0.0 if best.read is None or not read else read - best.read,
        float(place), float(place and bool(SAYS_PLACE.search(best.text))), float(entry), float(entry and lacking),
        float(entry and reply.citations[0].path.startswith(f"{best.chunk.name}/")),
    ]


def _log_odds(probability: float) -> float:
    bounded = min(0.9999, max(0.0001, probability))
    return math.log(bounded / (1 - bounded))
