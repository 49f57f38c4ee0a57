"""The records of one index generation in one SQLite file, read by id or place on demand; the only module with sqlite3.

A generation's file is written once, in one transaction, and never changed: readers open it immutable.
Knows nothing of retrieval.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.datamodels import Chunk, Document, Folder, Language, Segment, Span, Visit
from assistant.errors import IndexMismatchError

SCHEMA = """
create table documents (source text, path text, language text, renders text, text text, primary key (source, path));
create table chunks (number integer primary key, id text unique, source text, language text, position integer,
                     path text, kind text, start integer, start_line integer, end_line integer, name text, body text);
create index chunks_by_position on chunks (source, language, position);
create index chunks_by_place on chunks (source, path, start);
create index chunks_by_kind on chunks (kind, language);
create table folders (source text, path text, leaf text, body text, primary key (source, path));
create index folders_by_leaf on folders (leaf);
create table files (source text, path text, leaf text);
create index files_by_leaf on files (leaf);
create table names (name text primary key) without rowid;
create table visits (source text, path text, size integer, modified integer, sha256 text, outcome text, reason text,
                     primary key (source, path));
create table notes (source text, path text, line integer, language text, note text);
"""
DAMAGED = "the records in {path} are missing or damaged ({reason}); run `python -m ingest --rebuild`"


@dataclasses.dataclass(frozen=True)
class LineNote:
    """What is known of a line of a document against an ingested checkout."""

    source: str
    path: str
    line: int
    """1-based."""
    language: Language
    """In which the note is written."""
    note: str


class Records:
    """Documents, chunks, folders and what else a generation holds, open for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            self.chunk_count = int(self._rows("select count(*) from chunks where position is not null")[0][0])
        except sqlite3.Error as exc:
            raise IndexMismatchError(DAMAGED.format(path=path, reason=exc)) from exc

    def close(self) -> None:
        self._connection.close()

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as exc:
            raise IndexMismatchError(DAMAGED.format(path=self.path, reason=exc)) from exc

    def _chunks(self, where: str, values: Sequence[Any]) -> list[Chunk]:
        return [_chunk(row[0]) for row in self._rows(f"select body from chunks {where}", values)]

    def chunks(self, source: str | None = None) -> list[Chunk]:
        """All chunks, or those of a source, in their order."""
        return self._chunks("order by number", ()) if source is None else self._chunks("where source = ? order by number", (source,))

    def chunks_by_id(self, ids: Sequence[str]) -> list[Chunk]:
        """Chunks of these ids, in no order; unknown ids are left out."""
        return self._chunks(f"where id in ({','.join('?' * len(ids))})", list(ids))

    def chunks_at(self, source: str, language: str, positions: Sequence[int]) -> dict[int, Chunk]:
        """Chunks at positions of a lexical index."""
        marks = ",".join("?" * len(positions))
        rows = self._rows(
            f"select position, body from chunks where source = ? and language = ? and position in ({marks})", [source, language, *positions]
        )
        return {position: _chunk(body) for position, body in rows}

    def chunks_of_kind(self, kind: str, language: str) -> list[Chunk]:
        return self._chunks("where kind = ? and language = ? order by number", (kind, language))

    def chunks_of_document(self, source: str, path: str) -> list[Chunk]:
        """Chunks of a document, in reading order."""
        return self._chunks("where source = ? and path = ? order by number", (source, path))

    def documents(self, source: str | None = None) -> list[Document]:
        where, values = ("", ()) if source is None else ("where source = ?", (source,))
        rows = self._rows(f"select source, path, language, text, renders from documents {where} order by rowid", values)
        return [Document(*row) for row in rows]

    def document(self, source: str, path: str) -> Document | None:
        rows = self._rows("select source, path, language, text, renders from documents where source = ? and path = ?", (source, path))
        return Document(*rows[0]) if rows else None

    def renditions(self) -> dict[tuple[str, str], str]:
        """Path of the document that renders another one, by its source and path."""
        return {(source, renders): path for source, renders, path in self._rows("select source, renders, path from documents where renders is not null")}

    def document_count(self, source: str) -> int:
        return int(self._rows("select count(*) from documents where source = ?", (source,))[0][0])

    def folder(self, source: str, path: str) -> Folder | None:
        rows = self._rows("select body from folders where source = ? and path = ?", (source, path))
        return _folder(source, path, rows[0][0]) if rows else None

    def folders(self, source: str) -> list[Folder]:
        """Every directory of a source, parents before children."""
        rows = self._rows("select path, body from folders where source = ? order by rowid", (source,))
        return [_folder(source, path, body) for path, body in rows]

    def folder_count(self, source: str) -> int:
        return int(self._rows("select count(*) from folders where source = ?", (source,))[0][0])

    def paths_named(self, source: str, leaf: str) -> list[tuple[str, bool]]:
        """Paths whose last part is `leaf`, whatever its case, and whether each is a directory; shallow ones first."""
        folders = self._rows("select path, 1 from folders where source = ? and leaf = ?", (source, leaf.lower()))
        files = self._rows("select path, 0 from files where source = ? and leaf = ?", (source, leaf.lower()))
        return sorted(((path, bool(kind)) for path, kind in folders + files), key=lambda row: (row[0].count("/"), row[0]))

    def leaves(self, source: str) -> list[tuple[str, str]]:
        """Last part (lower case) and path of every directory."""
        return [(leaf, path) for leaf, path in self._rows("select leaf, path from folders where source = ? order by rowid", (source,))]

    def file_leaves(self, source: str) -> list[tuple[str, str]]:
        """Last part (lower case) and path of every file."""
        return [(leaf, path) for leaf, path in self._rows("select leaf, path from files where source = ? order by rowid", (source,))]

    def has_name(self, name: str) -> bool:
        return bool(self._rows("select 1 from names where name = ?", (name,)))

    def visits(self, source: str) -> dict[str, Visit]:
        rows = self._rows("select path, size, modified, sha256, outcome, reason from visits where source = ?", (source,))
        return {row[0]: Visit(*row) for row in rows}

    def notes(self, source: str) -> list[LineNote]:
        """Notes on the lines of a source's documents."""
        return [LineNote(*row) for row in self._rows("select source, path, line, language, note from notes where source = ?", (source,))]


def write_records(
    path: Path, documents: Sequence[Document], chunks: Iterable[tuple[Chunk, int | None]], folders: Iterable[Folder],
    names: Iterable[str], visits: Mapping[str, Iterable[Visit]], notes: Iterable[LineNote],
) -> None:
    """Write a new file of records; `chunks` come with their position in their lexical index, None when in none."""
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.executescript(f"pragma journal_mode = off; begin; {SCHEMA}")
            connection.executemany(
                "insert into documents values (?, ?, ?, ?, ?)", ((d.source, d.path, d.language, d.renders, d.text) for d in documents)
            )
            connection.executemany("insert into chunks values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _chunk_rows(chunks))
            for folder in folders:
                body = json.dumps([folder.directories, folder.files, dataclasses.astuple(folder.described) if folder.described else None])
                connection.execute("insert into folders values (?, ?, ?, ?)", (folder.source, folder.path, folder.name.lower(), body))
                connection.executemany(
                    "insert into files values (?, ?, ?)", ((folder.source, folder.within(name), name.lower()) for name in folder.files)
                )
            connection.executemany("insert or ignore into names values (?)", ((name,) for name in names))
            for source, rows in visits.items():
                connection.executemany("insert into visits values (?, ?, ?, ?, ?, ?, ?)", ((source, *dataclasses.astuple(v)) for v in rows))
            connection.executemany("insert into notes values (?, ?, ?, ?, ?)", (dataclasses.astuple(note) for note in notes))
    except sqlite3.OperationalError as exc:
        raise OSError(None, f"{exc}", str(path)) from exc  # a full disk, as any other file would say it
    finally:
        connection.close()


def _chunk_rows(chunks: Iterable[tuple[Chunk, int | None]]) -> Iterator[tuple[Any, ...]]:
    for number, (c, position) in enumerate(chunks):
        segments = [(s.kind, s.start, s.end, s.item) for s in c.segments]
        body = [c.id, c.source, c.path, c.language, c.kind, c.start, c.end, c.start_line, c.end_line, c.text, c.headings, segments, c.name, c.note, c.children]
        yield (
            number, c.id, c.source, c.language, position, c.path, c.kind, c.start, c.start_line, c.end_line, c.name,
            json.dumps(body, ensure_ascii=False),
        )


def _chunk(body: str) -> Chunk:
    values = json.loads(body)
    values[10], values[11], values[14] = tuple(values[10]), tuple(Segment(*segment) for segment in values[11]), tuple(values[14])
    return Chunk(*values)


def _folder(source: str, path: str, body: str) -> Folder:
    directories, files, described = json.loads(body)
    return Folder(source, path, tuple(directories), tuple(files), Span(*described) if described else None)
