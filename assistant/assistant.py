"""The question path: question (+ history) → query → passages → statements → verify → Answer.

`stream` yields growing answers; `ask` is its last item.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from assistant import tree
from assistant.answerable import asked_for
from assistant.crossencoder import CrossEncoder
from assistant.datamodels import Answer, Citation, Declined, Document, Passage, Source, Statement, Turn
from assistant.draft import COMMENT_MARK
from assistant.errors import ModelError, SettingsError
from assistant.evidence import Reader
from assistant.extractive import Selection
from assistant.groups import Evidence, find_evidence, is_alone, tells
from assistant.index import Index, Names, current_generation
from assistant.models import Embedder, Reranker, load_embedder, load_reranker
from assistant.query import Query, make_query
from assistant.render import declined_text, markdown
from assistant.retrieve import rerank, retrieve
from assistant.scoring import Candidate
from assistant.settings import Settings
from assistant.text import fold
from assistant.verify import verify_statement

if TYPE_CHECKING:
    from assistant.generative import Written
    from assistant.llm import LanguageModel

EXTRACTS = "the answer below is made of extracts, without the language model"
NEAREST = 3
"""Passages shown with a declined answer."""


class Assistant:
    """Answers questions from one index, and picks up its new generations."""

    def __init__(self, index: Index, embedder: Embedder, settings: Settings, model: LanguageModel | None = None) -> None:
        self.index = index
        self.embedder = embedder
        self.settings = settings
        self.model = model
        """A language model that is already loaded; else the settings' one is, when first asked."""

    @classmethod
    def open(cls, settings: Settings) -> Assistant:
        """Open the configured index and models; raises the errors of `Index.open`, `load_embedder` and `CrossEncoder.load`."""
        with ThreadPoolExecutor(1) as beside:  # reading its files takes a core 0.1 s
            encoder = beside.submit(CrossEncoder.load)
            embedder = load_embedder(settings.embeddings)
            index = Index.open(settings.index, embedder, settings.chroma_url)
        index.check_encoder(encoder.result())
        return cls(index, embedder, settings)

    def ask(self, question: str, history: Sequence[Turn] = (), sources: Sequence[str] | None = None) -> Answer:
        """Answer a question; the last item of `stream`."""
        return list(self.stream(question, history, sources))[-1]

    def stream(self, question: str, history: Sequence[Turn] = (), sources: Sequence[str] | None = None) -> Iterator[Answer]:
        """Yield growing answers, one statement more each; raises SettingsError for a blank question."""
        if not fold(question).strip():
            raise SettingsError("the question is empty; give one, for example: python -m assistant ask \"kubelet 是什么？\"")
        self._follow_index()
        begin = time.perf_counter()
        warnings: list[str] = []
        model = self._model(warnings)
        query = self._standalone(question, history, model, warnings)
        reply = self.trees.answer(query, sources)
        looked = time.perf_counter()
        evidence = Evidence([], Selection((), None)) if reply and is_alone(reply) else self.evidence(query, sources)
        reply = reply if reply and tells(reply, query, evidence) else None
        timings = {"tree": _ms(begin, looked), "find": _ms(looked, time.perf_counter())}
        if model is not None and reply is None and (yield from self._generate(model, query, evidence, timings, warnings)):
            return
        statements, citations = self.cite(evidence.selection)
        confidence = evidence.selection.confidence
        if reply is not None:
            said = tree.numbered_after(reply, len(citations)) if reply.is_beside else reply
            statements = [*(statements if reply.is_beside else ()), *said.statements]
            citations = [*(citations if reply.is_beside else ()), *said.citations]
            confidence = reply.confidence
        if not statements:
            declined = self._decline(query, evidence, timings | {"total": _ms(begin, time.perf_counter())})
            yield replace(declined, warnings=tuple(warnings))
            return
        for count in range(1, len(statements) + 1):
            timings["total"] = _ms(begin, time.perf_counter())
            answer = self.answer(query, statements[:count], citations, None, timings, confidence, len(statements))
            yield replace(answer, warnings=tuple(warnings))

    def evidence(self, query: Query, sources: Sequence[str] | None = None) -> Evidence:
        """The passages of a query and what is chosen among them."""
        with ThreadPoolExecutor(1) as beside:  # the question is read while passages are looked for
            if self.encoder is not None:
                beside.submit(self.encoder.asked, query.text)
            return find_evidence(query, self.index, self.passages, self.reader, self.encoder, sources)

    def _model(self, warnings: list[str]) -> LanguageModel | None:
        """The configured language model; one that cannot be loaded is a warning, and extracts answer."""
        if self.model is None and self.settings.llm is not None:
            from assistant.llm import load_language_model

            try:
                self.model = load_language_model(self.settings.llm)
            except ModelError as exc:
                warnings += [str(exc), EXTRACTS]
        return self.model

    def _standalone(self, question: str, history: Sequence[Turn], model: LanguageModel | None, warnings: list[str]) -> Query:
        """The query of a question; a follow-up is rewritten by the model where there is one."""
        query = self.query(question, history)
        if model is None or not history:
            return query
        from assistant.generative import standalone

        try:
            rewritten = standalone(model, question, [turn.question for turn in history[-3:]])
        except ModelError as exc:
            warnings.append(str(exc))
            return query
        return replace(self.query(rewritten), question=question, language=query.language) if rewritten else query

    def _generate(
        self, model: LanguageModel, query: Query, evidence: Evidence, timings: dict[str, float], warnings: list[str]
    ) -> Generator[Answer, None, bool]:
        """Yield what the model writes and the verifier lets through; gives False when the extracts shall answer."""
        selection = evidence.selection
        from assistant.cache import ReplyCache
        from assistant.generative import Writer, Written

        cache = ReplyCache(self.settings.cache) if self.settings.cache else None
        writer = Writer(model, self.reader, self._citation, self.settings.mark_unsupported, cache)
        begin, written, count = time.perf_counter(), Written(), 0
        try:
            for written in writer.write(query.text if query.text != fold(query.question).strip() else query.question, query.language, evidence.passages):
                if len(written.statements) > count:
                    count = len(written.statements)
                    yield self._generated(model, query, written, selection, timings, begin, warnings)
        except ModelError as exc:
            warnings.append(str(exc))
        if written.stopped:
            kept = "marked" if self.settings.mark_unsupported else "left out"
            warnings.append(f"{written.stopped} of the model's statements {kept}: no line supports {'it' if written.stopped == 1 else 'them'}")
        if written.refused and not written.statements:
            refusal = replace(selection, reason=selection.reason or "partly_covered", missing=selection.missing or asked_for(query))
            answer = self._decline(query, replace(evidence, selection=refusal), timings | {"generate": _ms(begin, time.perf_counter())})
            yield replace(answer, engine=model.name, usage=written.usage or None, warnings=tuple(warnings))
            return True
        if not any(statement.verdict != "unsupported" for statement in written.statements):
            warnings.append(EXTRACTS)
            return False
        yield self._generated(model, query, written, selection, timings, begin, warnings)
        return True

    def _generated(
        self, model: LanguageModel, query: Query, written: Written, selection: Selection, timings: dict[str, float],
        begin: float, warnings: Sequence[str],
    ) -> Answer:
        taken = timings | {"generate": _ms(begin, time.perf_counter())}
        answer = self.answer(query, written.statements, written.citations, None, taken, selection.confidence, len(written.statements))
        return replace(answer, engine=model.name, usage=written.usage or None, warnings=tuple(warnings))

    def query(self, question: str, history: Sequence[Turn] = ()) -> Query:
        return make_query(question, history, self.index.terms, Names(self.index.records))

    def passages(self, query: Query, sources: Sequence[str] | None = None) -> list[Passage]:
        """The ranked passages of a query; in the reranker's order where one is configured."""
        found = retrieve(query, self.index, self.embedder, sources)
        return rerank(query, found, self._reranker) if self._reranker else found

    @cached_property
    def _reranker(self) -> Reranker | None:
        return load_reranker(self.settings.reranker)

    def search(self, question: str, sources: Sequence[str] | None = None, k: int = 10) -> list[Passage]:
        """The ranked passages only."""
        query = self.query(question)
        found = retrieve(query, self.index, self.embedder, sources, k)
        return rerank(query, found, self._reranker) if self._reranker else found

    def document(self, source: str, path: str) -> Document:
        """A document of the index; raises KeyError when it holds none of that name."""
        return self.index.document_at(source, path)

    @property
    def sources(self) -> tuple[Source, ...]:
        """What it answers from, the bundled article first."""
        return self.index.sources

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.index.terms)

    @cached_property
    def encoder(self) -> CrossEncoder | None:
        """The bundled cross-encoder, loaded when first needed."""
        return CrossEncoder.load()

    @cached_property
    def trees(self) -> tree.Trees:
        return tree.Trees(self.index, self.encoder)

    def _follow_index(self) -> None:
        """Switch to the newest generation, when an ingest has made one since."""
        current = current_generation(self.settings.index)
        if current is not None and current != self.index.folder.name:
            index = Index.open(self.settings.index, self.embedder, self.settings.chroma_url)
            if self.encoder is not None:
                index.check_encoder(self.encoder)
            self.index = index
            for name in ("reader", "trees"):
                self.__dict__.pop(name, None)

    def cite(self, selection: Selection) -> tuple[list[Statement], list[Citation]]:
        """Cite each chosen statement and drop what its lines do not support; the best evidence is [1], of a list its first item."""
        best = selection.best
        if best is not None:
            best = next((c for c in selection.chosen if c.segment.kind == "item" and _leads(best, c)), best)
        order = sorted(selection.chosen, key=lambda c: best is None or c.place != best.place)
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
            for passage in evidence.passages:
                chunk = passage.chunk
                near = self._citation(Candidate(chunk, chunk.segments[0], 0.0, ()), len(nearest) + 1)
                if len(nearest) < NEAREST and near.quote not in [one.quote for one in nearest]:
                    nearest.append(near)
        declined = Declined(selection.reason or "not_covered", selection.missing, tuple(nearest))
        return self.answer(query, [], [], declined, timings, selection.confidence)

    def answer(
        self, query: Query, statements: Sequence[Statement], citations: Sequence[Citation],
        declined: Declined | None, timings: dict[str, float], confidence: float, total: int = 0,
    ) -> Answer:
        return Answer(
            question=query.question,
            query=query.text,
            language=query.language,
            answered=declined is None,
            engine="extractive",
            answer=markdown(statements, total) if declined is None else declined_text(declined, query.language),
            statements=tuple(statements),
            citations=tuple(citations),
            declined=declined,
            index=self.index.id,
            timings_ms=dict(timings),
            confidence=round(confidence, 3),
        )


def _ms(begin: float, end: float) -> float:
    return round((end - begin) * 1000, 2)


def _leads(candidate: Candidate, item: Candidate) -> bool:
    """Whether a sentence leads into the list that an item stands in."""
    first = item.chunk.segments[0]
    return first.kind == "lead" and (item.chunk.source, item.chunk.path, first.start) == candidate.place


def _statement_text(candidate: Candidate) -> str:
    """What is said: the span as it stands; for a directory entry its path and remark; a comment without its marks."""
    chunk = candidate.chunk
    if chunk.kind in ("package", "target"):
        return COMMENT_MARK.sub(" ", candidate.text).strip()
    if chunk.kind != "entry" or chunk.name == ".":
        return candidate.text
    if not chunk.note:
        return f"`{chunk.name}`"
    return f"`{chunk.name}`：{chunk.note}" if chunk.language == "zh" else f"`{chunk.name}`: {chunk.note}"
