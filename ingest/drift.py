"""Drift: the article's claims against an ingested checkout, each with a verdict and the evidence for it.

A false alarm is worse than silence: 'gone' is said only of what the tree would hold if it were still
there, 'moved' only where one place stands out; everything else is 'cannot tell'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.datamodels import Chunk, Document, Folder
from assistant.paths import OUTSKIRTS
from assistant.records import LineNote
from assistant.terms import TermTable
from assistant.text import parts
from ingest.claims import Claim, claims_of

Verdict = Literal["holds", "moved", "gone", "cannot tell"]
BAZEL = ("WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel", "BUILD.bazel", "BUILD", ".bazelrc")
MAKEFILES = ("Makefile", "build/root/Makefile")
"""Where the Makefile of the tree stands; before v1.28 the one at the top was a link to the other."""
ALIKE = 0.5
"""Share of the article's top directories that a tree must have to be held against the article at all."""


@dataclass(frozen=True)
class Check:
    """A claim and what the tree says to it."""

    claim: Claim
    verdict: Verdict
    evidence: str
    """Paths, or path and line, of the tree; what was looked for where nothing was found."""
    now: str | None = None
    """Where it moved to."""


class TreeView:
    """The paths of one source, and the texts of its documents."""

    def __init__(self, name: str, folders: Iterable[Folder], documents: Iterable[Document]) -> None:
        self.name = name
        self.kinds: dict[str, bool] = {}
        for folder in folders:
            self.kinds[folder.path] = True
            self.kinds.update((folder.within(file), False) for file in folder.files)
        self.documents: Mapping[str, Document] = {document.path: document for document in documents}

    def has(self, path: str) -> bool:
        return path in self.kinds

    def named(self, leaf: str) -> list[str]:
        """Paths that end in a name, outside tests and copies of other projects."""
        return sorted(p for p in self.kinds if p.rpartition("/")[2] == leaf and not set(p.split("/")[:-1]) & OUTSKIRTS)

    def says(self, text: str) -> str | None:
        """The first place, `path:line`, where a document holds a text."""
        for path in sorted(self.documents, key=lambda p: (p.count("/"), p)):
            document = self.documents[path]
            if (start := document.text.find(text)) >= 0:
                return f"{path}:{document.line_at(start)}"
        return None


def is_alike(claims: Sequence[Claim], tree: TreeView) -> bool:
    """Whether a tree is a Kubernetes tree: it has at least half of the top directories that the article lists."""
    tops = {claim.name for claim in claims if claim.kind == "path" and "/" not in claim.name}
    return bool(tops) and sum(tree.has(top) for top in tops) >= ALIKE * len(tops)


def checks_of(claims: Sequence[Claim], tree: TreeView) -> list[Check]:
    """Hold every claim against the tree."""
    return [_check(claim, tree) for claim in claims]


def drift(article: Document, chunks: Sequence[Chunk], terms: TermTable, tree: TreeView) -> list[Check]:
    """The checks of an article against a tree; empty where the tree is no Kubernetes tree."""
    claims = claims_of(article, chunks, terms)
    return checks_of(claims, tree) if is_alike(claims, tree) else []


def notes_of(checks: Iterable[Check], source: str, renditions: Iterable[Document]) -> list[LineNote]:
    """Notes for the article's lines, and the same lines of its renditions, on what moved or is gone; one for each thing said on a line."""
    wanted = [check for check in checks if check.verdict in ("moved", "gone")]
    notes = []
    for document in renditions:
        for check in wanted:
            zh = document.language == "zh"
            what = f"`{check.claim.name}`"
            if check.claim.kind == "method":
                text = f"{source} 里没有 {check.claim.name} 文件" if zh else f"{source} has no {check.claim.name} files"
            elif check.verdict == "moved":
                text = f"{what} 不在 {source} 的这个位置：现在是 `{check.now}`" if zh else f"{what} is not in {source}: now `{check.now}`"
            else:
                text = f"{source} 里没有 {what}" if zh else f"{what} is not in {source}"
            notes.append(LineNote(document.source, document.path, check.claim.line, document.language, text))
    return notes


def _check(claim: Claim, tree: TreeView) -> Check:
    if claim.kind == "path":
        return _path(claim, tree)
    if claim.kind == "component":
        return _component(claim, tree)
    if claim.kind == "target":
        return _target(claim, tree)
    if claim.kind == "output":
        place = tree.says(claim.name)
        return Check(claim, "holds", place) if place else Check(claim, "cannot tell", "made by a build, and no document names it")
    if claim.kind == "method":
        return _method(claim, tree)
    if claim.kind == "third party":
        return _third_party(claim, tree)
    if claim.name == "ways to build":
        return Check(claim, "cannot tell", "see the ways to build themselves")
    return Check(claim, "cannot tell", "a tree does not say how many there are")


def _path(claim: Claim, tree: TreeView) -> Check:
    if tree.has(claim.name):
        return Check(claim, "holds", claim.name)
    leaf = claim.name.rpartition("/")[2]
    same = tree.named(leaf)
    for candidates in (
        [path for path in same if _inserted(claim.name, path)],
        [path for path in same if path == f"staging/src/k8s.io/{leaf}"],
        [path for path in same if path.endswith(f"/{claim.name}")],
        same if "/" not in claim.name and len(same) == 1 else [],
    ):
        nearest = sorted(candidates, key=lambda path: path.count("/"))
        if len(nearest) == 1 or (nearest and nearest[0].count("/") < nearest[1].count("/")):
            return Check(claim, "moved", nearest[0], nearest[0])
        if nearest:
            break
    above = claim.name.rpartition("/")[0]
    if above and not tree.has(above):
        parent = _path(Claim("path", above, claim.path, claim.line, claim.text), tree)
        if parent.now and tree.has(f"{parent.now}/{leaf}"):
            return Check(claim, "moved", f"{parent.now}/{leaf}", f"{parent.now}/{leaf}")
    named = f"; the name stands at {', '.join(same[:3])}" if same else ""
    return Check(claim, "gone", f"no such path{named}")


def _inserted(old: str, new: str) -> bool:
    """Whether a path is the old one with directories put in after its first: `staging/src/k8s.io/api` for `staging/k8s.io/api`."""
    first, _, rest = old.partition("/")
    return bool(rest) and new.startswith(f"{first}/") and new.endswith(f"/{rest}")


def _component(claim: Claim, tree: TreeView) -> Check:
    for place in (f"cmd/{claim.name}", f"staging/src/k8s.io/{claim.name}"):
        if tree.has(place):
            return Check(claim, "holds", place)
    return Check(claim, "cannot tell", f"neither cmd/{claim.name} nor staging/src/k8s.io/{claim.name} is there; it may live in another repository")


def _target(claim: Claim, tree: TreeView) -> Check:
    name, _, value = claim.name.partition("=")
    makefile = next((tree.documents[path] for path in MAKEFILES if path in tree.documents), None)
    if name == "make":
        return Check(claim, "holds", "Makefile") if tree.has("Makefile") else Check(claim, "gone", "no Makefile at the top")
    if value:
        if not tree.has(value):
            return Check(claim, "gone", f"no such path: {value}")
        if makefile is None or not re.search(rf"\b{re.escape(name)}\b", makefile.text):
            return Check(claim, "cannot tell", f"{value} is there; no Makefile that could be read names {name}")
        line = makefile.line_at(makefile.text.index(name))
        return Check(claim, "holds", f"{value}, {makefile.path}:{line}")
    if makefile is None:
        return Check(claim, "cannot tell", "no Makefile that could be read")
    if rule := re.search(rf"^(?:[\w.-]+[ \t]+)*{re.escape(name)}(?:[ \t]+[\w.-]+)*[ \t]*::?(?!=)", makefile.text, re.M):
        return Check(claim, "holds", f"{makefile.path}:{makefile.line_at(rule.start())}")
    if re.search(r"^-?include\b|^%", makefile.text, re.M):
        return Check(claim, "cannot tell", f"{makefile.path} has no rule for it, but includes others")
    return Check(claim, "gone", f"{makefile.path} has no such target")


def _method(claim: Claim, tree: TreeView) -> Check:
    if claim.name.lower() == "bazel":
        there = [path for path in tree.kinds if path.rpartition("/")[2] in BAZEL and not set(path.split("/")) & OUTSKIRTS]
        return Check(claim, "holds", min(there, key=len)) if there else Check(claim, "gone", f"none of {', '.join(BAZEL)} anywhere")
    wanted = {"本地": ("Makefile", "hack"), "容器": ("build/run.sh", "build/common.sh")}.get(claim.name, ())
    there = [path for path in wanted if tree.has(path)]
    return Check(claim, "holds", ", ".join(there)) if wanted and len(there) == len(wanted) else Check(claim, "cannot tell", "no sign of it")


def _third_party(claim: Claim, tree: TreeView) -> Check:
    words = {word.lower() for word in parts(claim.name)}
    inside = [p for p, is_folder in tree.kinds.items() if is_folder and p.startswith("third_party/") and words <= set(p.lower().split("/"))]
    if inside:
        return Check(claim, "holds", min(inside, key=lambda p: (len(p), p)))
    return Check(claim, "cannot tell", "no directory below third_party has its name")
