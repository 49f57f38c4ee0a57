"""Asks a system questions and scores what comes back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from assistant.datamodels import Answer, Chunk, Citation, Turn
from assistant.verify import recheck, verify_statement
from evals.metrics import METRICS, Outcome
from evals.questions import ARTICLE, Question
from evals.runs import SHOWN, Record, Run
from evals.systems import System


def evaluate(system: System, questions: Iterable[Question], sources: Sequence[str]) -> Run:
    """Ask a system the questions; `sources` are the names of what its index holds.

    A question on the article is asked of the article alone: an index with more in it may well hold what the
    article does not. Any other is asked of everything.
    """
    records, times, stored = [], [], _Stored(system)
    for question in questions:
        history = [Turn(earlier) for earlier in question.history]
        only = [ARTICLE] if question.source == ARTICLE and set(sources) != {ARTICLE} else None
        begin = time.perf_counter()
        answer = system.ask(question.question, history, only)
        times.append(round((time.perf_counter() - begin) * 1000, 3))
        passages = system.search(question.question, history, only)
        outcome = Outcome(
            question, answer,
            tuple(question.holds(p.chunk.source, p.chunk.path, p.chunk.start_line, p.chunk.end_line) for p in passages),
            tuple(len(p.chunk.text) for p in passages),
            stored.relevant(question),
            tuple(reread(citation, system) for citation in all_citations(answer)),
            lambda text, cited: verify_statement(text, cited, system.reader) == "supported",
        )
        records.append(
            Record(
                question.id, question.question, question.history, question.language, question.kind, question.source,
                question.set, question.answerable, tuple(map(str, question.gold)), tuple(map(" | ".join, question.key_facts)), answer.answered, answer.answer, answer.query,
                answer.declined.missing if answer.declined else (),
                tuple(place(c.path, c.start_line, c.end_line) for c in answer.citations),
                tuple(place(p.chunk.path, p.chunk.start_line, p.chunk.end_line) for p in passages[:SHOWN]),
                round(answer.confidence, 6), {metric.name: _rounded(metric.score(outcome)) for metric in METRICS},
            )
        )
    return Run(system.name, tuple(records), tuple(times))


def place(path: str, start: int | None, end: int | None) -> str:
    """'path', 'path:line' or 'path:first-last'."""
    return path if start is None else f"{path}:{start}" if start == end else f"{path}:{start}-{end}"


def all_citations(answer: Answer) -> list[Citation]:
    """Citations, originals and nearest passages: everything that claims to stand somewhere."""
    cited = [*answer.citations, *(answer.declined.nearest if answer.declined else ())]
    return [*cited, *(citation.original for citation in cited if citation.original)]


def reread(citation: Citation, system: System) -> bool:
    """Whether the cited document says the quote, at the characters and the lines of the citation."""
    try:
        document = system.document(citation.source, citation.path)
    except KeyError:
        folder = system.folder(citation.source, citation.path)
        return folder is not None and citation.start_line is None and (citation.quote, citation.sha256) == (folder.listing, folder.sha256)
    if citation.start_char is None:
        return False
    standing, _ = recheck(citation.quote, citation.start_char, document.text)
    end = citation.start_char + max(0, len(citation.quote) - 1)
    lines = document.line_at(citation.start_char), document.line_at(end)
    return standing == "exact" and lines == (citation.start_line, citation.end_line) and document.sha256 == citation.sha256


class _Stored:
    """What a system could find, by language and path, so that a large index is not gone through for each question."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.by_path: dict[str, dict[tuple[str, str], list[Chunk]]] = {}

    def relevant(self, question: Question) -> int:
        """Number of passages that hold a gold place."""
        if question.language not in self.by_path:
            found: dict[tuple[str, str], list[Chunk]] = {}
            for chunk in self.system.chunks(question.language):
                found.setdefault((chunk.source, chunk.path), []).append(chunk)
            self.by_path[question.language] = found
        paths = {gold.path and gold.path.rstrip("/") for gold in question.gold}
        return sum(
            bool(question.holds(chunk.source, chunk.path, chunk.start_line, chunk.end_line))
            for (source, path), chunks in self.by_path[question.language].items()
            if source == question.source and (None in paths or path.rstrip("/") in paths)
            for chunk in chunks
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
