"""The bundled model: the numpy loader and sentence-transformers give the same vectors."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ModelError
from assistant.models import load_embedder, load_reranker, prompts_of
from assistant.settings import Settings
from assistant.static import FOLDER, StaticModel

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


@pytest.mark.parametrize(
    ("name", "declared", "expected"),
    [
        ("intfloat/multilingual-e5-small", {}, ("query: ", "passage: ")),
        ("/models/e5-base-v2", {"query": "", "document": ""}, ("query: ", "passage: ")),
        ("intfloat/e5-small", {"query": "q: ", "passage": "p: "}, ("q: ", "p: ")),
        ("some/model", {"query": "ask: "}, ("ask: ", "")),
        ("BAAI/bge-m3", {}, ("", "")),
        ("someone/table5-small", {}, ("", "")),
    ],
)
def test_prompts_are_the_models_own_or_its_familys(name: str, declared: dict[str, str], expected: tuple[str, str]) -> None:
    assert prompts_of(name, declared) == expected


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real BERT of a few kilobytes, untrained."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", "passage", ":", "node", "pod", "port", *"节点端口"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    size = {"vocab_size": len(words), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertForSequenceClassification(BertConfig(**size, num_labels=1)).save_pretrained(folder)
    return folder


def test_a_model_of_a_known_family_gets_its_prompts(tiny: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer

    transformer = Transformer(str(tiny))
    folder = tmp_path / "multilingual-e5-small"
    SentenceTransformer(modules=[transformer, Pooling(16)], device="cpu").save_pretrained(str(folder), create_model_card=False)
    embedder = load_embedder(str(folder))
    plain = SentenceTransformer(str(folder), device="cpu")
    for found, prompt in ((embedder.encode_queries(["node 端口"]), "query: "), (embedder.encode_passages(["node 端口"]), "passage: ")):
        assert np.allclose(found, plain.encode([prompt + "node 端口"], normalize_embeddings=True), atol=1e-5)
    assert np.allclose(np.linalg.norm(embedder.encode_queries(["node"]), axis=1), 1, atol=1e-5)
    assert embedder.dim == 16


def test_a_cross_encoder_scores_each_text(tiny: Path) -> None:
    from sentence_transformers import CrossEncoder

    texts = ["pod", "node port", "端口"]
    reranker = load_reranker(str(tiny))
    assert reranker is not None and load_reranker(None) is None
    expected = CrossEncoder(str(tiny), device="cpu").predict([("node", text) for text in texts])
    assert np.allclose(reranker.score("node", texts), expected, atol=1e-6)


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
