"""A run: what came of asking a system a set of questions, kept in one folder.

    runs/<name>/records.jsonl   one question a line: answer, citations, ranking, scores
    runs/<name>/summary.json    the figures; the same bytes from run to run
    runs/<name>/timings.json    milliseconds, which are never the same
    runs/<name>/run.json        settings, versions, commit, machine, date
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from assistant.errors import CorpusError
from evals.bootstrap import as_rows, interval
from evals.metrics import METRICS, Metric
from evals.risk import DECLINED

SHOWN = 10
"""Passages of a ranking that a record keeps."""


@dataclass(frozen=True)
class Record:
    """A question with its answer and scores, as written; JSON holds the same fields."""

    id: str
    question: str
    history: tuple[str, ...]
    language: str
    kind: str
    source: str
    set: str
    """Name of the file the question stands in."""
    answerable: bool
    gold: tuple[str, ...]
    key_facts: tuple[str, ...]
    """Alternatives of a fact joined by ' | '."""
    answered: bool
    answer: str
    query: str
    missing: tuple[str, ...]
    """What a declined answer says is missing."""
    citations: tuple[str, ...]
    """'path:first-last', best evidence first."""
    passages: tuple[str, ...]
    """The same, of the ranking's first ten."""
    confidence: float
    """0 to 1."""
    scores: dict[str, float | None]
    """By metric; None is unscored."""

    def row(self, metric: Metric) -> tuple[float, float] | None:
        """Score and rank for the metric's total; None when unscored."""
        value = self.scores.get(metric.name)
        return None if value is None else (value, self.confidence if self.answered else DECLINED)


@dataclass(frozen=True)
class Run:
    """What came of one system and one set of questions."""

    name: str
    records: tuple[Record, ...]
    milliseconds: tuple[float, ...]
    """Of each answer, in the order of the records; empty where they were not kept."""
    about: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Settings, versions, commit, machine, date."""

    @cached_property
    def summary(self) -> dict[str, dict[str, Any]]:
        """Group → metric → figure (see `summarise`)."""
        return summarise(self.records)


def figure(metric: Metric, records: Iterable[Record]) -> tuple[float, tuple[float, float]] | None:
    """A metric of some records and its 95 % interval; None when none of them is scored."""
    rows = [row for record in records if (row := record.row(metric)) is not None]
    if not rows:
        return None
    return float(metric.total(as_rows(rows))), interval(rows, metric.total)


def on_common(runs: Sequence[Run]) -> list[Run]:
    """The runs, each with the questions only that all of them were asked."""
    ids = set.intersection(*({record.id for record in run.records} for run in runs)) if runs else set()
    return [
        run if len(run.records) == len(ids)
        else dataclasses.replace(run, records=tuple(r for r in run.records if r.id in ids), milliseconds=())
        for run in runs
    ]


def groups(records: Sequence[Record]) -> dict[str, list[Record]]:
    """All records, those of each language, of each kind, and of each file of questions where there are several."""
    found = {"all": list(records)}
    names = ["zh", "en", *sorted({r.kind for r in records})]
    sets = sorted({r.set for r in records})
    for name in [*names, *(sets if len(sets) > 1 else [])]:
        if chosen := [r for r in records if name in (r.language, r.kind, r.set)]:
            found[name] = chosen
    return found


def summarise(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Group → metric → figure, and `NAME_95` its interval; unscored metrics are left out."""
    result: dict[str, dict[str, Any]] = {}
    for name, chosen in groups(records).items():
        row: dict[str, Any] = {"questions": len(chosen)}
        for metric in METRICS:
            if (found := figure(metric, chosen)) is not None:
                row[metric.name] = round(found[0], 4)
                row[f"{metric.name}_95"] = [round(end, 4) for end in found[1]]
        result[name] = row
    return result


def write_run(run: Run, folder: Path, timings: dict[str, Any]) -> None:
    """Write a run into a new folder."""
    folder.mkdir(parents=True)
    rows = [json.dumps(dataclasses.asdict(record), ensure_ascii=False, sort_keys=True) for record in run.records]
    (folder / "records.jsonl").write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    for name, value in (("summary", run.summary), ("timings", timings), ("run", {"name": run.name, **run.about})):
        text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=name != "summary")
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def read_run(folder: Path) -> Run:
    """Read what `write_run` wrote; raises CorpusError when it is no run's folder."""
    try:
        rows = [json.loads(line) for line in (folder / "records.jsonl").read_text(encoding="utf-8").splitlines()]
        about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        timings = json.loads((folder / "timings.json").read_text(encoding="utf-8"))
        return Run(about.pop("name"), tuple(_record(row) for row in rows), tuple(timings["answers"]), {**about, "timings": timings})
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise CorpusError(f"{folder} is no folder of a run ({exc}); make one with `python -m evals run`") from exc


def _record(row: dict[str, Any]) -> Record:
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    return Record(**{**row, **lists})
