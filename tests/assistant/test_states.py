"""What the cross-encoder made of the spans when they were ingested: there for each span, taken over, and bound to the model."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.assistant import Assistant
from assistant.crossencoder import CrossEncoder, States, span_text
from assistant.errors import IndexMismatchError
from assistant.settings import Settings
from assistant.states import StateStore, digest_of
from ingest.pipeline import ingest

TEXTS = ["kubelet. | it manages the containers of its node", "build | run.sh", "kube-proxy. | " + "it forwards traffic " * 30]


class NotAsked(CrossEncoder):
    """An encoder that must not read."""

    def read(self, texts):  # type: ignore[no-untyped-def]
        assert not texts, texts
        return iter(())


def without_reading(encoder: CrossEncoder) -> CrossEncoder:
    return NotAsked(encoder.tokenizer, encoder.lower, encoder.upper, encoder.fingerprint)


def test_states_are_kept_in_8_bits() -> None:
    rows = np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0], [1e-3, 0.0, -1e-3]], np.float32)
    states = States.of(rows)
    assert states.values.dtype == np.int8 and states.values.shape == rows.shape
    assert np.allclose(states.rows(), rows, atol=2 / 127)


def test_every_english_span_of_the_article_was_read(assistant: Assistant) -> None:
    for chunk in assistant.index.of_language["en"]:
        texts = [span_text(chunk, position) for position in range(len(chunk.segments))]
        assert all(assistant.index.states.kept(digest_of(text)) for text in texts)


def test_what_was_written_is_what_was_read(tmp_path: Path) -> None:
    encoder = CrossEncoder.load()
    StateStore.write(tmp_path, [*TEXTS, TEXTS[0]], encoder)
    store = StateStore(tmp_path)
    fresh = dict(encoder.read(TEXTS))
    for position, states in enumerate(store.of(TEXTS, without_reading(encoder))):
        assert np.allclose(states.rows(), fresh[position].rows(), atol=0.05)
    assert store.kept(digest_of("another")) is None


def test_what_was_not_written_is_read_once(tmp_path: Path) -> None:
    encoder = CrossEncoder.load()
    StateStore.write(tmp_path, [], encoder)
    store = StateStore(tmp_path)
    first = store.of(TEXTS[::-1], encoder)
    again = store.of(TEXTS[::-1], without_reading(encoder))
    assert [one is other for one, other in zip(first, again, strict=True)] == [True] * 3


def test_known_states_are_taken_over(tmp_path: Path) -> None:
    encoder = CrossEncoder.load()
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    StateStore.write(old, TEXTS, encoder)
    StateStore.write(new, TEXTS[1:], without_reading(encoder), StateStore(old))
    assert StateStore(new).kept(digest_of(TEXTS[0])) is None
    for text in TEXTS[1:]:
        before, after = StateStore(old).kept(digest_of(text)), StateStore(new).kept(digest_of(text))
        assert before and after and np.array_equal(before.values, after.values)


def test_an_index_of_another_cross_encoder_is_named_and_made_again(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "index"
    shutil.copytree(settings.index, folder)
    own = replace(settings, index=folder)
    manifest = folder / "generations" / (folder / "current").read_text().strip() / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"encoder": "another"}))
    with pytest.raises(IndexMismatchError, match="another cross-encoder; run `python -m ingest --rebuild`"):
        Assistant.open(own)
    assert ingest(own).changed
    assert Assistant.open(own).ask("what is kubelet?").answered


@pytest.mark.parametrize("name", ["states.npy", "scales.npy", "states.npz"])
def test_damaged_states_are_named_and_made_again(tmp_path: Path, settings: Settings, name: str) -> None:
    folder = tmp_path / "index"
    shutil.copytree(settings.index, folder)
    own = replace(settings, index=folder)
    victim = folder / "generations" / (folder / "current").read_text().strip() / name
    victim.write_bytes(victim.read_bytes()[:-50])
    with pytest.raises(IndexMismatchError, match=r"the states in .* damaged .*run `python -m ingest --rebuild`"):
        Assistant.open(own).ask("what is kubelet?")
    assert ingest(own).changed
    assert Assistant.open(own).ask("what is kubelet?").answered
