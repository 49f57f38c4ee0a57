"""The package comment of a Go file: what stands directly above its `package` clause (https://go.dev/doc/comment)."""

from __future__ import annotations

import re

from assistant.datamodels import Chunk, Document, Segment
from ingest.markdown import sentences

CLAUSE = re.compile(r"^package[ \t]+\w+", re.M)
LINES = re.compile(r"(?:^[ \t]*//[^\n]*\n)+\Z", re.M)
BLOCK = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\r?\n\Z", re.M | re.S)
DIRECTIVE = re.compile(r"[ \t]*//(?:[a-z0-9]+:\S|\s*\+\w|[ \t]*import \")")
"""`//go:build`, `// +k8s:deepcopy-gen=package`: for tools, not for readers."""
LICENCE = re.compile(r"\bcopyright\b.*\d{4}|licensed under the|SPDX-License", re.I)
MARKER = re.compile(r"^[ \t]*(?://|/?\*+/?)?[ \t]*", re.M)
PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
OPENS = re.compile(r"^[ \t]*/\*", re.M)


def package_comment(text: str) -> tuple[int, int] | None:
    """Span of the package comment, its directives left off at both ends; None when there is none."""
    clause = CLAUSE.search(text)
    while clause and _inside_block(text, clause.start()):
        clause = CLAUSE.search(text, clause.end())
    if clause is None:
        return None
    above = text[: clause.start()]
    match = LINES.search(above) or BLOCK.search(above)
    if match is None or LICENCE.search(match.group()):
        return None
    start, end = match.span()
    lines = [(m.start() + start, m.end() + start) for m in re.finditer(r"[^\n]+\n?", text[start:end])]
    kept = [(a, b) for a, b in lines if re.search(r"\w", text[a:b]) and not DIRECTIVE.match(text[a:b])]
    return (kept[0][0], kept[-1][1]) if kept else None


def chunk_go(document: Document) -> list[Chunk]:
    """The chunk of a Go file's package comment, named by its directory; none without a comment."""
    span = package_comment(document.text)
    if span is None:
        return []
    start, end = span
    body = document.text[start:end]
    start, end = start + len(body) - len(body.lstrip()), start + len(body.rstrip())
    text = document.text[start:end]
    bare = MARKER.sub(lambda match: " " * len(match.group()), text).replace("*/", "  ")
    segments = [
        Segment("sentence", start + first, start + last)
        for paragraph in PARAGRAPH.finditer(bare)
        for first, last in sentences(bare, paragraph.start(), paragraph.end())
    ]
    folder = document.path.rsplit("/", 1)[0] if "/" in document.path else "."
    if not segments:
        return []
    return [
        Chunk(
            id=Chunk.make_id(document.source, document.path, "package", start, text), source=document.source, path=document.path,
            language=document.language, kind="package", start=start, end=end, start_line=document.line_at(start),
            end_line=document.line_at(max(start, end - 1)), text=text, headings=(folder,), segments=tuple(segments), name=folder,
        )
    ]


def _inside_block(text: str, position: int) -> bool:
    """Whether a place stands inside a block comment that begins on a line of its own."""
    opened = [match.start() for match in OPENS.finditer(text, 0, position)]
    return bool(opened) and "*/" not in text[opened[-1] : position]
