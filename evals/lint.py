"""Holds the questions against the material: does the gold exist, and does it hold the key facts?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assistant.datamodels import Document
from assistant.index import Index
from evals.metrics import found_facts, normal
from evals.questions import ARTICLE, Gold, Question

KINDS = (
    "component", "layout", "build", "architecture", "list", "which", "yesno", "command", "comparison", "follow-up", "typo", "noisy",
    "mixed", "cross-language", "keyword", "oneword", "polite", "near", "far", "chit-chat", "injection", "README", "tree", "where",
)
"""Kinds of questions; evals/data/README.md says what each is."""


def lint(questions: Sequence[Question], index: Index) -> list[str]:
    """Problems of the questions of the sources that the index holds, one line each; empty when all is well.

    `questions` are those of all splits: an id or a question (with its history) stands once.
    """
    material = _Material(index)
    problems, seen = [], set()
    for question in questions:
        for key in (question.id, "\0".join([normal(question.question), *map(normal, question.history), question.source])):
            if key in seen:
                problems.append(f"{question.id}: stands twice: {question.question!r}")
            seen.add(key)
        problems += [f"{question.id}: {problem}" for problem in _problems(question, material)]
    return problems


def _problems(question: Question, material: _Material) -> Iterator[str]:
    if not question.question.strip():
        yield "has no question"
    if question.kind not in KINDS:
        yield f"kind {question.kind!r} is not in evals/lint.py: KINDS"
    facts_wanted = question.answerable and not question.expect_absent
    if bool(question.gold) != question.answerable or bool(question.key_facts) != facts_wanted:
        yield "has gold and key facts when it is answerable, and neither when it is not"
    if any(not alternative.strip() for fact in question.key_facts for alternative in fact) or () in question.key_facts:
        yield "has an empty key fact"
    if question.source not in material.sources:
        return
    texts = []
    for gold in question.gold:
        text = material.text(question, gold)
        if text is None:
            yield f"gold {gold} is not in source {question.source!r}"
        else:
            texts.append(text)
    if question.gold and len(texts) == len(question.gold) and found_facts(question, "\n".join(texts)) < 1:
        lacking = [fact for fact in question.key_facts if not any(normal(a) in normal("\n".join(texts)) for a in fact)]
        yield f"gold {', '.join(map(str, question.gold))} does not hold {lacking}"


class _Material:
    """The texts that gold can name."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.sources = {source.name for source in index.sources}
        self.articles = {d.language: d for d in index.records.documents(ARTICLE)}

    def text(self, question: Question, gold: Gold) -> str | None:
        """The gold's text, of a directory its path and what it holds; None where there is none."""
        if gold.path is None:
            return _lines(self.articles.get(question.language), gold)
        path = gold.path.rstrip("/")
        document = self.index.records.document(question.source, path)
        if gold.start is not None:
            return _lines(document, gold)
        folder = self.index.records.folder(question.source, path)
        above = self.index.records.folder(question.source, path.rpartition("/")[0] or ".")
        if folder is None and (above is None or path.rpartition("/")[2] not in above.files):
            return None
        return "\n".join([path, folder.listing if folder else "", document.text if document else ""])


def _lines(document: Document | None, gold: Gold) -> str | None:
    start, end = gold.start or 1, gold.end or gold.start or 1
    if document is None or not 1 <= start <= end <= document.line_count:
        return None
    first, last = document.span_of_lines(start, end)
    return document.text[first:last].strip() or None
