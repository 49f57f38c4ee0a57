"""A scripted language model judges real answers; a scripted reranker turns a real ranking round."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from assistant.assistant import Assistant
from assistant.llm import LanguageModel
from assistant.settings import Settings
from evals import cli, systems
from evals.judge import judge


def test_a_model_judges_each_statement(assistant: Assistant) -> None:
    answers = [assistant.ask("Which components run on the master?"), assistant.ask("How do I centre a div in CSS?")]
    count = sum(len(answer.statements) for answer in answers)
    assert count >= 3
    replies = ["Yes.", "no", "that depends", *["yes"] * (count - 3)]
    found = judge(LanguageModel("scripted:model", GenericFakeChatModel(messages=iter(map(AIMessage, replies)))), answers)
    assert (found["statements"], found["unscored"]) == (count - 1, 1)
    assert found["faithful"] == pytest.approx((count - 2) / (count - 1), abs=1e-3)
    assert [row["statement"] for row in found["doubted"]] == [answers[0].statements[1].text]


def test_without_a_model_it_says_what_to_set(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ASSISTANT_LLM", raising=False)
    assert cli.main(["judge", "--index", str(settings.index)]) == 1
    assert "set ASSISTANT_LLM" in capsys.readouterr().err


def test_a_reranker_orders_the_passages(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    class Shortest:
        def score(self, query: str, texts: Sequence[str]) -> np.ndarray:
            return np.array([-len(text) for text in texts], np.float32)

    monkeypatch.setattr("assistant.assistant.load_reranker", lambda spec: Shortest())
    settings = dataclasses.replace(assistant.settings, reranker="shortest")
    product = systems.Product(Assistant(assistant.index, assistant.embedder, settings))
    found = product.search("What does kubelet do?", (), None)
    lengths = [-passage.scores["reranker"] for passage in found]
    assert lengths == sorted(lengths) and [passage.rank for passage in found] == list(range(len(found)))
    assert {p.chunk.id for p in found} == {p.chunk.id for p in systems.Product(assistant).search("What does kubelet do?", (), None)}
