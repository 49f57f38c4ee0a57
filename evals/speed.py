"""How fast answers are as the index grows: the article, and the article among ever more text of its kind."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.assistant import Assistant
from assistant.crossencoder import CrossEncoder
from assistant.datamodels import Document, Turn
from assistant.generation import write_generation
from evals.about import percentile
from evals.bootstrap import interval
from evals.questions import Question
from ingest.markdown import CHUNKER, chunk_markdown

SIZES = (1_000, 3_000)
"""Chunks of the grown indexes."""
PARAGRAPHS = 40
"""Of one document of filler, two sentences each."""
SEED = 7


def latency(assistant: Assistant, questions: Sequence[Question], folder: Path, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """For the index as it is, and then for each size: chunks, p50 and p95 of an answer in milliseconds, with intervals.

    Each question is asked once before it is timed, so that what is timed is a warm answer.
    """
    yield _timed(assistant, questions)
    for size in sizes:
        if size > len(assistant.index.chunks):
            yield _timed(grown(assistant, size, folder / str(size)), questions)


def grown(assistant: Assistant, size: int, folder: Path) -> Assistant:
    """An assistant on the same material and filler, `size` chunks or a few more in all."""
    index = assistant.index
    chunks = list(index.chunks)
    documents = list(index.documents)
    chooser = random.Random(SEED)
    sentences = {
        language: [c.text[s.start - c.start : s.end - c.start] for c in own for s in c.segments if s.kind == "sentence"]
        for language, own in index.of_language.items()
    }
    while len(chunks) < size:
        language = "zh" if len(documents) % 2 else "en"
        paragraphs = [" ".join(chooser.sample(sentences[language], 2)) for _ in range(PARAGRAPHS)]  # type: ignore[index]
        document = Document(index.sources[0].name, f"filler/{len(documents)}.md", language, "\n\n".join(paragraphs))  # type: ignore[arg-type]
        documents.append(document)
        chunks += chunk_markdown(document)
    folder.mkdir(parents=True)
    write_generation(folder, index.sources, documents, chunks, index.terms, assistant.embedder, CrossEncoder.load(), CHUNKER)
    return Assistant.open(dataclasses.replace(assistant.settings, index=folder, chroma_url=None))


def _timed(assistant: Assistant, questions: Sequence[Question]) -> dict[str, Any]:
    times = []
    for timed in (False, True):
        for question in questions:
            begin = time.perf_counter()
            assistant.ask(question.question, [Turn(earlier) for earlier in question.history])
            if timed:
                times.append((time.perf_counter() - begin) * 1000)
    row: dict[str, Any] = {"chunks": len(assistant.index.chunks)}
    for share in (50, 95):
        row[f"p{share}"] = round(float(np.percentile(times, share)), 2)
        row[f"p{share}_95"] = [round(end, 2) for end in interval(times, percentile(share))]
    return row
