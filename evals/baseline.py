"""What a tutorial builds, on the same material: the systems that the product must beat to be worth its code.

Documents are cut by LangChain's RecursiveCharacterTextSplitter at 1,000/200 characters, its tutorials'
figures; the passages are found with one embedding model in Chroma ("tutorial") or with BM25 ("BM25"). There
is no language model, so the answer is the best passage or passages themselves. Nothing is ever declined.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from assistant.datamodels import Answer, Chunk, Citation, Document, Folder, Language, Passage, Segment, Statement, Turn
from assistant.errors import SettingsError
from assistant.evidence import Reader
from assistant.lexical import LexicalIndex
from assistant.models import Embedder
from assistant.store import VectorStore
from assistant.terms import TermTable
from assistant.text import detect_language

SIZE, OVERLAP = 1_000, 200
FOUND = 24
"""Passages kept, as many as the product keeps."""


def split(documents: Sequence[Document]) -> list[Chunk]:
    """Cut documents as the tutorials do; each chunk is a span of its document.

    Raises SettingsError when langchain-text-splitters is not installed.
    """
    try:
        from langchain_text_splitters import RecursiveCharacterTextSplitter
    except ImportError as exc:
        raise SettingsError("the baselines need langchain-text-splitters; type: pip install -r requirements.lock") from exc
    splitter = RecursiveCharacterTextSplitter(chunk_size=SIZE, chunk_overlap=OVERLAP, add_start_index=True)
    chunks = []
    for document in documents:
        for piece in splitter.create_documents([document.text]):
            start, text = int(piece.metadata["start_index"]), piece.page_content
            end = start + len(text)
            chunks.append(
                Chunk(
                    Chunk.make_id(document.source, document.path, "paragraph", start, text), document.source, document.path,
                    document.language, "paragraph", start, end, document.line_at(start), document.line_at(end - 1), text, (),
                    (Segment("sentence", start, end),),
                )
            )
    return list({chunk.id: chunk for chunk in chunks}.values())


class _Plain:
    """A retriever whose best passages are its answer."""

    def __init__(self, name: str, documents: Sequence[Document], shown: int) -> None:
        self.name = name
        self.shown = shown
        self.documents = {(document.source, document.path): document for document in documents}
        self.all = split(documents)
        self.reader = Reader(TermTable.from_records([]))

    def find(self, text: str) -> list[tuple[Chunk, float]]:
        """Chunks with their score, best first."""
        raise NotImplementedError

    def confidence(self, passages: Sequence[Passage]) -> float:
        """How sure the best of the passages is, 0 to 1; 0 without any."""
        raise NotImplementedError

    def search(self, question: str, history: Sequence[Turn], sources: Sequence[str] | None) -> list[Passage]:
        text = " ".join([*(turn.question for turn in history), question])
        found = [(chunk, value) for chunk, value in self.find(text) if sources is None or chunk.source in sources]
        return [Passage(chunk, rank, value) for rank, (chunk, value) in enumerate(found[:FOUND])]

    def ask(self, question: str, history: Sequence[Turn], sources: Sequence[str] | None) -> Answer:
        begin = time.perf_counter()
        best = self.search(question, history, sources)[: self.shown]
        citations = tuple(self._cite(passage.chunk, number) for number, passage in enumerate(best, 1))
        statements = tuple(Statement(c.quote, (c.id,), "supported") for c in citations)
        text = "\n\n".join(citation.quote for citation in citations)
        total = round((time.perf_counter() - begin) * 1000, 2)
        language = detect_language(question)
        return Answer(
            question, question, language, True, self.name, text, statements, citations, None, self.name, {"total": total},
            self.confidence(best),
        )

    def chunks(self, language: Language) -> Sequence[Chunk]:
        return self.all

    def document(self, source: str, path: str) -> Document:
        return self.documents[source, path]

    def folder(self, source: str, path: str) -> Folder | None:
        return None

    def _cite(self, chunk: Chunk, number: int) -> Citation:
        return Citation(
            number, chunk.source, chunk.path, chunk.start_line, chunk.end_line, chunk.start, chunk.end, chunk.text, (),
            self.document(chunk.source, chunk.path).sha256,
        )


class Tutorial(_Plain):
    """One embedding model, one Chroma collection, the nearest passages."""

    def __init__(self, documents: Sequence[Document], embedder: Embedder, shown: int = 1, name: str = "") -> None:
        super().__init__(f"tutorial, top {shown}{name}", documents, shown)
        self.embedder = embedder
        self._folder = tempfile.TemporaryDirectory(prefix="evals-", ignore_cleanup_errors=True)

    @cached_property
    def _store(self) -> VectorStore:
        folder = Path(self._folder.name)
        vectors = self.embedder.encode_passages([chunk.text for chunk in self.all])
        VectorStore.create(folder, "tutorial", None, {"all": (self.all, vectors)})
        return VectorStore.open(folder, "tutorial", None, {"all": len(self.all)})

    @cached_property
    def _by_id(self) -> dict[str, Chunk]:
        return {chunk.id: chunk for chunk in self.all}

    def find(self, text: str) -> list[tuple[Chunk, float]]:
        vector = self.embedder.encode_queries([text])[0]
        return [(self._by_id[id_], value) for id_, value in self._store.search(vector, 4 * FOUND, "all")]

    def confidence(self, passages: Sequence[Passage]) -> float:
        """Cosine of the best passage; 0 where it is negative."""
        return max(0.0, passages[0].score) if passages else 0.0


class Bm25(_Plain):
    """BM25 alone, with the product's tokens (which know Chinese and code)."""

    def __init__(self, documents: Sequence[Document], shown: int = 1) -> None:
        super().__init__(f"BM25, top {shown}", documents, shown)
        self._lexical = LexicalIndex.build([chunk.text for chunk in self.all])

    def find(self, text: str) -> list[tuple[Chunk, float]]:
        return [(self.all[position], value) for position, value in self._lexical.search(text, 4 * FOUND)]

    def confidence(self, passages: Sequence[Passage]) -> float:
        """s / (1 + s) of the best passage's score s: any growing function draws the same curve."""
        return passages[0].score / (1 + passages[0].score) if passages else 0.0
