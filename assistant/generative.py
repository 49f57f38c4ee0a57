"""The engine with a language model: the model writes, the verifier decides what may be shown.

Each statement is judged as soon as its line has ended, against the spans of the passages it names that
say most of it (or, where those do not support it, of any passage it was shown). What no line supports
is left out, or kept and marked. Nothing here knows of providers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from assistant.cache import ReplyCache
from assistant.datamodels import Citation, Language, Passage, Statement, Verdict
from assistant.errors import SettingsError
from assistant.evidence import Asked, Reader, coverage
from assistant.llm import ContextTooLongError, LanguageModel, Reply
from assistant.prompt import (
    MOST_CHARACTERS,
    MOST_STATEMENTS,
    PROMPT_VERSION,
    REWRITE,
    Draft,
    clean,
    drafts,
    rewrite_prompt,
    system_prompt,
    user_prompt,
    within,
)
from assistant.query import units
from assistant.scoring import Candidate
from assistant.text import fold
from assistant.verify import verify_statement

FEWEST_WORDS = 2
"""A line of fewer words says nothing that could be supported."""
ALONE = 5
"""Spans that are tried one by one before several are taken together."""
SPANS = 3
"""Spans that one statement may rest on."""
LONGEST_REWRITE = 300
RANK: dict[Verdict, int] = {"supported": 2, "partial": 1, "unsupported": 0}

Cite = Callable[[Candidate, int], Citation]


@dataclass(frozen=True)
class Written:
    """What a model has written so far, as far as it may be shown."""

    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()
    stopped: int = 0
    """Statements that no line supports."""
    refused: bool = False
    """The model says that the passages do not answer."""
    usage: dict[str, int] | None = None


@dataclass(frozen=True)
class Writer:
    """Has a model answer from passages and keeps what they support."""

    model: LanguageModel
    reader: Reader
    cite: Cite
    mark: bool = False
    """Keep unsupported statements, marked, instead of leaving them out."""
    cache: ReplyCache | None = None

    def write(self, question: str, language: Language, passages: Sequence[Passage]) -> Iterator[Written]:
        """Yield what stands after each line. Raises ModelError; what was yielded before it stands."""
        shown = within(passages)
        try:
            yield from self._write(question, language, shown)
        except ContextTooLongError:
            yield from self._write(question, language, within(passages, MOST_CHARACTERS // 3))

    def _write(self, question: str, language: Language, passages: Sequence[Passage]) -> Iterator[Written]:
        written = Written()
        reply, deltas = self._reply(question, language, passages)
        for draft in drafts(deltas):
            if draft is None:
                written = Written(written.statements, written.citations, written.stopped, refused=True)
            elif len(written.statements) < MOST_STATEMENTS:
                written = self._judge(draft, written, passages)
            yield written
        yield Written(written.statements, written.citations, written.stopped, written.refused, dict(reply.usage))

    def _reply(self, question: str, language: Language, passages: Sequence[Passage]) -> tuple[Reply, Iterator[str]]:
        key = ReplyCache.key([PROMPT_VERSION, self.model.name, language, question, *(p.chunk.id for p in passages)])
        if self.cache is not None and (kept := self.cache.get(key)) is not None:
            return Reply(iter(())), iter([kept])
        reply = self.model.ask(system_prompt(language), user_prompt(question, passages))
        return reply, self._keeping(key, reply)

    def _keeping(self, key: str, reply: Reply) -> Iterator[str]:
        whole: list[str] = []
        for delta in reply:
            whole.append(delta)
            yield delta
        if self.cache is not None and "".join(whole).strip():
            with suppress(SettingsError):  # the reply stands, whether it is kept or not
                self.cache.put(key, "".join(whole))

    def _judge(self, draft: Draft, written: Written, passages: Sequence[Passage]) -> Written:
        """Add a draft to what stands, or count it as stopped."""
        named = [passages[number - 1] for number in draft.numbers if 0 < number <= len(passages)]
        verdict, spans = self._evidence(draft.text, named)
        if verdict == "unsupported":
            verdict, spans = self._evidence(draft.text, passages)
        if verdict == "unsupported" and not self.mark:
            return Written(written.statements, written.citations, written.stopped + 1, written.refused)
        citations = list(written.citations)
        numbers = []
        for span in spans if verdict != "unsupported" else []:
            known = {(c.source, c.path, c.start_char, c.end_char): c.id for c in citations}
            new = self.cite(span, len(citations) + 1)
            place = (new.source, new.path, new.start_char, new.end_char)
            if place not in known:
                citations.append(new)
            numbers.append(known.get(place, new.id))
        statement = Statement(draft.text, tuple(numbers), verdict, "command" if draft.code else "sentence")
        if any(fold(statement.text) == fold(one.text) for one in written.statements):
            return written
        stopped = written.stopped + (verdict == "unsupported")
        return Written((*written.statements, statement), tuple(citations), stopped, written.refused)

    def _evidence(self, text: str, passages: Sequence[Passage]) -> tuple[Verdict, list[Candidate]]:
        """The verdict on a statement, and the fewest spans of the passages that it was reached with."""
        asked = Asked([unit for unit in units(fold(text), self.reader.terms) if not unit.generic])
        if len(self.reader.read(text).words) < FEWEST_WORDS:
            return "unsupported", []
        found = []
        for passage in passages:
            chunk = passage.chunk
            for segment in chunk.segments:
                said = self.reader.read(chunk.text[segment.start - chunk.start : segment.end - chunk.start])
                share = coverage(asked.units, asked.supports(said))
                found.append(Candidate(chunk, segment, share, ()))
        found.sort(key=lambda candidate: -candidate.score)
        best: tuple[Verdict, list[Candidate]] = ("unsupported", [])
        alone = [[span] for span in found[:ALONE]]
        for spans in (*alone, *(found[:count] for count in range(2, min(SPANS, len(found)) + 1))):
            verdict = verify_statement(text, [self.cite(span, 1) for span in spans], self.reader)
            if RANK[verdict] > RANK[best[0]]:
                best = (verdict, spans)
            if verdict == "supported":
                break
        return best


def standalone(model: LanguageModel, question: str, earlier: Sequence[str]) -> str | None:
    """The question as the model rewrites it to stand alone; None when it gives nothing usable. Raises ModelError."""
    reply = "".join(model.ask(REWRITE, rewrite_prompt(question, earlier)))
    line = next((line.strip() for line in clean(reply).splitlines() if line.strip()), "")
    return line if 0 < len(line) <= LONGEST_REWRITE else None
