"""Questions with gold lines and key facts, read from every `evals/data/*.jsonl`.

The split stands in the file's name (`article-dev2.jsonl`) or in a row's field `split`. Nothing here
knows of answers; `evals/lint.py` holds the questions against the material.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from assistant.datamodels import Language
from assistant.errors import CorpusError

DATA = Path(__file__).parent / "data"
ARTICLE = "article"
SPLITS = ("train", "dev", "test")
NAMED_SPLIT = re.compile(r"-(train|dev|test)(?![a-z])")


@dataclass(frozen=True)
class Gold:
    """Lines that hold (a part of) the answer, or a whole file or directory."""

    path: str | None
    """Inside the source, posix; None means the bundled article, whose renditions share their lines."""
    start: int | None = None
    """1-based; None means all of the file, or a directory, which has no lines."""
    end: int | None = None

    def holds(self, path: str, start: int | None, end: int | None) -> bool:
        """Whether the lines `start` to `end` of `path` (None: a directory) touch this place."""
        if self.path is not None and self.path.rstrip("/") != path.rstrip("/"):
            return False
        if self.start is None:
            return True
        return start is not None and end is not None and start <= (self.end or self.start) and self.start <= end

    def __str__(self) -> str:
        lines = "" if self.start is None else f"{self.start}" if self.end in (None, self.start) else f"{self.start}-{self.end}"
        return lines if self.path is None else f"{self.path}:{lines}" if lines else self.path


@dataclass(frozen=True)
class Question:
    """A question and what a right answer to it must hold."""

    id: str
    question: str
    history: tuple[str, ...]
    language: Language
    kind: str
    answerable: bool
    gold: tuple[Gold, ...]
    """Places, any of which may be cited."""
    key_facts: tuple[tuple[str, ...], ...]
    """Facts, each a tuple of alternatives of which one must stand in the answer."""
    source: str = ARTICLE
    """Name of the source that holds the answer, or lacks it."""
    expect_absent: bool = False
    """The thing asked for is not there: a right answer says so, or declines."""
    asks: str | None = None
    """What a question on a tree asks of it, one of `assistant.asks.ASKS`; None where nobody said."""
    set: str = ""
    """Name of the file it stands in, without its ending."""

    @property
    def lines(self) -> frozenset[int]:
        """The gold lines of the article; empty for a question on another source."""
        return frozenset(n for g in self.gold if g.path is None and g.start for n in range(g.start, (g.end or g.start) + 1))

    def holds(self, source: str, path: str, start: int | None, end: int | None) -> frozenset[int]:
        """Positions of the gold places that these lines touch."""
        if source != self.source:
            return frozenset()
        return frozenset(i for i, gold in enumerate(self.gold) if gold.holds(path, start, end))


def read_questions(split: str, data: Path | None = None) -> list[Question]:
    """Read the questions of a split ('dev': all its files) or of one file by its name, whole or its end ('dev2').

    In the order of the files' names. Raises CorpusError naming file and line of a bad row, or when there is no such split.
    """
    found = [
        question for path in sorted((data or DATA).glob("*.jsonl")) for own, question in _read(path)
        if split == own or (split not in SPLITS and (path.stem == split or path.stem.endswith(f"-{split}")))
    ]
    if not found:
        raise CorpusError(f"there are no questions {split!r} in {data or DATA}; give train, dev, test or the name of a file")
    return found


def on_places(question: Question) -> bool:
    """Whether a right answer is a directory, or what one holds; or would be, were there one."""
    return question.kind == "where" or question.asks in ("where", "holds", "exists", "purpose") or (question.kind == "tree" and not question.answerable)


def _read(path: Path) -> Iterator[tuple[str, Question]]:
    named = NAMED_SPLIT.search(path.stem)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise CorpusError(f"{path} cannot be read ({exc.strerror})") from exc
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            split = row.get("split") or (named and named.group(1))
            if split not in SPLITS:
                raise ValueError("no split: name the file *-train.jsonl, *-dev.jsonl or *-test.jsonl, or give the field 'split'")
            yield split, _question(row, path.stem)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise CorpusError(f"{path}:{number} is no question record ({exc})") from exc


def _question(row: dict[str, Any], name: str) -> Question:
    if row["language"] not in get_args(Language) or not isinstance(row["answerable"], bool):
        raise ValueError("language is zh or en, answerable is true or false")
    return Question(
        row["id"], row["question"], tuple(row["history"]), row["language"], row["kind"], row["answerable"],
        tuple(_gold(place) for place in row["gold"]), tuple(tuple(fact) for fact in row["key_facts"]), row.get("source", ARTICLE),
        bool(row.get("expect_absent")), row.get("asks"), name,
    )


def _gold(place: int | dict[str, Any]) -> Gold:
    if isinstance(place, int):
        return Gold(None, place, place)
    start, end = place.get("lines") or (None, None)
    return Gold(place["path"], start, end)
