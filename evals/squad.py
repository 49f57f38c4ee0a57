"""Public question sets in SQuAD's format, read from files that are not part of this project.

XQuAD (same ids in every language), CMRC 2018 and DRCD (Chinese), SQuAD 2.0 (with questions that the
paragraph does not answer). Each paragraph becomes a document of a temporary index; the product is asked.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.assistant import Assistant
from assistant.crossencoder import CrossEncoder
from assistant.datamodels import Document, Language, Source, sha256_of
from assistant.errors import CorpusError
from assistant.generation import write_generation
from assistant.models import load_embedder
from assistant.settings import Settings
from assistant.terms import TermTable
from assistant.text import detect_language
from evals.bootstrap import interval
from evals.metrics import normal
from evals.ranking import ndcg, recall, reciprocal_rank
from ingest.markdown import CHUNKER, chunk_markdown

SOURCE = "public"


@dataclass(frozen=True)
class Asked:
    """A question of a public set."""

    id: str
    question: str
    answers: tuple[str, ...]
    """Any of which may be given; empty when the paragraph does not answer it."""
    path: str
    """Of the document made of its paragraph."""


@dataclass(frozen=True)
class PublicSet:
    """One file: its paragraphs as documents, and its questions."""

    name: str
    language: Language
    documents: tuple[Document, ...]
    questions: tuple[Asked, ...]


def read_set(path: Path) -> PublicSet:
    """Read a file in SQuAD's format (1.1 or 2.0); raises CorpusError when it is none."""
    try:
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
        language = detect_language(" ".join(paragraph["context"] for paragraph in paragraphs[:20]))
        documents, questions = [], []
        for number, paragraph in enumerate(paragraphs):
            name = f"{number:05}.md"
            documents.append(Document(SOURCE, name, language, paragraph["context"]))
            for row in paragraph["qas"]:
                answers = () if row.get("is_impossible") else tuple(answer["text"] for answer in row["answers"])
                questions.append(Asked(row["id"], row["question"], answers, name))
    except OSError as exc:
        raise CorpusError(f"{path} cannot be read ({exc.strerror})") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise CorpusError(f"{path} is not in SQuAD's format ({exc!r})") from exc
    return PublicSet(path.name, language, tuple(documents), tuple(questions))


def sample(questions: Sequence[Asked], limit: int | None, seed: int) -> list[Asked]:
    """At most `limit` questions, drawn by chance from the sorted ids, so that languages of one set get the same."""
    found = sorted(questions, key=lambda question: question.id)
    return found if limit is None or limit >= len(found) else random.Random(seed).sample(found, limit)


def directions(sets: Sequence[PublicSet]) -> list[tuple[PublicSet, PublicSet]]:
    """(questions, documents): each set on itself, and on every other that has the same questions."""
    ids = [{question.id for question in one.questions} for one in sets]
    return [
        (asked, documents)
        for documents, own in zip(sets, ids, strict=True)
        for asked, others in zip(sets, ids, strict=True)
        if asked is documents or own & others
    ]


def open_on(public: PublicSet, settings: Settings, folder: Path) -> Assistant:
    """An assistant on an index of the set's documents alone, made under `folder`; no term table, as none is about it."""
    embedder = load_embedder(settings.embeddings)
    chunks = [chunk for document in public.documents for chunk in chunk_markdown(document)]
    revision = sha256_of("".join(document.sha256 for document in public.documents))
    source = Source(SOURCE, "documents", public.name, revision)
    folder.mkdir(parents=True)
    write_generation(folder, [source], public.documents, chunks, TermTable.from_records([]), embedder, CrossEncoder.load(), CHUNKER)
    return Assistant.open(dataclasses.replace(settings, index=folder, chroma_url=None))


def ask_all(
    asked: PublicSet, documents: PublicSet, assistant: Assistant, limit: int | None, seed: int,
    progress: Callable[[list[Asked], str], Any] = lambda questions, name: questions,
) -> dict[str, Any]:
    """Figures of one direction, 0 to 1, `NAME_95` their intervals.

    Retrieval over documents: a document's rank is that of its first passage. `contains`: an answer is given
    and holds the wanted text (only asked within one language); `declined_rightly`: of the questions without
    an answer; `declined_wrongly`: of the others.
    """
    where = {question.id: question.path for question in documents.questions}
    scores: dict[str, list[float]] = {}
    questions = [q for q in sample(asked.questions, limit, seed) if q.id in where]
    for question in progress(questions, f"{asked.language} → {documents.language}"):
        answer = assistant.ask(question.question)
        if not question.answers:
            scores.setdefault("declined_rightly", []).append(float(not answer.answered))
            continue
        passages = assistant.search(question.question, k=40)
        found = list(dict.fromkeys(passage.chunk.path for passage in passages))
        held = [frozenset({0}) if path == where[question.id] else frozenset[int]() for path in found]
        row = {
            "recall_1": recall(held, 1, 1), "recall_5": recall(held, 1, 5), "mrr": reciprocal_rank(held),
            "ndcg_10": ndcg(held, 1, 10), "declined_wrongly": float(not answer.answered),
        }
        if asked.language == documents.language:
            said = normal(answer.answer) if answer.answered else ""
            row["contains"] = float(any(normal(wanted) in said for wanted in question.answers))
        for name, value in row.items():
            scores.setdefault(name, []).append(value)
    result: dict[str, Any] = {
        "questions": len(questions), "asked": asked.name, "documents": documents.name, "of": len(documents.documents),
    }
    for name, values in scores.items():
        result[name] = round(sum(values) / len(values), 4)
        result[f"{name}_95"] = [round(end, 4) for end in interval(values)]
    return result


def as_text(result: dict[str, Any]) -> str:
    """One direction on one line."""
    figures = [
        f"{name} {value:.3f} ({result[name + '_95'][0]:.3f}–{result[name + '_95'][1]:.3f})"
        for name, value in result.items() if f"{name}_95" in result
    ]
    return f"{result['asked']} → {result['documents']}: {result['questions']} questions, {result['of']} documents\n  " + "  ".join(figures)
