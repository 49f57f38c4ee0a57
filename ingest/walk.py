"""Walks a folder and reads files of it, never leaving it: no link is followed, nothing but regular files is read.

What cannot be read is a value with its reason. Knows nothing of what the files mean.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import CorpusError

LARGEST = 4_000_000
"""Bytes of a file that is read; the longest Markdown file of Kubernetes, a changelog, has 1.2 million."""
DEEPEST = 100
"""Levels of directories; Kubernetes has 17."""
SKIPPED_FOLDERS = frozenset({".git", ".hg", ".svn"})


@dataclass(frozen=True)
class Found:
    """A regular file as the walk saw it."""

    path: str
    """Inside the folder, posix."""
    size: int
    """Bytes."""
    modified: int
    """Nanoseconds since the epoch."""


@dataclass(frozen=True)
class Listing:
    """One directory: the names it holds, sorted; links to directories count as files."""

    path: str
    directories: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class Walked:
    """Everything under a folder, parents before children, in the order of their names."""

    files: tuple[Found, ...]
    folders: tuple[Listing, ...]
    problems: tuple[tuple[str, str], ...] = field(default=())
    """Paths that could not be looked at, with the reason."""


def walk(root: Path, seen: Callable[[int], None] = lambda count: None) -> Walked:
    """List a folder; `seen` is told how many names each directory held. Raises CorpusError when it is no folder."""
    if not root.is_dir():
        raise CorpusError(f"{root} is no folder; give the folder of a checkout or of documents with --source")
    files: list[Found] = []
    folders: list[Listing] = []
    problems: list[tuple[str, str]] = []
    pending = ["."]
    while pending:
        path = pending.pop()
        try:
            with os.scandir(root if path == "." else root / path) as entries:
                rows = sorted(entries, key=lambda entry: entry.name)
        except OSError as exc:
            if path == ".":
                raise CorpusError(f"{root} cannot be read ({exc.strerror}); give a folder that you may read") from exc
            problems.append((path, _reason(exc)))
            continue
        inner: list[str] = []
        names: list[str] = []
        for entry in rows:
            inside = entry.name if path == "." else f"{path}/{entry.name}"
            if (trouble := _unusable(entry.name, inside)) is not None:
                problems.append((ascii(inside)[1:-1] if not _is_text(inside) else inside, trouble))
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in SKIPPED_FOLDERS:
                        inner.append(entry.name)
                    continue
                names.append(entry.name)
                status = entry.stat(follow_symlinks=False)
            except OSError as exc:
                problems.append((inside, _reason(exc)))
                continue
            if stat.S_ISREG(status.st_mode):
                files.append(Found(inside, status.st_size, status.st_mtime_ns))
        folders.append(Listing(path, tuple(inner), tuple(names)))
        pending += [name if path == "." else f"{path}/{name}" for name in reversed(inner)]
        seen(len(rows))
    return Walked(tuple(files), tuple(folders), tuple(problems))


def read(root: Path, path: str, largest: int = LARGEST) -> bytes | str:
    """The bytes of a file, or the reason why it is not read (a link, no regular file, too large, no permission)."""
    try:
        descriptor = os.open(root / path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as exc:
        return _reason(exc)
    with os.fdopen(descriptor, "rb") as file:
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return "no regular file"
            if status.st_size > largest:
                return f"{status.st_size:,} bytes, more than the {largest:,} that are read"
            data = file.read(largest + 1)
        except OSError as exc:
            return _reason(exc)
    return data if len(data) <= largest else f"more than the {largest:,} bytes that are read"


def text_of(data: bytes) -> tuple[str | None, str]:
    """The text of a file's bytes and '', or None and the reason why they are none."""
    if b"\0" in data:
        return None, "binary (it holds a NUL byte)"
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError as exc:
        return None, f"not UTF-8 (byte {exc.start + 1})"


def _unusable(name: str, inside: str) -> str | None:
    if not _is_text(name):
        return "its name is not UTF-8"
    if inside.count("/") >= DEEPEST:
        return f"deeper than {DEEPEST} directories"
    return None


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
