"""Judgements of relevance beside the gold, read from `evals/data/*.qrels`: whether a statement answers a question.

The gold of a question lies in its own source; a judgement may tell of any statement that the engine would have liked to give.
The form is TREC's (qrels): `ID 0 SOURCE:PATH:START GRADE`, where START is the statement's first character in its document.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from pathlib import Path

from assistant.errors import CorpusError
from evals.questions import DATA

Place = tuple[str, str, int]
"""Source, path and first character of a statement, as `Candidate.place`."""


class Grade(IntEnum):
    """How far a statement answers a question."""

    NO = 0
    PARTLY = 1
    YES = 2


@cache
def read_judgements(data: Path = DATA) -> Mapping[str, Mapping[Place, Grade]]:
    """The judgements of each question, by its id; raises CorpusError naming file and line of a bad one."""
    found: dict[str, dict[Place, Grade]] = {}
    for path in sorted(data.glob("*.qrels")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                id_, _, rest = line.split(" ", 2)
                place, grade = rest.rsplit(" ", 1)
                source, where = place.split(":", 1)
                name, start = where.rsplit(":", 1)
                found.setdefault(id_, {})[source, name, int(start)] = Grade(int(grade))
            except ValueError as exc:
                raise CorpusError(f"{path}:{number} is no judgement 'ID 0 SOURCE:PATH:START GRADE' ({exc})") from exc
    return found
