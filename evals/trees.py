"""Learns, for `python -m evals.calibrate`, when the directory tree is heard: where no document answers, how likely its reply is right and
from which probability it is told; where one does, what tells between the two.

From the development questions on trees, documents and what neither holds, asked of everything, each engine by itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit
from tqdm import tqdm

from assistant.assistant import Assistant
from assistant.datamodels import Citation, Statement, Turn
from assistant.groups import TREE, Evidence, against
from assistant.query import Query
from assistant.scoring import learned
from assistant.tree import FEATURES, Reply
from evals.logistic import area, best_threshold, fit_decision
from evals.metrics import Outcome, right
from evals.questions import Question, read_questions
from evals.samples import ON_TREE


@dataclass(frozen=True)
class Heard:
    """A question that the tree replies to, and whether it and the documents are right."""

    question: Question
    query: Query
    reply: Reply
    reply_right: bool
    evidence: Evidence
    documents_right: bool

    @property
    def is_tree_alone(self) -> bool:
        """Whether only the tree could answer: a wrong reply, where declining is as wrong, tells nothing of when to reply."""
        return self.question.answerable and self.question.kind in ON_TREE and not self.question.expect_absent


def fit(assistant: Assistant) -> dict[str, Any]:
    """The record of `calibration.json` for `assistant.tree` and `assistant.groups`."""
    found = list(_heard(assistant))
    if len({one.reply_right for one in found}) < 2:
        print("no question that a tree answers: when it is heard stays as it is", file=sys.stderr)
        return learned()["tree"]  # type: ignore[no-any-return]
    undecided = [one for one in found if not one.reply.is_beside]
    telling = [one for one in undecided if not (one.evidence.answers or one.reply.is_plain) and (one.reply_right or not one.is_tree_alone)]
    rows, labels = np.array([one.reply.features for one in telling]), np.array([float(one.reply_right) for one in telling])
    decision = fit_decision(rows, labels)
    confidence = expit(rows @ decision[:-1] + decision[-1])
    threshold = best_threshold(confidence, labels)
    print(
        f"the tree replies to {len(found)} questions, {np.mean([one.reply_right for one in found]):.2f} rightly; where no document answers, "
        f"area {area(confidence, labels):.3f}, threshold {threshold:.3f}: told {np.mean(confidence[labels == 1] >= threshold):.2f} of what is right, "
        f"{np.mean(confidence[labels == 0] >= threshold):.2f} of what is not"
    )
    record: dict[str, Any] = {
        "decision": {name: round(float(w), 3) for name, w in zip((*FEATURES, "bias"), decision, strict=True)}, "threshold": round(threshold, 3)
    }
    both = [one for one in undecided if one.evidence.answers and one.reply_right != one.documents_right]
    sure = [one.reply.confidence_by(record["decision"]) for one in both]
    table = np.array([against(one.reply, known, one.query, one.evidence) for one, known in zip(both, sure, strict=True)])
    wanted = np.array([float(one.reply_right) for one in both])
    weights = fit_decision(table, wanted)
    told = table @ weights[:-1] + weights[-1] > 0
    print(f"tree or documents: {len(both)} questions, {wanted.mean():.2f} of the tree, {np.mean(told == (wanted == 1)):.3f} found rightly")
    return record | {"ahead": {name: round(float(w), 3) for name, w in zip((*TREE, "bias"), weights, strict=True)}}


def _heard(assistant: Assistant) -> Iterator[Heard]:
    there = {source.name for source in assistant.sources}
    for question in tqdm([q for q in read_questions("dev") if q.source in there], desc="trees", unit="question", disable=None):
        query = assistant.query(question.question, [Turn(text) for text in question.history])
        reply = assistant.trees.answer(query)
        if reply is None:
            continue
        evidence = assistant.evidence(query)
        statements, citations = assistant.cite(evidence.selection)
        yield Heard(
            question, query, reply, _right(assistant, question, query, reply.statements, reply.citations) or (question.expect_absent and reply.denies),
            evidence, _right(assistant, question, query, statements, citations),
        )


def _right(assistant: Assistant, question: Question, query: Query, statements: Sequence[Statement], citations: Sequence[Citation]) -> bool:
    if not statements or not question.answerable:
        return False
    answer = assistant.answer(query, statements, citations, None, {}, 1.0, len(statements))
    return bool(right(Outcome(question, answer, (), (), 0, (), lambda text, citations: True)))
