"""The sources panel as HTML, and the texts of the chat as harmless Markdown; no Gradio here.

Everything that comes from a document, a question or a model is escaped in this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from urllib.parse import urlsplit

from assistant.datamodels import Answer, Citation, Declined, Document, Language

CONTEXT_LINES = 2

ReadDocument = Callable[[str, str], Document]

LABELS: dict[Language, dict[str, str]] = {
    "zh": {
        "sources": "来源",
        "original": "原文",
        "nearest": "最接近的段落",
        "missing": "资料中没有",
        "not_covered": "资料没有说明",
        "partly_covered": "资料提到了它，但没有说明这一点",
        "off_topic": "与这份资料无关",
        "directory": "目录",
        "link": "打开文件",
    },
    "en": {
        "sources": "Sources",
        "original": "Original",
        "nearest": "Nearest passages",
        "missing": "Not in the material",
        "not_covered": "The material does not say",
        "partly_covered": "The material speaks of it, but does not say this",
        "off_topic": "Not what this material is about",
        "directory": "directory",
        "link": "open the file",
    },
}

EMPTY = (
    '<section class="sources sources-empty" aria-label="来源 · Sources"><h2>来源 · Sources</h2>'
    "<p lang=\"zh\">回答的每一句都会在这里列出所依据的原文行。</p>"
    "<p>The lines that each statement of an answer rests on are shown here.</p></section>"
)

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def render_sources(answer: Answer | None, read_document: ReadDocument) -> str:
    """HTML of the sources of an answer, numbered like its marks; an invitation when there is none yet."""
    if answer is None:
        return EMPTY
    labels = LABELS[answer.language]
    parts = [f'<p class="note">{escape(warning)}</p>' for warning in answer.warnings]
    if answer.declined is not None:
        parts.append(_declined(answer.declined, labels))
    if answer.citations:
        cited = "".join(_citation(citation, read_document, labels, numbered=True) for citation in answer.citations)
        parts.append(f"<h2>{labels['sources']}</h2><ol>{cited}</ol>")
    if answer.declined is not None and answer.declined.nearest:
        nearest = "".join(_citation(citation, read_document, labels) for citation in answer.declined.nearest)
        parts.append(f'<div class="sources-nearest"><h2>{labels["nearest"]}</h2><ol>{nearest}</ol></div>')
    if not parts:
        parts.append(f"<h2>{labels['sources']}</h2><p>…</p>")
    return f'<section class="sources" lang="{answer.language}" aria-label="{labels["sources"]}">{"".join(parts)}</section>'


def location(citation: Citation) -> str:
    """File and lines of a citation, e.g. `docs/a.md:3-5`; a directory has no lines."""
    if citation.start_line is None:
        return citation.path
    if citation.end_line is None or citation.end_line == citation.start_line:
        return f"{citation.path}:{citation.start_line}"
    return f"{citation.path}:{citation.start_line}-{citation.end_line}"


def plain_markdown(text: str) -> str:
    """Markdown that shows `text` exactly as typed: no markup of it takes effect."""
    lines = []
    for line in text.replace("\r\n", "\n").replace("\t", "    ").split("\n"):
        rest = line.lstrip(" ")
        lines.append("\N{NO-BREAK SPACE}" * (len(line) - len(rest)) + _PUNCTUATION.sub(r"\\\1", rest))
    return "\n".join(lines)


def safe_markdown(markdown: str) -> str:
    """An answer's Markdown with its HTML shown as text and its images (which would be fetched) defused."""
    lines = []
    fence: str | None = None
    for line in markdown.split("\n"):
        match = _FENCE.match(line)
        if fence is not None:
            if match and match[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
            lines.append(line)
        elif match:
            fence = match[1]
            lines.append(line)
        else:
            lines.append(_safe_line(line))
    return "\n".join(lines)


def _safe_line(line: str) -> str:
    pieces = []
    position = 0
    for match in _CODE_SPAN.finditer(line):
        pieces += [_defuse(line[position : match.start()]), match[0]]
        position = match.end()
    return "".join([*pieces, _defuse(line[position:])])


def _defuse(text: str) -> str:
    return text.replace("<", "&lt;").replace("![", "!\\[")


def _declined(declined: Declined, labels: dict[str, str]) -> str:
    missing = ""
    if declined.missing:
        words = " ".join(f"<code>{escape(word)}</code>" for word in declined.missing)
        missing = f"<p>{labels['missing']}: {words}</p>"
    return f'<div class="declined" role="note"><strong>{labels[declined.reason]}</strong>{missing}</div>'


def _citation(citation: Citation, read_document: ReadDocument, labels: dict[str, str], numbered: bool = False) -> str:
    number = f'<span class="mark-number">[{citation.id}]</span> ' if numbered else ""
    parts = [f'<p class="location">{number}{_place(citation, labels)}</p>']
    if citation.headings:
        parts.append(f'<p class="headings">{escape(" › ".join(citation.headings))}</p>')
    parts.append(_passage(citation, read_document))
    if citation.note:
        parts.append(f'<p class="note">{escape(citation.note)}</p>')
    if citation.original is not None:
        original = citation.original
        parts.append(
            f'<div class="original" lang="zh"><p class="location">{labels["original"]} {_place(original, labels)}</p>'
            f"{_passage(original, read_document)}</div>"
        )
    return f"<li>{''.join(parts)}</li>"


def _place(citation: Citation, labels: dict[str, str]) -> str:
    place = f"<code>{escape(location(citation))}</code>"
    if citation.source != "article":
        place = f'<span class="source-name">{escape(citation.source)}</span> {place}'
    if citation.start_line is None:
        place += f" ({labels['directory']})"
    if citation.url and urlsplit(citation.url).scheme in ("http", "https"):
        href = escape(citation.url)
        place += f' <a href="{href}" target="_blank" rel="noopener noreferrer" aria-label="{labels["link"]}: {escape(location(citation))}">{labels["link"]}</a>'
    return place


def _passage(citation: Citation, read_document: ReadDocument) -> str:
    """The cited lines with those around them, line numbers at the left, the cited characters marked."""
    quote = f'<pre class="passage"><mark>{escape(citation.quote)}</mark></pre>' if citation.quote else ""
    lines = (citation.start_line, citation.end_line)
    if lines[0] is None or lines[1] is None or citation.start_char is None or citation.end_char is None:
        return quote
    try:
        document = read_document(citation.source, citation.path)
    except KeyError:  # the index has changed since
        return quote
    if document.sha256 != citation.sha256:
        return quote
    rows = []
    for line in range(max(1, lines[0] - CONTEXT_LINES), min(document.line_count, lines[1] + CONTEXT_LINES) + 1):
        start, end = document.span_of_lines(line, line)
        first = min(max(citation.start_char, start), end)
        last = max(min(citation.end_char, end), first)
        before, cited, after = (escape(document.text[a:b]) for a, b in ((start, first), (first, last), (last, end)))
        content = before + (f"<mark>{cited}</mark>" if cited else "") + after
        kind = "line" if lines[0] <= line <= lines[1] else "line context"
        rows.append(f'<span class="{kind}"><span class="number">{line}</span><span>{content or " "}</span></span>')
    return f'<div class="passage" lang="{document.language}">{"".join(rows)}</div>'
