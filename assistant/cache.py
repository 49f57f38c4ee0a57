"""Replies of language models, kept in one SQLite file; off unless ASSISTANT_CACHE names it.

What is kept is the model's reply as it came: it is verified again each time it is used.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from assistant.datamodels import sha256_of
from assistant.errors import SettingsError


class ReplyCache:
    """Replies by the hash of all that they depend on."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @staticmethod
    def key(parts: Sequence[str]) -> str:
        """Hash of the question, the passages, the model and the version of the prompt."""
        return sha256_of(json.dumps(list(parts), ensure_ascii=False))

    def get(self, key: str) -> str | None:
        """The reply kept under a key; None when there is none. Raises SettingsError when the file is no cache."""
        with self._opened() as connection:
            row = connection.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, reply: str) -> None:
        """Keep a reply; raises SettingsError when that cannot be done."""
        with self._opened() as connection, connection:
            connection.execute("INSERT OR REPLACE INTO replies VALUES (?, ?)", (key, reply))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=10)) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL)")
                yield connection
        except (OSError, sqlite3.Error) as exc:
            raise SettingsError(f"ASSISTANT_CACHE: {self.path} cannot be used ({exc}); give a file of yours, or unset it") from exc
