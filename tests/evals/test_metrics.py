"""Metrics against hand-worked cases."""

import dataclasses
from collections.abc import Sequence

import pytest

from assistant.datamodels import Answer, Citation, Statement
from evals.metrics import BY_NAME, METRICS, Outcome, normal
from evals.questions import Gold, Question

QUESTION = Question(
    "a", "What is kubectl?", (), "en", "component", True, (Gold(None, 5, 5), Gold(None, 8, 8)), (("CLI", "command-line"), ("HTTP",))
)
UNANSWERABLE = dataclasses.replace(QUESTION, answerable=False, gold=(), key_facts=())


def cite(number: int, line: int, quote: str = "quoted") -> Citation:
    return Citation(number, "article", "a.md", line, line, 0, len(quote), quote, (), "0" * 64)


def outcome(
    question: Question = QUESTION, text: str = "", statements: Sequence[tuple[str, tuple[int, ...]]] = (),
    citations: Sequence[Citation] = (), held: Sequence[set[int]] = (), exact: Sequence[bool] = (),
) -> Outcome:
    answer = Answer(
        question.question, question.question, "en", bool(statements), "extractive", text,
        tuple(Statement(said, numbers, "supported") for said, numbers in statements), tuple(citations), None, "index", {},
    )

    def judge(said: str, cited: Sequence[Citation]) -> bool:
        """Every word of the statement stands in the quotes."""
        return set(said.split()) <= {word for citation in cited for word in citation.quote.split()}

    return Outcome(question, answer, tuple(map(frozenset, held)), (400,) * len(held), 2, tuple(exact), judge)


def value(name: str, one: Outcome) -> float | None:
    return BY_NAME[name].score(one)


RIGHT = outcome(text="A CLI over http", statements=[("A CLI", (1,)), ("x", (2,))], citations=[cite(1, 8), cite(2, 3)])


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(METRICS)


def test_key_facts_are_compared_without_width_case_and_space() -> None:
    assert normal("ＫＵＢＥ let\n") == "kubelet"


def test_right_needs_every_fact_and_a_gold_line() -> None:
    assert value("right", RIGHT) == 1 and value("key_facts", RIGHT) == 1
    half = outcome(text="A CLI", statements=[("A CLI", (1,))], citations=[cite(1, 8)])
    assert value("right", half) == 0 and value("key_facts", half) == 0.5
    elsewhere = outcome(text="A CLI over HTTP", statements=[("A CLI", (1,))], citations=[cite(1, 7)])
    assert value("right", elsewhere) == 0 and value("key_facts", elsewhere) == 1
    assert value("right", outcome(UNANSWERABLE)) is None


def test_a_declined_answer_is_not_scored_for_what_it_does_not_say() -> None:
    declined = outcome(text="The material does not say what a CLI over HTTP is")
    assert value("right", declined) == 0 and value("key_facts", declined) == 0
    for name in ("off_gold", "first_citation", "median_characters", "citation_recall", "citation_precision", "citation_exact"):
        assert value(name, declined) is None, name


def test_statements_off_gold_and_the_first_citation() -> None:
    assert value("off_gold", RIGHT) == 0.5 and value("first_citation", RIGHT) == 1
    swapped = outcome(text="-", statements=[("x", (1, 2))], citations=[cite(1, 3), cite(2, 5)])
    assert value("off_gold", swapped) == 0 and value("first_citation", swapped) == 0
    assert value("median_characters", RIGHT) == len("A CLI over http")


def test_citation_recall_and_precision_in_the_sense_of_alce() -> None:
    citations = [cite(1, 1, "a b"), cite(2, 2, "c"), cite(3, 3, "z")]
    together = outcome(statements=[("a b c", (1, 2, 3))], citations=citations)
    assert value("citation_recall", together) == 1
    assert value("citation_precision", together) == pytest.approx(2 / 3)  # the third neither supports nor is missed
    unsupported = outcome(statements=[("a q", (1,)), ("c", (2,))], citations=citations)
    assert value("citation_recall", unsupported) == 0.5 and value("citation_precision", unsupported) == 0.5
    uncited = outcome(statements=[("a", ())], citations=[])
    assert value("citation_recall", uncited) == 0 and value("citation_precision", uncited) is None
    twice = outcome(statements=[("c", (2, 4))], citations=[*citations, cite(4, 9, "c")])
    assert value("citation_precision", twice) == 1  # each supports it alone


def test_exactness_is_the_share_of_citations() -> None:
    assert value("citation_exact", outcome(exact=[True, True, False, True])) == 0.75


def test_declining() -> None:
    answered = outcome(UNANSWERABLE, "x", [("x", (1,))], [cite(1, 5)])
    declined, wrongly = outcome(UNANSWERABLE), outcome()
    assert [value("declined_rightly", o) for o in (answered, declined, wrongly)] == [0, 1, None]
    assert [value("declined_precision", o) for o in (answered, declined, wrongly)] == [None, 1, 0]
    assert [value("declined_wrongly", o) for o in (answered, declined, wrongly, RIGHT)] == [None, None, 1, 0]
    assert [value("handled", o) for o in (answered, declined, wrongly, RIGHT)] == [0, 1, 0, 1]
    assert [value("risk_coverage", o) for o in (answered, declined, wrongly, RIGHT)] == [1, 1, 1, 0]


def test_what_is_not_there_is_denied_or_declined() -> None:
    absent = dataclasses.replace(QUESTION, key_facts=(), expect_absent=True)
    denied = outcome(absent, "There is no such folder.", [("There is no such folder.", (1,))], [cite(1, 5)])
    affirmed = outcome(absent, "The folder holds tests.", [("The folder holds tests.", (1,))], [cite(1, 5)])
    assert [value("right", o) for o in (denied, affirmed, outcome(absent))] == [1, 0, 1]
    for name in ("key_facts", "declined_wrongly", "declined_precision"):
        assert value(name, outcome(absent)) is None, name


def test_follow_ups_are_those_with_a_history() -> None:
    assert value("follow_up", RIGHT) is None
    later = dataclasses.replace(RIGHT, question=dataclasses.replace(QUESTION, history=("What is kubelet?",)))
    assert value("follow_up", later) == 1
    declined = outcome(dataclasses.replace(UNANSWERABLE, history=("What is kubelet?",)))
    assert value("follow_up", declined) == 1


def test_retrieval_is_scored_where_there_is_gold() -> None:
    ranked = outcome(held=[set(), {1}, set(), set(), set(), {0}])
    assert value("recall_5", ranked) == 0.5 and value("recall_10", ranked) == 1 and value("mrr", ranked) == 0.5
    assert value("recall_budget", ranked) == 0.5  # five passages of 400 characters
    assert value("recall_5", outcome(UNANSWERABLE, held=[set()])) is None
