"""Judgements of relevance: their form, and that they are of no test question."""

from pathlib import Path

import pytest

from assistant.errors import CorpusError
from evals.judgements import Grade, read_judgements
from evals.questions import read_questions


def test_a_place_may_hold_a_colon(tmp_path: Path) -> None:
    (tmp_path / "some.qrels").write_text("q-1 0 v1.28:docs/a:b c.md:17 2\nq-1 0 article:x.md:0 0\n", encoding="utf-8")
    assert read_judgements(tmp_path) == {"q-1": {("v1.28", "docs/a:b c.md", 17): Grade.YES, ("article", "x.md", 0): Grade.NO}}


@pytest.mark.parametrize("line", ["q-1", "q-1 0 v1.28:a.md:x 2", "q-1 0 v1.28:a.md:3 7", "q-1 0 a.md 1"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "some.qrels").write_text(f"q-0 0 v1.28:a.md:3 1\n{line}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"some\.qrels:2 is no judgement"):
        read_judgements(tmp_path)


def test_judged_are_training_and_development_questions_only() -> None:
    learned_from = {question.id for split in ("train", "dev") for question in read_questions(split)}
    assert read_judgements().keys() <= learned_from
