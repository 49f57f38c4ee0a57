"""What a question asks of a directory tree."""

import numpy as np
import pytest

from assistant.asks import ASKS, asked, best, features, with_names_marked
from assistant.crossencoder import CrossEncoder


@pytest.mark.parametrize(
    ("question", "what"),
    [
        ("what is in pkg/scheduler?", "holds"), ("list the files in hack/lib", "holds"), ("pkg/kubelet 下面有什么", "holds"),
        ("is there a translations directory?", "exists"), ("pkg/kubelet/dockershim 还在吗", "exists"),
        ("where does the eviction code live?", "where"), ("调度器的代码在哪个目录？", "where"),
        ("who owns pkg/kubelet?", "owners"), ("which make targets are there?", "targets"), ("what does make quick-release do?", "target"),
    ],
)
def test_plain_questions_are_told(question: str, what: str) -> None:
    asks = asked(question, CrossEncoder.load())
    assert best(asks) == what and asks[what] > asks["none"] and sum(asks.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("question", ["what does kube-proxy do?", "how do i build only kubectl?", "kubelet 是什么", "写一首诗", "1 + 1 = ?", "?"])
def test_other_questions_ask_nothing_of_a_tree(question: str) -> None:
    asks = asked(question, CrossEncoder.load())
    assert asks["none"] == max(asks.values())


def test_names_count_as_one_word() -> None:
    assert with_names_marked("what is in `pkg/scheduler`?") == "what is in @?"
    assert with_names_marked("还有 translations 目录吗") == "还有 @ 目录吗"


def test_without_an_encoder_the_words_alone_tell() -> None:
    encoder = CrossEncoder.load()
    assert features("what is in cmd/kubelet?", encoder).shape == features("what is in cmd/kubelet?", None).shape
    assert np.isfinite(features("", encoder)).all()
    assert set(asked("is there a pkg/foo?", None)) == set(ASKS)
