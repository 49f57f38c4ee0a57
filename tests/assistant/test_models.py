"""The bundled model: the numpy loader and sentence-transformers give the same vectors."""

from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ModelError
from assistant.models import load_embedder
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
