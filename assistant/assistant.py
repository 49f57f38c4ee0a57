"""The question path: question (+ history) → query → passages → statements → verify → Answer.

`stream` yields growing answers; `ask` is its last item.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import cached_property

from assistant import tree
from assistant.datamodels import Answer, Citation, Declined, Document, Passage, Statement, Turn
from assistant.errors import SettingsError
from assistant.evidence import Reader
from assistant.extractive import Selection
from assistant.groups import Evidence, find_evidence
from assistant.index import Index, Names, current_generation
from assistant.models import Embedder, load_embedder
from assistant.query import Query, make_query
from assistant.render import declined_text, markdown
from assistant.retrieve import retrieve
from assistant.scoring import Candidate
from assistant.settings import Settings
from assistant.text import fold
from assistant.verify import verify_statement

NEAREST = 3
"""Passages shown with a declined answer."""


class Assistant:
    """Answers questions from one index, and picks up its new generations."""

    def __init__(self, index: Index, embedder: Embedder, settings: Settings) -> None:
        self.index = index
        self.embedder = embedder
        self.settings = settings

    @classmethod
    def open(cls, settings: Settings) -> Assistant:
        """Open the configured index and models; raises the errors of `Index.open` and `load_embedder`."""
        embedder = load_embedder(settings.embeddings)
        return cls(Index.open(settings.index, embedder, settings.chroma_url), embedder, settings)

    def ask(self, question: str, history: Sequence[Turn] = (), sources: Sequence[str] | None = None) -> Answer:
        """Answer a question; the last item of `stream`."""
        return list(self.stream(question, history, sources))[-1]

    def stream(self, question: str, history: Sequence[Turn] = (), sources: Sequence[str] | None = None) -> Iterator[Answer]:
        """Yield growing answers, one statement more each; raises SettingsError for a blank question."""
        if not fold(question).strip():
            raise SettingsError("the question is empty; give one, for example: python -m assistant ask \"kubelet 是什么？\"")
        self._follow_index()
        begin = time.perf_counter()
        query = self.query(question, history)
        reply = self.trees.answer(query, sources)
        looked = time.perf_counter()
        evidence = Evidence([], Selection((), None)) if reply and reply.claim == "instead" else self.evidence(query, sources)
        statements, citations = self._cite(evidence.selection)
        confidence = evidence.selection.confidence
        if reply and _tells_more(reply, evidence):
            reply = tree.numbered_after(reply, len(citations)) if reply.claim == "beside" else reply
            beside = reply.claim == "beside"
            statements = [*(statements if beside else ()), *reply.statements]
            citations = [*(citations if beside else ()), *reply.citations]
            confidence = 1.0
        timings = {"tree": _ms(begin, looked), "find": _ms(looked, time.perf_counter())}
        if not statements:
            yield self._decline(query, evidence, timings | {"total": _ms(begin, time.perf_counter())})
            return
        for count in range(1, len(statements) + 1):
            timings["total"] = _ms(begin, time.perf_counter())
            yield self._answer(query, statements[:count], citations, None, timings, confidence)

    def evidence(self, query: Query, sources: Sequence[str] | None = None) -> Evidence:
        """The passages of a query and what is chosen among them."""
        return find_evidence(query, self.index, self.passages, self.reader, sources)

    def query(self, question: str, history: Sequence[Turn] = ()) -> Query:
        return make_query(question, history, self.index.terms, Names(self.index.records))

    def passages(self, query: Query, sources: Sequence[str] | None = None) -> list[Passage]:
        """The ranked passages of a query."""
        return retrieve(query, self.index, self.embedder, sources)

    def search(self, question: str, sources: Sequence[str] | None = None, k: int = 10) -> list[Passage]:
        """The ranked passages only."""
        return retrieve(self.query(question), self.index, self.embedder, sources, k)

    def document(self, source: str, path: str) -> Document:
        """A document of the index; raises KeyError when it holds none of that name."""
        return self.index.document_at(source, path)

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.index.terms)

    @cached_property
    def trees(self) -> tree.Trees:
        return tree.Trees(self.index)

    def _follow_index(self) -> None:
        """Switch to the newest generation, when an ingest has made one since."""
        current = current_generation(self.settings.index)
        if current is not None and current != self.index.folder.name:
            self.index = Index.open(self.settings.index, self.embedder, self.settings.chroma_url)
            for name in ("reader", "trees"):
                self.__dict__.pop(name, None)

    def _cite(self, selection: Selection) -> tuple[list[Statement], list[Citation]]:
        """Cite each chosen statement and drop what its lines do not support; the best evidence is [1]."""
        order = sorted(selection.chosen, key=lambda c: c is not selection.best and c.place != (selection.best and selection.best.place))
        citations: dict[tuple[str, str, int], Citation] = {}
        for candidate in order:
            citations[candidate.place] = self._citation(candidate, len(citations) + 1)
        statements = []
        for candidate in selection.chosen:
            citation = citations[candidate.place]
            text = _statement_text(candidate)
            verdict = verify_statement(text, [citation], self.reader)
            if verdict != "unsupported":
                statements.append(Statement(text, (citation.id,), verdict, candidate.segment.kind))
        return statements, list(citations.values())

    def _citation(self, candidate: Candidate, number: int) -> Citation:
        chunk, document = candidate.chunk, self.index.document(candidate.chunk)
        start, end = candidate.segment.start, candidate.segment.end
        original = None
        if source_document := self.index.original(document):
            other = self.index.counterpart(chunk, source_document.language)
            position = chunk.segments.index(candidate.segment)
            same = other.segments[position] if len(other.segments) == len(chunk.segments) else None
            span = (same.start, same.end) if same else source_document.span_of_lines(document.line_at(start), document.line_at(end - 1))
            original = self._pointer(source_document, *span, number, other.headings)
        return self._pointer(document, start, end, number, chunk.headings, original)

    def _pointer(
        self, document: Document, start: int, end: int, number: int, headings: tuple[str, ...], original: Citation | None = None
    ) -> Citation:
        first, last = document.line_at(start), document.line_at(max(start, end - 1))
        return Citation(
            id=number, source=document.source, path=document.path, start_line=first, end_line=last, start_char=start, end_char=end,
            quote=document.text[start:end], headings=headings, sha256=document.sha256,
            url=self.index.source(document.source).permalink(document.path, first, last), original=original,
            note=self.index.note_on(document, first, last),
        )

    def _decline(self, query: Query, evidence: Evidence, timings: dict[str, float]) -> Answer:
        selection = evidence.selection
        nearest: list[Citation] = []
        if selection.reason != "off_topic":
            for passage in evidence.passages[:NEAREST]:
                chunk = passage.chunk
                nearest.append(self._citation(Candidate(chunk, chunk.segments[0], 0.0, ()), len(nearest) + 1))
        declined = Declined(selection.reason or "not_covered", selection.missing, tuple(nearest))
        return self._answer(query, [], [], declined, timings, selection.confidence)

    def _answer(
        self, query: Query, statements: Sequence[Statement], citations: Sequence[Citation],
        declined: Declined | None, timings: dict[str, float], confidence: float,
    ) -> Answer:
        return Answer(
            question=query.question,
            query=query.text,
            language=query.language,
            answered=declined is None,
            engine="extractive",
            answer=markdown(statements) if declined is None else declined_text(declined, query.language),
            statements=tuple(statements),
            citations=tuple(citations),
            declined=declined,
            index=self.index.id,
            timings_ms=dict(timings),
            confidence=round(confidence, 3),
        )


def _ms(begin: float, end: float) -> float:
    return round((end - begin) * 1000, 2)


def _tells_more(reply: tree.Reply, evidence: Evidence) -> bool:
    """Whether the tree is heard beside or instead of what the documents say: not where those name the place themselves."""
    best = evidence.selection.best
    if reply.claim == "else" and evidence.answers and best is not None:
        return reply.is_place and best.chunk.kind != "entry"
    return True


def _statement_text(candidate: Candidate) -> str:
    """What is said: the span as it stands; for a directory entry its path and remark; a comment without its marks."""
    chunk = candidate.chunk
    if chunk.kind in ("package", "target"):
        return tree.COMMENT_MARK.sub(" ", candidate.text).strip()
    if chunk.kind != "entry" or chunk.name == ".":
        return candidate.text
    if not chunk.note:
        return f"`{chunk.name}`"
    return f"`{chunk.name}`：{chunk.note}" if chunk.language == "zh" else f"`{chunk.name}`: {chunk.note}"
