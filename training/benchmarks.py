"""What the model is measured on: questions, the units to find, and which of them are right."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.datamodels import Language
from evals.questions import Question, read_questions
from ingest.corpus import bundled_folder, read_corpus

LANGUAGES: tuple[Language, ...] = ("zh", "en")
HELD_OUT_SHARE = 20
"""One heading in so many is kept from training and measured."""


@dataclass(frozen=True)
class Benchmark:
    """Questions in one language over units in one language."""

    task: str
    direction: str
    """'en→zh': English questions, Chinese units."""
    queries: tuple[str, ...]
    units: tuple[str, ...]
    relevant: tuple[frozenset[int], ...]
    """Positions in `units` that answer each query, at least one."""


def development_questions() -> list[Question]:
    """Read the development questions that a line of the article answers and that stand alone.

    Questions on other sources have no gold line here and would count as missed; a follow-up names its
    subject in an earlier question.
    """
    return [q for q in read_questions("dev") if q.answerable and not q.history and q.lines]


def article() -> Iterator[Benchmark]:
    """Yield the development questions over the lines of the bundled article, four directions."""
    questions = development_questions()
    for document in read_corpus(bundled_folder()).documents:
        lines = {number: line.strip() for number, line in enumerate(document.text.splitlines(), 1) if line.strip()}
        place = {number: position for position, number in enumerate(lines)}
        for language in LANGUAGES:
            asked = [q for q in questions if q.language == language]
            relevant = tuple(frozenset(place[number] for number in q.lines if number in place) for q in asked)
            yield Benchmark(
                "article", f"{language}→{document.language}", tuple(q.question for q in asked), tuple(lines.values()), relevant
            )


def is_held_out(title_and_heading: str) -> bool:
    """Whether a heading is kept from training."""
    return zlib.crc32(title_and_heading.encode()) % HELD_OUT_SHARE == 0


def sections(data: Path) -> Iterator[Benchmark]:
    """Yield held-out headings over the sections below them, each language on its own.

    A section that stands under several headings is right for each of them.
    """
    rows = [row for row in read_records(data) if "title_and_heading" in row and is_held_out(row["title_and_heading"])]
    for language in LANGUAGES:
        chosen = [row for row in rows if row["lang"] == language]
        units = tuple(dict.fromkeys(row["body"] for row in chosen))
        place = {body: position for position, body in enumerate(units)}
        wanted: dict[str, set[int]] = {}
        for row in chosen:
            wanted.setdefault(row["title_and_heading"], set()).add(place[row["body"]])
        if wanted:
            yield Benchmark(
                "sections", f"{language}→{language}", tuple(wanted), units, tuple(frozenset(w) for w in wanted.values())
            )


def xquad(folder: Path) -> Iterator[Benchmark]:
    """Yield XQuAD (Artetxe et al. 2020, CC BY-SA 4.0), questions over paragraphs, four directions.

    `folder` holds xquad.en.json and xquad.zh.json, the same questions and paragraphs in the same order.
    """
    read = {language: _paragraphs(folder / f"xquad.{language}.json") for language in LANGUAGES}
    for asked in LANGUAGES:
        queries = tuple(question for _, questions in read[asked] for question in questions)
        relevant = tuple(frozenset([i]) for i, (_, questions) in enumerate(read[asked]) for _ in questions)
        for language in LANGUAGES:
            yield Benchmark("xquad", f"{asked}→{language}", queries, tuple(text for text, _ in read[language]), relevant)


def read_records(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of every `*.jsonl` and `*.jsonl.gz` of a folder, files in name order."""
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")]):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _paragraphs(path: Path) -> list[tuple[str, list[str]]]:
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    return [(p["context"], [qa["question"] for qa in p["qas"]]) for a in articles for p in a["paragraphs"]]
