"""Command line of the evaluation: `python -m evals [--split dev|test] [--failures] [--json]`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import time
from pathlib import Path

from tqdm import tqdm

from assistant.assistant import Assistant
from assistant.datamodels import Answer, Turn
from assistant.errors import AssistantError
from assistant.settings import Settings
from evals.metrics import Score, interval, score
from evals.questions import Question, read_questions
from ingest.pipeline import ingest

Row = tuple[Question, Answer, Score]


def summary(rows: list[Row]) -> dict[str, float | int | list[float]]:
    """Figures of a set of rows; shares from 0 to 1, `right_95` the interval of `right`."""
    answerable = [row for row in rows if row[0].answerable]
    unanswerable = [row for row in rows if not row[0].answerable]
    answered = [row for row in answerable if row[1].answered]

    def share(values: list[bool]) -> float:
        return round(sum(values) / len(values), 3) if values else 0.0

    right = [row[2].right for row in answerable]
    return {
        "questions": len(rows),
        "right": share(right),
        "right_95": [round(x, 3) for x in interval([float(r) for r in right])],
        "declined_rightly": share([row[2].right for row in unanswerable]),
        "declined_wrongly": share([not row[1].answered for row in answerable]),
        "first_citation": share([row[2].first_gold for row in answered]),
        "off_gold": round(statistics.fmean([row[2].off_gold for row in answered]), 3) if answered else 0.0,
        "median_characters": int(statistics.median([row[2].length for row in answered])) if answered else 0,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals", description="Measure the answers on the questions of evals/data.")
    parser.add_argument("--split", choices=["dev", "dev2", "dev3", "test"], default="dev", help="test is looked at only to report")
    parser.add_argument("--failures", action="store_true", help="list what failed (development split only)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--index", type=Path, help="folder of the index")
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        if options.index:
            settings = dataclasses.replace(settings, index=options.index)
        ingest(settings)
        assistant = Assistant.open(settings)
        rows, times = [], []
        for question in tqdm(read_questions(options.split), desc=options.split, unit="question", disable=None):
            begin = time.perf_counter()
            answer = assistant.ask(question.question, [Turn(q) for q in question.history])
            times.append((time.perf_counter() - begin) * 1000)
            rows.append((question, answer, score(question, answer)))
    except AssistantError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    groups = {"all": rows} | {
        name: chosen
        for name in ["zh", "en", *sorted({row[0].kind for row in rows})]
        if (chosen := [row for row in rows if name in (row[0].language, row[0].kind)])
    }
    result = {name: summary(chosen) for name, chosen in groups.items()}
    if options.json:
        print(json.dumps(result))
    else:
        for name, figures in result.items():
            print(f"{name:12}", "  ".join(f"{key} {value}" for key, value in figures.items()))
        print(f"median {statistics.median(times):.1f} ms")
    if options.failures and options.split == "dev":
        for question, answer, mark in rows:
            if not mark.right:
                print(f"\n{question.id} {question.kind} {question.question!r} {list(question.history) or ''}\n  gold {sorted(question.gold)} "
                      f"facts {question.key_facts} query {answer.query!r}\n  cited {[c.start_line for c in answer.citations]} {answer.answer[:200]!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
