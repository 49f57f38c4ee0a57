"""Reads the bundled material: manifest, documents and term table."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from assistant.datamodels import ARTICLE, Document, Source, sha256_of
from assistant.errors import CorpusError
from assistant.terms import TermTable


@dataclass(frozen=True)
class Corpus:
    """The bundled source, its documents (each rendition after what it renders) and the term table."""

    source: Source
    documents: tuple[Document, ...]
    terms: TermTable


def bundled_folder() -> Path:
    """Folder of the material, in a checkout or in an installed package."""
    return Path(str(files("corpus").joinpath("manifest.toml"))).parent


def read_corpus(folder: Path) -> Corpus:
    """Read `manifest.toml` and what it names; raises CorpusError naming the file that is missing or wrong."""
    manifest = _read_toml(folder / "manifest.toml")
    try:
        documents = tuple(
            Document(ARTICLE, row["path"], row["language"], _read(folder / row["path"]), row.get("renders"))
            for row in manifest["document"]
        )
        title = manifest["title"]
    except KeyError as exc:
        raise CorpusError(f"{folder / 'manifest.toml'} lacks the key {exc}; restore it from the repository") from exc
    by_path = {document.path: document for document in documents}
    for document in documents:
        original = by_path.get(document.renders or document.path)
        if original is None or original.line_count != document.line_count:
            raise CorpusError(f"{folder / document.path} does not render {document.renders!r} line for line; restore both")
    revision = sha256_of("".join(document.sha256 for document in documents))
    terms = TermTable.from_records(_read_toml(folder / "terms.toml").get("term", []))
    return Corpus(Source(ARTICLE, "article", title, revision), documents, terms)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as exc:
        raise CorpusError(f"{path} cannot be read ({exc.strerror}); restore it, or reinstall the package") from exc
    except UnicodeDecodeError as exc:
        raise CorpusError(f"{path} is not UTF-8 (byte {exc.start}); restore it, or reinstall the package") from exc


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError as exc:
        raise CorpusError(f"{path} is not valid TOML ({exc}); restore it, or reinstall the package") from exc
