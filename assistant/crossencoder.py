"""The bundled cross-encoder: reads a question and a span of the material together and says whether the span answers it.

A small BERT in the model folder `crossencoder_model/` (made by `training/crossencoder.py`), run by onnxruntime,
which is imported here only. What stands around a span is read with it, as `span_text` puts it.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
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
KEPT = 600
"""Texts of which the lower layers' states are kept; about 70 KB each."""
MOST_THREADS = 4
CONTEXT = 140
"""Characters read of each sentence before the span, and of the items that a lead announces."""
CHILDREN = 8


class CrossEncoder:
    """Scores spans against a question. What the lower layers make of a span is kept, for the spans asked for last."""

    def __init__(self, tokenizer: Tokenizer, lower: Any, upper: Any) -> None:
        """`lower` and `upper` are onnxruntime sessions."""
        self.tokenizer = tokenizer
        self.lower = lower
        self.upper = upper
        self._states: OrderedDict[str, np.ndarray] = OrderedDict()

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
        except Exception as exc:  # both libraries raise plain exceptions of their own
            raise ModelError(f"the cross-encoder in {folder} cannot be read ({exc}); reinstall the package") from exc
        tokenizer.enable_truncation(LONGEST)
        tokenizer.no_padding()
        return cls(tokenizer, lower, upper)

    def score(self, question: str, spans: Sequence[str]) -> np.ndarray:
        """Score spans against a question, (n,) float32: the log odds that a span, rather than nothing, is the answer."""
        if not spans:
            return np.zeros(0, np.float32)
        asked, *read = self._read([question, *spans])
        count, length = len(spans), max(map(len, read))
        states = np.zeros((count, length, asked.shape[1]), np.float32)
        mask = np.zeros((count, length), np.int64)
        for i, one in enumerate(read):
            states[i, : len(one)], mask[i, : len(one)] = one, 1
        inputs = {
            "question": np.broadcast_to(asked, (count, *asked.shape)), "question_mask": np.ones((count, len(asked)), np.int64),
            "span": states, "span_mask": mask,
        }
        return np.asarray(self.upper.run(None, {name: np.ascontiguousarray(value) for name, value in inputs.items()})[0], np.float32)

    def _read(self, texts: Sequence[str]) -> list[np.ndarray]:
        """States of the lower layers, (tokens, width) float32 each."""
        fresh = list(dict.fromkeys(text for text in texts if text not in self._states))
        encoded = self.tokenizer.encode_batch(fresh)
        length = max((len(e.ids) for e in encoded), default=0)
        ids, mask = np.zeros((len(fresh), length), np.int64), np.zeros((len(fresh), length), np.int64)
        for i, e in enumerate(encoded):
            ids[i, : len(e.ids)], mask[i, : len(e.ids)] = e.ids, 1
        if fresh:
            for text, e, states in zip(fresh, encoded, self.lower.run(None, {"ids": ids, "mask": mask})[0], strict=True):
                self._states[text] = states[: len(e.ids)].copy()
        found = [self._states[text] for text in texts]
        for text in texts:
            self._states.move_to_end(text)
        while len(self._states) > KEPT:
            self._states.popitem(last=False)
        return found


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
    before = [texts[0], texts[position - 1]] if position > 1 and chunk.segments[0].kind != "lead" else texts[:1] if position else []
    span = texts[position]
    if chunk.segments[position].kind == "lead":
        span += " " + " ".join(texts[1:])[:CONTEXT]
    return fold(" ".join([". ".join([*headings, *(text[:CONTEXT] for text in dict.fromkeys(before))]), "|", span]))
