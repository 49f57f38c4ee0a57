"""Makes false statements of true ones, one small change each: what a verifier must notice.

Every mutation is a function of a statement and the material's vocabulary that gives the changed text, or
None where it does not apply. Nothing here knows of the verifier; `opposite` and `sides` were added after it was
tuned on the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.datamodels import Chunk
from assistant.terms import TermTable
from assistant.text import CODE, fold

PATH = re.compile(r"(?<![\w/:.])(?:[\w.-]+/)+[\w.-]+/?|(?<!\w)_output\b|(?<![\w/])[\w-]+\.(?:sh|md|go|yaml)\b")
FLAG = re.compile(r"(?<!\w)--?[a-z][\w-]+|\b[A-Z]{2,}(?==)")
DIGITS = re.compile(r"(?<![\w.])\d+(?![\w.])")
VERSION = re.compile(r"\bv?\d+\.\d+(?:\.\d+)?\b")
SPELT = {
    "一个": "三个", "两部分": "四部分", "两个": "五个", "两种": "四种", "三种": "五种", "三个": "七个", "唯一": "第二",
    "one": "three", "two": "four", "three": "five", "single": "double", "only": "second",
}
NEGATED = (
    ("是", "不是"), ("负责", "不负责"), ("可以", "不可以"), ("支持", "不支持"), ("提供", "不提供"), ("用于", "不用于"), ("能够", "不能够"),
    (" is ", " is not "), (" are ", " are not "), (" can ", " cannot "), (" provides ", " does not provide "),
    (" supports ", " does not support "), (" manages ", " does not manage "), ("responsible for", "not responsible for"),
    (" has ", " does not have "), (" uses ", " does not use "), (" will ", " will not "),
)
"""First match wins; a statement that already denies is left alone."""
OPPOSITE = (
    ("创建", "删除"), ("启动", "停止"), ("接收", "拒绝"), ("客户端", "服务端"), ("增加", "减少"), ("横向", "纵向"), ("所有", "部分"), ("本地", "远程"), ("默认", "备用"),
    ("create", "delete"), ("start", "stop"), ("receive", "reject"), ("client", "server"), ("increase", "decrease"),
    ("horizontally", "vertically"), ("all", "some"), ("local", "remote"), ("default", "optional"), ("before", "after"),
)
DENIES = re.compile(r"不|没|非|无|\bnot?\b|n't|cannot", re.I)


@dataclass(frozen=True)
class Vocabulary:
    """What the material has to put in another's place, each sorted."""

    paths: tuple[str, ...]
    components: tuple[str, ...]
    """English names of components and tools."""
    terms: TermTable

    @classmethod
    def of(cls, chunks: Sequence[Chunk], terms: TermTable) -> Vocabulary:
        paths = {match.group() for chunk in chunks for match in PATH.finditer(chunk.text)} | {c.name for c in chunks if c.name}
        named = (t for t in terms.terms if t.kind in ("component", "tool") and t.id != "kubernetes" and t.en)
        return cls(tuple(sorted(p for p in paths if "/" in p)), tuple(sorted(t.en[0] for t in named)), terms)


Mutation = Callable[[str, Vocabulary], str | None]


def _other(words: Sequence[str], word: str, text: str) -> str | None:
    """One of `words` that is not in `text`, always the same one."""
    left = [one for one in words if fold(one) not in fold(text)]
    return left[sum(map(ord, word)) % len(left)] if left else None


def swap_path(text: str, vocabulary: Vocabulary) -> str | None:
    match = PATH.search(text)
    other = match and _other(vocabulary.paths, match.group(), text)
    return text[: match.start()] + other + text[match.end() :] if match and other else None


def _component(text: str, vocabulary: Vocabulary) -> tuple[str, str] | None:
    """The first Latin-script component name of the text, and another component."""
    for match in CODE.finditer(text):
        found = vocabulary.terms.find(fold(match.group()))
        if found and found[0].term.kind in ("component", "tool") and found[0].term.id != "kubernetes":
            names = [n for n in vocabulary.components if n not in found[0].term.en]
            other = _other(names, match.group(), text)
            return (match.group(), other) if other else None
    return None


def swap_component(text: str, vocabulary: Vocabulary) -> str | None:
    found = _component(text, vocabulary)
    return text.replace(*found, 1) if found else None


def add_port(text: str, vocabulary: Vocabulary) -> str | None:
    """A port that the lines do not name, after the component; a port that is there is changed."""
    if match := re.search(r"(?<=:)\d{2,5}\b|(?<=port )\d{2,5}\b|(?<=端口)\d{2,5}", text):
        return text[: match.start()] + str(int(match.group()) + 7) + text[match.end() :]
    if not (found := _component(text, vocabulary)):
        return None
    chinese = re.search(r"[一-鿿]", text)
    return text.replace(found[0], f"{found[0]}（端口6443）" if chinese else f"{found[0]} (port 6443)", 1)


def change_number(text: str, vocabulary: Vocabulary) -> str | None:
    if match := DIGITS.search(text):
        return text[: match.start()] + str(int(match.group()) + 3) + text[match.end() :]
    for spelt, other in SPELT.items():
        pattern = rf"\b{spelt}\b" if spelt.isascii() else spelt
        if re.search(pattern, text):
            return re.sub(pattern, other, text, count=1)
    return None


def add_version(text: str, vocabulary: Vocabulary) -> str | None:
    """A version that the lines do not name, after Kubernetes; a version that is there is changed."""
    if match := VERSION.search(text):
        major, _, rest = match.group().partition(".")
        return text[: match.start()] + f"{major}.{int(rest.split('.')[0]) + 3}" + text[match.end() :]
    return text.replace("Kubernetes", "Kubernetes v1.17", 1) if "Kubernetes" in text else None


def negate(text: str, vocabulary: Vocabulary) -> str | None:
    if DENIES.search(text):
        return None
    return next((text.replace(plain, denied, 1) for plain, denied in NEGATED if plain in text), None)


def take_opposite(text: str, vocabulary: Vocabulary) -> str | None:
    """A plain word changed for its opposite."""
    for word, other in (*OPPOSITE, *((b, a) for a, b in OPPOSITE)):
        pattern = rf"(?<![-\w/]){word}(?=e?[sd]?\b)" if word.isascii() else word
        if other not in text and re.search(pattern, text):
            return re.sub(pattern, other, text, count=1)
    return None


def swap_sides(text: str, vocabulary: Vocabulary) -> str | None:
    """Two components of the statement in each other's place: the same words, another claim."""
    found = [
        m for m in CODE.finditer(text)
        if any(n.term.kind in ("component", "tool") and n.term.id != "kubernetes" for n in vocabulary.terms.find(fold(m.group())))
    ]
    others = [m for m in found[1:] if fold(m.group()) != fold(found[0].group())]
    if not others or "、" in text[found[0].end() : others[0].start()] or "," in text[found[0].end() : others[0].start()]:
        return None  # the members of an enumeration may change places
    a, b = found[0], others[0]
    return text[: a.start()] + b.group() + text[a.end() : b.start()] + a.group() + text[b.end() :]


def change_flag(text: str, vocabulary: Vocabulary) -> str | None:
    """Another option or variable; a `make` without one gets one that is not there."""
    if match := FLAG.search(text):
        other = "--dry-run" if match.group().startswith("-") else "TARGET"
        return text[: match.start()] + other + text[match.end() :] if other != match.group() else None
    return re.sub(r"\bmake\b", "make --keep-going", text, count=1) if re.search(r"(?<![\w.-])make\b(?![-_./\w])", text) else None


MUTATIONS: tuple[tuple[str, Mutation], ...] = (
    ("path", swap_path), ("port", add_port), ("component", swap_component), ("number", change_number),
    ("version", add_version), ("negation", negate), ("flag", change_flag),
    ("opposite", take_opposite), ("sides", swap_sides),
)
