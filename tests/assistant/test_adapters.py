"""The project behind LangChain's interfaces."""

import math

from assistant.adapters import AssistantEmbeddings, KubernetesRetriever
from assistant.assistant import Assistant


def test_the_retriever_gives_documents_with_their_lines(assistant: Assistant) -> None:
    found = KubernetesRetriever(assistant=assistant, k=4).invoke("Where is the test code?")
    assert len(found) == 4 and found[0].metadata["score"] >= found[-1].metadata["score"]
    passages = assistant.search("Where is the test code?", k=4)
    assert [document.id for document in found] == [passage.chunk.id for passage in passages]
    assert found[0].page_content == passages[0].chunk.text and found[0].metadata["start_line"] == passages[0].chunk.start_line


def test_the_embeddings_are_the_models(assistant: Assistant) -> None:
    embeddings = AssistantEmbeddings(assistant.embedder)
    one, two = embeddings.embed_documents(["调度器", "scheduler"])
    assert math.isclose(sum(x * x for x in one), 1, rel_tol=1e-3)
    assert len(embeddings.embed_query("调度器")) == len(one) == assistant.embedder.dim
    assert sum(a * b for a, b in zip(one, two, strict=True)) > 0.5
