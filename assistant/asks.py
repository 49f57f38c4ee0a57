"""What a question asks of a directory tree, as `evals/asks.py` learned it from questions.

What tells it is what the cross-encoder's lower layers make of the question, and its words and pairs of neighbouring words, hashed
(Weinberger et al. 2009); a multinomial logistic regression weighs them. A path or name in the question counts as one word, `@`.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from assistant.crossencoder import CrossEncoder
from assistant.paths import TREE_WORDS, named_in

ASKS = ("none", "exists", "holds", "owners", "purpose", "target", "targets", "where")
"""'exists': whether something is there; 'holds': what is in a directory; 'owners': who owns or reviews it; 'purpose': what it is for;
'target', 'targets': what a make target does, which there are; 'where': where a thing lives; 'none': nothing that a tree says."""
WEIGHTS = Path(__file__).with_name("asks.npz")
HASHED = 4096
SCALE = 2.0
"""Length of each vector made of the states; the words together have length 1."""
PIECE = re.compile(r"[a-z@][\w.'-]*|[\u4e00-\u9fff]|\d+|\?", re.A)
FILE = re.compile(r"(?<![\w./@-])[a-z_][\w-]*\.(?!io\b)[a-z][a-z0-9]{0,5}(?![\w./@-])", re.A)
MARKS = re.compile(r"[`\"'“”‘’/]*@[`\"'“”‘’/]*")


def asked(text: str, encoder: CrossEncoder | None) -> dict[str, float]:
    """Probability of each of `ASKS` for a folded question; they sum to 1. Without an encoder the words alone tell."""
    logits = features(text, encoder) @ _weights()
    shares = np.exp(logits - logits.max())
    return dict(zip(ASKS, map(float, shares / shares.sum()), strict=True))


def features(text: str, encoder: CrossEncoder | None) -> np.ndarray:
    """(features,) float32 of a folded question; the last is 1."""
    shape = with_names_marked(text)
    hashed = np.zeros(HASHED, np.float32)
    for piece in _pieces(shape):
        hashed[zlib.crc32(piece.encode()) % HASHED] += 1
    hashed /= max(1.0, float(np.linalg.norm(hashed)))
    read = np.zeros(0, np.float32) if encoder is None else _vectors(encoder.asked(text))
    flags = np.array(["@" in shape, bool(TREE_WORDS.search(text)), 1.0], np.float32)
    width = len(_weights()) - HASHED - len(flags) if encoder is None else len(read)
    return np.concatenate([hashed, read if len(read) else np.zeros(width, np.float32), flags])


def with_names_marked(text: str) -> str:
    """A folded question with every path and name of a directory or file in it written `@`."""
    for named in reversed(named_in(text)):
        text = f"{text[: named.start]}@{text[named.end :]}"
    return MARKS.sub("@", FILE.sub("@", text))


def _pieces(shape: str) -> list[str]:
    """Words, Chinese characters by themselves, pairs of neighbours, and what the question begins and ends with."""
    words = ["^", *(match.group() for match in PIECE.finditer(shape)), "$"]
    return [*words[1:-1], *(f"{a} {b}" for a, b in itertools.pairwise(words)), " ".join(words[:3]), " ".join(words[-3:])]


def _vectors(states: np.ndarray) -> np.ndarray:
    """Of the states of a question's tokens, (tokens, width): their mean, their maximum, the first word's and the last's."""
    found = np.stack([states.mean(0), states.max(0), states[min(1, len(states) - 1)], states[max(0, len(states) - 2)]])
    return (SCALE * found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)).ravel().astype(np.float32)


@cache
def _weights() -> np.ndarray:
    """(features, asks) float32."""
    with np.load(WEIGHTS) as stored:
        return stored["weights"].astype(np.float32)


def write(weights: np.ndarray) -> None:
    """Store learned weights, (features, asks)."""
    np.savez_compressed(WEIGHTS, weights=weights.astype(np.float16))
    _weights.cache_clear()


def best(asks: Mapping[str, float]) -> str:
    """The likeliest of what a tree can say."""
    return max((ask for ask in ASKS if ask != "none"), key=lambda ask: asks[ask])
