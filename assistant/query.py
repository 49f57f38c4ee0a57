"""Question (and history) → the standalone query that is searched, and what it asks for.

Pure functions of the question, the term table and the names in the index.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rapidfuzz import fuzz, process

from assistant.datamodels import Language, Turn
from assistant.terms import Mention, Term, TermTable
from assistant.text import CJK, CODE, detect_language, fold, is_noun, stem, words

if TYPE_CHECKING:
    from spellchecker import SpellChecker

Intent = Literal["what", "list", "where", "command", "compare", "yesno", "count", "other"]
FOLDER = Path(__file__).parent
LONGEST_QUESTION = 2_000
"""Characters read of a question; the rest is not searched."""
ASKED_EN = re.compile(r"\b(what|which|whose|how many|how much)( is| are|s)?( the| a| an)? (?P<phrase>((?!(do|does|did|is|are|was|were|has|have|can|could|should|will|would|to|for|of|in|on|at|i|you|we|it|they|that|makes?|runs?|the|a|an|my|your)\b)[\w./-]+ ?){1,4})")
ASKED_ZH = re.compile(r"什么|啥|哪一?[个种些类条款台项]|多少|几[个种类条台项]")
ONE_THING = 2
"""Words up to which a question is only a name: what that is, is asked."""
CONTEXT_UNITS = 3
"""Content words up to which a question that names nothing is read together with the one before it."""
TYPO_SIMILARITY = 84
"""rapidfuzz ratio (0 to 100) from which an unknown name counts as a misspelt one."""

INTENTS: tuple[tuple[Intent, re.Pattern[str]], ...] = (
    ("compare", re.compile(r"区别|不同|差异|差别|对比|比较|相比|异同|不一样|差在|各自|一个.{1,6}一个|\bdiffer|\bcompar|\bvs\b|\bversus\b|distinguish|\bunlike\b|respectively|\beach do\b")),
    ("where", re.compile(r"在哪|哪里|哪儿|哪个(目录|文件夹|路径|位置)|位于|存放在|放在|\bwhere\b|which (dir|folder|path)|what (dir|folder|path)|\blocat")),
    ("list", re.compile(r"哪些|哪[几两三四五]|有几|几(条|样|类|项|种)|一条条|逐(条|个|一)|说全|都(有|管|跑|包括|包含|放|存|干)[^?]{0,4}(啥|什么|哪)|列(出|一下|全)|包含的|列举|有什么(?!区别|不同|差[异别]|用|作用|关系|好处)|包括什么|包含什么|分别|子目录|下面有|里面有|\bsub(folder|dir)|\blist\b|\bname (the|all)|"
                        r"(what|which) (\w+ )?(are|stuff|software)\b|(what|which|the (two|three|four|five)|all the|its|'s) (?!(component|process|service|part|piece|directory|folder|script|tool|command|interface|flag|file|program|daemon|setting|option|port|one|thing|person|team)\b)(\w+ )?(?!(does|is|was|has|this|process|class|address|kubernetes|always|access)\b)\w{3,}s\b(?! (of|is|does|has)\b)|\b(which|what) (components|processes|services|directories|folders|scripts|tools|interfaces) (does|has|is)\b|\benumerate|\bbullet")),
    ("count", re.compile(r"多少|几(个|种|类|样|项|条|部分)|\bhow many\b")),
    ("command", re.compile(r"命令|指令|(怎么|怎样|如何|咋)(只|单独|才能|去|来)*(编译|构建|编|执行|运行|跑)|(单独|只)(编译?|构建)|\bcommands?\b|how (do|can|to|would|should) .*(build|compile|run)\b|\bbuild only|\bmake\b.*\?|what (do|should|must) i (type|run|enter)|敲什么|执行什么")),
    ("yesno", re.compile(r"吗|吧[?]?$|行不行|对不对|是否|是不是|能不能|可不可以|有没有|会不会|^(so |and |but )?(is|are|does|do|can|could|did|has|have|will)\b|\b(true|right|correct)\?$|(is|does|do|are|can) not (it|they)\?")),
    ("what", re.compile(r"是什么|什么是|是啥|有(什么|啥)用|做什么|干什么|干嘛|作用|用途|负责|什么意思|功能|介绍|\bwhat\b|\brole\b|\bpurpose|responsib|explain|describe|tell me")),
)
GENERIC = frozenset(stem(word) for word in (FOLDER / "everyday.txt").read_text(encoding="utf-8").split() if word != "#")
"""Everyday words and words that only say what is asked for; they weigh little (one list, both languages)."""
JOINED = re.compile(r"\s*(和|与|跟|及|以及|、|,|,? ?and|&)\s*(the )?")
CLITIC = re.compile(r"(?<=[a-z])[\'’](s|re|ll|ve|d|m)\b")
NOT = re.compile(r"\b([a-z]+)n[\'’]t\b")
NEGATED = {"ai": "is", "ca": "can", "sha": "shall", "wo": "will"}
PRONOUN_ZH = re.compile(r"它们|它|他们|该组件|这个组件|这个目录|该目录|这个脚本|该脚本|其(?![他它中实余])|这个(?=是|的|在|有)|那个(?=是|的|在|有)")
PRONOUN_EN = re.compile(r"\b(it|its|they|them|their|that one|this one|that|this)\b")
CONTINUES = re.compile(r"^(那么|那|还有|以及|and\b|what about|how about|then\b|ok\b|also\b)|呢[?？]?$")
SENTENCE = re.compile(r".*?(?:[?!。;]|\.(?=\s|$)|$)\s*", re.S)
WANTED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("component", re.compile(r"哪一?(个|种|类)?(组件|component|角色|进程|程序|服务)|(什么|啥)(组件|程序|进程)|谁(?!都)|\b(which|what) (\w+ )?(component|process|daemon|service|part|piece|binary|program)s?\b|\bwho\b")),
    ("script", re.compile(r"哪一?个(脚本|script)|(什么|啥)脚本|\b(which|what) (\w+ )?(script|file)\b|is there a script")),
    ("tool", re.compile(r"哪一?(个|种|款)(工具|软件)|(什么|啥)(工具|软件|编辑器)|\b(which|what) (\w+ )?(tool|software|program|app|editor|library|package|client)\b")),
    ("acronym", re.compile(r"哪一?(个|种|类)(接口|协议)|(什么|啥)(协议|接口)|\b(which|what) (\w+ )?(interface|protocol)\b")),
    ("command", re.compile(r"哪一?(个|条)命令|(什么|啥)命令|敲(什么|啥)|\b(which|what) (\w+ )?command\b")),
)
"""Expected answer types: what kind of name a question asks for."""
VAGUE = frozenset({"kubernetes", "node", "cluster", "container", "controller", "control-plane", "worker-node", "API"})
"""Terms of those kinds that are no answer to 'which component …'."""
NAMED_KINDS = frozenset({"component", "tool", "directory", "script", "acronym"})


@dataclass(frozen=True)
class Unit:
    """One thing a question is about: a term, a name or a word."""

    text: str
    key: str
    """Term id ('term:kubelet'), or the word's stem."""
    generic: bool = False
    minor: bool = False
    """A Chinese word that is no noun and no term: how a thing is asked, seldom what is asked."""

    attribute: bool = False
    """A term for what is asked of a thing (port, version, limit): only its own name supports it."""
    everyday: bool = False
    """A term that is a common word ('copy', 'run'): two languages' word for it, not a name."""

    @property
    def is_term(self) -> bool:
        return self.key.startswith("term:") and not self.everyday

    @property
    def is_name(self) -> bool:
        """Whether it is a known term, or written like a name, path, option or number."""
        return self.is_term or (re.search(r"[^a-z]", self.text) is not None and self.text.isascii())


@dataclass(frozen=True)
class Query:
    """A question made ready for search."""

    question: str
    text: str
    """Standalone and folded; what is searched."""
    language: Language
    intents: frozenset[Intent]
    units: tuple[Unit, ...]
    subjects: tuple[str, ...] = field(default=())
    """Keys of the units that name a component, directory or script, in order."""
    focus: str | None = None
    """Key of the unit that the question word asks for ('which *port* …', '…的*端口*是多少'); None where it is a name or nothing."""
    wanted: frozenset[str] = frozenset()
    """Kinds of term that are asked for ('which component …')."""


def make_query(question: str, history: Sequence[Turn], terms: TermTable, names: Container[str]) -> Query:
    """Make the query of a question; `names` are the folded Latin words and names the index holds."""
    question = question[:LONGEST_QUESTION]
    text = mend(_plain(question), terms, names)
    for turn in reversed(history[-3:]):
        earlier = mend(_plain(turn.question[:LONGEST_QUESTION]), terms, names)
        resolved = resolve(text, earlier, terms)
        if resolved == text:
            break
        text = resolved
        if subjects(text, terms) and not _pronoun(text):
            break
    found = _main_first(text, units(text, terms))
    asked = text
    if history and not subjects(text, terms) and sum(not unit.generic for unit in found) <= CONTEXT_UNITS:
        earlier = mend(_plain(history[-1].question[:LONGEST_QUESTION]), terms, names)
        known = {unit.key for unit in found}
        found += tuple(replace(u, minor=True) for u in units(earlier, terms) if not u.generic and u.key not in known)
        text = f"{earlier} {text}"
    own = tuple(dict.fromkeys(unit.key for unit in found if not unit.minor and _names_something(unit, terms)))
    named = own or tuple(dict.fromkeys(unit.key for unit in found if _names_something(unit, terms)))
    intents = frozenset(intent for intent, pattern in INTENTS if pattern.search(asked))
    if {"compare", "where"} <= intents:
        intents -= {"where"}
    if not intents and not history and len(CODE.findall(asked)) + len(CJK.findall(asked)) / 2 <= ONE_THING:
        intents = frozenset({"what"})
    intents = intents or frozenset({"other"})
    if "what" in intents and len(own) > 1 and _side_by_side(asked, terms):
        intents |= {"compare"}
    wanted = frozenset(kind for kind, pattern in WANTED if pattern.search(asked))
    return Query(question, text, _language(question), intents, found, named, _focus(asked, found), wanted)  # type: ignore[arg-type]


def _side_by_side(text: str, terms: TermTable) -> bool:
    """Whether things are asked for together ('kubelet 和 kube-proxy 是做什么的'): each is to be told by itself."""
    found = subjects(text, terms)
    return any(JOINED.fullmatch(text[a.end : b.start]) for a, b in pairwise(found))


def _plain(question: str) -> str:
    """Fold a question; the ends of "there's" and "master's" are no words, that of "don't" is one."""
    return CLITIC.sub("", NOT.sub(lambda m: NEGATED.get(m.group(1), m.group(1)) + " not", fold(question))).strip()


def _language(question: str) -> Language:
    """The language that the question asks to be answered in, or is written in."""
    if re.search(r"\b(in english|answer english)\b|用英[文语]", question, re.I):
        return "en"
    return "zh" if re.search(r"\bin chinese\b|用中文", question, re.I) else detect_language(question)


def mend(folded: str, terms: TermTable, names: Container[str]) -> str:
    """Replace misspelt Latin names by the name they are nearest to."""

    def nearest(match: re.Match[str]) -> str:
        word = match.group()
        known = any(m.end - m.start == len(word) for m in terms.find(word))
        if len(word) < 4 or known or word in names or stem(word) in names or stem(word) in GENERIC or re.search(r"\d|=|/", word):
            return word
        if word.isalpha() and word in _speller():
            return word
        best = process.extractOne(word, terms.latin_names, scorer=fuzz.ratio, score_cutoff=TYPO_SIMILARITY)
        if best and len(word) > 4 and len(best[0]) >= 5:
            return best[0]
        if not word.isalpha():
            return word
        slips = [w for w in _speller().candidates(word) or () if w in names or stem(w) in names or stem(w) in GENERIC or terms.find(w)]
        return max(slips, key=lambda w: (w[0] == word[0], _speller()[w]), default=word)

    return CODE.sub(nearest, folded)


@cache
def _speller() -> SpellChecker:
    from spellchecker import SpellChecker  # 0.1 s, and only where a word is neither the field's nor an everyday one

    return SpellChecker(language="en", distance=1)


def units(folded: str, terms: TermTable) -> tuple[Unit, ...]:
    """What a folded text is about: its terms, and its other words that mean something."""
    mentions = terms.find(folded)
    found: dict[str, Unit] = {}
    for mention in mentions:
        text = folded[mention.start : mention.end]
        found.setdefault(f"term:{mention.term.id}", _unit(text, mention.term))
    for word in words(folded):
        if word.is_stop or any(m.start < word.end and word.start < m.end for m in mentions):
            continue
        if term := terms.word(word.text):
            found.setdefault(f"term:{term.id}", _unit(word.text, term))
            continue
        key = stem(word.text)
        found.setdefault(key, Unit(word.text, key, key in GENERIC or word.text in GENERIC, word.kind == "zh" and not is_noun(word.text)))
    return tuple(found.values())


def _unit(text: str, term: Term) -> Unit:
    word = re.sub(r"^(the|this|that|an?) ", "", text)
    return Unit(text, f"term:{term.id}", term.kind != "attribute" and (stem(word) in GENERIC or word in GENERIC), attribute=term.kind == "attribute", everyday=term.kind == "word")


def _main_first(text: str, found: tuple[Unit, ...]) -> tuple[Unit, ...]:
    """Make what is said before the sentence that asks weigh little, unless that sentence says nothing by itself."""
    sentences = [s for s in SENTENCE.findall(text) if s.strip()]
    asking = next((s for s in reversed(sentences) if s.rstrip().endswith("?")), text)
    if len(sentences) < 2 or not any(unit.text in asking and not unit.generic for unit in found):
        return found
    return tuple(unit if unit.text in asking else replace(unit, minor=True) for unit in found)


def resolve(text: str, earlier: str, terms: TermTable) -> str:
    """Make a follow-up stand alone, from the question before it; other questions come back as they are."""
    own, before = subjects(text, terms), subjects(earlier, terms)
    pronoun = _pronoun(text)
    turned = CONTINUES.search(text) and any(m.start < pronoun.start() for m in own) if pronoun else False  # 'and kubelet, what does it do?'
    if pronoun and before and not turned:
        subject = before[0]
        named = earlier[subject.start : subject.end]
        return text[: pronoun.start()] + f" {named} " + text[pronoun.end() :]
    if CONTINUES.search(text) and own:
        same = [m for m in before if m.term.kind == own[0].term.kind] or before
        if same and same[0].term.id != own[0].term.id and len(units(text, terms)) <= 3:
            return earlier[: same[0].start] + text[own[0].start : own[0].end] + earlier[same[0].end :]
        return text
    return text


def subjects(folded: str, terms: TermTable) -> list[Mention]:
    """Mentions of components, tools, directories, scripts and acronyms, in order."""
    return [m for m in terms.find(folded) if m.term.kind in NAMED_KINDS and m.term.id != "kubernetes"]


def _pronoun(text: str) -> re.Match[str] | None:
    return PRONOUN_ZH.search(text) or PRONOUN_EN.search(text)


def _focus(asked: str, found: Sequence[Unit]) -> str | None:
    """The unit that the question word asks for (question focus, Moldovan et al. 2000), by its place alone."""
    if match := ASKED_EN.search(asked):
        heads = [m.group() for m in CODE.finditer(match["phrase"])]
        return next((u.key for head in reversed(heads) for u in found if head in u.text.split()), None)
    if match := ASKED_ZH.search(asked):
        after, before = asked[match.end() : match.end() + 8], asked[max(0, match.start() - 12) : match.start()]
        following: list[Unit] = []
        at = 0
        while unit := next((u for u in found if not u.minor and after.startswith(u.text, at)), None):
            following.insert(0, unit)
            at += len(unit.text)
        preceding = [u for u in found if re.search(re.escape(u.text) + r"(号|数)?[是有叫为用需要得]{1,2}$", before)]
        return next((u.key for u in [*following, *preceding]), None)
    return None


def _names_something(unit: Unit, terms: TermTable) -> bool:
    if unit.generic:
        return False
    if unit.key.startswith("term:"):
        term = terms.by_id[unit.key.removeprefix("term:")]
        return term.kind in NAMED_KINDS and term.id != "kubernetes"
    return bool(re.search(r"[a-z]", unit.text)) and re.search(r"[./_]", unit.text) is not None
