"""The bundled cross-encoder: reads a question and a span of the material together and says whether the span answers it.

A small BERT in the model folder `crossencoder_model/` (made by `training/crossencoder.py`), run by onnxruntime,
which is imported here only. Its lower layers read a span by itself, once, when it is ingested (`assistant/states.py`
keeps what they make of it), and a question when it is asked; the upper ones read both together (DeFormer, Cao et
al. 2020). What stands around a span is read with it, as `span_text` puts it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.datamodels import ARTICLE, Chunk
from assistant.errors import ModelError
from assistant.text import fold

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FOLDER = Path(__file__).parent / "crossencoder_model"
LONGEST = 96
"""Tokens read of a question, and of a span."""
BATCH = 2_048
"""Tokens that the lower layers read in one go."""
RUN = 60
"""Tokens that take as long to read as it takes to begin another batch."""
MOST_THREADS = 4
SUREST = 8.0
"""Log odds beyond which the cross-encoder's verdict is cut."""
CONTEXT = 140
"""Characters read of each sentence before the span, and of the items that a lead announces."""
CHILDREN = 8


@dataclass(frozen=True)
class States:
    """What the lower layers make of a text, in 8 bits."""

    values: np.ndarray
    """(tokens, width) int8."""
    scales: np.ndarray
    """(tokens,) float: what a step of a token's values is worth."""

    @classmethod
    def of(cls, rows: np.ndarray) -> States:
        """Of float32 rows, (tokens, width)."""
        scales = np.maximum(np.abs(rows).max(axis=1), 1e-6) / 127
        return cls(np.rint(rows / scales[:, None]).astype(np.int8), scales)

    def rows(self) -> np.ndarray:
        """(tokens, width) float32."""
        return self.values.astype(np.float32) * self.scales[:, None].astype(np.float32)


class CrossEncoder:
    """Scores spans against a question."""

    def __init__(self, tokenizer: Tokenizer, lower: Any, upper: Any, fingerprint: str) -> None:
        """`lower` and `upper` are onnxruntime sessions."""
        self.tokenizer = tokenizer
        self.lower = lower
        self.upper = upper
        self.fingerprint = fingerprint
        """Hash of what the states depend on, 16 hexadecimal digits."""
        self._asked: tuple[str | None, np.ndarray] = None, np.zeros((0, 0), np.float32)
        self._asking = Lock()

    @classmethod
    @lru_cache(maxsize=2)
    def load(cls, folder: Path = FOLDER) -> CrossEncoder:
        """Load a model folder; raises ModelError when a file of it is missing or damaged."""
        import onnxruntime  # 0.1 s
        from tokenizers import Tokenizer

        files = [folder / name for name in ("tokenizer.json", "lower.onnx", "upper.onnx")]
        for path in files:
            if not path.is_file():
                raise ModelError(f"the cross-encoder lacks {path}; reinstall the package")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(MOST_THREADS, os.cpu_count() or 1)
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # its threads shall not wait for work on the cores that numpy needs
        try:
            tokenizer = Tokenizer.from_file(str(files[0]))
            lower, upper = (onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]) for path in files[1:])
            fingerprint = lower.get_modelmeta().custom_metadata_map["fingerprint"]
        except Exception as exc:  # both libraries raise plain exceptions of their own
            raise ModelError(f"the cross-encoder in {folder} cannot be read ({exc}); reinstall the package") from exc
        tokenizer.enable_truncation(LONGEST)
        tokenizer.no_padding()
        return cls(tokenizer, lower, upper, fingerprint)

    @property
    def width(self) -> int:
        """Of the states."""
        return int(self.lower.get_outputs()[0].shape[2])

    def knows(self, word: str) -> bool:
        """Whether the vocabulary holds a folded word whole, as it holds the common ones."""
        return len(self.tokenizer.encode(word, add_special_tokens=False).ids) == 1

    def read(self, texts: Sequence[str]) -> Iterator[tuple[int, States]]:
        """Read texts with the lower layers; yields the position of each, the shortest first, with its states."""
        found = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        batch: list[int] = []
        for position in sorted(range(len(texts)), key=lambda i: len(found[i])):
            if batch and len(found[position]) * (len(batch) + 1) > BATCH:
                yield from zip(batch, map(States.of, self._lower([found[i] for i in batch])), strict=True)
                batch = []
            batch.append(position)
        if batch:
            yield from zip(batch, map(States.of, self._lower([found[i] for i in batch])), strict=True)

    def asked(self, question: str) -> np.ndarray:
        """What the lower layers make of a question, (tokens, width) float32; of the last one it is kept, which is often asked again."""
        with self._asking:  # whoever asks while it is read waits for it
            if self._asked[0] != question:
                self._asked = question, self._lower([self.tokenizer.encode(question).ids])[0]
            return self._asked[1]

    def score(self, question: str, spans: Sequence[States]) -> np.ndarray:
        """Score spans against a question, (n,) float32 within ±`SUREST`: the log odds that a span, rather than nothing, is the answer."""
        if not spans:
            return np.zeros(0, np.float32)
        asked = self.asked(question)
        scores = np.zeros(len(spans), np.float32)
        for batch in _batches([len(span.values) for span in spans], len(asked)):
            scores[batch] = self._upper(asked, [spans[i] for i in batch])
        return scores.clip(-SUREST, SUREST)

    def _upper(self, asked: np.ndarray, spans: Sequence[States]) -> np.ndarray:
        """Scores of spans, (n,), read with a question's states, (tokens, width)."""
        count, length = len(spans), max(len(span.values) for span in spans)
        states, mask = np.zeros((count, length, asked.shape[1]), np.float32), np.zeros((count, length), np.int64)
        for i, span in enumerate(spans):
            states[i, : len(span.values)], mask[i, : len(span.values)] = span.rows(), 1
        inputs = {
            "question": np.ascontiguousarray(np.broadcast_to(asked, (count, *asked.shape))), "question_mask": np.ones((count, len(asked)), np.int64),
            "span": states, "span_mask": mask,
        }
        return np.asarray(self.upper.run(None, inputs)[0], np.float32)

    def _lower(self, texts: Sequence[list[int]]) -> list[np.ndarray]:
        """States of token ids, (tokens, width) float32 each."""
        ids, mask = np.zeros((2, len(texts), max(map(len, texts))), np.int64)
        for i, text in enumerate(texts):
            ids[i, : len(text)], mask[i, : len(text)] = text, 1
        read = self.lower.run(None, {"ids": ids, "mask": mask})[0]
        return [rows[: len(text)] for rows, text in zip(read, texts, strict=True)]


def _batches(lengths: Sequence[int], asked: int) -> list[list[int]]:
    """Positions of spans in one batch, or in two where the shorter ones would else be filled up by more tokens than another run costs."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    longest = lengths[order[-1]] + asked
    saved = [at * (longest - lengths[order[at - 1]] - asked) for at in range(1, len(order))]
    at = int(np.argmax(saved)) + 1 if saved else 0
    return [order[:at], order[at:]] if saved and saved[at - 1] > RUN else [order]


def span_text(chunk: Chunk, position: int) -> str:
    """A segment of a chunk as the cross-encoder reads it: where it stands, what it follows from, and itself; folded.

    'kube-scheduler. The scheduler schedules only one Pod at a time | each search for a node is one cycle'
    """
    texts = [chunk.text[s.start - chunk.start : s.end - chunk.start] for s in chunk.segments]
    above = "/".join(chunk.path.split("/")[:-1][-2:])
    headings = chunk.headings[1:][-1:] if chunk.source == ARTICLE else tuple(dict.fromkeys((above, *chunk.headings[-2:])))
    if chunk.name and chunk.kind != "paragraph":
        leaf = chunk.name.rsplit("/", 1)[-1]
        kind = "script, file" if "." in leaf.strip(".") else "directory"
        inside = f" contains {', '.join(chunk.children[:CHILDREN])}" if chunk.children else ""
        what = f"{chunk.name} ({kind}) {chunk.note or ''}{inside}" if chunk.kind in ("entry", "directory") else f"{chunk.name}: {chunk.note or texts[position]}"
        return fold(" ".join([*headings, "|", what]))
    before = [texts[i] for i in chunk.before(position)]
    span = texts[position]
    if chunk.segments[position].kind == "lead":
        span += " " + " ".join(texts[1:])[:CONTEXT]
    return fold(" ".join([". ".join([*headings, *(text[:CONTEXT] for text in dict.fromkeys(before))]), "|", span]))
