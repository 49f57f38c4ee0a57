"""The question path: question (+ history) → query → passages → statements → verify → Answer.

`stream` yields growing answers; `ask` is its last item.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from assistant import tree
from assistant.answerable import asked_for
from assistant.citing import cite_segment
from assistant.crossencoder import CrossEncoder
from assistant.datamodels import Answer, Citation, Declined, Document, Passage, Source, Statement, Turn, Verdict
from assistant.draft import plain_words
from assistant.errors import ModelError, SettingsError
from assistant.evidence import Reader
from assistant.extractive import Selection
from assistant.groups import Evidence, find_evidence, is_alone, tells
from assistant.index import Index, Names, current_generation
from assistant.models import Embedder, Reranker, load_embedder, load_reranker
from assistant.query import Query, make_query
from assistant.render import declined_text, markdown
from assistant.retrieve import K, rerank, retrieve
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
        self._following = Lock()

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
        warnings: list[str] = []
        model = self._model(warnings)
        yield from self._now()._stream(question, history, sources, model, warnings)

    def _stream(
        self, question: str, history: Sequence[Turn], sources: Sequence[str] | None, model: LanguageModel | None, warnings: list[str]
    ) -> Iterator[Answer]:
        begin = time.perf_counter()
        query = self._standalone(question, history, model, warnings)
        reply = self.trees.answer(query, sources)
        looked = time.perf_counter()
        evidence = Evidence([], Selection((), None)) if reply and is_alone(reply) else self.evidence(query, sources)
        reply = reply if reply and tells(reply, query, evidence) else None
        timings = {"tree": _ms(begin, looked), "find": _ms(looked, time.perf_counter())}
        if model is not None and reply is None and (yield from self._generate(model, query, evidence, timings, warnings)):
            return
        statements, citations = self.cite(evidence.selection) if reply is None or reply.is_beside else ([], [])
        confidence = evidence.selection.confidence
        if reply is not None:
            said = tree.numbered_after(reply, len(citations))
            statements, citations, confidence = [*statements, *said.statements], [*citations, *said.citations], reply.confidence
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
        writer = Writer(model, self.reader, self.citation, self.settings.mark_unsupported, cache)
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

    def passages(self, query: Query, sources: Sequence[str] | None = None, k: int = K) -> list[Passage]:
        """The `k` best passages of a query; in the reranker's order where one is configured."""
        found = retrieve(query, self.index, self.embedder, sources, k)
        return rerank(query, found, self._reranker) if self._reranker else found

    @cached_property
    def _reranker(self) -> Reranker | None:
        return load_reranker(self.settings.reranker)

    def search(self, question: str, sources: Sequence[str] | None = None, k: int = 10) -> list[Passage]:
        """The ranked passages only."""
        now = self._now()
        return now.passages(now.query(question), sources, k)

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

    def _now(self) -> Assistant:
        """This assistant on the newest generation: a question is answered from one, whatever an ingest or another question does meanwhile."""
        with self._following:
            self._follow_index()
            _ = self.reader, self.trees  # made once, for all that are copied from here
            return copy.copy(self)

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
        """Cite each chosen statement but those that their lines do not support; the best evidence is [1], of a list its first item."""
        best = selection.best
        if best is not None:
            best = next((c for c in selection.chosen if c.segment.kind == "item" and _leads(best, c)), best)
        kept: list[tuple[Candidate, str, Verdict]] = []
        for candidate in selection.chosen:
            text = _statement_text(candidate)
            verdict = verify_statement(text, [self.citation(candidate)], self.reader)
            if verdict != "unsupported":
                kept.append((candidate, text, verdict))
        order = sorted((c for c, _, _ in kept), key=lambda c: best is None or c.place != best.place)
        numbers = {place: number for number, place in enumerate(dict.fromkeys(c.place for c in order), 1)}
        cited = {c.place: self.citation(c, numbers[c.place]) for c in order}
        return [Statement(text, (numbers[c.place],), verdict, c.segment.kind) for c, text, verdict in kept], list(cited.values())

    def citation(self, candidate: Candidate, number: int = 0) -> Citation:
        """The citation of one candidate."""
        return cite_segment(self.index, candidate.chunk, candidate.segment, number)

    def _decline(self, query: Query, evidence: Evidence, timings: dict[str, float]) -> Answer:
        selection = evidence.selection
        nearest: list[Citation] = []
        for passage in evidence.passages if selection.reason != "off_topic" else ():
            if len(nearest) == NEAREST:
                break
            near = cite_segment(self.index, passage.chunk, passage.chunk.segments[0], len(nearest) + 1)
            if near.quote not in [one.quote for one in nearest]:
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
        return plain_words(candidate.text)
    if chunk.kind != "entry" or chunk.name == ".":
        return candidate.text
    if not chunk.note:
        return f"`{chunk.name}`"
    return f"`{chunk.name}`：{chunk.note}" if chunk.language == "zh" else f"`{chunk.name}`: {chunk.note}"
