"""The metrics: pure functions of what came of one question, and `METRICS`, the one list of them.

Summary, table, comparison, report and gate go over `METRICS`: a metric is added here and nowhere else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.datamodels import Answer, Citation
from evals.bootstrap import Total, mean, median
from evals.questions import Question
from evals.ranking import ndcg, recall, recall_within, reciprocal_rank
from evals.risk import area

Judge = Callable[[str, Sequence[Citation]], bool]
"""Whether the cited lines, taken together, say what a statement says."""
DENIES = re.compile(r"没有|不存在|不再|不是|不在|不含|未|无|\b(no|not|none|never|nothing|neither)\b|n't", re.I)
BUDGET = 2_000
"""Characters of passages that a reader is taken to read."""


@dataclass(frozen=True)
class Outcome:
    """What came of one question."""

    question: Question
    answer: Answer
    held: tuple[frozenset[int], ...]
    """Gold places that each passage holds, best passage first."""
    sizes: tuple[int, ...]
    """Characters of each passage."""
    relevant: int
    """Passages of the system's whole store that hold a gold place."""
    exact: tuple[bool, ...]
    """Of each citation, originals and nearest passages included: its file, read again, says so at these lines."""
    judge: Judge


@dataclass(frozen=True)
class Metric:
    """One figure: a score for each question it applies to, and how the scores make one number."""

    name: str
    title: str
    unit: Literal["share", "characters", "rank"]
    """share: 0 to 1, shown in per cent; rank: 0 to 1, shown as it is."""
    better: Literal["higher", "lower"]
    score: Callable[[Outcome], float | None]
    """None where the metric does not apply to the question (unscored)."""
    total: Total = mean


def normal(text: str) -> str:
    """Fold for comparing key facts: NFKC, lower case, no white space."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


def found_facts(question: Question, text: str) -> float:
    """Share of the key facts of which an alternative stands in `text`, 0 to 1; 1.0 where there are none."""
    folded = normal(text)
    found = [any(normal(alternative) in folded for alternative in fact) for fact in question.key_facts]
    return sum(found) / len(found) if found else 1.0


def on_gold(question: Question, citation: Citation) -> bool:
    """Whether a citation touches a gold place."""
    return bool(question.holds(citation.source, citation.path, citation.start_line, citation.end_line))


def right(outcome: Outcome) -> float | None:
    """1 when answered with every key fact and a gold place cited; unscored for what cannot be answered.

    For a thing that is not there, the fact is the denial, and declining says it too.
    """
    question, answer = outcome.question, outcome.answer
    if not question.answerable:
        return None
    cited = any(on_gold(question, citation) for citation in answer.citations)
    if question.expect_absent:
        return float(not answer.answered or (cited and DENIES.search(answer.answer) is not None))
    return float(answer.answered and cited and found_facts(question, answer.answer) == 1)


def facts(outcome: Outcome) -> float | None:
    """Key-fact recall: share of the key facts that stand in the answer; 0 when declined."""
    if not outcome.question.key_facts:
        return None
    return found_facts(outcome.question, outcome.answer.answer) if outcome.answer.answered else 0.0


def off_gold(outcome: Outcome) -> float | None:
    """Share of the statements that cite no gold place (what was not asked for); lower is more to the point."""
    if not _answered_rightly_asked(outcome) or not outcome.answer.statements:
        return None
    cited = {c.id: on_gold(outcome.question, c) for c in outcome.answer.citations}
    off = [not any(cited[number] for number in statement.citations) for statement in outcome.answer.statements]
    return sum(off) / len(off)


def length(outcome: Outcome) -> float | None:
    """Characters of the answer."""
    return float(len(outcome.answer.answer)) if _answered_rightly_asked(outcome) else None


def first_citation(outcome: Outcome) -> float | None:
    """1 when the first citation touches a gold place."""
    if not _answered_rightly_asked(outcome):
        return None
    citations = outcome.answer.citations
    return float(bool(citations) and on_gold(outcome.question, citations[0]))


def citation_recall(outcome: Outcome) -> float | None:
    """Share of the statements that their citations, together, support (ALCE: Gao et al. 2023)."""
    supported = [bool(cited) and outcome.judge(text, cited) for text, cited in _cited_statements(outcome)]
    return sum(supported) / len(supported) if supported else None


def citation_precision(outcome: Outcome) -> float | None:
    """Share of the citations that are needed (ALCE: Gao et al. 2023).

    A citation is not when its statement is unsupported, or when it supports nothing alone and the others do
    without it.
    """
    needed = []
    for text, cited in _cited_statements(outcome):
        supported = bool(cited) and outcome.judge(text, cited)
        for citation in cited:
            others = [other for other in cited if other is not citation]
            idle = bool(others) and not outcome.judge(text, [citation]) and outcome.judge(text, others)
            needed.append(supported and not idle)
    return sum(needed) / len(needed) if needed else None


def citation_exact(outcome: Outcome) -> float | None:
    """Share of the citations whose file, read again, has the quote at the cited lines."""
    return sum(outcome.exact) / len(outcome.exact) if outcome.exact else None


def declined_rightly(outcome: Outcome) -> float | None:
    """Recall of declining: 1 when a question that cannot be answered is declined."""
    return None if outcome.question.answerable else float(not outcome.answer.answered)


def declined_precision(outcome: Outcome) -> float | None:
    """Precision of declining: 1 when what was declined cannot be answered."""
    if outcome.answer.answered or outcome.question.expect_absent:
        return None
    return float(not outcome.question.answerable)


def declined_wrongly(outcome: Outcome) -> float | None:
    """1 when a question that can be answered is declined."""
    question = outcome.question
    return float(not outcome.answer.answered) if question.answerable and not question.expect_absent else None


def follow_up(outcome: Outcome) -> float | None:
    """`right` (or declined, as it should be) for questions that lean on an earlier one."""
    return handled(outcome) if outcome.question.history else None


def handled(outcome: Outcome) -> float:
    """1 when the question was dealt with as it should be: answered right, or declined where there is no answer."""
    return (right(outcome) if outcome.question.answerable else declined_rightly(outcome)) or 0.0


def not_right(outcome: Outcome) -> float:
    """The loss of the risk–coverage curve (`evals/risk.py`): 0 for a right answer, 1 for any other and for none."""
    return 1 - (right(outcome) or 0.0)


def _answered_rightly_asked(outcome: Outcome) -> bool:
    return outcome.question.answerable and outcome.answer.answered


def _cited_statements(outcome: Outcome) -> list[tuple[str, list[Citation]]]:
    citations = {citation.id: citation for citation in outcome.answer.citations}
    return [(s.text, [citations[number] for number in s.citations]) for s in outcome.answer.statements]


def _ranked(measure: Callable[[Outcome], float]) -> Callable[[Outcome], float | None]:
    """Retrieval is scored where lines are to be found: a directory has none, it is looked up."""
    return lambda outcome: measure(outcome) if any(gold.start is not None for gold in outcome.question.gold) else None


METRICS: tuple[Metric, ...] = (
    Metric("handled", "answered or declined rightly", "share", "higher", handled),
    Metric("right", "answer right", "share", "higher", right),
    Metric("key_facts", "key facts in the answer", "share", "higher", facts),
    Metric("declined_rightly", "declining: recall", "share", "higher", declined_rightly),
    Metric("declined_precision", "declining: precision", "share", "higher", declined_precision),
    Metric("declined_wrongly", "declined, though answerable", "share", "lower", declined_wrongly),
    Metric("risk_coverage", "area under risk–coverage", "rank", "lower", not_right, area),
    Metric("first_citation", "first citation on gold", "share", "higher", first_citation),
    Metric("off_gold", "statements off gold", "share", "lower", off_gold),
    Metric("citation_recall", "citation recall", "share", "higher", citation_recall),
    Metric("citation_precision", "citation precision", "share", "higher", citation_precision),
    Metric("citation_exact", "citations exact", "share", "higher", citation_exact),
    Metric("median_characters", "characters, median", "characters", "lower", length, median),
    Metric("follow_up", "follow-ups right", "share", "higher", follow_up),
    Metric("recall_5", "recall@5", "share", "higher", _ranked(lambda o: recall(o.held, len(o.question.gold), 5))),
    Metric("recall_10", "recall@10", "share", "higher", _ranked(lambda o: recall(o.held, len(o.question.gold), 10))),
    Metric(
        "recall_budget", f"recall in {BUDGET:,} characters", "share", "higher",
        _ranked(lambda o: recall_within(o.held, o.sizes, len(o.question.gold), BUDGET)),
    ),
    Metric("mrr", "MRR", "rank", "higher", _ranked(lambda o: reciprocal_rank(o.held))),
    Metric("ndcg_10", "nDCG@10", "rank", "higher", _ranked(lambda o: ndcg(o.held, o.relevant, 10))),
)
BY_NAME = {metric.name: metric for metric in METRICS}
