"""Verification: does a statement stand in its cited lines; do citations still read as they did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from assistant.datamodels import Citation, Verdict
from assistant.evidence import Asked, Reader, word_weight
from assistant.query import units
from assistant.text import CODE, detect_language, fold, stem, words

Standing = Literal["exact", "moved", "changed", "missing"]
HARD = re.compile(r"[/_=.]|\d|^--?[a-z]|-")
COVERED = 0.72
"""Share of a statement's words, by weight, that its lines must support; `python -m evals verifier` shows both errors."""
PARTLY = 0.5
NAMES = frozenset({"component", "tool", "directory", "script", "acronym", "command"})
"""Kinds of term that must stand in the cited lines, under any of their names."""
NUMBERS = {
    "one": 1, "single": 1, "一个": 1, "单个": 1, "two": 2, "both": 2, "two-part": 2, "两": 2, "二": 2, "three": 3, "三": 3,
    "four": 4, "四": 4, "five": 5, "五": 5, "six": 6, "六": 6, "seven": 7, "七": 7, "eight": 8, "八": 8, "nine": 9, "九": 9,
    "ten": 10, "十": 10, "second": 2, "第二": 2, "double": 2,
}
COUNTED_ZH = re.compile(r"([一二两三四五六七八九十])(?=[个种类条台部项份次])|第([二三四五六七八九十])")
DENIAL = re.compile(
    r"\b(not|no|never|cannot|without|neither|nor|none)\b|n[\'’]t\b"
    r"|(?<![^\s])non-|不(?!同|仅|但|断|过|少|管|论|止|久|得不|妨|用于说)|没有?|无(?!论|状态|服务|线|缝)|并非|未(?!来|必)|勿|别(?=再|去|用)"
)


def hard_tokens(text: str) -> list[str]:
    """Paths, options, numbers, versions and hyphenated names: what must stand to the letter; folded."""
    return [token for m in CODE.finditer(fold(text)) if HARD.search(token := m.group().strip("./:"))]


def verify_statement(text: str, citations: Sequence[Citation], reader: Reader) -> Verdict:
    """Judge a statement against its cited lines and the headings above them.

    'unsupported' when it cites nothing; when a path, option, number, version or known name stands in no
    cited line; or when it denies what they affirm, or the other way round. Else by the share of its
    words that the lines support: a word supports itself, a term itself in either language, similar
    words in part. Who does what to whom is not checked: two names changed places go through.
    """
    if not citations:
        return "unsupported"
    quotes = " \n".join(c.quote for c in citations)
    evidence = " \n".join(" ".join([c.quote, *c.headings, c.path if c.start_line is None else ""]) for c in citations)
    if fold(text).strip("。. ") in fold(quotes):
        return "supported"
    bag = reader.read(evidence)
    if _lacks_a_name(text, evidence, reader) or _numbers(text) - _numbers(evidence) or _denies_otherwise(text, quotes):
        return "unsupported"
    asked = [unit for unit in units(fold(text), reader.terms) if not unit.generic]
    weights = [min(6.0, word_weight(unit.text)) for unit in asked]
    covered = float(np.array(weights) @ Asked(asked).supports(bag)) if asked else 0.0
    share = covered / sum(weights) if weights else 0.0
    return "supported" if share >= COVERED else "partial" if share >= PARTLY else "unsupported"


def _lacks_a_name(text: str, evidence: str, reader: Reader) -> bool:
    """Whether the text holds a hard token or a known name that the evidence does not."""
    known = set(hard_tokens(evidence)) | {m.group().strip("./:") for m in CODE.finditer(fold(evidence))}
    pieces = {piece for token in known for piece in token.split("/")}
    folded, said = fold(text), reader.read(evidence).keys
    names = [m for m in reader.terms.find(folded) if m.term.kind in NAMES and "/" not in folded[m.start : m.end]]
    if any(f"term:{mention.term.id}" not in said for mention in names):
        return True
    spelt = {token for m in names for token in CODE.findall(folded[m.start : m.end])}
    return any(
        token not in known and token not in spelt and not all(part in pieces for part in token.split("/"))
        for token in hard_tokens(text)
    )


def _numbers(text: str) -> set[int]:
    """Numbers from 2 that a text counts with, in figures or in words of either language."""
    folded = fold(text)
    found = {int(m.group()) for m in re.finditer(r"(?<![\w./:-])\d{1,9}(?![\w./:-])|(?<![\w./:-])\d{1,9}(?=[一-鿿])", folded)}
    found |= {NUMBERS[word] for word in re.findall(r"[a-z-]+", folded) if word in NUMBERS}
    found |= {NUMBERS.get(a or b, 1) for a, b in COUNTED_ZH.findall(folded)}
    return {number for number in found if number > 1}


def _denies_otherwise(text: str, quotes: str) -> bool:
    """Whether one of the two denies and the other does not, or, in one language, they deny different things."""
    said, there = _denied(text), _denied(quotes)
    if bool(said) != bool(there):
        return True
    return detect_language(text) == detect_language(quotes) and not said <= there


def _denied(text: str) -> set[str]:
    """The first word that means something after each denial, by its stem."""
    folded = fold(text)
    denied = set()
    for match in DENIAL.finditer(folded):
        after = (word.text for word in words(folded[match.end() : match.end() + 30]) if not word.is_stop)
        denied.add(stem(next(after, "")))
    return denied


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
