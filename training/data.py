"""Reads what the model is trained on: kinds of pairs, each a list of (text, text).

    aligned     `*.jsonl[.gz]` with `en` and `zh`: blocks of parallel documentation (training/pairs.py makes such files)
    sections    `*.jsonl[.gz]` with `title_and_heading`, `body` and `lang`: a heading and what stands below it
    sentences   lines of English, tab, Chinese, as Tatoeba and manythings.org give them (CC BY 2.0 FR)
    dictionary  CC-CEDICT's own format (CC BY-SA 4.0): an English gloss and the Chinese word
"""

from __future__ import annotations

import re
from pathlib import Path

from assistant.text import fold
from training.benchmarks import is_held_out, read_records

Pairs = list[tuple[str, str]]
ENTRY = re.compile(r"\S+ (\S+) \[[^\]]*\] /(.*)/")
NO_GLOSS = re.compile(r"(CL:|variant of|old variant|see |surname |erhua|also written|Taiwan pr|also pr|used in|abbr\.)")
ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|[一-鿿]+\|?")
GLOSSES = 4
"""Glosses taken of one entry."""


def read_folder(folder: Path) -> dict[str, Pairs]:
    """Aligned blocks and, for each language, sections; sections that are measured on are left out."""
    kinds: dict[str, Pairs] = {"aligned": [], "sections-en": [], "sections-zh": []}
    for record in read_records(folder):
        if "en" in record:
            kinds["aligned"].append((record["en"], record["zh"]))
        elif not is_held_out(record["title_and_heading"]):
            kinds[f"sections-{record['lang']}"].append((record["title_and_heading"], record["body"]))
    return kinds


def read_sentences(path: Path) -> Pairs:
    """English and Chinese sentences, simplified."""
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return [(row[0], fold(row[1])) for row in rows if len(row) > 1]


def read_dictionary(path: Path) -> Pairs:
    """English glosses and simplified Chinese words."""
    pairs: Pairs = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not (entry := ENTRY.match(line)):
            continue
        glosses = [gloss.strip() for sense in entry.group(2).split("/") for gloss in sense.split(";")]
        glosses = [ASIDE.sub("", gloss).strip().removeprefix("to ") for gloss in glosses if not NO_GLOSS.match(gloss)]
        pairs += [(gloss, entry.group(1)) for gloss in glosses[:GLOSSES] if gloss]
    return pairs
