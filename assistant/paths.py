"""Finds what a question names in the tree of a source: paths, names beside a word for a folder or file, things that live somewhere.

Works on the listing of directories alone. Knows nothing of how an answer is worded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from rapidfuzz import fuzz, process

from assistant.datamodels import Folder
from assistant.evidence import softly, unit_weight, word_vector
from assistant.query import Query, Unit
from assistant.records import Records
from assistant.static import StaticModel
from assistant.terms import TermTable
from assistant.text import CJK, fold, parts, stem

PATH = re.compile(r"(?<![\w:/.])(?:\./)?/?(?P<path>[\w.@+-]+(?:/[\w.@+-]+)+)/?")
KIND_WORD = r"(?:sub)?(?:directory|folder|dir|file|package|tree|path)|子目录|目录|文件夹|文件|路径"
BESIDE = re.compile(rf"(?P<name>[A-Za-z_.][\w.+-]*)[`\"'”’]*\s*(?:这个|那个)?\s*(?:{KIND_WORD})(?![A-Za-z])", re.I)
AFTER = re.compile(rf"(?<![A-Za-z])(?:{KIND_WORD})\s*(?:named|called|叫做?|名为)\s*[`\"'“‘]*(?P<name>[\w.+-]+)", re.I)
TICKED = re.compile(r"`(?P<name>[^`\s]+)`")
NO_NAMES = frozenset(
    ["a", "an", "the", "this", "that", "these", "those", "its", "their", "our", "your", "any", "some", "all", "other", "each", "every", "which", "what", "of", "in", "is", "are", "and", "or", "source", "root", "top", "level", "sub", "main", "whole", "same", "new", "owners", "readme", "first", "second", "parent", "child", "test-data", "no", "another", "code", "go", "golang", "git", "bazel", "current"]
)
"""Words that stand before 'directory' or 'file' without naming one."""
TREE_WORDS = re.compile(r"\b(this|the|my) (tree|checkout|version|repo|repository)\b|\bcheckout\b|这个版本|这棵树|源码树|本仓库|这个仓库|当前版本|\bstill\b|还有|还在", re.I)
AT_ROOT = re.compile(r"\b(root|top[- ]level|at the top)\b|根目录|顶层|最外层|仓库根", re.I)
STRUCTURE = re.compile(r"(source |code )?(code|files?|packages?|programs?|paths?|folders?|director(y|ies)|location|source)|(源码|源代码|代码|插件)?(目录|文件夹?|路径|位置|地方)|源码|代码|包|库")
"""Words for what a tree is made of, which say nothing of where a thing lives."""
OUTSKIRTS = frozenset({"LICENSES", "test", "tests", "testing", "testdata", "fake", "vendor", "third_party", "fixtures", "mock", "examples"})
ENOUGH = 0.6
"""Share of a question's weight that a path must hold to be where the thing lives."""
COMPOUND = 7
"""Letters from which a name may be several words run together (`noderestriction`)."""
SHORTEST, LAST = 3, 4
"""Letters of a word of it, and of the last, which would else be an ending."""
UNHEARD = 0.5
"""What a word of the question that no path says weighs beside the others: it describes the thing."""


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

    def __init__(self, source: str, records: Records, terms: TermTable) -> None:
        self.source = source
        self.records = records
        self.terms = terms

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
        beside = [above.within(name) for name in (*above.directories, *above.files)]
        like = [found for found, _, _ in process.extract(above.within(leaf), beside, scorer=fuzz.ratio, score_cutoff=70, limit=3)]
        return list(dict.fromkeys([*same[:3], *like]))[:4]

    def where(self, query: Query, enough: float = ENOUGH) -> list[Place]:
        """Directories in which the thing asked for lives, the likeliest first; empty when none holds `enough` of its words."""
        units = [unit for unit in query.units if not unit.generic and not unit.minor and not STRUCTURE.fullmatch(unit.text)]
        wanted = [(unit_weight(unit), self._spellings(unit)) for unit in units]
        if not wanted:
            return []
        total = 0.0
        held = np.zeros(len(self._words.paths))
        owned: set[int] = set()
        said: set[str] = set()
        for unit, (weight, spellings) in zip(units, wanted, strict=True):
            hold, own = self._holders(spellings)
            owned |= own
            said.update(*spellings)
            worth = np.zeros(len(held))
            for word, likeness in self._like(unit):
                said.add(word)
                there = list(self._words.in_path[word])
                worth[there] = np.maximum(worth[there], likeness)
                owned |= {number for number in there if word in self._words.paths[number][1]}
            worth[list(hold)] = 1.0
            held += weight * worth
            total += weight * (1.0 if worth.any() else UNHEARD)
        several = len(wanted) > 1
        largest = max(weight for weight, _ in wanted)
        scored: list[tuple[float, str]] = []
        for number in owned:
            share = held[number] / total
            if share < enough or (several and held[number] <= largest):
                continue
            path = self._words.paths[number][0]
            extra = len(words_of(path.rpartition("/")[2]) - said) if whole_of(path) not in said else 0
            far = path.count("/") + 4 * bool(set(path.split("/")) & OUTSKIRTS)
            scored.append((share - 0.08 * extra - 0.03 * far, path))
        scored.sort(key=lambda row: (-row[0], row[1]))
        return [Place(path, True) for score, path in scored if score >= scored[0][0] - 0.04][:3]

    def _spellings(self, unit: Unit) -> list[frozenset[str]]:
        """The words, stemmed, that a path may hold for a unit: any one set of them is enough."""
        names: Iterable[str] = [unit.text]
        if unit.key.startswith("term:"):
            term = self.terms.by_id[unit.key.removeprefix("term:")]
            names = [*names, term.id, *term.en, *term.abbr]
        found = [frozenset(stem(fold(piece)) for piece in parts(name)) for name in names if not CJK.search(name)]
        found += [frozenset({stem(fold("".join(parts(name))))}) for name in names if not CJK.search(name) and len(parts(name)) > 1]
        return [tokens for tokens in found if tokens] + [rest for tokens in found if (rest := tokens - {"kube"})]

    def _like(self, unit: Unit) -> list[tuple[str, float]]:
        """Words of paths that mean what a unit says, in either language, with how much that counts, 0 to 1."""
        if unit.is_name and unit.text.isascii() and "-" in unit.text:
            return []
        worth = softly(self._words.vectors @ word_vector(unit.text))
        return [(self._words.names[i], float(worth[i])) for i in np.flatnonzero(worth)]

    def _holders(self, spellings: Iterable[frozenset[str]]) -> tuple[set[int], set[int]]:
        """Directories whose path holds one of the sets of words, and those whose last part shares in it."""
        hold: set[int] = set()
        own: set[int] = set()
        for spelling in spellings:
            found = set.intersection(*(self._words.in_path.get(word, set()) for word in spelling))
            hold |= found
            own |= {number for number in found if spelling & self._words.paths[number][1]}
        return hold, own

    @cached_property
    def _words(self) -> _Words:
        paths: list[tuple[str, frozenset[str]]] = []
        in_path: dict[str, set[int]] = {}
        known: dict[str, frozenset[str]] = {}
        for leaf, path in self.records.leaves(self.source):
            for piece in path.split("/"):
                if piece not in known:
                    known[piece] = words_of(piece) | {stem(fold(part)) for part in (*parts(piece), piece, "".join(parts(piece)))}
                for word in known[piece]:
                    in_path.setdefault(word, set()).add(len(paths))
            paths.append((path, known[path.rpartition("/")[2]] if leaf else frozenset()))
        return _Words(paths, in_path)


def words_of(piece: str) -> frozenset[str]:
    """The words, stemmed, of one part of a path."""
    return frozenset(stem(word) for part in parts(piece) for word in compound(fold(part)) or (fold(part),))


def whole_of(path: str) -> str:
    """The last part of a path as one word."""
    return stem(fold(path.rpartition("/")[2]))


@lru_cache(maxsize=20_000)
def compound(name: str) -> tuple[str, ...]:
    """The words of a name that are run together, the fewest and commonest that the embedding model knows; empty where it is one word."""
    if len(name) < COMPOUND or not name.isalpha():
        return ()
    model = StaticModel.load()
    found: list[tuple[int, float, tuple[str, ...]]] = []
    for at in range(SHORTEST, len(name) - LAST + 1):
        first, rest = name[:at], name[at:]
        if model.knows(first):
            for words in ((rest,), compound(rest)):
                if words and all(map(model.knows, words)):
                    found.append((len(words), max(map(model.weight, (first, *words))), (first, *words)))
    _, rarest, words = min(found, default=(0, 0.0, ()))
    return words if not model.knows(name) or rarest < model.weight(name) else ()  # a word as common as its parts is one word


@dataclass(frozen=True)
class _Words:
    """The words of every directory's path, stemmed."""

    paths: list[tuple[str, frozenset[str]]]
    """Path, and the words of its last part."""
    in_path: dict[str, set[int]]
    """Numbers of the directories that have a word anywhere in their path."""

    @cached_property
    def names(self) -> list[str]:
        return [word for word in self.in_path if len(word) >= SHORTEST and word.isalpha()]

    @cached_property
    def vectors(self) -> np.ndarray:
        """(names, dim) float32, unit rows."""
        return StaticModel.load().encode(self.names)


def common_first(places: Sequence[Place]) -> list[Place]:
    """Places, those outside tests and copies first, shallow ones first."""
    return sorted(places, key=lambda p: (bool(set(p.path.split("/")) & OUTSKIRTS), p.path.count("/"), not p.is_folder, p.path))
