"""The product's own retrieval, measured on the article in one language at a time."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from assistant.assistant import Assistant
from assistant.settings import Settings
from evals.questions import Question
from ingest.corpus import bundled_folder, read_corpus
from ingest.pipeline import ingest

K = 10
Found = tuple[list[int], frozenset[int]]
"""Positions of the passages found, best first, and of the chunks that touch a gold line."""


def measure_hybrid(questions: list[Question]) -> dict[str, list[Found]]:
    """Ask each question of an index of each language alone; keys are directions, 'en→zh'.

    Units are the product's chunks: one is right when it touches a gold line.
    """
    found: dict[str, list[Found]] = {}
    for document in read_corpus(bundled_folder()).documents:
        with tempfile.TemporaryDirectory() as folder:
            corpus = _corpus_of(document.path, document.language, Path(folder) / "corpus")
            settings = Settings(index=Path(folder) / "index")
            ingest(settings, corpus=corpus)
            assistant = Assistant.open(settings)
            place = {chunk.id: position for position, chunk in enumerate(assistant.index.chunks)}
            for question in questions:
                gold = frozenset(
                    place[c.id] for c in assistant.index.chunks if question.lines & set(range(c.start_line, c.end_line + 1))
                )
                ranked = [place[passage.chunk.id] for passage in assistant.search(question.question, k=K)]
                found.setdefault(f"{question.language}→{document.language}", []).append((ranked, gold))
    return found


def _corpus_of(path: str, language: str, folder: Path) -> Path:
    """Lay out a corpus of one document of the bundled one."""
    bundled = bundled_folder()
    folder.mkdir()
    for name in (path, "terms.toml"):
        shutil.copy(bundled / name, folder / name)
    rows = {"path": path, "title": path, "language": language, "origin": "bundled", "licence": "bundled"}
    fields = "\n".join(f"{key} = {json.dumps(value)}" for key, value in rows.items())
    (folder / "manifest.toml").write_text(f'title = "One language"\n\n[[document]]\n{fields}\n', encoding="utf-8")
    return folder
