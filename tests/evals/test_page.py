"""The report's page: self-contained, escaped, its plots to scale; speed on a grown index."""

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from evals import cli
from evals.baseline import Bm25
from evals.evaluate import evaluate
from evals.questions import read_questions
from evals.report import find_runs, page
from evals.runs import on_common, write_run
from evals.speed import latency
from evals.svg import Bar, Line, bars, lines
from evals.systems import Product
from evals.verifier import check

pytest.importorskip("langchain_text_splitters", reason="the baselines are cut by langchain-text-splitters, a development dependency")


class Checker(HTMLParser):
    """Checks that tags nest and gathers what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_bar_is_as_long_as_its_value() -> None:
    drawn = bars([Bar("a <b>", 0.5, 0.25, 0.75, "50 %"), Bar("all", 1.0, 1.0, 1.0, "100 %"), Bar("none", 0, 0, 0, "0 %")], "Shares")
    half, whole, none = (float(width) for width in re.findall(r'class="s0" x="\d+" y="\d+" width="([\d.]+)"', drawn))
    assert half * 2 == pytest.approx(whole) and none < 1
    assert "a &lt;b&gt;" in drawn and "<b>" not in drawn


def test_a_line_goes_from_corner_to_corner() -> None:
    drawn = lines([Line("one", [0, 1], [0, 1]), Line("two", [0, 1], [0.5, 0.5], series=1)], "Title", "x", "y")
    first = re.search(r'class="l0" points="([\d.]+),([\d.]+) ([\d.]+),([\d.]+)"', drawn)
    assert first is not None
    x0, y0, x1, y1 = map(float, first.groups())
    assert x1 - x0 > 300 and y0 - y1 == pytest.approx(180)


def test_the_page_fetches_nothing_and_shows_every_part(assistant: Assistant, tmp_path: Path) -> None:
    questions = read_questions("dev")[::8]
    product = evaluate(Product(assistant, "this <project>"), questions, ["article"])
    other = evaluate(Bm25(assistant.index.documents), questions[:-2], ["article"])
    assert {len(run.records) for run in on_common([product, other])} == {len(questions) - 2}
    for order, run in enumerate((product, other)):
        run = dataclasses.replace(run, about={"order": order, "questions": "dev"})
        write_run(run, tmp_path / f"{order}", {"answers": list(run.milliseconds), "p50": 1.0, "p50_95": [1, 2], "cold_start": [900.0]})
    speed = list(latency(assistant, questions[:3], tmp_path / "grown", [600]))
    assert [row["chunks"] >= size for row, size in zip(speed, (1, 600), strict=True)] == [True, True]
    text = page(find_runs([tmp_path]), check(assistant.index), speed)
    checker = Checker()
    checker.feed(text)
    assert checker.open == [] and checker.fetched == [] and "url(" not in text and "<script" not in text
    assert "this &lt;project&gt;" in text and "<project>" not in text
    assert text.count("<svg") >= 8 and "prefers-color-scheme:dark" in text and "width=device-width" in text
    assert "cold start 900 ms" in text


def test_questions_of_the_test_split_are_not_shown(assistant: Assistant) -> None:
    questions = read_questions("dev")[:10]
    run = evaluate(Product(assistant), questions, ["article"])
    assert "went wrong" not in page([dataclasses.replace(run, about={"questions": "test"})])
    assert "went wrong" in page([dataclasses.replace(run, about={"questions": "dev"})])


def test_the_command_writes_the_page(assistant: Assistant, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = evaluate(Product(assistant), read_questions("dev")[:5], ["article"])
    write_run(run, tmp_path / "run", {"answers": list(run.milliseconds)})
    (tmp_path / "run" / "speed.json").write_text(json.dumps([{"chunks": 300, "p50": 9, "p50_95": [8, 10], "p95": 20, "p95_95": [15, 25]}]))
    assert cli.main(["report", str(tmp_path / "run"), "--out", str(tmp_path / "page.html")]) == 0
    assert "size of the index" in (tmp_path / "page.html").read_text()
    assert cli.main(["report", str(tmp_path / "none")]) == 1
    assert "no run in" in capsys.readouterr().err
