"""Finds what a question names in the tree of a source: paths, and names beside a word for a folder or file.

Works on the listing of directories alone. Knows nothing of how an answer is worded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from assistant.datamodels import Folder
from assistant.records import Records

PATH = re.compile(r"(?<![\w:/.])(?:\./)?/?(?P<path>[\w.@+-]+(?:/[\w.@+-]+)+)/?", re.A)  # 'pkg/watch里面…' ends before the Chinese
KIND_WORD = r"(?:sub)?(?:directory|folder|dir|file|package|tree|path)|子目录|目录|文件夹|文件|路径"
BESIDE = re.compile(rf"(?P<name>[A-Za-z_.][\w.+-]*)(?<!-)[`\"'”’]*\s*(?:这个|那个)?\s*(?:{KIND_WORD})(?![A-Za-z])", re.I | re.A)
AFTER = re.compile(rf"(?<![A-Za-z])(?:{KIND_WORD})\s*(?:named|called|叫做?|名为)\s*[`\"'“‘]*(?P<name>[\w.+-]+)", re.I | re.A)
TICKED = re.compile(r"`(?P<name>[^`\s]+)`")
NO_NAMES = frozenset(
    ["a", "an", "the", "this", "that", "these", "those", "its", "their", "our", "your", "any", "some", "all", "other", "each", "every", "which", "what", "of", "in", "is", "are", "and", "or", "source", "root", "top", "level", "sub", "main", "whole", "same", "new", "owners", "readme", "first", "second", "parent", "child", "test-data", "no", "another", "code", "go", "golang", "git", "bazel", "current", "in-tree", "out-of-tree", "own", "more", "it", "they", "something", "anything", "command", "plugin", "controller"]
)
"""Words that stand before 'directory' or 'file' without naming one."""
TREE_WORDS = re.compile(r"\b(this|the|my) (tree|checkout|version|repo|repository)\b|\bcheckout\b|这个版本|这棵树|源码树|代码树|本仓库|这个仓库|当前版本|\bstill\b|还有|还在", re.I | re.A)
AT_ROOT = re.compile(r"\b(root|top[- ]level|at the top)\b|根目录|顶层|最外层|仓库根", re.I | re.A)
OUTSKIRTS = frozenset({"LICENSES", "test", "tests", "testing", "testdata", "fake", "vendor", "third_party", "fixtures", "mock", "examples"})


@dataclass(frozen=True)
class Place:
    """A path of a tree."""

    path: str
    is_folder: bool

    @property
    def folder(self) -> str:
        """The directory that is cited for it: itself, or the one that holds the file."""
        return self.path if self.is_folder else self.path.rpartition("/")[0] or "."


@dataclass(frozen=True)
class Named:
    """A path or name as a question gives it."""

    text: str
    """Folded, without slashes at its ends."""
    start: int
    end: int
    """In the folded question."""
    sure: bool
    """Whether it is written as a path or marked as one; else a folder word stands beside it."""


def named_in(question: str) -> list[Named]:
    """The paths and names of directories or files in a folded question, in order."""
    found: list[Named] = []
    for pattern in (TICKED, PATH, BESIDE, AFTER):
        for match in pattern.finditer(question):
            group = "path" if pattern is PATH else "name"
            text = match[group].strip("/.") if match[group].strip("/.") else ""
            if not text or text in NO_NAMES or re.fullmatch(KIND_WORD, text) or (pattern is TICKED and re.search(r"[^\w./+@-]", text)):
                continue
            if pattern is PATH and (text.startswith("www.") or re.fullmatch(r"[\d./]+|and/or|c/s|tcp/udp|http/json|tcp/ip|ci/cd|i/o", text)):
                continue
            start, end = match.span(group)
            if not any(other.start < end and start < other.end for other in found):
                found.append(Named(text, start, end, pattern in (TICKED, PATH)))
    return sorted(found, key=lambda named: named.start)


class Tree:
    """The directories of one source, for looking things up."""

    def __init__(self, source: str, records: Records) -> None:
        self.source = source
        self.records = records

    def folder(self, path: str) -> Folder | None:
        return self.records.folder(self.source, path)

    def find(self, name: str, at_root: bool = False) -> list[Place]:
        """Places of a path or name, whatever its case: the path itself, or else, unless at the root, wherever it ends a path."""
        leaf = name.rpartition("/")[2]
        found = [Place(path, is_folder) for path, is_folder in self.records.paths_named(self.source, leaf)]
        if exact := [place for place in found if place.path.lower() == name]:
            return exact
        return [] if at_root else [place for place in found if place.path.lower().endswith(f"/{name}")]

    def ancestor(self, path: str) -> Folder:
        """The nearest directory above a path that is not there."""
        while "/" in path:
            path = path.rpartition("/")[0]
            if found := [place for place in self.find(path, at_root=True) if place.is_folder]:
                return self._known(found[0].path)
        return self._known(".")

    def _known(self, path: str) -> Folder:
        folder = self.folder(path)
        assert folder is not None, path
        return folder

    def near(self, path: str, above: Folder) -> list[str]:
        """Paths like one that is not there: the same name elsewhere, then names like it beside where it would be."""
        leaf = path.rpartition("/")[2]
        same = sorted((p.path for p in self.find(leaf)), key=lambda p: (bool(set(p.split("/")[:-1]) & OUTSKIRTS), p.count("/"), p))
        like = process.extract(leaf, [*above.directories, *above.files], scorer=fuzz.ratio, processor=str.lower, score_cutoff=70, limit=3)
        return list(dict.fromkeys([*same[:3], *(above.within(name) for name, _, _ in like)]))[:4]


def common_first(places: Sequence[Place]) -> list[Place]:
    """Places, those outside tests and copies first, shallow ones first."""
    return sorted(places, key=lambda p: (bool(set(p.path.split("/")) & OUTSKIRTS), p.path.count("/"), not p.is_folder, p.path))
