"""Plain text and reStructuredText → paragraphs under their underlined titles, with exact offsets."""

from __future__ import annotations

import re

from assistant.datamodels import Chunk, Document, Segment
from ingest.markdown import sentences

PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
UNDERLINE = re.compile(r"([^\w\s])\1{2,}\s*")
DIRECTIVE = re.compile(r"\.\. ")
LONGEST = 4_000
"""Characters of a chunk: a table of ten thousand lines without a blank one is no passage."""


def chunk_plain(document: Document) -> list[Chunk]:
    """Cut a text into paragraphs; a line above a row of equal marks is a title."""
    chunks: list[Chunk] = []
    headings: list[tuple[str, str]] = []
    for match in PARAGRAPH.finditer(document.text):
        start, end = match.span()
        lines = [line for line in match.group().split("\n") if not UNDERLINE.fullmatch(line)]
        mark = next((found[1] for line in match.group().split("\n") if (found := UNDERLINE.fullmatch(line))), None)
        if not lines or DIRECTIVE.match(match.group()):
            continue
        if mark and len(lines) == 1:
            known = [level for level, _ in headings]
            headings = [*headings[: known.index(mark) if mark in known else len(headings)], (mark, lines[0].strip())]
            continue
        for first in range(start, end, LONGEST):
            last = min(end, first + LONGEST)
            spans = sentences(document.text, first, last)
            text = document.text[first:last]
            chunks.append(
                Chunk(
                    id=Chunk.make_id(document.source, document.path, "paragraph", first, text), source=document.source,
                    path=document.path, language=document.language, kind="paragraph", start=first, end=last,
                    start_line=document.line_at(first), end_line=document.line_at(last - 1), text=text,
                    headings=tuple(title for _, title in headings), segments=tuple(Segment("sentence", *span) for span in spans),
                )
            )
    return [chunk for chunk in chunks if chunk.segments]
