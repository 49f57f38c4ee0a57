"""Learns, for `python -m evals.calibrate`, what a question asks of a directory tree (`assistant/asks.py`).

The training questions on trees say what they ask; those on where a thing lives ask 'where'; those on documents nothing that a tree
says. The figures printed are of the development questions.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import logsumexp

from assistant.asks import ASKS, features
from assistant.assistant import Assistant
from evals.questions import Question, read_questions

L2 = 1e-4
"""Per question."""
OTHERS = 2.0
"""Questions on documents, and on where a thing lives, for each one on trees that says what it asks, at most."""


def fit(assistant: Assistant) -> np.ndarray:
    """Weights, (features, asks)."""
    order = random.Random(7)
    said = [q for q in read_questions("train") if q.asks is not None]
    others = [q for q in read_questions("train") if _is_on_documents(q)]
    table, labels = _table(assistant, [*said, *order.sample(others, min(len(others), round(OTHERS * len(said))))])
    sparse, wanted = csr_array(table), np.eye(len(ASKS))[labels]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(table.shape[1], len(ASKS))
        logits = sparse @ weights
        total = logsumexp(logits, axis=1)
        held = np.vstack([weights[:-1], np.zeros(len(ASKS))])  # not the bias
        value = float((total - (logits * wanted).sum(1)).mean()) + L2 * float((held**2).sum()) / 2
        return value, (sparse.T @ (np.exp(logits - total[:, None]) - wanted) / len(labels) + L2 * held).ravel()

    weights = minimize(loss, np.zeros(table.shape[1] * len(ASKS)), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x.reshape(-1, len(ASKS))
    print(*_report(assistant, weights), sep="\n")
    return weights


def _is_on_documents(question: Question) -> bool:
    """Or on where a thing lives. Those on the article's layout ask what a tree is asked too: they teach neither."""
    return question.asks is None and not question.history and question.kind not in ("tree", "layout")


def _table(assistant: Assistant, questions: Sequence[Question]) -> tuple[np.ndarray, np.ndarray]:
    """(questions, features) and (questions,) numbers of what they ask."""
    rows = [features(assistant.query(question.question).text, assistant.encoder) for question in questions]
    return np.array(rows), np.array([ASKS.index(question.asks or ("where" if question.kind == "where" and question.answerable else "none")) for question in questions])


def _report(assistant: Assistant, weights: np.ndarray) -> list[str]:
    dev = [q for q in read_questions("dev") if q.asks or _is_on_documents(q)]
    table, labels = _table(assistant, dev)
    found = (table @ weights).argmax(1)
    lines = [f"what is asked of a tree: {len(dev)} questions, {np.mean(found == labels):.3f} told rightly"]
    for number, name in enumerate(ASKS):
        of = labels == number
        if of.any():
            lines.append(f"  {name:8} {of.sum():5} told {np.mean(found[of] == number):.3f}, taken for none {np.mean(found[of] == 0):.3f}")
    return lines
