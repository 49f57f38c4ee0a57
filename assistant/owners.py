"""OWNERS and OWNERS_ALIASES files (https://go.k8s.io/owners) → who approves and reviews, with where each list stands.

Reads the few shapes these files have, not YAML: a key on a line of its own, its values below it with dashes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KEY = re.compile(r"[ \t]*[\"']?(?P<key>[\w.*^$/\\()|+-]+)[\"']?:[ \t]*(?P<rest>\[[^\]\n]*\])?[ \t]*(?:#.*)?")
VALUE = re.compile(r"[ \t]*-[ \t]+[\"']?(?P<value>[^\s\"'#]+)[\"']?")


@dataclass(frozen=True)
class Group:
    """One list of an OWNERS file."""

    key: str
    """'approvers', 'reviewers', 'labels', …; in an aliases file the alias."""
    values: tuple[str, ...]
    start: int
    end: int
    """Characters of the key and its values in the file's text, end exclusive."""


def groups_of(text: str) -> list[Group]:
    """The lists of an OWNERS or OWNERS_ALIASES file, in order; empty ones are left out."""
    groups: list[Group] = []
    key, values, start, end = "", [], 0, 0
    position = 0
    for line in text.split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            if value := VALUE.match(line):
                values.append(value["value"])
                end = position + value.end()
            elif found := KEY.fullmatch(line.rstrip("\r")):
                groups += [Group(key, tuple(values), start, end)] if values else []
                inline = re.findall(r"[^\s,\[\]\"']+", found["rest"] or "")
                key, values, start, end = found["key"], inline, position + len(line) - len(line.lstrip()), position + len(line.rstrip())
        position += len(line) + 1
    return [*groups, *([Group(key, tuple(values), start, end)] if values else [])]
