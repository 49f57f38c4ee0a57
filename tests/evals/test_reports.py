"""Comparison, table and gate, on real runs."""

import dataclasses
import json
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.errors import SettingsError
from assistant.settings import Settings
from evals import cli, commands, questions
from evals.baseline import Bm25, Tutorial, split
from evals.compare import as_text, compare
from evals.evaluate import evaluate
from evals.gate import below, read_floor
from evals.questions import read_questions
from evals.runs import Run
from evals.systems import Product
from evals.table import replaced, table

pytest.importorskip("langchain_text_splitters", reason="the baselines are cut by langchain-text-splitters, a development dependency")


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line reads a few of the development questions only."""
    lines = (questions.DATA / "article-dev.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "article-dev.jsonl").write_text("".join(lines[::9]), encoding="utf-8")
    monkeypatch.setattr(questions, "DATA", tmp_path / "data")


@pytest.fixture(scope="session")
def runs(assistant: Assistant) -> tuple[Run, Run]:
    some = read_questions("article-dev")[::3]
    documents = assistant.index.documents
    return evaluate(Product(assistant), some, ["article"]), evaluate(Bm25(documents), some, ["article"])


def test_the_baseline_cuts_spans_of_the_documents(assistant: Assistant) -> None:
    chunks = split(assistant.index.documents)
    texts = {d.path: d.text for d in assistant.index.documents}
    assert len(chunks) > 10 and max(len(c.text) for c in chunks) <= 1000
    assert all(texts[c.path][c.start : c.end] == c.text for c in chunks)


def test_the_tutorial_answers_with_its_nearest_passages(assistant: Assistant) -> None:
    one, four = (Tutorial(assistant.index.documents, assistant.embedder, shown) for shown in (1, 4))
    question = "What is kube-scheduler responsible for?"
    best = one.search(question, (), None)
    assert [p.score for p in best] == sorted((p.score for p in best), reverse=True)
    assert one.ask(question, (), None).answer == best[0].chunk.text
    assert len(four.ask(question, (), None).citations) == 4
    assert 0 < one.ask(question, (), None).confidence <= 1


def test_a_run_against_itself_differs_in_nothing(runs: tuple[Run, Run]) -> None:
    same = compare(runs[0], runs[0])
    assert not (same.mended or same.broken or same.changed or same.only_one)
    assert {(d.change, d.p, d.verdict) for d in same.differences} == {(0.0, 1.0, "")}


def test_a_comparison_says_what_broke_and_how_sure_it_is(runs: tuple[Run, Run]) -> None:
    product, bm25 = runs
    found = compare(product, bm25)
    by_name = {d.metric.name: d for d in found.differences}
    declined = by_name["declined_rightly"]
    assert declined.second == 0 and declined.verdict == "worse" and declined.p < 0.05
    assert by_name["median_characters"].verdict == "worse"
    assert {b.id for _, b in found.broken} == {r.id for r in bm25.records if r.scores["handled"] == 0} - {
        r.id for r in product.records if r.scores["handled"] == 0
    }
    text = as_text(found)
    assert found.broken[0][1].id in text and "worse" in text
    assert compare(product, dataclasses.replace(bm25, records=bm25.records[1:])).only_one == 1


def test_the_table_is_generated_into_its_block(runs: tuple[Run, Run], tmp_path: Path) -> None:
    text = table(runs, "python -m evals table")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + 6 and len({row.count("|") for row in rows}) == 1
    page = "# Title\n<!-- results -->\nold\n<!-- /results -->\nrest\n"
    assert replaced(page, text) == f"# Title\n<!-- results -->\n{text}<!-- /results -->\nrest\n"
    assert replaced(replaced(page, text), text) == replaced(page, text)
    with pytest.raises(SettingsError, match="no <!-- results -->"):
        replaced("# Title", text)


def test_the_command_writes_the_table_into_a_page(
    settings: Settings, few: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "README.md"
    page.write_text("a\n<!-- results -->\n<!-- /results -->\n")
    runs = tmp_path / "runs"
    assert cli.main(["table", "--split", "dev", "--index", str(settings.index), "--out", str(runs)]) == 0
    assert cli.main(["table", *map(str, sorted(runs.iterdir())), "--write", str(page)]) == 0
    assert "| this project | Chinese" in page.read_text() and "| BM25, top 1 | both" in page.read_text()
    assert cli.main(["compare", str(runs / "this-project"), str(runs / "BM25-top-1")]) == 0
    assert "answer right" in capsys.readouterr().out


def test_the_gate_knows_floors_from_ceilings(tmp_path: Path) -> None:
    floor = {"all": {"right": 0.7, "declined_wrongly": 0.1}, "zh": {"mrr": 0.5}, "verifier": {"false accepts": 0.2}}
    good = {"all": {"right": 0.7, "declined_wrongly": 0.1}, "zh": {"mrr": 0.6}, "verifier": {"false accepts": 0.1}}
    assert below(good, floor) == []
    bad = {"all": {"right": 0.69, "declined_wrongly": 0.11}, "verifier": {"false accepts": 0.21}}
    assert [line.split(":")[0] for line in below(bad, floor)] == ["all", "all", "zh", "verifier"]
    (tmp_path / "floor.toml").write_text("[all]\nrigth = 1\n")
    with pytest.raises(SettingsError, match="'rigth' is no metric"):
        read_floor(tmp_path / "floor.toml")


def test_the_gate_holds_the_committed_floor_and_fails_below_another(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["gate", "--index", str(settings.index)]) == 0
    high = tmp_path / "floor.toml"
    high.write_text("[all]\nright = 1.01\n")
    assert cli.main(["gate", "--split", "article-dev", "--index", str(settings.index), "--floor", str(high)]) == 1
    assert "all: right is" in capsys.readouterr().out


def test_the_suite_measures_everything_once(
    settings: Settings, few: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "SIZES", [200])
    monkeypatch.setattr(commands, "COLD", 1)
    out = tmp_path / "suite"
    assert cli.main(["suite", "--index", str(settings.index), "--out", str(out)]) == 0
    names = {path.parent.name for path in out.glob("*/summary.json")}
    assert {"this-project", "lexical-only", "dense-only", "no-term-table", "one-list", "tutorial-top-1", "BM25-top-1"} <= names
    assert {"verifier.json", "speed.json", "report.html"} <= {path.name for path in out.iterdir()}
    assert len(json.loads((out / "this-project" / "timings.json").read_text())["cold_start"]) == 1
    assert "false accepts" in capsys.readouterr().out
