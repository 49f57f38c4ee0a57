"""The questions that are measured: each has an answer among the units it is asked of."""

from evals.questions import read_questions
from training.benchmarks import article, development_questions
from training.hybrid import measure_hybrid


def test_questions_on_other_sources_and_follow_ups_are_left_out() -> None:
    asked = {q.id for q in development_questions()}
    left_out = [q for q in read_questions("dev") if q.id not in asked]
    assert asked and any(q.answerable and not q.lines for q in left_out)
    assert all(not q.answerable or q.history or not q.lines for q in left_out)


def test_every_question_has_a_right_line() -> None:
    assert all(relevant for benchmark in article() for relevant in benchmark.relevant)


def test_every_question_has_a_right_passage() -> None:
    found = measure_hybrid(development_questions())
    assert set(found) == {"zh→zh", "zh→en", "en→en", "en→zh"}
    assert all(gold for rows in found.values() for _, gold in rows)
