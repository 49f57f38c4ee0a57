"""Questions on the directory tree of a checkout, answered from its listing: what is in a directory, where something lives,
whether a path is there, what a directory is for, who owns it, which make targets there are.

What is asked is learned (`assistant/asks.py`). The directory is the one that the question names by a path, or else the one that it
describes (`assistant/places.py`). A path that is not there is answered as not there, with the nearest directory above it as the citation.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from assistant.asks import asked, best
from assistant.crossencoder import SUREST, CrossEncoder
from assistant.datamodels import Chunk, Citation, Folder, Statement
from assistant.draft import MOST_OF_A_KIND, Draft
from assistant.index import Index
from assistant.paths import AT_ROOT, BESIDE, NO_NAMES, TREE_WORDS, Named, Place, Tree, common_first, named_in
from assistant.places import STRUCTURE, Likely, Places
from assistant.query import Query
from assistant.scoring import learned, log_odds
from assistant.static import StaticModel
from assistant.text import fold

HEARD = 0.15
"""Probability of what is asked, at least, for the tree to be looked at."""
LONGEST = 300
"""Characters of a question that can be one on the tree; longer ones tell a story."""
NEAREST = 10.0
"""Nearness of a directory that is as near as they come."""
FEATURES = (
    "asked", "asked_named", "path", "bare", "found", "about_tree", "read", "nearness", "exists", "holds", "owners", "purpose", "target", "targets", "where", "absent",
)
"""What tells whether a reply is right: log odds of what was asked, and the same where a path or a name is; whether the question names a path or
a bare name, whether that is there, whether it speaks of the tree; what the cross-encoder makes of the first directory that it describes, and how near it is; what was
asked; whether it denies."""

KINDS = re.compile(r"\b(director(y|ies)|folders?|files?)\b|目录|文件", re.A)
JOINED = re.compile(r"[a-z]\w*(?:[-_.]\w+)+", re.A)
TARGET = re.compile(r"`?\bmake ([a-z][\w-]+)`?", re.A)


@dataclass(frozen=True)
class Reply:
    """What the tree says to a question."""

    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    what: str
    """Which of `assistant.asks.ASKS` it answers."""
    is_beside: bool
    """Whether it is said beside the article's own line on the path, rather than instead of it."""
    features: tuple[float, ...]
    """In the order of `FEATURES`."""

    def feature(self, name: str) -> float:
        return self.features[FEATURES.index(name)]

    @property
    def denies(self) -> bool:
        """Whether it says that something is not there."""
        return bool(self.feature("absent"))

    @property
    def is_plain(self) -> bool:
        """Whether something that a tree says was asked, likelier than not, of a path, of a directory or file of that name, of the make targets,
        or of this very tree about a name that it lacks."""
        said = any(self.feature(name) for name in ("path", "found", "target", "targets")) or (self.denies and bool(self.feature("about_tree")))
        return self.feature("asked") > 0 and said

    @property
    def confidence(self) -> float:
        """Probability that it is right, where no document answers; of what was asked of a path, that it was asked, since the rest is read off."""
        return self.confidence_by(learned()["tree"]["decision"])

    def confidence_by(self, decision: Mapping[str, float]) -> float:
        """The same by other weights."""
        odds = self.feature("asked") if self.is_plain else log_odds(decision, dict(zip(FEATURES, self.features, strict=True)))
        return 1 / (1 + math.exp(-odds))


class Trees:
    """The directory trees of an index, kept ready for questions."""

    def __init__(self, index: Index, encoder: CrossEncoder | None = None) -> None:
        """With an encoder, it reads what a question that describes a thing may mean; without, the words of the paths decide alone."""
        self.index = index
        self.encoder = encoder
        self._places = {s.name: Places(Tree(s.name, index.records), index) for s in index.sources if s.kind != "article"}

    def places(self, source: str) -> Places:
        """The directories of a source; raises KeyError when it has no tree."""
        return self._places[source]

    def answer(self, query: Query, sources: Collection[str] | None = None) -> Reply | None:
        """Answer a question on the tree of the sources allowed; None when it is none or they have no tree."""
        names = [name for name in self._places if sources is None or name in sources]
        if not names or len(query.text) > LONGEST:
            return None
        text = fold(query.text)
        said = [name for name in names if not self._is_term(name) and re.search(_as_word(name), text)]
        for name in said:
            text = re.sub(_as_word(name), " ", text)
        about_tree = bool(said) or bool(TREE_WORDS.search(text))
        asks = asked(query.text, self.encoder)
        what = best(asks)
        if asks[what] < HEARD:
            return None
        index = self.index if sources is None else self.index.within(sources)
        asker = _Asker(query, text, index, [self._places[name] for name in said or names], about_tree, self.encoder)
        asker.reply(what)
        return asker.said(what, math.log(max(asks[what], 1e-6) / max(asks["none"], 1e-6)))

    def _is_term(self, name: str) -> bool:
        """Whether a source is called what the material speaks of (a folder `kubernetes`): that a question says it tells of no source."""
        folded = fold(name)
        return any(mention.end - mention.start == len(folded) for mention in self.index.terms.find(folded))


def _as_word(name: str) -> str:
    """Expression of a source's name as a question writes it: 'v1.28', not the beginning of 'v1.28.3'."""
    return rf"(?<![a-z0-9_./-]){re.escape(name.lower())}(?![a-z0-9_/-]|\.\d)"


class _Asker:
    """One question, put to the trees one after another."""

    def __init__(self, query: Query, text: str, index: Index, places: Sequence[Places], about_tree: bool, encoder: CrossEncoder | None) -> None:
        self.query = query
        self.text = text
        self.index = index
        self.places = places
        self.trees = [one.tree for one in places]
        self.about_tree = about_tree
        self.encoder = encoder
        self.draft = Draft(index, query.language)
        self.at_root = bool(AT_ROOT.search(text))
        self.named = self._named()
        self.likely: list[Likely] = []
        """The first directory in each tree of those that the question describes, where it was asked."""

    def reply(self, what: str) -> None:
        """Draft what the trees say, asked for `what` of `assistant.asks.ASKS`."""
        if what in ("targets", "target"):
            self._targets()
        elif what == "owners":
            self._owners()
        elif what == "exists":
            self._exists(self._inside(self.named)) if self.named and self.named.text != "." else self._exists_described()
        elif what == "where":
            self._located(self.named) if self.named else self._lives()
        elif what == "holds":
            self._holds()
        elif what == "purpose":
            self._purpose()

    def said(self, what: str, asked: float) -> Reply | None:
        """What was drafted; `asked`: log odds that this is asked."""
        if not self.draft.statements:
            return None
        entry = self.draft.article_entry(self.named.text) if self.named and what == "holds" else None
        path = bool(self.named and (self.named.sure or self.at_root))  # at the root, a name is one
        found = bool(self.named and not path and any(tree.find(self.named.text, self.at_root) for tree in self.trees))
        best = max(self.likely, key=lambda one: one.score, default=None)
        values = {
            "asked": asked, "asked_named": asked * bool(self.named), "path": path, "bare": bool(self.named and not path), "found": found, "about_tree": self.about_tree,
            "read": (best.read or 0.0) / SUREST if best else 0.0, "nearness": best.nearness / NEAREST if best else 0.0, what: True, "absent": self.draft.denies,
        }
        is_beside = entry is not None and bool(entry.note or entry.children) and not self.about_tree
        features = tuple(float(values.get(name, 0.0)) for name in FEATURES)
        return Reply(tuple(self.draft.statements), tuple(self.draft.citations), what, is_beside, features)

    def _named(self) -> Named | None:
        """What the question names: the last path written as one, or else the last name beside a folder word, or a top directory."""
        named = named_in(self.text)
        sure = [n for n in named if n.sure] or named
        if sure:
            return sure[-1]
        for match in BESIDE.finditer(self.text) if self.at_root else ():
            if any(tree.find(match["name"], at_root=True) for tree in self.trees):  # 'a plugin directory at the root'
                return Named(match["name"], *match.span("name"), False)
        if self.at_root and KINDS.search(self.text) and not self._names():
            return Named(".", 0, 0, True)
        last = re.search(r"\b(?:in|under|inside|of|within) (?P<name>[a-z_][\w.-]*)\s*[?.!]*$", self.text, re.A)
        if last and any(tree.find(last["name"], at_root="-" not in last["name"]) for tree in self.trees):
            return Named(last["name"], *last.span("name"), False)
        for match in re.finditer(r"[a-z_][\w.-]*", self.text, re.A):
            plain = re.search(r"[_.-]", match.group()) or match.group() in ("cmd", "pkg", "hack")
            if plain and any(tree.find(match.group(), at_root=True) for tree in self.trees):
                return Named(match.group(), match.start(), match.end(), False)
        return None

    def _inside(self, named: Named) -> Named:
        """The name with the directory that the question says it is in ('is there a X in cmd?', 'cmd 下面有没有 X'), where one is named."""
        if "/" in named.text:
            return named
        for word in JOINED.findall(self.text[named.end :]):
            if any(tree.find(f"{named.text}/{word}", at_root=True) for tree in self.trees):
                return Named(f"{named.text}/{word}", named.start, named.end, True)
        rest = f"{self.text[: named.start]} {self.text[named.end :]}"
        for match in re.finditer(r"(?:\b(?:in|under|inside|of|within) (?:the )?(?P<en>[a-z_][\w./-]*))|(?P<zh>[a-z_][\w./-]*)\s*(?:目录)?(?:里|下|中|的)", rest, re.A):
            name = (match["en"] or match["zh"]).strip("/.")
            for tree in self.trees:
                above = common_first([place for place in tree.find(name) if place.is_folder])
                for place in above:
                    if tree.find(f"{place.path}/{named.text}".lower(), at_root=True):
                        return Named(f"{place.path}/{named.text}".lower(), named.start, named.end, True)
                if above and not tree.find(named.text):
                    return Named(f"{self._largest(tree, above)}/{named.text}".lower(), named.start, named.end, True)
        return named

    def _largest(self, tree: Tree, places: Sequence[Place]) -> str:
        """Path of the directory that holds most, among those as near the top as the first."""
        near = [place.path for place in places if place.path.count("/") == places[0].path.count("/")]
        return max(near, key=lambda path: len(folder.listing) if (folder := tree.folder(path)) else 0)

    def _folder(self, somewhere: Places, named: Named) -> Place | None:
        """The directory of a name; of several, the one that the rest of the question speaks of."""
        if named.text == ".":
            return Place(".", True)
        found = [place for place in common_first(somewhere.tree.find(named.text, self.at_root)) if place.is_folder]
        return None if not found else found[0] if len(found) == 1 or self.encoder is None else somewhere.among(self.query, self.encoder, found)[0].place

    def _names(self, apart_from: Named | None = None) -> list[str]:
        """What the question calls by a name: words with a joint, that no dictionary knows, or that are Latin in a Chinese question."""
        whole = JOINED.findall(self.text)
        words = [
            unit.text for unit in self.query.units
            if not (unit.generic or unit.minor or unit.everyday or STRUCTURE.fullmatch(unit.text))
            and re.fullmatch(r"[a-z]\w*", unit.text, re.A) and unit.text in self.text and not any(unit.text in name for name in whole)
            and (self.query.language == "zh" or not self._is_word(unit.text))
        ]
        return [name for name in [*whole, *words] if name not in NO_NAMES and (apart_from is None or name not in apart_from.text)]

    def _is_word(self, name: str) -> bool:
        """Whether it is a word of the language rather than a name: one of the two models' vocabularies holds it whole."""
        return StaticModel.load().knows(name) or (self.encoder is not None and self.encoder.knows(name))

    def _below(self, named: Named) -> Named:
        """Of a directory that is named, what else is named as being in it ('is glusterfs still in pkg/volume?')."""
        above = next((p.path for tree in self.trees for p in common_first(tree.find(named.text, self.at_root)) if p.is_folder), None)
        name = next(iter(self._names(named)), None)
        if above is None or name is None:
            return named
        inside = [p.path for tree in self.trees for p in common_first(tree.find(name)) if p.path.startswith(f"{above}/")]
        return Named((inside or [f"{above}/{name}"])[0].lower(), named.start, named.end, True)

    def _meant(self, somewhere: Places) -> Place | None:
        """The directory that is asked about: the one that is named, or else, unless by a path, the first that is described."""
        place = self._folder(somewhere, self.named) if self.named else None
        if place or (self.named and self.named.sure):
            return place
        return next((one.place for one in self._where(somewhere, self._read(somewhere))), None)

    def _holds(self) -> None:
        """What a directory holds; of a path that is not there, that it is not."""
        for somewhere in self.places:
            if place := self._meant(somewhere):
                self.draft.inside(somewhere.tree, place.path)
        if not self.draft.statements and self.named and any(tree.ancestor(self.named.text).path != "." for tree in self.trees):
            self._exists(self.named)

    def _purpose(self) -> None:
        """What a directory is for, by its README or package comment; of a path that says nothing of it, what it holds."""
        for somewhere in self.places:
            if (place := self._meant(somewhere)) and (folder := somewhere.tree.folder(place.path)):
                self.draft.purpose(somewhere.tree, folder)
        if not self.draft.statements and self.named and self.named.sure:
            self._holds()

    def _exists(self, named: Named) -> None:
        named = self._below(named)
        for tree in self.trees:
            name = named.text
            top = tree.find(name, at_root=True)
            elsewhere = [] if top else common_first(tree.find(name))
            listed = self.draft.article_entry(name) is not None  # the article's places are counted from the top
            if top or (elsewhere and not listed and not self.at_root and "/" not in name):
                for place in (top or elsewhere)[:MOST_OF_A_KIND]:
                    self.draft.there(tree, place)
            else:
                self.draft.absent(tree, named)
        at_top = any("/" not in c.path or c.path == "." for c in self.draft.citations)
        if at_top and (entry := self.draft.article_entry(named.text)) and any(not tree.find(named.text, at_root=True) for tree in self.trees):
            self.draft.listed(entry)

    def _exists_described(self) -> None:
        """Whether what the question calls by a name, or describes, is there."""
        for somewhere in self.places:
            lacking = [name for name in self._names() if not somewhere.says(name)]
            read = self._read(somewhere)
            found, is_heard = self._where(somewhere, read), somewhere.hears(self.query)
            if lacking:
                self.draft.absent(somewhere.tree, Named(lacking[0], 0, 0, False), self._nearest(somewhere.tree, read or []))
            sure = [one.place for one in found if one.is_sure or is_heard]
            named = [place for name in self._names() for place in self._by_name(somewhere.tree, name)]
            for place in sure or named[:MOST_OF_A_KIND] if not lacking else ():
                self.draft.there(somewhere.tree, place)

    def _nearest(self, tree: Tree, likely: Sequence[Likely]) -> list[Folder]:
        """Where a thing that is not there would be: the likeliest directory, however unlikely, and the one above it."""
        paths = [path for one in likely[:1] for path in (one.place.path, one.place.path.rpartition("/")[0])]
        return [folder for path in paths if (folder := tree.folder(path))]

    def _read(self, somewhere: Places) -> list[Likely] | None:
        """The directories that may be what the question describes, as the cross-encoder reads them; None without one."""
        return somewhere.likely(self.query, self.encoder) if self.encoder else None

    def _where(self, somewhere: Places, read: list[Likely] | None) -> list[Likely]:
        """Of the directories that were read those that the question describes."""
        found = somewhere.where(self.query, read)
        self.likely += found[:1]
        return found

    def _located(self, named: Named) -> None:
        """Where a path or name stands in the trees."""
        for tree in self.trees:
            places = common_first(tree.find(named.text, self.at_root))
            if not places and "." not in named.text:
                stems = [f"{named.text}.sh", f"{named.text}.go", f"{named.text}.md", f"{named.text}.py"]
                places = common_first([place for name in stems for place in tree.find(name)])
            for place in places[:MOST_OF_A_KIND]:
                self.draft.place(tree, place)
        if not self.draft.statements:
            self._lives()
        if not self.draft.statements and named.sure and "/" in named.text:
            self._exists(named)

    def _lives(self) -> None:
        """Where what the question is about lives."""
        for somewhere in self.places:
            tree = somewhere.tree
            names = [match.group() for match in re.finditer(rf"{JOINED.pattern}|[\w-]+\.(?:sh|go|md|py|yaml|json)\b", self.text, re.A)]
            known = {name: self._by_name(tree, name) for name in names}
            plainly = any(found and self._asks_only_for(name) for name, found in known.items())
            by_name = [place for found in known.values() for place in found]
            likely = [] if plainly else self._where(somewhere, self._read(somewhere))
            for one in likely:
                self.draft.place(tree, one.place, perhaps=not one.is_sure)
            for place in by_name[:MOST_OF_A_KIND] if not likely else ():
                self.draft.place(tree, place)

    def _asks_only_for(self, name: str) -> bool:
        """Whether the question asks for nothing but the place of a name ('where does local-up-cluster live?')."""
        it = re.escape(name)
        asked = rf"where('s| is| does| do| can i find)? (the )?{it}( (live|lives|located|sit|sits|defined|code|source|script))*\s*\??$|^{it}.{{0,6}}(在哪|位于|放在哪)"
        return bool(re.search(asked, self.text.strip())) and not any((c.name or "").endswith(name) for c in self.index.entries(self.query.language))

    def _by_name(self, tree: Tree, name: str) -> list[Place]:
        names = [name] if "." in name else [name, f"{name}.sh", f"{name}.go"]
        found = common_first([place for one in names for place in tree.find(one)])
        return [place for place in found if place.path.count("/") == found[0].path.count("/")]

    def _owners(self) -> None:
        for somewhere in self.places:
            if place := self._meant(somewhere):
                self.draft.owners(somewhere.tree, place)

    def _targets(self) -> None:
        """What a make target does that the question names, or else which there are."""
        chunks = [chunk for tree in self.trees for chunk in self._target_chunks(tree)]
        match = TARGET.search(self.text)
        one = [chunk for chunk in chunks if match and chunk.name == match[1]]
        for chunk in one or chunks:
            self.draft.target(chunk, "sentence" if one else "item")

    def _target_chunks(self, tree: Tree) -> list[Chunk]:
        """The targets of the Makefile that stands for the whole tree: the one at its top, or else the one with most of them."""
        chunks = [c for language in ("en", "zh") for c in self.index.records.chunks_of_kind("target", language) if c.source == tree.source]
        files: dict[str, list[Chunk]] = {}
        for chunk in chunks:
            files.setdefault(chunk.path, []).append(chunk)
        best = min(files, key=lambda path: ("/" in path, -len(files[path]), path), default=None)
        return files[best] if best else []


def numbered_after(reply: Reply, count: int) -> Reply:
    """A reply whose citations are numbered from `count` + 1, to stand behind an answer."""
    return dataclasses.replace(
        reply,
        statements=tuple(dataclasses.replace(s, citations=tuple(n + count for n in s.citations)) for s in reply.statements),
        citations=tuple(dataclasses.replace(c, id=c.id + count) for c in reply.citations),
    )
