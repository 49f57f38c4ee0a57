"""For users of LangChain: this project's retriever and embeddings behind LangChain's interfaces.

    from assistant.adapters import KubernetesRetriever
    retriever = KubernetesRetriever.open(k=5)
    retriever.invoke("Where is the test code?")   # documents with source, path, lines and score
"""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from assistant.assistant import Assistant
from assistant.models import Embedder, load_embedder
from assistant.settings import Settings


class KubernetesRetriever(BaseRetriever):
    """The ranked passages of the index, best first."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    assistant: Assistant
    k: int = 10
    """Passages given for a question."""
    sources: list[str] | None = None
    """Names of the sources searched; None is all of them."""

    @classmethod
    def open(cls, settings: Settings | None = None, k: int = 10) -> KubernetesRetriever:
        """Open the configured index; raises the errors of `Assistant.open`."""
        return cls(assistant=Assistant.open(settings or Settings.from_environment()), k=k)

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [
            Document(
                passage.chunk.text,
                id=passage.chunk.id,
                metadata={
                    "source": passage.chunk.source, "path": passage.chunk.path, "start_line": passage.chunk.start_line,
                    "end_line": passage.chunk.end_line, "language": passage.chunk.language, "score": passage.score,
                },
            )
            for passage in self.assistant.search(query, self.sources, self.k)
        ]


class AssistantEmbeddings(Embeddings):
    """The configured embedding model, the bundled one by default; vectors have length 1."""

    def __init__(self, embedder: Embedder | None = None) -> None:
        self.embedder = embedder or load_embedder(Settings.from_environment().embeddings)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.embedder.encode_passages(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        return self.embedder.encode_queries([text])[0].tolist()
