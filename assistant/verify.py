"""Verification: does a statement stand in its cited lines; do citations still read as they did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from assistant.datamodels import Citation, Verdict
from assistant.evidence import Reader, word_weight
from assistant.query import Unit
from assistant.text import CODE, fold

Standing = Literal["exact", "moved", "changed", "missing"]
HARD = re.compile(r"[/_=.]|\d|^--?[a-z]|-")
COVERED = 0.75
"""Share of a statement's words, by weight, that its lines must support."""
PARTLY = 0.5


def hard_tokens(text: str) -> list[str]:
    """Paths, options, numbers, versions and hyphenated names: what must stand to the letter; folded."""
    return [token for m in CODE.finditer(fold(text)) if HARD.search(token := m.group().strip("./:"))]


def verify_statement(text: str, citations: Sequence[Citation], reader: Reader) -> Verdict:
    """Judge a statement against its cited lines and the headings above them.

    'unsupported' when it cites nothing or a hard token stands in no cited line.
    """
    evidence = " \n".join(" ".join([c.quote, *c.headings, c.path if c.start_line is None else ""]) for c in citations)
    if not citations:
        return "unsupported"
    folded = fold(evidence)
    known = set(hard_tokens(evidence)) | {m.group().strip("./:") for m in CODE.finditer(folded)}
    pieces = {piece for token in known for piece in token.split("/")}
    for token in hard_tokens(text):
        if token not in known and not all(part in pieces for part in token.split("/")):
            return "unsupported"
    bag, words = reader.read(evidence), reader.read(text).words
    weights = [word_weight(word) for word in words]
    covered = sum(w * bag.support(Unit(word, word)) for w, word in zip(weights, words, strict=True))
    share = covered / sum(weights) if weights else 0.0
    return "supported" if share >= COVERED else "partial" if share >= PARTLY else "unsupported"


def recheck(quote: str, start_char: int, text: str | None) -> tuple[Standing, int | None]:
    """Find a citation's quote in a file's present text: its standing, and where it begins now.

    'moved' means that the quote stands elsewhere, once or nearest to where it was.
    """
    if text is None:
        return "missing", None
    if text[start_char : start_char + len(quote)] == quote:
        return "exact", start_char
    places = [m.start() for m in re.finditer(re.escape(quote), text)] if quote else []
    if places:
        return "moved", min(places, key=lambda place: abs(place - start_char))
    return "changed", None


def read_text(path: Path) -> str | None:
    """Text of a file; None when it is missing or no UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
