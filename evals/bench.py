"""An opened assistant with the questions it can be asked, and where its runs are written."""

from __future__ import annotations

import dataclasses
import datetime
import random
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from assistant.assistant import Assistant
from assistant.settings import Settings
from evals.about import about, cold_start, timings
from evals.evaluate import evaluate
from evals.questions import ARTICLE, Question, read_questions
from evals.runs import Run, write_run
from evals.systems import System
from ingest.pipeline import ingest

RUNS = Path("runs")
SEED = 7


@dataclass(frozen=True)
class Bench:
    """What systems are measured with."""

    settings: Settings
    assistant: Assistant
    split: str
    questions: tuple[Question, ...]

    @classmethod
    def open(cls, index: Path | None, split: str) -> Bench:
        """Open the index, brought up to date, and take the questions of a split (or file) on what it holds; says what it skips."""
        settings = Settings.from_environment()
        if index:
            settings = dataclasses.replace(settings, index=index)
        ingest(settings)
        assistant = Assistant.open(settings)
        sources = {source.name for source in assistant.index.sources}
        questions = read_questions(split)
        for source in sorted({q.source for q in questions} - sources):
            count = sum(q.source == source for q in questions)
            print(
                f"skipped {count} questions: the index has no source {source!r}; "
                f"type: python -m ingest --source DIR --name {source}", file=sys.stderr,
            )
        return cls(settings, assistant, split, tuple(q for q in questions if q.source in sources))

    def sampled(self, count: int) -> Bench:
        """The same with at most `count` of the questions, always the same ones, in their order."""
        if count >= len(self.questions):
            return self
        chosen = set(random.Random(SEED).sample(range(len(self.questions)), count))
        return dataclasses.replace(self, questions=tuple(q for i, q in enumerate(self.questions) if i in chosen))

    def on_article(self) -> Bench:
        """The same with the questions on the bundled article only."""
        return dataclasses.replace(self, questions=tuple(q for q in self.questions if q.source == ARTICLE))

    def ask(self, system: System) -> Run:
        """Ask a system the questions."""
        return evaluate(system, progress(self.questions, system.name), [source.name for source in self.assistant.index.sources])

    def measure(self, system: System, folder: Path, cold: int = 0, order: int = 0) -> Run:
        """Ask a system, with `cold` cold starts of the product beside it, and write the run; `order` is its place in a report."""
        run = self.ask(system)
        run = dataclasses.replace(run, about={**about(self.settings, self.assistant.index, self.split), "order": order})
        write_run(run, folder, timings(run.milliseconds, cold_start(self.settings, cold), len(self.assistant.index.chunks)))
        return run

    def measure_all(self, systems: Iterable[System], folder: Path, first: int = 0) -> list[Run]:
        """Measure several systems, each in its own folder below `folder`, in the order of a report."""
        return [
            self.measure(system, folder / system.name.replace(",", "").replace("/", "-").replace(" ", "-"), order=order)
            for order, system in enumerate(systems, first)
        ]


def progress(items: Iterable[Any], name: str, unit: str = "question") -> Any:
    """The items, with a bar on stderr where that is a terminal."""
    return tqdm(items, desc=name, unit=unit, disable=None)


def new_folder(out: Path | None, name: str) -> Path:
    """The folder asked for with --out, or a new one under runs/ named by time and what it holds; never one that is there."""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    wanted = out or RUNS / f"{stamp}-{name}"
    folder, number = wanted, 1
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder
