"""Reading text: folding, language, words, and the tokens of the lexical index.

Words keep code whole (`kube-apiserver`, `_output/bin`, `WHAT=cmd/kubectl`) and are split further
only for the lexical index. Chinese is cut by rjieba. Nothing here knows of terms or models.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from assistant.datamodels import Language

CJK = re.compile(r"[㐀-䶿一-鿿豈-﫿]")
CODE = re.compile(r"(?<![\w|-])-{1,2}[A-Za-z][A-Za-z0-9-]*|[./_]?[A-Za-z0-9_]+(?:[./:=+\-_][A-Za-z0-9_]+)*")
"""A run of Latin letters and digits with the joints that names, paths and options have."""
JOINTS = re.compile(r"[^A-Za-z0-9]+")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

TOKENIZER = "words-1"
"""Version of `lexical_tokens`; an index made with another one is not read."""

STOP_EN = frozenset(
    ["a", "an", "the", "of", "in", "on", "at", "to", "for", "from", "by", "with", "and", "or", "as", "is", "are", "was", "were", "be", "been", "being", "do", "does", "did", "it", "its", "this", "that", "these", "those", "there", "here", "i", "you", "we", "they", "he", "she", "me", "my", "your", "our", "their", "them", "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "can", "could", "will", "would", "shall", "should", "may", "might", "must", "have", "has", "had", "not", "no", "if", "then", "than", "so", "but", "about", "into", "over", "up", "out", "all", "any", "some", "more", "most", "other", "such", "only", "own", "same", "too", "very", "just", "also", "please", "tell", "s", "t"]
)
STOP_ZH = frozenset(
    ["的", "了", "吗", "呢", "吧", "啊", "呀", "是", "在", "和", "与", "及", "或", "也", "都", "就", "而", "但", "被", "把", "对", "从", "到", "以", "于", "由", "向", "给", "让", "用", "为", "有", "个", "一个", "一些", "这", "那", "这个", "那个", "这些", "那些", "哪", "哪个", "哪些", "哪里", "哪儿", "什么", "怎么", "怎样", "如何", "为什么", "为何", "多少", "几", "谁", "请", "请问", "谢谢", "你", "我", "他", "她", "它", "我们", "你们", "他们", "它们", "其", "之", "所", "能", "可以", "会", "要", "想", "需要", "应该", "吗", "么", "啥", "嘛", "上", "下", "里", "中", "内", "外", "时", "等", "并", "且", "即", "则", "若", "如", "如果", "因为", "所以", "但是", "而且", "以及", "还有", "还是", "不是", "没有", "不", "没", "很", "最", "更", "又", "再", "已", "已经", "正在", "着", "过", "得", "地", "一下", "告诉", "介绍"]
)


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Fold for comparison: NFKC, simplified Chinese, lower case, no control characters.

    The result may differ in length from `text`.
    """
    folded = CONTROL.sub("", unicodedata.normalize("NFKC", text))
    if CJK.search(folded):
        folded = _simplify(folded)
    return folded.lower()


@cache
def _converter() -> object:
    from opencc import OpenCC  # 20 ms, and only where Chinese is read

    return OpenCC("t2s")


def _simplify(text: str) -> str:
    return _converter().convert(text)  # type: ignore[attr-defined,no-any-return]


@cache
def _cutter() -> object:
    import rjieba  # reads its dictionary, 0.2 s; only where Chinese is read

    return rjieba


def detect_language(text: str) -> Language:
    """'zh' when the text holds Chinese, by weight: one Chinese character counts as much as one Latin word."""
    chinese = len(CJK.findall(text))
    latin = len(re.findall(r"[A-Za-z]{2,}", re.sub(r"[A-Za-z0-9_]*[-_/.=][A-Za-z0-9_]+", " ", text)))
    return "zh" if chinese and chinese >= latin else "en"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a folded text, `folded[start:end]`."""

    text: str
    start: int
    end: int
    kind: Literal["code", "en", "zh", "number"]

    @property
    def is_stop(self) -> bool:
        return self.text in STOP_EN or self.text in STOP_ZH


def words(folded: str) -> list[Word]:
    """Cut a folded text into words, in order; punctuation is dropped."""
    found: list[Word] = []
    position = 0
    for match in CODE.finditer(folded):
        found += _chinese_words(folded, position, match.start())
        text = match.group().strip(".:")
        if text:
            kind: Literal["code", "en", "number"] = "en"
            if re.fullmatch(r"\d+(\.\d+)*", text):
                kind = "number"
            elif re.search(r"[^a-z]", text):
                kind = "code"
            start = match.start() + match.group().index(text)
            found.append(Word(text, start, start + len(text), kind))
        position = match.end()
    return found + _chinese_words(folded, position, len(folded))


def _chinese_words(folded: str, start: int, end: int) -> list[Word]:
    piece = folded[start:end]
    if not CJK.search(piece):
        return []
    result = []
    for text, first, last in _cutter().tokenize(piece):  # type: ignore[attr-defined]
        if CJK.search(text):
            result.append(Word(text, start + first, start + last, "zh"))
    return result


@lru_cache(maxsize=65536)
def is_noun(word: str) -> bool:
    """Whether a Chinese word can name a thing asked for: a noun or a verbal noun of two characters or more."""
    tags = [tag for _, tag in _cutter().tag(word)]  # type: ignore[attr-defined]
    return len(word) > 1 and bool(tags) and tags[-1].startswith(("n", "vn", "l", "i", "j"))


@cache
def _stemmer() -> object:
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Stem an English word (Snowball); other words come back as they are."""
    return _stemmer().stemWord(word) if word.isascii() and word.isalpha() else word  # type: ignore[attr-defined,no-any-return]


def parts(name: str) -> list[str]:
    """Split a name at its joints and humps: `kube-apiserver` → kube, apiserver; not folded."""
    return [piece for run in JOINTS.split(name) for piece in CAMEL.split(run) if piece]


def lexical_tokens(text: str) -> list[str]:
    """Tokens for BM25: stems, names whole and split, Chinese words and character pairs.

    Character pairs find what the dictionary cuts differently in question and document; on XQuAD's
    Chinese passages they take nDCG@10 from 3 (white space) to 96.
    """
    camel = {fold(name): [fold(piece) for piece in parts(name)] for name in CODE.findall(text)}
    tokens: list[str] = []
    run = ""
    last = -1
    for word in words(fold(text)):
        if word.kind == "zh":
            if word.start != last:
                tokens += _pairs(run)
                run = ""
            run += word.text
            last = word.end
            if len(word.text) > 2:
                tokens.append(word.text)
            continue
        if word.text in STOP_EN:
            continue
        tokens.append(stem(word.text))
        pieces = camel.get(word.text) or parts(word.text)
        if len(pieces) > 1:
            tokens += [stem(piece) for piece in pieces]
    return tokens + _pairs(run)


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] if len(run) > 1 else [run] if run else []
