"""Directory listings inside code blocks: each line becomes an entry with its full path and remark.

Read are `|------run.sh  // remark` (two dashes for the first level, four more for each below) and the
`├── name  # remark` that tree(1) prints. Knows nothing of Markdown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DASHED = re.compile(r"\|(?P<dashes>-{2,})\s?(?P<name>[^\s/][^\s]*?)/?\s*(?:(?://|#)\s*(?P<note>.*\S))?\s*")
DRAWN = re.compile(r"(?P<indent>(?:[│|]?[\s ]{2,3})*)[├└|`][─-]{2}\s?(?P<name>\S+?)/?\s*(?:(?://|#)\s*(?P<note>.*\S))?\s*")
ELLIPSIS = re.compile(r"[.…]{2,}")
FEWEST = 3
"""Lines that must look like entries before a block counts as a listing."""


@dataclass(frozen=True)
class Entry:
    """One line of a listing."""

    path: str
    note: str | None
    line: int
    """0-based, inside the block."""
    children: tuple[str, ...]


def parse_listing(block: str) -> list[Entry]:
    """Read the entries of a block, in order; empty when it is no directory listing."""
    rows: list[tuple[int, str, str | None, int]] = []
    lines = block.split("\n")
    for number, line in enumerate(lines):
        if match := DASHED.fullmatch(line):
            depth = (len(match["dashes"]) + 2) // 4
        elif match := DRAWN.fullmatch(line):
            depth = len(match["indent"]) // 4 + 1
        else:
            continue
        if not ELLIPSIS.fullmatch(match["name"]):
            rows.append((depth, match["name"], match["note"], number))
    if len(rows) < FEWEST or len(rows) * 2 < sum(1 for line in lines if line.strip()):
        return []
    return _with_paths(rows)


def _with_paths(rows: list[tuple[int, str, str | None, int]]) -> list[Entry]:
    above: list[tuple[int, str]] = []
    paths: list[str] = []
    children: dict[str, list[str]] = {}
    for depth, name, _, _ in rows:
        while above and above[-1][0] >= depth:
            above.pop()
        parent = above[-1][1] if above else ""
        path = f"{parent}/{name}" if parent else name
        children.setdefault(parent, []).append(path)
        above.append((depth, path))
        paths.append(path)
    return [
        Entry(path, note, line, tuple(children.get(path, ())))
        for path, (_, _, note, line) in zip(paths, rows, strict=True)
    ]
