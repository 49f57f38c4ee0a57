"""What the cross-encoder's lower layers make of the spans: written with a generation, mapped into memory when asked.

    states.npy    (tokens, width) int8          scales.npy    (tokens,) float16
    states.npz    digests (spans,) int64, ascending: of the texts; ends (spans,) int64, in tokens
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from assistant.crossencoder import CrossEncoder, States
from assistant.errors import REBUILD, IndexMismatchError

KEPT = 600
"""Spans read when asked for that are kept in memory; about 20 KB each."""


def digest_of(text: str) -> int:
    """Names a text, 0 to 2^63 − 1."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


class StateStore:
    """The states of one generation; opening it reads nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._fresh: OrderedDict[int, States] = OrderedDict()

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        try:
            values, scales = np.load(self.folder / "states.npy", mmap_mode="r"), np.load(self.folder / "scales.npy")
            with np.load(self.folder / "states.npz") as places:
                digests, ends = places["digests"], places["ends"]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as exc:
            raise IndexMismatchError(f"the states in {self.folder} are missing or damaged ({exc}); {REBUILD}") from exc
        if len(digests) != len(ends) or not len(values) == len(scales) == (ends[-1] if len(ends) else 0):
            raise IndexMismatchError(f"the states in {self.folder} are damaged ({len(values)} and {len(scales)} tokens, {len(ends)} spans); {REBUILD}")
        return values, scales, digests, ends

    def check(self) -> None:
        """Raise IndexMismatchError where they are missing or damaged."""
        _ = self._arrays

    def kept(self, digest: int) -> States | None:
        """The states of a text as they were written; None where it was not read."""
        values, scales, digests, ends = self._arrays
        row = int(np.searchsorted(digests, digest))
        if row == len(digests) or digests[row] != digest:
            return None
        tokens = slice(int(ends[row - 1]) if row else 0, int(ends[row]))
        return States(values[tokens], scales[tokens])

    def of(self, texts: Sequence[str], encoder: CrossEncoder) -> list[States]:
        """The states of texts; those that were not written are read now."""
        digests = [digest_of(text) for text in texts]
        found = {digest: self.kept(digest) or self._fresh.get(digest) for digest in digests}
        missing = list({digest: text for digest, text in zip(digests, texts, strict=True) if found[digest] is None}.items())
        for position, states in encoder.read([text for _, text in missing]):
            found[missing[position][0]] = self._fresh[missing[position][0]] = states
        while len(self._fresh) > KEPT:
            self._fresh.popitem(last=False)
        return [there for digest in digests if (there := found[digest]) is not None]

    @staticmethod
    def write(
        folder: Path, texts: Iterable[str], encoder: CrossEncoder, reuse: StateStore | None = None,
        progress: Callable[[str, int], None] = lambda what, count: None,
    ) -> None:
        """Read texts and write their states; what `reuse` holds, made by the same encoder, is taken from there."""
        wanted = {digest_of(text): text for text in texts}
        known = {digest: reuse.kept(digest) if reuse else None for digest in wanted}
        found = {digest: states for digest, states in known.items() if states is not None}
        missing = [digest for digest in wanted if digest not in found]
        for number, (position, read) in enumerate(encoder.read([wanted[digest] for digest in missing]), 1):
            found[missing[position]] = read
            progress(f"statement {number} of {len(missing)}", 0)
        order = sorted(found)
        empty = np.zeros((0, encoder.width), np.int8)
        np.save(folder / "states.npy", np.concatenate([empty, *(found[digest].values for digest in order)]))
        np.save(folder / "scales.npy", np.concatenate([empty[:, 0], *(found[digest].scales for digest in order)]).astype(np.float16))
        ends = np.cumsum([len(found[digest].values) for digest in order], dtype=np.int64)
        np.savez(folder / "states.npz", digests=np.array(order, np.int64), ends=ends)
