"""The bundled cross-encoder: what it reads of a span, what it finds, what it says when it cannot be read."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from assistant.assistant import Assistant
from assistant.crossencoder import FOLDER, CrossEncoder, States, span_text
from assistant.errors import ModelError
from assistant.reading import reread, worth_reading
from assistant.scoring import Calibration, Candidate, score
from assistant.text import fold


def read(encoder: CrossEncoder, texts: Sequence[str]) -> list[States]:
    return [states for _, states in sorted(encoder.read(texts), key=lambda found: found[0])]


def test_it_reads_each_span_with_what_stands_around_it(assistant: Assistant) -> None:
    for chunk in assistant.index.chunks:
        for position, segment in enumerate(chunk.segments):
            span = span_text(chunk, position)
            text = chunk.text[segment.start - chunk.start : segment.end - chunk.start]
            where, said = span.split("|", 1) if chunk.kind != "table" else ("", span)
            assert span == fold(span)
            if chunk.kind == "entry":
                assert (chunk.name or "").lower() in span and fold(chunk.note or "") in span
            elif "|" not in text:
                assert fold(text) in said
                assert not chunk.headings[1:] or fold(chunk.headings[-1]) in where


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("who assigns pods to nodes?", "kube-scheduler. | it is responsible for finding a suitable node for a pod", "kubectl. | kubectl is the command-line tool"),
        ("哪个组件是集群的入口？", "kube-apiserver. | it is the entry point for controlling the cluster", "kubelet. | it reports the resource usage of the node"),
    ],
)
def test_the_span_that_answers_comes_first(question: str, right: str, wrong: str) -> None:
    encoder = CrossEncoder.load()
    scores = encoder.score(question, read(encoder, [wrong, right]))
    assert scores.shape == (2,) and scores.dtype == np.float32
    assert scores[1] > scores[0]


def test_the_order_and_number_of_spans_hardly_matter() -> None:
    """Nor does it matter with what a span was read; padding moves the 8-bit scores a little."""
    encoder = CrossEncoder.load()
    spans = ["kubelet. | it manages the containers of its node", "build | run.sh", "kube-proxy. | " + "it forwards traffic " * 30]
    states = read(encoder, spans)
    together = encoder.score("what does kubelet do?", states)
    alone = [encoder.score("what does kubelet do?", read(encoder, [span]))[0] for span in spans]
    assert np.allclose(together, alone, atol=0.5)
    assert np.allclose(together, encoder.score("what does kubelet do?", states[::-1])[::-1], atol=0.5)
    assert encoder.score("anything", []).shape == (0,)


def test_rereading_keeps_all_and_puts_what_was_read_first(assistant: Assistant) -> None:
    query = assistant.query("how does the scheduler choose a node?")
    calibration = Calibration.load()
    candidates = score(query, assistant.passages(query), assistant.index, assistant.reader, calibration)
    again = reread(query, candidates, assistant.index, assistant.reader, CrossEncoder.load(), calibration)
    def places(found: Sequence[Candidate]) -> set[tuple[str, str, int]]:
        return {c.place for c in found}

    assert len(candidates) == len(again) and places(candidates) == places(again)
    first = worth_reading(candidates)
    assert places(again[: len(first)]) == places(first)
    assert all(c.read is not None for c in again[: len(first)]) and all(c.read is None for c in again[len(first) :])
    assert [c.score for c in again] == sorted((c.score for c in again), reverse=True)


@pytest.mark.parametrize(("question", "path"), [("what is the build directory for?", "build"), ("hack 目录是干什么的", "hack"), ("where is shell.sh?", "build/shell.sh")])
def test_an_entry_that_is_plainly_asked_for_is_the_answer(assistant: Assistant, question: str, path: str) -> None:
    answer = assistant.ask(question)
    assert answer.answered and answer.statements[0].text.startswith(f"`{path}`")


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_model_is_named(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(FOLDER, folder)
    if damage == "missing":
        (folder / "upper.onnx").unlink()
    else:
        (folder / "upper.onnx").write_bytes((folder / "upper.onnx").read_bytes()[:1000])
    with pytest.raises(ModelError, match="reinstall the package"):
        CrossEncoder.load(folder)
