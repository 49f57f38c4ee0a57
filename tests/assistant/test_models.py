"""The bundled model: the numpy loader and sentence-transformers give the same vectors."""

import dataclasses
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from assistant.assistant import Assistant
from assistant.errors import IndexMismatchError, ModelError
from assistant.models import load_embedder, load_reranker, prompts_of
from assistant.settings import Settings
from assistant.static import FOLDER, StaticModel
from ingest.pipeline import ingest

TEXTS = ["kube-apiserver 的端口", "Where is the scheduler?", "编译", "make WHAT=cmd/kubectl"]


def test_sentence_transformers_reads_the_folder_and_agrees() -> None:
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(FOLDER), device="cpu").encode(TEXTS, normalize_embeddings=True)
    assert np.allclose(StaticModel.load().encode(TEXTS), theirs, atol=2e-3)  # the table has 16 bits


def test_rows_are_unit_or_zero() -> None:
    norms = np.linalg.norm(StaticModel.load().encode([*TEXTS, ""]), axis=1)
    assert np.allclose(norms, [1, 1, 1, 1, 0], atol=1e-5)


@pytest.mark.parametrize(("one", "same", "other"), [("调度器", "scheduler", "image"), ("目录", "directory", "container"), ("编译", "compile", "delete")])
def test_words_of_two_languages_meet(one: str, same: str, other: str) -> None:
    a, b, c = StaticModel.load().encode([one, same, other])
    assert a @ b > 0.4 > a @ c


def test_a_missing_model_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="no folder"):
        load_embedder(str(tmp_path / "none"))
    with pytest.raises(ModelError, match="reinstall"):
        StaticModel.load(tmp_path)


def test_another_model_is_used_with_the_prompts_of_its_family(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "multilingual-e5-small"
    shutil.copytree(FOLDER, folder)
    embedder = load_embedder(str(folder))
    question, passage = embedder.encode_queries(["调度器"])[0], embedder.encode_passages(["调度器"])[0]
    plain = StaticModel.load().encode(["query: 调度器", "passage: 调度器"])
    assert np.allclose(question, plain[0], atol=2e-3) and np.allclose(passage, plain[1], atol=2e-3)
    other = dataclasses.replace(settings, index=tmp_path / "index", embeddings=str(folder))
    ingest(other)
    assert Assistant.open(other).ask("kubelet 是什么？").citations[0].start_line == 122
    with pytest.raises(IndexMismatchError, match="ASSISTANT_EMBEDDINGS"):
        Assistant.open(dataclasses.replace(other, embeddings=None))


def test_a_cross_encoder_puts_the_passages_in_order(tmp_path: Path, settings: Settings) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "kubelet", "node", "the", "component"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", model_max_length=64
    ).save_pretrained(tmp_path)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=1,
        max_position_embeddings=64,
    )
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    assistant = Assistant.open(dataclasses.replace(settings, reranker=str(tmp_path)))
    found = assistant.search("What is the kubelet component?", k=6)
    scores = [passage.scores["reranker"] for passage in found]
    assert scores == sorted(scores, reverse=True) and [passage.rank for passage in found] == list(range(6))
    assert {p.chunk.id for p in found} == {p.chunk.id for p in Assistant.open(settings).search("What is the kubelet component?", k=6)}


@pytest.mark.parametrize(
    ("name", "declared", "expected"),
    [
        ("intfloat/multilingual-e5-small", {}, ("query: ", "passage: ")),
        ("/models/e5-base-v2", {"query": "", "document": ""}, ("query: ", "passage: ")),
        ("intfloat/e5-small", {"query": "q: ", "passage": "p: "}, ("q: ", "p: ")),
        ("some/model", {"query": "ask: "}, ("ask: ", "")),
        ("BAAI/bge-m3", {}, ("", "")),
        ("BAAI/bge-small-zh-v1.5", {}, ("为这个句子生成表示以用于检索相关文章：", "")),
        ("intfloat/multilingual-e5-large-instruct", {}, ("Instruct: Given a question, retrieve passages that answer it\nQuery: ", "")),
        ("someone/table5-small", {}, ("", "")),
    ],
)
def test_prompts_are_the_models_own_or_its_familys(name: str, declared: dict[str, str], expected: tuple[str, str]) -> None:
    assert prompts_of(name, declared) == expected


def test_a_folder_without_a_model_is_one_clear_line(tmp_path: Path) -> None:
    for kind in (load_embedder, load_reranker):
        with pytest.raises(ModelError, match="holds no model"):
            kind(str(tmp_path))


def test_without_network_or_cache_it_says_so_within_seconds(settings: Settings) -> None:
    """The whole command line: one line, no traceback, no retries; nothing listens on the port."""
    environment = {
        "PATH": "", "HOME": str(settings.index), "ASSISTANT_INDEX": str(settings.index), "HF_ENDPOINT": "http://127.0.0.1:9",
        "ASSISTANT_EMBEDDINGS": "someone/multilingual-e5-small",
    }
    begin = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-m", "assistant", "ask", "kubelet?"], capture_output=True, text=True, env=environment, timeout=120
    )
    assert result.returncode == 1 and result.stdout == ""
    assert len(result.stderr.splitlines()) == 1 and "ASSISTANT_EMBEDDINGS" in result.stderr and "cannot be reached" in result.stderr
    assert time.monotonic() - begin < 30  # most of it imports torch


def test_a_model_the_hub_does_not_have_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.models._hub_answers", lambda: True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="the hub has no model"):
        load_reranker("someone/nothing")
