"""Questions: both forms of gold, splits by name or field, bad rows named."""

import json
from pathlib import Path

import pytest

from assistant.errors import CorpusError
from evals.questions import Gold, read_questions

ROW = {
    "id": "a", "question": "What is kubectl?", "history": [], "language": "en", "kind": "component", "answerable": True,
    "gold": [87], "key_facts": [["command-line tool", "CLI"]],
}


def write(folder: Path, name: str, *rows: dict[str, object]) -> None:
    (folder / name).write_text("".join(json.dumps({**ROW, **row}) + "\n" for row in rows), encoding="utf-8")


def test_article_lines_hold_for_every_rendition() -> None:
    gold = Gold(None, 87, 87)
    assert gold.holds("any.md", 80, 90) and gold.holds("other.en.md", 87, 87)
    assert not gold.holds("any.md", 88, 90) and not gold.holds("any.md", None, None)
    assert str(gold) == "87"


def test_lines_of_a_file_and_whole_files_and_directories() -> None:
    lines = Gold("build/README.md", 27, 30)
    assert lines.holds("build/README.md", 30, 31) and not lines.holds("build/README.md", 31, 31)
    assert not lines.holds("README.md", 27, 30) and str(lines) == "build/README.md:27-30"
    directory = Gold("pkg/kubelet/")
    assert directory.holds("pkg/kubelet", None, None) and directory.holds("pkg/kubelet", 4, 4)
    assert not directory.holds("pkg/kubelet/cm", None, None) and str(directory) == "pkg/kubelet/"


def test_every_file_is_read_and_the_split_is_in_its_name_or_a_field(tmp_path: Path) -> None:
    write(tmp_path, "article-dev.jsonl", {})
    write(tmp_path, "article-dev3-zh.jsonl", {"id": "b"})
    write(tmp_path, "article-test.jsonl", {"id": "c"})
    write(tmp_path, "tree.jsonl", {"id": "d", "split": "test", "source": "v1.28", "gold": [{"path": "pkg", "lines": None}]})
    assert [q.id for q in read_questions("dev", tmp_path)] == ["a", "b"]
    test = read_questions("test", tmp_path)
    assert [q.id for q in test] == ["c", "d"]
    assert test[1].source == "v1.28" and test[1].gold == (Gold("pkg"),)
    assert test[1].holds("v1.28", "pkg", None, None) == {0} and test[1].holds("article", "pkg", None, None) == frozenset()


@pytest.mark.parametrize("bad", [{"language": "fr"}, {"answerable": "yes"}, {"gold": [{"lines": [1, 2]}]}, {"gold": 3}])
def test_a_bad_row_is_named(tmp_path: Path, bad: dict[str, object]) -> None:
    write(tmp_path, "article-dev.jsonl", {}, bad)
    with pytest.raises(CorpusError, match=r"article-dev\.jsonl:2"):
        read_questions("dev", tmp_path)


def test_a_file_without_a_split_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "developers.jsonl", {})
    with pytest.raises(CorpusError, match="no split"):
        read_questions("dev", tmp_path)
