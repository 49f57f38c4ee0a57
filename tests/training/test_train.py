"""The recipe on a handful of pairs: the folder it writes is read by both loaders, with the same vectors."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from assistant.static import StaticModel
from training import train
from training.data import read_dictionary, read_folder, read_sentences

ROWS = [
    {"en": f"the {noun} number {n} of the cluster", "zh": f"集群的第{n}个{chinese}"}
    for n in range(40) for noun, chinese in (("node", "节点"), ("service", "服务"), ("volume", "存储卷"))
]


def test_a_small_model_is_trained_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    monkeypatch.setattr(train, "STEPS", 60)
    monkeypatch.setattr(train, "VOCABULARY", 300)
    monkeypatch.setattr(train, "BATCH", 16)
    monkeypatch.setattr(sys, "argv", ["train", "--data", str(tmp_path), "--output", str(tmp_path / "model")])
    train.main()
    model = StaticModel.load(tmp_path / "model")
    node, same, other = model.encode(["node", "节点", "存储卷"])
    assert node @ same > node @ other
    from sentence_transformers import SentenceTransformer

    texts = ["the node of the cluster", "集群的节点"]
    assert np.allclose(SentenceTransformer(str(tmp_path / "model")).encode(texts), model.encode(texts), atol=1e-3)


def test_sentences_and_dictionary_are_read(tmp_path: Path) -> None:
    (tmp_path / "cmn.txt").write_text("Hi.\t嗨。\tCC-BY 2.0\nI see a dog.\t我看到一隻狗。\n", encoding="utf-8")
    assert read_sentences(tmp_path / "cmn.txt") == [("Hi.", "嗨。"), ("I see a dog.", "我看到一只狗。")]
    (tmp_path / "cedict").write_text("# head\n節點 节点 [jie2 dian3] /node; vertex/CL:個|个[ge4]/\n編譯 编译 [bian1 yi4] /to compile (code)/\n", encoding="utf-8")
    assert read_dictionary(tmp_path / "cedict") == [("node", "节点"), ("vertex", "节点"), ("compile", "编译")]
    assert read_folder(tmp_path) == {"aligned": [], "sections-en": [], "sections-zh": []}
