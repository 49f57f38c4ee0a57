"""The bilingual term table: what people call components, directories, scripts and concepts.

`TermTable.find` marks the longest known names in a text. It knows nothing of retrieval; the table
itself comes from the index, where the ingest put a copy of `corpus/terms.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from assistant.text import CJK, fold, stem

LATIN_WORD = re.compile(r"[a-z0-9]+")
LONGEST_LATIN = 5
"""Words of the longest alias looked for ('kubernetes api server' has three)."""


@dataclass(frozen=True)
class Term:
    """One thing and all its names."""

    id: str
    kind: str
    zh: tuple[str, ...]
    en: tuple[str, ...]
    abbr: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.zh + self.en + self.abbr


@dataclass(frozen=True)
class Mention:
    """A term found in a text: `text[start:end]` of the folded text names it."""

    term: Term
    start: int
    end: int


@dataclass(frozen=True)
class TermTable:
    """Terms, found by any of their names; hyphens, underscores, spaces and plural s do not matter."""

    terms: tuple[Term, ...]

    @classmethod
    def from_records(cls, records: Iterable[Mapping[str, Any]]) -> TermTable:
        """Make the table from the parsed `[[term]]` entries."""
        return cls(
            tuple(
                Term(
                    record["id"],
                    record["kind"],
                    tuple(record.get("zh", ())),
                    tuple(record.get("en", ())),
                    tuple(record.get("abbr", ())),
                )
                for record in records
            )
        )

    def to_records(self) -> list[dict[str, Any]]:
        return [
            {"id": t.id, "kind": t.kind, "zh": list(t.zh), "en": list(t.en), "abbr": list(t.abbr)} for t in self.terms
        ]

    @cached_property
    def by_id(self) -> dict[str, Term]:
        return {term.id: term for term in self.terms}

    @cached_property
    def _chinese(self) -> dict[str, Term]:
        return {re.sub(r"\s+", "", fold(n)): t for t in self.terms for n in t.names if CJK.search(n)}

    @cached_property
    def _latin(self) -> dict[str, Term]:
        """Names as their letters and digits only: 'kube-apiserver' and 'kube apiserver' are one."""
        table: dict[str, Term] = {}
        for term in self.terms:
            for name in (*term.en, *term.abbr, *(n for n in term.zh if not CJK.search(n)), term.id):
                table.setdefault("".join(LATIN_WORD.findall(fold(name))), term)
        table.pop("", None)
        return table

    @cached_property
    def _stems(self) -> dict[str, Term]:
        """One-word English names of concepts and everyday words by their stem: 'watched' is 'watch'."""
        table: dict[str, Term] = {}
        for term in self.terms:
            if term.kind in ("concept", "word"):
                for name in term.en:
                    if name.isascii() and name.isalpha() and len(name) > 2:
                        table.setdefault(stem(name.lower()), term)
        return table

    def word(self, text: str) -> Term | None:
        """The term that a whole word of a text names, for words too short to look for inside others ('编')."""
        return self._chinese.get(text)

    @cached_property
    def _chinese_lengths(self) -> dict[str, list[int]]:
        """How long the names are that begin with a character, the longest first."""
        lengths: dict[str, set[int]] = {}
        for name in self._chinese:
            lengths.setdefault(name[0], set()).add(len(name))
        return {first: sorted(found, reverse=True) for first, found in lengths.items()}

    @cached_property
    def latin_names(self) -> tuple[str, ...]:
        """Every Latin-script name, folded; what misspelt names are compared with."""
        return tuple({fold(n) for t in self.terms for n in (*t.en, *t.abbr, t.id) if not CJK.search(n)})

    def find(self, folded: str) -> list[Mention]:
        """Find the longest names in a folded text, left to right, without overlap."""
        mentions = self._find_latin(folded) + self._find_chinese(folded)
        mentions.sort(key=lambda m: (m.start, -m.end))
        kept: list[Mention] = []
        for mention in mentions:
            if not kept or mention.start >= kept[-1].end:
                kept.append(mention)
            elif mention.end - mention.start > kept[-1].end - kept[-1].start:
                kept[-1] = mention
        return kept

    def _find_latin(self, folded: str) -> list[Mention]:
        words = list(LATIN_WORD.finditer(folded))
        found: list[Mention] = []
        i = 0
        while i < len(words):
            for count in range(min(LONGEST_LATIN, len(words) - i), 0, -1):
                run = words[i : i + count]
                key = "".join(word.group() for word in run)
                term = self._latin.get(key) or (self._latin.get(key[:-1]) if key.endswith("s") and len(key) > 4 else None)
                if term is None and count == 1 and key.isalpha():
                    term = self._stems.get(stem(key))
                if term and all(re.fullmatch(r"[-_ ./]?", folded[a.end() : b.start()]) for a, b in pairwise(run)):
                    found.append(Mention(term, run[0].start(), run[-1].end()))
                    i += count - 1
                    break
            i += 1
        return found

    def _find_chinese(self, folded: str) -> list[Mention]:
        found: list[Mention] = []
        i = 0
        while i < len(folded):
            for length in self._chinese_lengths.get(folded[i], ()):
                name = folded[i : i + length]
                if length > 1 and (term := self._chinese.get(name)) and len(name) == length:
                    found.append(Mention(term, i, i + length))
                    i += length - 1
                    break
            i += 1
        return found
