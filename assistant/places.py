"""Where what a question describes lives: the directories of a tree, ranked by the words of their paths, by meaning, and by the
cross-encoder.

The words of a path are those of its parts, also run together (`noderestriction`); a word of the question stands for itself and,
in either language, for what the bilingual vectors find near it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from assistant.crossencoder import CONTEXT, CrossEncoder
from assistant.datamodels import Folder
from assistant.evidence import softly, unit_weight, word_vector
from assistant.index import Index
from assistant.paths import OUTSKIRTS, Place, Tree
from assistant.query import Query, Unit
from assistant.scoring import learned
from assistant.static import StaticModel
from assistant.text import CJK, fold, parts, stem

STRUCTURE = re.compile(r"(source |code )?(code|files?|packages?|programs?|paths?|folders?|director(y|ies)|location|source)|(源码|源代码|代码|插件)?(目录|文件夹?|路径|位置|地方)|源码|代码|包|库")
"""Words for what a tree is made of, which say nothing of where a thing lives."""
ENOUGH = 0.6
"""Share of a question's weight that a path must hold to be where the thing lives."""
COMPOUND = 7
"""Letters from which a name may be several words run together (`noderestriction`)."""
SHORTEST, LAST = 3, 4
"""Letters of a word of it, and of the last, which would else be an ending."""
BY_FILE = 0.7
"""What a word counts that only the name of a file in the directory says."""
FEATURES = ("share", "own", "last", "above", "further", "files", "described", "aside", "depth", "has_files", "many_files")
"""What speaks for a directory: how much of the question its path or files say, and whether its own part does; likeness of meaning of the
question and the parts of its path, its files, its description; where and what it is."""
LITTLE = re.compile(r"_test\.go$|^(doc|types|util|utils|options|interface|owners|build|readme|zz_generated[\w.]*)\b", re.I)
"""Files whose names say nothing of their directory: tests, owners, what every package has."""
LIKELY = 32
"""Directories that the cross-encoder reads."""
NAMES = 10
"""Names inside a directory that it reads."""
UNHEARD = 0.5
"""What a word of the question that no path says weighs beside the others: it describes the thing."""
AGAINST = -2.0
"""Log odds, by the cross-encoder, down to which a directory is given whose path says what is asked for."""
SURE = 3.0
"""How far above the least score a directory is given without a 'perhaps'."""
MOST = 3
CLOSE = 2.0
"""How far behind the first another one may be that is given too."""


class Places:
    """The directories of one tree, to be found by what they are for."""

    def __init__(self, tree: Tree, index: Index) -> None:
        self.tree = tree
        self.index = index
        self._hear = lru_cache(maxsize=8)(self._listen)

    def where(self, query: Query, likely: Sequence[Likely] | None) -> list[Likely]:
        """Directories in which what is asked for lives, the likeliest first: of the `likely`, which the cross-encoder read, those that it
        takes for an answer, or else, unless it is against them, those whose path says it; of all, without them, the latter."""
        words = self.by_words(query)
        if likely is None:
            return [Likely(place, 0.0, None) for place in words]
        return given(likely, learned()["places"]["least"]) or [one for one in likely if one.place in words and (one.read or 0.0) > AGAINST]

    def by_words(self, query: Query) -> list[Place]:
        """Directories whose path, or files, say what is asked for, the likeliest first; empty when none holds enough of its words."""
        heard = self._hear(query)
        if heard is None:
            return []
        scored: list[tuple[float, str]] = []
        for number in heard.owned:
            share = heard.held[number] / heard.total
            if share < ENOUGH or (heard.several and heard.held[number] <= heard.largest):
                continue
            path = self._words.paths[number][0]
            extra = len(words_of(path.rpartition("/")[2]) - heard.said) if whole_of(path) not in heard.said else 0
            far = path.count("/") + 4 * bool(set(path.split("/")) & OUTSKIRTS)
            scored.append((share - 0.08 * extra - 0.03 * far, path))
        scored.sort(key=lambda row: (-row[0], row[1]))
        return [Place(path, True) for score, path in scored if score >= scored[0][0] - 0.04][:3]

    def says(self, name: str) -> bool:
        """Whether a path or the name of a file says a name."""
        found = [frozenset(stem(fold(piece)) for piece in parts(name)), frozenset({stem(fold("".join(parts(name))))})]
        return bool(self.tree.find(name)) or any(
            set.intersection(*(there.get(word, set()) for word in words)) for words in found if words for there in (self._words.in_path, self._words.in_files)
        )

    def hears(self, query: Query) -> bool:
        """Whether for each thing that the question speaks of some path, or name of a file, says it."""
        heard = self._hear(query)
        return heard is not None and all(heard.is_said)

    def likely(self, query: Query, encoder: CrossEncoder, count: int = LIKELY, weights: np.ndarray | None = None) -> list[Likely]:
        """The `count` directories nearest to what is asked for in words and meaning, best first, each read by the cross-encoder."""
        return self._read(query, encoder, self.near(query, count, weights))

    def among(self, query: Query, encoder: CrossEncoder, places: Sequence[Place]) -> list[Likely]:
        """Of some directories, the likeliest first; none stays out."""
        features = self.features(query)
        nearness = np.zeros(len(self.paths)) if features is None else features @ self.weights
        number = {path: i for i, path in enumerate(self.paths)}
        return self._read(query, encoder, [(place.path, float(nearness[number[place.path]])) for place in places])

    def _read(self, query: Query, encoder: CrossEncoder, near: Sequence[tuple[str, float]]) -> list[Likely]:
        """Directories, with how near they are, as the cross-encoder reads them; the likeliest first."""
        reads = encoder.score(query.text, self.index.states.of([self.text(path) for path, _ in near], encoder))
        found = [Likely(Place(path, True), nearness, float(read)) for (path, nearness), read in zip(near, reads, strict=True)]
        return sorted(found, key=lambda one: (-one.score, one.place.path))

    def near(self, query: Query, count: int, weights: np.ndarray | None = None) -> list[tuple[str, float]]:
        """Paths of the directories nearest in words and meaning, best first, and how near; by other weights than those in use, if given."""
        features = self.features(query)
        if features is None:
            return []
        nearness = features @ (self.weights if weights is None else weights)
        order = np.argsort(-nearness, kind="stable")[:count]
        return [(self._words.paths[i][0], float(nearness[i])) for i in order]

    def features(self, query: Query) -> np.ndarray | None:
        """(directories, features): what speaks for each directory; None where the question asks for nothing in particular."""
        heard = self._hear(query)
        if heard is None:
            return None
        own = np.zeros(len(heard.held))
        own[list(heard.owned)] = 1.0
        share = heard.held / heard.weight
        asked = StaticModel.load().encode([query.text])[0]
        return np.column_stack([share, share * own, *(vectors @ asked for vectors in self._vectors), self._shape])

    @property
    def weights(self) -> np.ndarray:
        """(features,) as they were learned."""
        return np.array([learned()["places"]["weights"][name] for name in FEATURES])

    @property
    def paths(self) -> list[str]:
        """Of the directories, in the order of `features`."""
        return [path for path, _ in self._words.paths]

    def text(self, path: str) -> str:
        """A directory as the cross-encoder reads it."""
        folder = self.tree.folder(path)
        assert folder is not None
        return folder_text(folder, self._description(path))

    def _description(self, path: str) -> str:
        folder = self.tree.folder(path)
        if folder is None or folder.described is None:
            return ""
        span = folder.described
        return self.index.document_at(self.tree.source, span.path).text[span.start : span.end]

    def _listen(self, query: Query) -> _Heard | None:
        """How much of the question each directory says; None where it asks for nothing in particular."""
        units = [unit for unit in query.units if not unit.generic and not unit.minor and not STRUCTURE.fullmatch(unit.text)]
        weights = [unit_weight(unit) for unit in units]
        if not units:
            return None
        held = np.zeros(len(self._words.paths))
        total = 0.0
        owned: set[int] = set()
        said: set[str] = set()
        heard: list[bool] = []
        for unit, weight in zip(units, weights, strict=True):
            spellings = self._spellings(unit)
            hold, own = self._holders(spellings)
            owned |= own
            said.update(*spellings)
            worth = np.zeros(len(held))
            for word, likeness in self._like(unit):
                said.add(word)
                there = list(self._words.in_path[word])
                worth[there] = np.maximum(worth[there], likeness)
                owned |= {number for number in there if word in self._words.paths[number][1]}
            for spelling in spellings:
                inside = list(set.intersection(*(self._words.in_files.get(word, set()) for word in spelling)))
                worth[inside] = np.maximum(worth[inside], BY_FILE)
                owned.update(inside)
            worth[list(hold)] = 1.0
            heard.append(bool(worth.any()))
            held += weight * worth
            total += weight * (1.0 if worth.any() else UNHEARD)
        return _Heard(heard, held, total, sum(weights), owned, said, len(units) > 1, max(weights))

    def _spellings(self, unit: Unit) -> list[frozenset[str]]:
        """The words, stemmed, that a path may hold for a unit: any one set of them is enough."""
        names: Iterable[str] = [unit.text]
        if unit.key.startswith("term:"):
            term = self.index.terms.by_id[unit.key.removeprefix("term:")]
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
        for leaf, path in self.index.records.leaves(self.tree.source):
            for piece in path.split("/"):
                if piece not in known:
                    known[piece] = words_of(piece) | {stem(fold(part)) for part in (*parts(piece), piece, "".join(parts(piece)))}
                for word in known[piece]:
                    in_path.setdefault(word, set()).add(len(paths))
            paths.append((path, known[path.rpartition("/")[2]] if leaf else frozenset()))
        number = {path: i for i, (path, _) in enumerate(paths)}
        in_files: dict[str, set[int]] = {}
        for leaf, path in self.index.records.file_leaves(self.tree.source):
            name = leaf.partition(".")[0]
            if name not in known:
                known[name] = frozenset(stem(fold(part)) for part in (*parts(name), "".join(parts(name))))
            for word in known[name]:
                in_files.setdefault(word, set()).add(number[path.rpartition("/")[0] or "."])
        return _Words(paths, in_path, in_files)

    @cached_property
    def _inside(self) -> dict[str, list[str]]:
        """Names of the files of each directory that say something of it, without their endings."""
        inside: dict[str, list[str]] = {}
        for leaf, path in self.index.records.file_leaves(self.tree.source):
            inside.setdefault(path.rpartition("/")[0] or ".", []).append(leaf)
        return {path: telling(leaves) for path, leaves in inside.items()}

    @cached_property
    def _vectors(self) -> list[np.ndarray]:
        """(directories, dim) float32 each: what the last part of a path means, the part above it, the one above that, the files, the description."""
        split = [path.split("/") for path, _ in self._words.paths]
        texts = [[_apart(pieces[-n : len(pieces) - n + 1]) if len(pieces) >= n else "" for pieces in split] for n in (1, 2, 3)]
        texts.append([" ".join(" ".join(parts(name)) for name in self._inside.get(path, [])[:NAMES]) for path, _ in self._words.paths])
        texts.append([self._description(path) for path, _ in self._words.paths])
        return [StaticModel.load().encode(column) for column in texts]

    @cached_property
    def _shape(self) -> np.ndarray:
        """(directories, 4): whether it is of tests or copies, how deep it lies, whether it has files, how many."""
        files = np.array([len(self._inside.get(path, [])) for path, _ in self._words.paths])
        depth = np.array([path.count("/") for path, _ in self._words.paths])
        return np.column_stack([self._words.aside, depth / 5, files > 0, np.log1p(files) / 3])


@dataclass(frozen=True)
class Likely:
    """A directory that may be where the thing lives."""

    place: Place
    nearness: float
    """In words and meaning, by the learned weights: about 3 to 10 among the nearest."""
    read: float | None
    """Log odds, by the cross-encoder, that it is the answer rather than nothing; None where it was not asked."""

    @property
    def score(self) -> float:
        return self.scored(learned()["places"]["nearness"])

    def scored(self, nearness: float) -> float:
        """Its score where nearness weighs that much beside what the cross-encoder makes of it."""
        return (self.read or 0.0) + nearness * self.nearness

    @property
    def is_sure(self) -> bool:
        """Whether it stands well above the least score; one that only its path speaks for does."""
        return self.read is None or self.score >= learned()["places"]["least"] + SURE


def given(found: Sequence[Likely], least: float, score: Callable[[Likely], float] = lambda one: one.score) -> list[Likely]:
    """Of directories, best first, those that are given: close to the first, none below the least score, three at most."""
    return [one for one in found[:MOST] if score(one) >= max(least, score(found[0]) - CLOSE)]


@dataclass(frozen=True)
class _Heard:
    """What the directories say of a question."""

    is_said: Sequence[bool]
    """Whether any directory says each unit."""
    held: np.ndarray
    """(directories,) weight of the units that each says."""
    total: float
    """Weight of all, those less that no path says."""
    weight: float
    owned: set[int]
    """Numbers of the directories whose last part, or whose files, say something of it."""
    said: set[str]
    """The words that were looked for, stemmed."""
    several: bool
    largest: float
    """Weight of the heaviest unit."""


def folder_text(folder: Folder, description: str) -> str:
    """A directory as the cross-encoder reads it: its path, what it is for, names inside.

    '| pkg/kubelet/eviction (directory) contains api, defaults_linux, eviction_manager, helpers'
    """
    names = [*folder.directories, *telling(name.lower() for name in folder.files)][:NAMES]
    inside = f" contains {', '.join(names)}" if names else ""
    return fold(f"| {folder.path} (directory) {description[:CONTEXT]}{inside}")


def telling(files: Iterable[str]) -> list[str]:
    """Names of files that say something of their directory, without their endings, each once."""
    return list(dict.fromkeys(name.partition(".")[0] for name in files if not (name.startswith(".") or LITTLE.search(name))))


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
    in_files: dict[str, set[int]]
    """Numbers of the directories that have a word in the name of a file."""

    @cached_property
    def aside(self) -> np.ndarray:
        """(directories,) 1 for those of tests and copies."""
        return np.array([float(bool(set(path.split("/")) & OUTSKIRTS)) for path, _ in self.paths])

    @cached_property
    def names(self) -> list[str]:
        return [word for word in self.in_path if len(word) >= SHORTEST and word.isalpha()]

    @cached_property
    def vectors(self) -> np.ndarray:
        """(names, dim) float32, unit rows."""
        return StaticModel.load().encode(self.names)


def _apart(names: Iterable[str]) -> str:
    """The words of names, those run together apart."""
    return " ".join(word for name in names for part in parts(name) for word in compound(fold(part)) or (fold(part),))
