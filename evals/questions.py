"""Questions with gold lines and key facts, read from `evals/data/*.jsonl`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from assistant.datamodels import Language
from assistant.errors import CorpusError

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Question:
    """A question and what a right answer to it must hold."""

    id: str
    question: str
    history: tuple[str, ...]
    language: Language
    kind: str
    answerable: bool
    gold: frozenset[int]
    """Lines of the article, any of which may be cited."""
    key_facts: tuple[tuple[str, ...], ...]
    """Facts, each a tuple of alternatives of which one must stand in the answer."""


def read_questions(split: str) -> list[Question]:
    """Read the questions of a split ('dev' or 'test'); raises CorpusError naming file and line of a bad one."""
    path = DATA / f"article-{split}.jsonl"
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise CorpusError(f"{path} cannot be read ({exc.strerror})") from exc
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            found.append(
                Question(
                    row["id"], row["question"], tuple(row["history"]), row["language"], row["kind"], row["answerable"],
                    frozenset(row["gold"]), tuple(tuple(fact) for fact in row["key_facts"]),
                )
            )
        except (ValueError, KeyError, TypeError) as exc:
            raise CorpusError(f"{path}:{number} is no question record ({exc})") from exc
    return found
