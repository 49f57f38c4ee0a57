"""Public sets: a tiny one in two languages, with a question that has no answer."""

import json
from pathlib import Path

import pytest

from assistant.errors import CorpusError
from assistant.settings import Settings
from evals import cli
from evals.squad import ask_all, directions, open_on, read_set, sample

PARAGRAPHS = {
    "en": [
        ("The lighthouse at Marlow Point was built in 1874 by the engineer Ada Thorne.", "Who built the lighthouse at Marlow Point?", "Ada Thorne"),
        ("Honey badgers eat snakes, scorpions and the larvae of bees.", "What do honey badgers eat?", "snakes, scorpions"),
        ("The Orlen glacier is 12 kilometres long and ends in a lake.", "How long is the Orlen glacier?", "12 kilometres"),
    ],
    "zh": [
        ("马洛角灯塔由工程师艾达·索恩于1874年建造。", "马洛角灯塔是由谁建造的？", "艾达·索恩"),
        ("蜜獾吃蛇、蝎子和蜜蜂的幼虫。", "蜜獾吃什么？", "蛇、蝎子"),
        ("奥伦冰川长12公里，尽头是一个湖。", "奥伦冰川有多长？", "12公里"),
    ],
}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = []
    for language, rows in PARAGRAPHS.items():
        paragraphs = [
            {"context": context, "qas": [{"id": f"q{number}", "question": question, "answers": [{"text": answer, "answer_start": context.index(answer)}]}]}
            for number, (context, question, answer) in enumerate(rows)
        ]
        if language == "en":
            paragraphs[0]["qas"].append({"id": "none", "question": "Which quantum computer does Bolivia export?", "answers": [], "is_impossible": True})  # type: ignore[attr-defined]
        path = tmp_path / f"{language}.json"
        path.write_text(json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]}), encoding="utf-8")
        made.append(path)
    return made


def test_a_file_becomes_documents_and_questions(files: list[Path]) -> None:
    english, chinese = map(read_set, files)
    assert (english.language, chinese.language) == ("en", "zh")
    assert [d.text for d in chinese.documents] == [context for context, _, _ in PARAGRAPHS["zh"]]
    assert {q.id: q.path for q in english.questions} == {"q0": "00000.md", "none": "00000.md", "q1": "00001.md", "q2": "00002.md"}
    assert next(q for q in english.questions if q.id == "none").answers == ()


def test_samples_are_the_same_each_time_and_in_each_language(files: list[Path]) -> None:
    english, chinese = map(read_set, files)
    assert sample(english.questions, 2, 7) == sample(english.questions[::-1], 2, 7)
    assert len(sample(english.questions, None, 7)) == 4 and len(sample(chinese.questions, 2, 1)) == 2


def test_sets_with_the_same_questions_are_asked_across_languages(files: list[Path]) -> None:
    sets = list(map(read_set, files))
    assert [(a.language, d.language) for a, d in directions(sets)] == [("en", "en"), ("zh", "en"), ("en", "zh"), ("zh", "zh")]


def test_questions_find_their_paragraph_and_its_answer(files: list[Path], tmp_path: Path) -> None:
    for path in files:
        public = read_set(path)
        result = ask_all(public, public, open_on(public, Settings(index=tmp_path), tmp_path / path.stem), None, 7)
        assert result["recall_1"] == result["mrr"] == 1.0
        assert result["contains"] >= 0.6 and result["contains"] <= 1 - result["declined_wrongly"]
        assert result.get("declined_rightly") == (1.0 if public.language == "en" else None)


def test_the_command_prints_each_direction(files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["public", *map(str, files), "--limit", "2", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["asked"], row["documents"]) for row in rows] == [
        ("en.json", "en.json"), ("zh.json", "en.json"), ("en.json", "zh.json"), ("zh.json", "zh.json")
    ]


def test_a_file_of_another_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("[]")
    with pytest.raises(CorpusError, match=r"other\.json is not in SQuAD's format"):
        read_set(path)
