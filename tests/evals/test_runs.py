"""A run end to end: the product is asked real questions; the folder is read back; summaries are the same bytes."""

import json
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.errors import CorpusError
from assistant.settings import Settings
from evals import cli
from evals.evaluate import evaluate
from evals.lint import lint
from evals.questions import Gold, Question, read_questions
from evals.runs import Run, read_run, summarise, write_run
from evals.systems import ABLATIONS, Product

SOURCES = ["article"]


@pytest.fixture(scope="session")
def run(assistant: Assistant) -> Run:
    return evaluate(Product(assistant), read_questions("article-dev")[::6], SOURCES)


def test_a_run_is_read_back_as_it_was_written(run: Run, tmp_path: Path) -> None:
    write_run(run, tmp_path / "one", {"answers": list(run.milliseconds)})
    again = read_run(tmp_path / "one")
    assert again.records == run.records and again.milliseconds == run.milliseconds
    with pytest.raises(CorpusError, match="no folder of a run"):
        read_run(tmp_path)


def test_records_and_summary_are_the_same_bytes_each_time(run: Run, assistant: Assistant, tmp_path: Path) -> None:
    again = evaluate(Product(Assistant(assistant.index, assistant.embedder, assistant.settings)), read_questions("article-dev")[::6], SOURCES)
    for name, one in (("one", run), ("two", again)):
        write_run(one, tmp_path / name, {"answers": list(one.milliseconds)})
    for file in ("summary.json", "records.jsonl"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_every_citation_of_the_product_is_exact(run: Run) -> None:
    assert summarise(run.records)["all"]["citation_exact"] == 1.0


def test_ablations_change_what_is_found(assistant: Assistant) -> None:
    question = "主控节点上运行哪些组件？"
    rankings = {}
    for name, make in ABLATIONS:
        system = Product(make(assistant), name)
        passages = system.search(question, (), None)
        rankings[name] = [passage.chunk.id for passage in passages]
        legs = {leg.split(":")[0] for passage in passages for leg in passage.scores}
        assert legs == {"lexical only": {"lexical"}, "dense only": {"dense"}}.get(name, {"lexical", "dense"}), name
        assert len(set(rankings[name])) == len(rankings[name])
    assert rankings["lexical only"] != rankings["hybrid"] != rankings["dense only"]
    assert rankings["one list"] != rankings["hybrid"]


def test_the_committed_questions_are_clean(assistant: Assistant) -> None:
    assert lint([*read_questions("dev"), *read_questions("test")], assistant.index) == []


def test_the_linter_finds_what_is_wrong(assistant: Assistant) -> None:
    good = next(q for q in read_questions("dev") if q.answerable)
    fields = {**vars(good), "id": "x", "question": "Something else?"}
    bad = {
        "stands twice": {**fields, "question": good.question},
        "kind 'odd'": {**fields, "kind": "odd"},
        "neither when it is not": {**fields, "answerable": False},
        "is not in source": {**fields, "gold": (Gold(None, 4000, 4000),)},
        "does not hold": {**fields, "key_facts": (("no such fact",),)},
        "empty key fact": {**fields, "key_facts": (("",),)},
    }
    for message, changed in bad.items():
        found = lint([good, Question(**changed)], assistant.index)
        assert any(message in line for line in found), (message, found)


def test_the_command_line_prints_figures_and_writes_a_folder(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert cli.main(["--split", "article-dev", "--failures", "--json", "--index", str(settings.index), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    summary = json.loads(printed.out.splitlines()[0])
    assert summary == json.loads((out / "summary.json").read_text())
    assert 0.5 < summary["all"]["right"] < 1 and summary["all"]["right_95"][0] < summary["all"]["right"]
    about = json.loads((out / "run.json").read_text())
    assert about["versions"]["numpy"] and about["index"]["sources"]
    assert json.loads((out / "timings.json").read_text())["p95"] > 0
