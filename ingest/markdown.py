"""Markdown → chunks that follow the document's structure, with exact offsets.

markdown-it-py says which lines a block spans; the text is always sliced from the file. A list or a
code block stays with the sentence that leads into it, a list inside a list or a code block in one
with the sentence of the item; a directory listing becomes entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistant.datamodels import Chunk, ChunkKind, Document, Segment
from ingest.listing import parse_listing

CHUNKER = "structure-3"
"""Version of the chunks; an index made with another one is made anew."""

FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?^---[ \t]*\r?$", re.S | re.M)
NO_LINE_BREAK = re.compile(r"\r(?!\n)|\A\ufeff")
"""A lone carriage return, which the parser takes for the end of a line and a file's lines do not, and a byte order mark."""
COMMENT = re.compile(r"<!--.*?-->", re.S)
SENTENCE_END = re.compile(
    r"(?<=[。！？])(?![”’」』）)])\s*|(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)\s+(?=[A-Z\"“(`\[*_0-9一-鿿]|[a-z]+-|kube|k8s)"
)
LIST_MARK = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")
SHELL_PROMPT = re.compile(r"[$#]\s+")


def chunk_markdown(document: Document) -> list[Chunk]:
    """Cut a document into chunks, in reading order; `document.text[c.start:c.end] == c.text`."""
    return list(_Chunker(document).chunks())


def sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of the sentences in `text[start:end]`, without the space around them."""
    spans: list[tuple[int, int]] = []
    first = start
    cuts = [(start + m.start(), start + m.end()) for m in SENTENCE_END.finditer(text[start:end])] + [(end, end)]
    for cut, after in cuts:
        stripped = text[first:cut]
        left = len(stripped) - len(stripped.lstrip())
        if stripped.strip():
            spans.append((first + left, first + left + len(stripped.strip())))
        first = after
    return spans


class _Chunker:
    """Walks the blocks of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        masked = FRONT_MATTER.sub(_blank, NO_LINE_BREAK.sub(" ", self.text), count=1)
        self.tokens = MarkdownIt("commonmark").enable("table").parse(COMMENT.sub(_blank, masked))
        self.headings: list[tuple[int, str]] = []
        self.lead: tuple[int, int] | None = None

    def chunks(self) -> Iterator[Chunk]:
        depth = 0
        for i, token in enumerate(self.tokens):
            if token.type == "list_item_open":
                depth += 1
            elif token.type == "list_item_close":
                depth -= 1
            if depth or token.map is None:
                continue
            if token.type == "heading_open":
                self._enter_heading(int(token.tag[1]), self.tokens[i + 1].content)
            elif token.type == "paragraph_open":
                yield from self._paragraph(token)
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                yield from self._list(token, i)
            elif token.type in ("fence", "code_block"):
                yield from self._code(token)
            elif token.type == "table_open":
                yield from self._table(token)

    def _enter_heading(self, level: int, title: str) -> None:
        self.headings = [h for h in self.headings if h[0] < level] + [(level, title)]
        self.lead = None

    def _span(self, lines: list[int]) -> tuple[int, int]:
        start, end = self.document.span_of_lines(lines[0] + 1, min(lines[1], self.document.line_count))
        body = self.text[start:end]
        return start + len(body) - len(body.lstrip()), start + len(body.rstrip())

    def _chunk(self, kind: ChunkKind, start: int, end: int, segments: list[Segment], **extra: object) -> Chunk:
        document, text = self.document, self.text[start:end]
        folders = str(extra.get("name") or "").split("/")[:-1] if kind == "entry" else []
        return Chunk(
            id=Chunk.make_id(document.source, document.path, kind, start, text),
            source=document.source,
            path=document.path,
            language=document.language,
            kind=kind,
            start=start,
            end=end,
            start_line=document.line_at(start),
            end_line=document.line_at(max(start, end - 1)),
            text=text,
            headings=(*(title for _, title in self.headings), *folders),
            segments=tuple(segments),
            **extra,  # type: ignore[arg-type]
        )

    def _paragraph(self, token: Token) -> Iterator[Chunk]:
        assert token.map is not None
        start, end = self._span(token.map)
        spans = sentences(self.text, start, end)
        if spans:
            self.lead = spans[-1]
            yield self._chunk("paragraph", start, end, [Segment("sentence", *span) for span in spans])

    def _take_lead(self) -> list[Segment]:
        lead, self.lead = self.lead, None
        return [Segment("lead", *lead)] if lead else []

    def _list(self, token: Token, index: int) -> Iterator[Chunk]:
        assert token.map is not None
        segments = self._take_lead()
        start, end = self._span(token.map)
        inside: list[Chunk] = []
        item, position = -1, index + 1
        while (inner := self.tokens[position]).type != token.type.replace("open", "close"):
            if inner.type == "list_item_open":
                item, self.lead = item + 1, None
            elif inner.type == "paragraph_open" and inner.map:
                first, last = self._span(inner.map)
                mark = LIST_MARK.match(self.text, first)
                first = mark.end() if mark and mark.end() <= last else first
                said = sentences(self.text, first, last)
                segments += [Segment("item", *span, item=item) for span in said]
                self.lead = said[-1] if said else None
            elif inner.type in ("bullet_list_open", "ordered_list_open"):
                inside += self._list(inner, position)
                position = self._closing(position)
            elif inner.type in ("fence", "code_block"):
                inside += self._code(inner)
            elif inner.type == "table_open":
                inside += self._table(inner)
                position = self._closing(position)
            position += 1
        self.lead = None
        if segments:
            yield self._chunk("list", segments[0].start if segments[0].kind == "lead" else start, end, segments)
        yield from inside

    def _closing(self, position: int) -> int:
        """Position of the token that closes the block opened at a position."""
        opened = self.tokens[position]
        closing = opened.type.replace("open", "close")
        return next(i for i in range(position + 1, len(self.tokens)) if self.tokens[i].type == closing and self.tokens[i].level == opened.level)

    def _code(self, token: Token) -> Iterator[Chunk]:
        assert token.map is not None
        lead = self._take_lead()
        fenced = 1 if token.type == "fence" else 0
        first_line = token.map[0] + fenced
        start, end = self._span(token.map)
        if entries := parse_listing(token.content):
            tops = tuple(entry.path for entry in entries if "/" not in entry.path or entry.path == entries[0].path)
            if lead:
                note = self.text[lead[0].start : lead[0].end]
                yield self._chunk("entry", lead[0].start, lead[0].end, lead, name=".", note=note, children=tops)
            for entry in entries:
                span = self._span([first_line + entry.line, first_line + entry.line + 1])
                segment = Segment("entry", *span)
                yield self._chunk(
                    "entry", *span, [segment], name=entry.path, note=entry.note, children=entry.children
                )
            return
        segments = list(lead)
        offset = self.document.line_starts[min(first_line, len(self.document.line_starts) - 1)]
        for block in re.finditer(r"\S[^\n]*(?:\n[^\n]*\S[^\n]*)*", self.text[offset : self._inner_end(token, end)]):
            prompt = SHELL_PROMPT.match(block.group())
            segments.append(Segment("command", offset + block.start() + (prompt.end() if prompt else 0), offset + block.end()))
        if len(segments) > len(lead):
            yield self._chunk("code", lead[0].start if lead else start, end, segments)

    def _inner_end(self, token: Token, end: int) -> int:
        """Where a block's content ends: before its closing fence, when there is one."""
        last = self.text.rfind("\n", 0, end)
        closing = token.markup and self.text[last + 1 : end].strip().startswith(token.markup)
        return last if closing else end

    def _table(self, token: Token) -> Iterator[Chunk]:
        assert token.map is not None
        lead = self._take_lead()
        start, end = self._span(token.map)
        rows = [self._span([line, line + 1]) for line in range(token.map[0], token.map[1])]
        segments = lead + [Segment("row", *row) for n, row in enumerate(rows) if n != 1 and row[0] < row[1]]
        yield self._chunk("table", lead[0].start if lead else start, end, segments)


def _blank(match: re.Match[str]) -> str:
    """Blank a span out, keeping its length and its lines."""
    return re.sub(r"[^\n]", " ", match.group())
