"""Questions on the directory tree of a checkout, answered exactly, from its listing: what is in a directory, where something
lives, whether a path is there, who owns it, which make targets there are.

What is said is read off the listing, not searched for, so it holds without being measured against a
quote; a citation of a directory names it without lines and quotes what it holds. A path that is not
there is answered as not there, with the nearest directory above it as the citation.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from assistant.crossencoder import CrossEncoder
from assistant.datamodels import ARTICLE, Chunk, Citation, Document, Folder, Language, Span, Statement
from assistant.index import Index
from assistant.owners import groups_of
from assistant.paths import AT_ROOT, NO_NAMES, TREE_WORDS, Named, Place, Tree, common_first, named_in
from assistant.places import Places
from assistant.query import Query
from assistant.shapes import (
    ANY_CODE,
    ASKS_MORE,
    ASKS_VALUE,
    COUNTS,
    DOES,
    EXISTS,
    FOR,
    HOLDS,
    KINDS,
    LOCATED,
    MANY,
    OWNS,
    STILL_IN,
    STILL_THERE,
    TARGET,
    TARGETS,
    WHERE,
    WHY,
)
from assistant.static import StaticModel
from assistant.text import fold

Claim = Literal["instead", "beside", "else"]
"""What a reply is to an answer from the documents: said instead of it, beside it, or only where there is none."""

SURELY = 0.65
"""Share of a question's weight that a path must hold where the question names no place and does not ask for one."""
LONGEST = 300
"""Characters of a question that can be one on the tree; longer ones tell a story."""
MOST_NAMES = 80
MOST_OF_A_KIND = 3


@dataclass(frozen=True)
class Reply:
    """What the tree says to a question."""

    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    claim: Claim
    is_place: bool = False
    """Whether it says where something is."""
    read: float | None = None
    """Log odds, by the cross-encoder, that the first place is the answer; None where it was not asked."""


@dataclass
class _Draft:
    """Statements and citations as they gather, numbered in the order they are first cited."""

    index: Index
    language: Language
    statements: list[Statement] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)

    def say(self, text: str, *cited: Citation, kind: Literal["sentence", "item"] = "sentence") -> None:
        self.statements.append(Statement(text, tuple(self._number(citation) for citation in cited), "supported", kind))

    def _number(self, citation: Citation) -> int:
        for known in self.citations:
            if dataclasses.replace(citation, id=known.id) == known:
                return known.id
        self.citations.append(dataclasses.replace(citation, id=len(self.citations) + 1))
        return len(self.citations)

    def reply(self, claim: Claim, is_place: bool = False, read: float | None = None) -> Reply | None:
        return Reply(tuple(self.statements), tuple(self.citations), claim, is_place, read) if self.statements else None

    def words(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en


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
        asked = [name for name in names if re.search(_as_word(name), text)]
        for name in asked:
            text = re.sub(_as_word(name), " ", text)
        about_tree = bool(asked) or bool(TREE_WORDS.search(text))
        return _Asker(query, text, self.index, [self._places[name] for name in asked or names], about_tree, self.encoder).reply()


def _as_word(name: str) -> str:
    """Expression of a source's name as a question writes it: 'v1.28', not the beginning of 'v1.28.3'."""
    return rf"(?<![\w.-]){re.escape(name.lower())}(?![\w-]|\.\d)"


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
        self.sources = {source.name: source for source in index.sources}
        self.draft = _Draft(index, query.language)
        self.named = self._named()

    def reply(self) -> Reply | None:
        named = self.named
        shape = self.text if named is None else f"{self.text[: named.start]}@{self.text[named.end :]}"
        shape = re.sub(r"[`\"'“”‘’/]*@[`\"'“”‘’/]*", "@", shape)
        shape = re.sub(r"@\s*(directory|folder|dir|package|tree|path|目录|文件夹|路径|这个目录|包)(?![a-z])", "@", shape)
        if TARGETS.search(self.text):
            return self._targets()
        if OWNS.search(self.text) and not ASKS_MORE.search(self.text):
            return self._owners()
        if ASKS_MORE.search(self.text) or (ASKS_VALUE.search(self.text) and not (WHERE.search(self.text) and ANY_CODE.search(self.text))):
            return None
        if named is None and self._at_root() and MANY.search(self.text) and KINDS.search(self.text):
            return self._holds(Named(".", 0, 0, True))
        if asked := self._asked_for(named, shape):
            return self._exists(asked)
        if named is not None:
            if EXISTS.search(shape) and not WHY.search(self.text) and not (MANY.search(shape) and HOLDS.search(shape)):
                return self._exists(self._inside(named))
            if WHERE.search(self.text) and LOCATED.search(shape):
                return self._located(named)
            if HOLDS.search(shape) or COUNTS.search(shape):
                return self._holds(named)
            if named.sure and FOR.search(shape):
                return self._described(named)
        if WHERE.search(self.text) and "compare" not in self.query.intents:
            return self._lives()
        if (match := TARGET.search(self.text)) and DOES.search(self.text):
            return self._target(match[1])
        if named is None and self.query.intents & {"list", "yesno"} and "compare" not in self.query.intents:
            return self._found_inside() if "list" in self.query.intents else self._found()
        return None

    def _named(self) -> Named | None:
        """What the question names: the last path written as one, or else the last name beside a folder word, or a top directory."""
        named = named_in(self.text)
        sure = [n for n in named if n.sure] or named
        if sure:
            return sure[-1]
        last = re.search(r"\b(?:in|under|inside|of|within) (?P<name>[a-z_][\w.-]*)\s*[?.!]*$", self.text)
        if last and any(tree.find(last["name"], at_root="-" not in last["name"]) for tree in self.trees):
            return Named(last["name"], *last.span("name"), False)
        for match in re.finditer(r"[a-z_][\w.-]*", self.text):
            plain = re.search(r"[_.-]", match.group()) or match.group() in ("cmd", "pkg", "hack") or self.about_tree
            if plain and any(tree.find(match.group(), at_root=True) for tree in self.trees):
                return Named(match.group(), match.start(), match.end(), False)
        return None

    def _asked_for(self, named: Named | None, shape: str) -> Named | None:
        """What is asked whether it is there, by its bare name: in the directory the question names ('is glusterfs still in pkg/volume?'),
        or in the tree ('does this checkout have a kubectl-convert?')."""
        if WHY.search(self.text) or (MANY.search(shape) and HOLDS.search(shape)):
            return None
        above = named.text if named is not None else ""
        if above and not any(place.is_folder for tree in self.trees for place in tree.find(above, at_root=True)):
            return None
        for match in (match for pattern in (STILL_IN if above else STILL_THERE) for match in re.finditer(pattern, shape if above else self.text)):
            name = match["name"]
            if name in NO_NAMES:
                continue
            there = [place.path.lower() for tree in self.trees for place in common_first(tree.find(name))]
            marked = (match.groupdict().get("kind") or "").strip() or self.query.language == "zh"  # a Latin word in Chinese is a name
            if not above and (there or (marked and self.about_tree)):
                return Named(name, *match.span("name"), False)
            inside = [path for path in there if path.startswith(f"{above}/")]
            if above and (inside or marked or not all(map(StaticModel.load().knows, re.split(r"[._-]", name)))):
                return Named(next(iter(inside), f"{above}/{name}"), *match.span("name"), True)
        return None

    def _inside(self, named: Named) -> Named:
        """The name with the directory that the question says it is in ('is there a X in cmd?', 'cmd 下面有没有 X'), where one is named."""
        if "/" in named.text:
            return named
        for word in re.findall(r"[a-z][\w.]*(?:[-_][\w.]+)+", self.text[named.end :]):
            if any(tree.find(f"{named.text}/{word}", at_root=True) for tree in self.trees):
                return Named(f"{named.text}/{word}", named.start, named.end, True)
        rest = f"{self.text[: named.start]} {self.text[named.end :]}"
        for match in re.finditer(r"(?:\b(?:in|under|inside|of|within) (?:the )?(?P<en>[a-z_][\w./-]*))|(?P<zh>[a-z_][\w./-]*)\s*(?:目录)?(?:里|下|中|的)", rest):
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

    def _folder_citation(self, tree: Tree, folder: Folder) -> Citation:
        source = self.sources[tree.source]
        return Citation(
            0, tree.source, folder.path, None, None, None, None, folder.listing, (), folder.sha256, source.permalink(folder.path)
        )

    def _lines(self, document: Document, start: int, end: int, headings: tuple[str, ...] = ()) -> Citation:
        first, last = document.line_at(start), document.line_at(max(start, end - 1))
        url = self.sources[document.source].permalink(document.path, first, last)
        return Citation(0, document.source, document.path, first, last, start, end, document.text[start:end], headings, document.sha256, url)

    def _description(self, tree: Tree, folder: Folder) -> tuple[str, Citation] | None:
        """What the material says a directory is for, and where."""
        span = folder.described
        if span is None:
            return None
        document = self.index.document_at(tree.source, span.path)
        return plain_words(document, span), self._lines(document, span.start, span.end)

    def _article_entry(self, name: str) -> Chunk | None:
        """The article's line on a path, in the language of the question."""
        if ARTICLE not in self.sources:
            return None
        return next((c for c in self.index.entries(self.query.language) if c.source == ARTICLE and (c.name or "").lower() == name), None)

    def _at_root(self) -> bool:
        return bool(AT_ROOT.search(self.text))

    def _holds(self, named: Named) -> Reply | None:
        found = False
        for tree in self.trees:
            folders = [p for p in common_first(tree.find(named.text, self._at_root())) if p.is_folder] or [Place(".", True)] * (named.text == ".")
            if not folders:
                continue
            found = True
            self._say_inside(tree, folders[0].path)
        if not found:
            known_above = any(tree.ancestor(named.text).path != "." for tree in self.trees)
            return self._exists(named) if named.sure and known_above else None
        entry = self._article_entry(named.text)
        return self.draft.reply("beside" if entry and (entry.note or entry.children) and not self.about_tree else "instead")

    def _say_inside(self, tree: Tree, path: str) -> None:
        say = self.draft.words
        folder = tree.folder(path)
        assert folder is not None
        if described := self._description(tree, folder):
            self.draft.say(f"`{folder.path}`{say('：', ': ')}{described[0]}", described[1])
        names = [f"`{name}`" for name in folder.listing.split("\n") if name]
        shown, more = names[:MOST_NAMES], len(names) - MOST_NAMES
        rest = "" if more <= 0 else say(f"，另有 {more} 个", f", and {more} more")
        counts = say(
            f"{len(folder.directories)} 个目录、{len(folder.files)} 个文件",
            f"{_count(len(folder.directories), 'directory', 'directories')} and {_count(len(folder.files), 'file', 'files')}",
        )
        self.draft.say(
            say(f"{tree.source} 的 `{folder.path}` 里有 {counts}：", f"In {tree.source}, `{folder.path}` holds {counts}: ")
            + say("、", ", ").join(shown) + rest,
            self._folder_citation(tree, folder),
        )

    def _described(self, named: Named) -> Reply | None:
        for tree in self.trees:
            folders = [p for p in common_first(tree.find(named.text, self._at_root())) if p.is_folder]
            folder = tree.folder(folders[0].path) if folders else None
            if folder and (described := self._description(tree, folder)):
                self.draft.say(f"`{folder.path}`{self.draft.words('：', ': ')}{described[0]}", described[1], self._folder_citation(tree, folder))
        entry = self._article_entry(named.text)
        return self.draft.reply("else" if entry and entry.note else "instead")

    def _exists(self, named: Named) -> Reply | None:
        say = self.draft.words
        for tree in self.trees:
            name, label = named.text, tree.source
            top = tree.find(name, at_root=True)
            elsewhere = [] if top else common_first(tree.find(name))
            listed = self._article_entry(name) is not None  # the article's places are counted from the top
            if top or (elsewhere and not listed and not self._at_root() and "/" not in name):
                for place in (top or elsewhere)[:MOST_OF_A_KIND]:
                    folder = tree.folder(place.folder)
                    assert folder is not None
                    self.draft.say(say(f"{label} 里有 `{place.path}`。", f"`{place.path}` is in {label}."), self._folder_citation(tree, folder))
                continue
            self._absent(tree, named)
        if any("/" not in c.path or c.path == "." for c in self.draft.citations) and (entry := self._article_entry(named.text)):
            document = self.index.document(entry)
            missing = [tree.source for tree in self.trees if not tree.find(named.text, at_root=True)]
            if missing:
                segment = entry.segments[0]
                note = f"{say('：', ': ')}{entry.note}" if entry.note else ""
                self.draft.say(
                    say(f"文章列出了 `{entry.name}`{note}。", f"The article lists `{entry.name}`{note}."),
                    self._lines(document, segment.start, segment.end, entry.headings),
                )
        return self.draft.reply("instead")

    def _absent(self, tree: Tree, named: Named) -> None:
        say = self.draft.words
        above = tree.ancestor(named.text)
        near = tree.near(named.text, above)
        place = say("顶层", "at its top") if above.path == "." and tree.find(named.text) else ""  # else it is nowhere
        shown = say("、", ", ").join(f"`{path}`" for path in near)
        text = say(f"{tree.source} {place}没有 `{named.text}`", f"{tree.source} has no `{named.text}`{' ' + place if place else ''}")
        if near:
            text += say(f"；最接近的是 {shown}", f"; nearest: {shown}")
        cited = [self._folder_citation(tree, above)]
        for path in near:
            if path.rpartition("/")[2].lower() == named.text.rpartition("/")[2] and (folder := tree.folder(path)):
                cited.append(self._folder_citation(tree, folder))
        self.draft.say(text + say("。", "."), *cited[:MOST_OF_A_KIND])

    def _located(self, named: Named) -> Reply | None:
        """Where a path or name stands in the trees."""
        for tree in self.trees:
            places = common_first(tree.find(named.text, self._at_root()))
            if not places and "." not in named.text:
                stems = [f"{named.text}.sh", f"{named.text}.go", f"{named.text}.md", f"{named.text}.py"]
                places = common_first([place for name in stems for place in tree.find(name)])
            for place in places[:MOST_OF_A_KIND]:
                self._say_place(tree, place)
        if not self.draft.statements:
            return self._lives() or (self._exists(named) if named.sure and "/" in named.text else None)
        entry = self._article_entry(named.text)
        return self.draft.reply("else" if entry and not self.about_tree else "instead", is_place=True)

    def _say_place(self, tree: Tree, place: Place, perhaps: bool = False) -> None:
        say = self.draft.words
        folder = tree.folder(place.folder)
        assert folder is not None
        described = self._description(tree, folder) if place.is_folder else None
        cited = [self._folder_citation(tree, folder), *([described[1]] if described else [])]
        text = f"{say('可能是 ', 'perhaps ') if perhaps else ''}`{place.path}`{say('（', ' (')}{tree.source}{say('）', ')')}"
        self.draft.say(text + (f"{say('：', ': ')}{described[0]}" if described else ""), *cited, kind="item")

    def _lives(self) -> Reply | None:
        """Where what the question is about lives."""
        plainly = False
        reads: list[float] = []
        for somewhere in self.places:
            tree = somewhere.tree
            names = [match.group() for match in re.finditer(r"[a-z][\w.]*(?:[-_][\w.]+)+|[\w-]+\.(?:sh|go|md|py|yaml|json)\b", self.text)]
            known = {name: self._by_name(tree, name) for name in names}
            plainly = plainly or any(found and self._asks_only_for(name) for name, found in known.items())
            by_name = [place for found in known.values() for place in found]
            likely = [] if plainly else somewhere.where(self.query, self.encoder)
            reads += [one.read for one in likely if one.read is not None]
            for one in likely:
                self._say_place(tree, one.place, perhaps=not one.is_sure)
            for place in by_name[:MOST_OF_A_KIND] if not likely else ():
                self._say_place(tree, place)
        return self.draft.reply("instead" if self.about_tree or plainly else "else", is_place=True, read=max(reads, default=None))

    def _found_inside(self) -> Reply | None:
        """What the directory holds that the question describes; only where no document answers."""
        for somewhere in self.places:
            for place in somewhere.by_words(self.query, SURELY)[:1]:
                self._say_inside(somewhere.tree, place.path)
        return self.draft.reply("else")

    def _found(self) -> Reply | None:
        """The directories of what is asked whether it is there; only where no document answers."""
        if not ANY_CODE.search(self.text):
            return None
        for somewhere in self.places:
            for place in somewhere.by_words(self.query, SURELY)[:MOST_OF_A_KIND]:
                self._say_place(somewhere.tree, place)
        return self.draft.reply("else")

    def _asks_only_for(self, name: str) -> bool:
        """Whether the question asks for nothing but the place of a name ('where does local-up-cluster live?')."""
        it = re.escape(name)
        asked = rf"where('s| is| does| do| can i find)? (the )?{it}( (live|lives|located|sit|sits|defined|code|source|script))*\s*\??$|^{it}.{{0,6}}(在哪|位于|放在哪)"
        return bool(re.search(asked, self.text.strip())) and not any((c.name or "").endswith(name) for c in self.index.entries(self.query.language))

    def _by_name(self, tree: Tree, name: str) -> list[Place]:
        names = [name] if "." in name else [name, f"{name}.sh", f"{name}.go"]
        found = common_first([place for one in names for place in tree.find(one)])
        return [place for place in found if place.path.count("/") == found[0].path.count("/")]

    def _owners(self) -> Reply | None:
        for somewhere in self.places:
            tree = somewhere.tree
            places: list[Place] = []
            if self.named is not None:
                places = common_first(tree.find(self.named.text, self._at_root()))
            places = places or [one.place for one in somewhere.where(self.query, self.encoder)]
            if places:
                self._say_owners(tree, places[0])
        return self.draft.reply("instead")

    def _say_owners(self, tree: Tree, place: Place) -> None:
        say = self.draft.words
        found = self._owners_file(tree, place.folder)
        if found is None:
            return
        document, folder = found
        names = {"approvers": say("批准人", "approvers"), "reviewers": say("评审人", "reviewers"), "labels": say("标签", "labels")}
        above = "" if folder == place.folder else say(f"（`{folder}/OWNERS` 管辖）", f" (by `{folder}/OWNERS`, the nearest above it)")
        aliases: list[str] = []
        for group in groups_of(document.text):
            if group.key in names:
                values = say("、", ", ").join(f"`{value}`" for value in group.values)
                self.draft.say(
                    f"`{place.path}`{above} {names[group.key]}{say('：', ': ')}{values}", self._lines(document, group.start, group.end), kind="item"
                )
                aliases += group.values if group.key != "labels" else ()
        try:
            document = self.index.document_at(tree.source, "OWNERS_ALIASES")
        except KeyError:
            return
        for group in groups_of(document.text):
            if group.key in aliases:
                values = say("、", ", ").join(f"`{value}`" for value in group.values)
                self.draft.say(f"`{group.key}`{say('：', ': ')}{values}", self._lines(document, group.start, group.end), kind="item")

    def _owners_file(self, tree: Tree, folder: str) -> tuple[Document, str] | None:
        """The OWNERS file of a directory or of the nearest one above it that names somebody."""
        while True:
            try:
                document = self.index.document_at(tree.source, "OWNERS" if folder == "." else f"{folder}/OWNERS")
                if any(group.key in ("approvers", "reviewers") for group in groups_of(document.text)):
                    return document, folder
            except KeyError:
                pass
            if folder == ".":
                return None
            folder = folder.rpartition("/")[0] or "."

    def _targets(self) -> Reply | None:
        for tree in self.trees:
            for chunk in self._target_chunks(tree):
                self._say_target(chunk, kind="item")
        return self.draft.reply("instead")

    def _target(self, name: str) -> Reply | None:
        for tree in self.trees:
            for chunk in self._target_chunks(tree):
                if chunk.name == name:
                    self._say_target(chunk, kind="sentence")
        return self.draft.reply("else")

    def _target_chunks(self, tree: Tree) -> list[Chunk]:
        """The targets of the Makefile that stands for the whole tree: the one at its top, or else the one with most of them."""
        chunks = [c for language in ("en", "zh") for c in self.index.records.chunks_of_kind("target", language) if c.source == tree.source]
        files: dict[str, list[Chunk]] = {}
        for chunk in chunks:
            files.setdefault(chunk.path, []).append(chunk)
        best = min(files, key=lambda path: ("/" in path, -len(files[path]), path), default=None)
        return files[best] if best else []

    def _say_target(self, chunk: Chunk, kind: Literal["sentence", "item"]) -> None:
        document = self.index.document(chunk)
        cited = self._lines(document, chunk.segments[0].start, chunk.segments[-1].end, chunk.headings)
        self.draft.say(f"`make {chunk.name}`{self.draft.words('：', ': ')}{chunk.note}", cited, kind=kind)


COMMENT_MARK = re.compile(r"[ \t]*\r?\n[ \t]*(?://+|#+|\*+|>+)?[ \t]*")


def plain_words(document: Document, span: Span) -> str:
    """A span on one line, without the marks that begin its lines in Go and make comments."""
    text = document.text[span.start : span.end]
    return COMMENT_MARK.sub(" ", text).strip()


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def numbered_after(reply: Reply, count: int) -> Reply:
    """A reply whose citations are numbered from `count` + 1, to stand behind an answer."""
    return dataclasses.replace(
        reply,
        statements=tuple(dataclasses.replace(s, citations=tuple(n + count for n in s.citations)) for s in reply.statements),
        citations=tuple(dataclasses.replace(c, id=c.id + count) for c in reply.citations),
    )



