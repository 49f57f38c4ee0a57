"""Make aligned English–Chinese blocks from documentation that stands in both languages.

    python -m training.pairs website DIR > parallel-kubernetes.jsonl     a checkout of kubernetes/website
    python -m training.pairs trees ENGLISH CHINESE > parallel.jsonl      two trees of pages with the same names

The Chinese pages of kubernetes/website carry the English original of each block in an HTML comment
before it. In other trees two pages are taken only where their headings and the kinds of their blocks
match one to one; a page that does not is left out whole. Nothing is fetched.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

CJK = re.compile("[㐀-鿿]")
COMMENT = re.compile(r"<!--(.*?)-->\s*(.*?)(?=<!--|\Z)", re.S)
FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.S)
SHORTCODE = re.compile(r"\{\{[<%].*?[%>]\}\}", re.S)
KINDS = {"heading_open": "heading", "paragraph_open": "paragraph", "list_item_open": "item", "fence": "code", "table_open": "table"}
FEWEST, MOST = 2, 2_000
"""Characters of a block; shorter ones say nothing, longer ones are seldom one block."""

Block = tuple[str, str]


def website(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the blocks of `content/zh-cn` with the English that stands in a comment before each."""
    root = folder / "content" / "zh-cn"
    for path in sorted(root.rglob("*.md")):
        text = FRONT_MATTER.sub("", path.read_text(encoding="utf-8", errors="replace"))
        for english, chinese in COMMENT.findall(text):
            first, second = blocks(english), blocks(chinese)
            if [kind for kind, _ in first] == [kind for kind, _ in second]:
                yield from _records(first, second, path.relative_to(folder).as_posix())


def trees(english: Path, chinese: Path) -> Iterator[dict[str, str]]:
    """Yield the blocks of pages that both trees have, where their structure is the same."""
    for path in sorted(chinese.rglob("*.md")):
        name = path.relative_to(chinese)
        if not (english / name).is_file():
            continue
        first, second = (blocks(FRONT_MATTER.sub("", (root / name).read_text(encoding="utf-8", errors="replace"))) for root in (english, chinese))
        if first and [kind for kind, _ in first] == [kind for kind, _ in second]:
            yield from _records(first, second, name.as_posix())


def blocks(text: str) -> list[Block]:
    """Kind and plain text of the blocks of a page; a list item is one, whatever stands in it."""
    found: list[Block] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(SHORTCODE.sub("", text))
    inside = 0
    for token in tokens:
        if token.type == "list_item_open":
            inside += 1
            found.append(("item", ""))
        elif token.type == "list_item_close":
            inside -= 1
        elif token.type == "inline" and inside:
            found[-1] = ("item", f"{found[-1][1]} {plain(token.content)}".strip())
        elif token.type == "inline" and found and found[-1][1] == "":
            found[-1] = (found[-1][0], plain(token.content))
        elif token.type in KINDS and not inside:
            found.append((KINDS[token.type], "" if token.type != "fence" else token.content.strip()))
    return found


def plain(text: str) -> str:
    """Inline Markdown without its marks: the text of a link, no emphasis, no code marks, one line."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[*_]{1,3}(?=\S)(.+?)(?<=\S)[*_]{1,3}", r"\1", text)
    return " ".join(text.replace("`", "").split())


def _records(first: list[Block], second: list[Block], path: str) -> Iterator[dict[str, str]]:
    """Blocks that are worth learning from: prose, in two languages."""
    for (kind, english), (_, chinese) in zip(first, second, strict=True):
        whole = all(FEWEST <= len(text) <= MOST for text in (english, chinese))
        if kind in ("heading", "paragraph", "item") and whole and CJK.search(chinese) and not CJK.search(english):
            yield {"en": english, "zh": chinese, "kind": kind, "path": path}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.pairs", description="Make aligned blocks from parallel pages.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("website", help="a checkout of kubernetes/website")
    one.add_argument("folder", type=Path)
    two = commands.add_parser("trees", help="two trees of Markdown pages with the same names")
    two.add_argument("english", type=Path)
    two.add_argument("chinese", type=Path)
    options = parser.parse_args(arguments)
    found = website(options.folder) if options.command == "website" else trees(options.english, options.chinese)
    seen: set[tuple[str, str]] = set()
    for record in found:
        if (key := (record["en"], record["zh"])) not in seen:
            seen.add(key)
            print(json.dumps(record, ensure_ascii=False))
    print(f"{len(seen)} pairs", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
