"""Which files of a folder are read: what kind each is, and what is left out unless asked for.

A pattern without a slash is matched against a file's name, one with a slash against its path inside
the source; `*` stays within a name, `**` crosses directories. Case is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

FileKind = Literal["markdown", "plain", "go", "makefile", "owners"]

LEFT_OUT: tuple[tuple[str, str], ...] = (
    ("CHANGELOG*/CHANGELOG-*", "changelog"),
    ("**/CHANGELOG/CHANGELOG-*", "changelog"),
    ("CHANGELOG-*.md", "changelog"),
    ("vendor/**", "other projects' code"),
    ("**/vendor/**", "other projects' code"),
    ("Godeps/**", "other projects' code"),
    ("third_party/**", "other projects' code"),
    ("**/third_party/**", "other projects' code"),
    ("**/node_modules/**", "other projects' code"),
    ("LICENSES/**", "licence text"),
    ("LICENSE*", "licence text"),
    ("**/testdata/**", "test data"),
    ("**/testfiles/**", "test data"),
    ("code-of-conduct.md", "boilerplate"),
    ("code_of_conduct.md", "boilerplate"),
    ("*TEMPLATE*.md", "boilerplate"),
    ("**/ISSUE_TEMPLATE/**", "boilerplate"),
    ("*boilerplate*.txt", "boilerplate"),
    ("zz_generated*", "generated code"),
    ("*.pb.go", "generated code"),
    ("*_test.go", "tests of code"),
)
"""Left out by default, with the reason; `--include PATTERN` brings files back."""

KINDS: tuple[tuple[str, FileKind], ...] = (
    ("*.md", "markdown"),
    ("*.markdown", "markdown"),
    ("*.rst", "plain"),
    ("*.txt", "plain"),
    ("*.go", "go"),
    ("Makefile", "makefile"),
    ("GNUmakefile", "makefile"),
    ("OWNERS", "owners"),
    ("OWNERS_ALIASES", "owners"),
)
"""What is read, and as what; `--include PATTERN` reads anything else as plain text."""


@dataclass(frozen=True)
class Choice:
    """The patterns of one source: `exclude` beats `include`, which beats what is left out by default."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def kind_of(self, path: str) -> FileKind | None:
        """As what a file is read; None when it is not."""
        if matches(path, self.exclude):
            return None
        asked = matches(path, self.include)
        if not asked and left_out(path):
            return None
        name = path.rsplit("/", 1)[-1]
        for pattern, kind in KINDS:
            if matches(name, (pattern,)):
                return kind
        return "plain" if asked else None


@lru_cache(maxsize=1_000)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """Expressions for names and for paths."""
    names = [_expression(pattern) for pattern in patterns if "/" not in pattern]
    paths = [_expression(pattern) for pattern in patterns if "/" in pattern]
    return tuple(re.compile("|".join(found), re.I) if found else None for found in (names, paths))  # type: ignore[return-value]


def matches(path: str, patterns: Sequence[str]) -> bool:
    """Whether a path fits one of the patterns."""
    name, whole = _compiled(tuple(patterns))
    return bool((name and name.fullmatch(path.rsplit("/", 1)[-1])) or (whole and whole.fullmatch(path)))


_DEFAULTS = tuple(pattern for pattern, _ in LEFT_OUT)
_REASONS = tuple((why, tuple(p for p, w in LEFT_OUT if w == why)) for why in dict.fromkeys(why for _, why in LEFT_OUT))


def left_out(path: str) -> str | None:
    """Why a file is left out by default; None when it is not."""
    return next(why for why, patterns in _REASONS if matches(path, patterns)) if matches(path, _DEFAULTS) else None


def _expression(pattern: str) -> str:
    expression = ""
    for piece in re.split(r"(\*\*/|\*\*|\*|\?)", pattern.strip("/") if "/" in pattern.strip("/") else pattern):
        expression += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece) or re.escape(piece)
    return f"(?s:{expression})"
