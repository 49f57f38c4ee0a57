"""Citations: a pointer to lines of a document, with the lines behind them in the language it was written in, and what is known of them."""

from __future__ import annotations

from assistant.datamodels import Chunk, Citation, Document, Segment
from assistant.index import Index


def cite_segment(index: Index, chunk: Chunk, segment: Segment, number: int = 0) -> Citation:
    """The citation of a segment; of a rendition, with the original's own words for it."""
    document = index.document(chunk)
    original = None
    if source_document := index.original(document):
        other = index.counterpart(chunk, source_document.language)
        same = other.segments[chunk.segments.index(segment)] if len(other.segments) == len(chunk.segments) else None
        lines = document.line_at(segment.start), document.line_at(segment.end - 1)
        span = (same.start, same.end) if same else source_document.span_of_lines(*lines)
        original = cite_lines(index, source_document, *span, other.headings, number)
    return cite_lines(index, document, segment.start, segment.end, chunk.headings, number, original)


def cite_lines(
    index: Index, document: Document, start: int, end: int, headings: tuple[str, ...] = (), number: int = 0, original: Citation | None = None
) -> Citation:
    """The citation of the characters `start` to `end` of a document."""
    first, last = document.line_at(start), document.line_at(max(start, end - 1))
    return Citation(
        id=number, source=document.source, path=document.path, start_line=first, end_line=last, start_char=start, end_char=end,
        quote=document.text[start:end], headings=headings, sha256=document.sha256,
        url=index.source(document.source).permalink(document.path, first, last), original=original,
        note=index.note_on(document, first, last),
    )
