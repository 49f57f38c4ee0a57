"""How what a directory tree holds is said, and cited: lists, places, owners, make targets, what is not there.

What is said is read off the listing, not searched for, so it holds without being measured against a quote; a citation of a directory
names it without lines and quotes what it holds.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from assistant.citing import cite_lines, cite_segment
from assistant.datamodels import ARTICLE, Chunk, Citation, Document, Folder, Language, Statement
from assistant.index import Index
from assistant.owners import groups_of
from assistant.paths import Named, Place, Tree

MOST_NAMES = 80
MOST_OF_A_KIND = 3
COMMENT_MARK = re.compile(r"[ \t]*\r?\n[ \t]*(?://+|#+|\*+|>+)?[ \t]*")


@dataclass
class Draft:
    """Statements and citations as they gather, numbered in the order they are first cited."""

    index: Index
    language: Language
    statements: list[Statement] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    denies: bool = False
    """Whether it says that something is not there."""

    def words(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def say(self, text: str, *cited: Citation, kind: Literal["sentence", "item"] = "sentence") -> None:
        self.statements.append(Statement(text, tuple(self._number(citation) for citation in cited), "supported", kind))

    def inside(self, tree: Tree, path: str) -> None:
        """What a directory holds, after what it is for."""
        folder = tree.folder(path)
        assert folder is not None
        self.purpose(tree, folder, and_folder=False)
        names = [f"`{name}`" for name in folder.listing.split("\n") if name]
        shown, more = names[:MOST_NAMES], len(names) - MOST_NAMES
        rest = "" if more <= 0 else self.words(f"，另有 {more} 个", f", and {more} more")
        counts = self.words(
            f"{len(folder.directories)} 个目录、{len(folder.files)} 个文件",
            f"{_count(len(folder.directories), 'directory', 'directories')} and {_count(len(folder.files), 'file', 'files')}",
        )
        self.say(
            self.words(f"{tree.source} 的 `{folder.path}` 里有 {counts}：", f"In {tree.source}, `{folder.path}` holds {counts}: ")
            + self.words("、", ", ").join(shown) + rest,
            self._folder(tree, folder),
        )

    def purpose(self, tree: Tree, folder: Folder, and_folder: bool = True) -> None:
        """What the material says a directory is for; nothing where it says nothing."""
        if described := self._description(tree, folder):
            also = (self._folder(tree, folder),) if and_folder else ()
            self.say(f"`{folder.path}`{self.words('：', ': ')}{described[0]}", described[1], *also)

    def place(self, tree: Tree, place: Place, perhaps: bool = False) -> None:
        """Where something is, as an item of a list."""
        folder = tree.folder(place.folder)
        assert folder is not None
        described = self._description(tree, folder) if place.is_folder else None
        cited = [self._folder(tree, folder), *([described[1]] if described else [])]
        text = f"{self.words('可能是 ', 'perhaps ') if perhaps else ''}`{place.path}`{self.words('（', ' (')}{tree.source}{self.words('）', ')')}"
        self.say(text + (f"{self.words('：', ': ')}{described[0]}" if described else ""), *cited, kind="item")

    def there(self, tree: Tree, place: Place) -> None:
        folder = tree.folder(place.folder)
        assert folder is not None
        self.say(self.words(f"{tree.source} 里有 `{place.path}`。", f"`{place.path}` is in {tree.source}."), self._folder(tree, folder))

    def absent(self, tree: Tree, named: Named, would_be: Sequence[Folder] = ()) -> None:
        """That a path is not there; `would_be`: directories where it would be, where that is known better than the path tells."""
        self.denies = True
        near_to = would_be[0] if would_be else tree.ancestor(named.text)
        near = tree.near(named.text, near_to)
        place = self.words("顶层", "at its top") if near_to.path == "." and tree.find(named.text) else ""  # else it is nowhere
        shown = self.words("、", ", ").join(f"`{path}`" for path in near)
        text = self.words(f"{tree.source} {place}没有 `{named.text}`", f"{tree.source} has no `{named.text}`{' ' + place if place else ''}")
        if near:
            text += self.words(f"；最接近的是 {shown}", f"; nearest: {shown}")
        cited = [self._folder(tree, folder) for folder in would_be or [near_to]]
        for path in near:
            if path.rpartition("/")[2].lower() == named.text.rpartition("/")[2] and (folder := tree.folder(path)):
                cited.append(self._folder(tree, folder))
        self.say(text + self.words("。", "."), *cited[:MOST_OF_A_KIND])

    def listed(self, entry: Chunk) -> None:
        """That the article lists a path."""
        note = f"{self.words('：', ': ')}{entry.note}" if entry.note else ""
        self.say(
            self.words(f"文章列出了 `{entry.name}`{note}。", f"The article lists `{entry.name}`{note}."),
            cite_segment(self.index, entry, entry.segments[0]),
        )

    def owners(self, tree: Tree, place: Place) -> None:
        """Who approves and reviews, and the labels, by the OWNERS file of a place or of the nearest directory above it that names somebody."""
        found = self._owners_file(tree, place.folder)
        if found is None:
            return
        document, folder = found
        names = {"approvers": self.words("批准人", "approvers"), "reviewers": self.words("评审人", "reviewers"), "labels": self.words("标签", "labels")}
        above = "" if folder == place.folder else self.words(f"（`{folder}/OWNERS` 管辖）", f" (by `{folder}/OWNERS`, the nearest above it)")
        aliases: list[str] = []
        for group in groups_of(document.text):
            if group.key in names:
                self._group(f"`{place.path}`{above} {names[group.key]}", group.values, cite_lines(self.index, document, group.start, group.end))
                aliases += group.values if group.key != "labels" else ()
        try:
            document = self.index.document_at(tree.source, "OWNERS_ALIASES")
        except KeyError:
            return
        for group in groups_of(document.text):
            if group.key in aliases:
                self._group(f"`{group.key}`", group.values, cite_lines(self.index, document, group.start, group.end))

    def target(self, chunk: Chunk, kind: Literal["sentence", "item"]) -> None:
        """What a make target does."""
        cited = cite_lines(self.index, self.index.document(chunk), chunk.segments[0].start, chunk.segments[-1].end, chunk.headings)
        self.say(f"`make {chunk.name}`{self.words('：', ': ')}{chunk.note}", cited, kind=kind)

    def article_entry(self, name: str) -> Chunk | None:
        """The article's line on a path, in the language of the question."""
        return next((c for c in self.index.entries(self.language) if c.source == ARTICLE and (c.name or "").lower() == name), None)

    def _number(self, citation: Citation) -> int:
        for known in self.citations:
            if dataclasses.replace(citation, id=known.id) == known:
                return known.id
        self.citations.append(dataclasses.replace(citation, id=len(self.citations) + 1))
        return len(self.citations)

    def _group(self, whose: str, names: Sequence[str], cited: Citation) -> None:
        self.say(f"{whose}{self.words('：', ': ')}{self.words('、', ', ').join(f'`{name}`' for name in names)}", cited, kind="item")

    def _folder(self, tree: Tree, folder: Folder) -> Citation:
        url = self.index.source(tree.source).permalink(folder.path)
        return Citation(0, tree.source, folder.path, None, None, None, None, folder.listing, (), folder.sha256, url)

    def _description(self, tree: Tree, folder: Folder) -> tuple[str, Citation] | None:
        """What the material says a directory is for, and where."""
        span = folder.described
        if span is None:
            return None
        document = self.index.document_at(tree.source, span.path)
        return plain_words(document.text[span.start : span.end]), cite_lines(self.index, document, span.start, span.end)

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


def plain_words(text: str) -> str:
    """A text on one line, without the marks that begin its lines in Go and make comments."""
    return COMMENT_MARK.sub(" ", text).strip()


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
