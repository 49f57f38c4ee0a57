"""Makefile targets with their help: a comment above the target, `target: ## help`, or Kubernetes' `define X_HELP_INFO` blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from assistant.datamodels import Chunk, Document, Segment
from ingest.markdown import sentences

RULE = re.compile(r"^(?P<names>[A-Za-z0-9][\w./-]*(?:[ \t]+[A-Za-z0-9][\w./-]*)*)[ \t]*::?(?![=:])(?P<rest>[^\n]*)")
DEFINE = re.compile(r"^define[ \t]+(?P<name>\w+)_HELP_INFO\b")
SAME_LINE = re.compile(r"##\s*(?P<help>\S.*\S|\S)")
MARK = re.compile(r"^([ \t]*#+[ \t]?)", re.M)
BETWEEN = re.compile(r"^(\.PHONY|ifeq|ifneq|ifdef|ifndef|else|endif|endef|\t|$|@)")
"""Lines that may stand between a help text and its target."""


def chunk_makefile(document: Document) -> list[Chunk]:
    """One chunk for each target that has help: the help and the line that defines the target."""
    found: dict[str, Chunk] = {}
    for name, start, end, rule_end in _helped(document):
        if name not in found and (chunk := _chunk(document, name, start, end, rule_end)):
            found[name] = chunk
    return list(found.values())


def _helped(document: Document) -> Iterator[tuple[str, int, int, int]]:
    """Target, span of its help, and end of the line of its rule."""
    text, starts = document.text, [*document.line_starts, len(document.text) + 1]
    comment: tuple[int, int] | None = None
    defined: tuple[int, int] | None = None
    owner: str | None = None
    in_define = False
    for start, after in pairwise(starts):
        line = text[start : after - 1].rstrip("\r")
        end = start + len(line)
        if in_define:
            if line.startswith("endef"):
                in_define = False
            elif line.startswith("#"):
                defined = (defined[0] if defined else start, end)
            continue
        if DEFINE.match(line):
            in_define, defined, comment, owner = True, None, None, None
        elif rule := RULE.match(line):
            same = SAME_LINE.search(line)
            if owner is not None and owner != rule["names"]:
                defined = None  # a help block is for the target below it, which both branches of an `ifeq` define
            owner = rule["names"] if defined else None
            span = (start + same.start("help"), start + same.end("help")) if same else defined or comment
            for name in rule["names"].split() if span else []:
                yield name, *span, end  # type: ignore[misc]
            comment = None
        elif line.startswith("#"):
            comment = (comment[0] if comment else start, end)
        elif not BETWEEN.match(line):
            comment = defined = None
        elif not line:
            comment = None


def _chunk(document: Document, name: str, start: int, end: int, rule_end: int) -> Chunk | None:
    last = max(end, rule_end)
    text = document.text[start:last]
    bare = MARK.sub(lambda match: " " * len(match.group()), document.text[start:end])
    head = re.split(r"\n[ \t]*\n|\n[ \t]*(?:Args|Example)s?:", bare)[0]
    spans = sentences(head, 0, len(head))
    if not spans or not re.search(r"\w{2}", head):
        return None
    note = " ".join(head[spans[0][0] : spans[0][1]].split())
    return Chunk(
        id=Chunk.make_id(document.source, document.path, f"target {name}", start, text), source=document.source, path=document.path,
        language=document.language, kind="target", start=start, end=last, start_line=document.line_at(start),
        end_line=document.line_at(max(start, last - 1)), text=text, headings=(f"make {name}",),
        segments=tuple(Segment("sentence", start + a, start + b) for a, b in spans), name=name, note=note,
    )
