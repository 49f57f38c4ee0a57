"""Metrics against hand-worked cases; the questions against the material."""

from evals.metrics import interval, normal
from evals.questions import read_questions
from ingest.corpus import bundled_folder, read_corpus


def test_key_facts_are_compared_without_width_case_and_space() -> None:
    assert normal("ＫＵＢＥ let\n") == "kubelet"


def test_the_interval_holds_the_mean() -> None:
    assert interval([]) == (0.0, 0.0)
    assert interval([1.0] * 9) == (1.0, 1.0)
    low, high = interval([0.0, 1.0] * 20)
    assert 0.3 < low < 0.5 < high < 0.7


def test_gold_lines_hold_the_key_facts() -> None:
    texts = {d.language: d.text.split("\n") for d in read_corpus(bundled_folder()).documents}
    seen = set()
    for split in ("dev", "test"):
        for question in read_questions(split):
            assert question.id not in seen
            seen.add(question.id)
            assert bool(question.gold) == question.answerable, question.id
            lines = normal(" ".join(texts[question.language][line - 1] for line in question.gold))
            for fact in question.key_facts:
                assert any(normal(alternative) in lines for alternative in fact), question.id
