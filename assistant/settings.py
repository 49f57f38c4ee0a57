"""Settings: the only reader of the environment. Command-line options override single fields."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from assistant.errors import SettingsError

APPLICATION = "kubernetes-source-assistant"

VARIABLES = {
    "ASSISTANT_INDEX": "folder of the index (default: the user's data folder)",
    "ASSISTANT_EMBEDDINGS": "sentence-transformers model, hub name or folder (default: the bundled model)",
    "ASSISTANT_RERANKER": "cross-encoder that reorders the passages, hub name or folder (default: none)",
    "ASSISTANT_LLM": "language model that writes the prose, provider:model (default: none, answers are extracts)",
    "ASSISTANT_UNSUPPORTED": "what becomes of a model's statement that no line supports: drop or mark (default: drop)",
    "ASSISTANT_CACHE": "file in which replies of the language model are kept (default: none are kept)",
    "CHROMA_URL": "Chroma server that holds the vectors, http://host:port (default: none, a folder of the index)",
}


@dataclass(frozen=True)
class Settings:
    """Where the index lies and which models are used; None means the bundled or built-in choice."""

    index: Path
    embeddings: str | None = None
    reranker: str | None = None
    llm: str | None = None
    chroma_url: str | None = None
    mark_unsupported: bool = False
    cache: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the variables of `VARIABLES`; an empty value counts as not set.

        Raises SettingsError when CHROMA_URL is no http(s) address or ASSISTANT_UNSUPPORTED neither word.
        """
        values = os.environ if environment is None else environment

        def setting(name: str) -> str | None:
            return values.get(name, "").strip() or None

        index = setting("ASSISTANT_INDEX")
        chroma_url = setting("CHROMA_URL")
        if chroma_url is not None:
            check_chroma_url(chroma_url)
        unsupported = setting("ASSISTANT_UNSUPPORTED") or "drop"
        if unsupported not in ("drop", "mark"):
            raise SettingsError(f"ASSISTANT_UNSUPPORTED is {unsupported!r}; give drop or mark")
        cache = setting("ASSISTANT_CACHE")
        return cls(
            index=Path(index).expanduser() if index else default_index(),
            embeddings=setting("ASSISTANT_EMBEDDINGS"),
            reranker=setting("ASSISTANT_RERANKER"),
            llm=setting("ASSISTANT_LLM"),
            chroma_url=chroma_url,
            mark_unsupported=unsupported == "mark",
            cache=Path(cache).expanduser() if cache else None,
        )


def default_index() -> Path:
    """Folder of the index where no setting names one."""
    return platformdirs.user_data_path(APPLICATION, appauthor=False) / "index"


def check_chroma_url(url: str) -> None:
    """Raise SettingsError unless `url` is http(s)://host[:port]."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise SettingsError(f"CHROMA_URL is {url!r}, not an address; give it as http://localhost:8000")
