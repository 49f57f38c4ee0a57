"""Answers as text: Markdown with citation marks, the sources beneath it, and what is said when declining."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assistant.datamodels import Answer, Citation, Declined, Language, Statement

OFF_TOPIC = {
    "zh": "这个问题与资料无关：资料讲的是 Kubernetes 源码的组件、目录结构与构建。",
    "en": "This is outside the material, which is about the components, layout and build of the Kubernetes source.",
}


UNSUPPORTED = "⚠ (未经资料证实 · not supported by the material) "


def markdown(statements: Sequence[Statement], total: int | None = None) -> str:
    """Write statements as Markdown: sentences in a paragraph, items as a list, commands as code blocks.

    `total` is how many there will be while an answer grows, so that what is written stays as it is.
    """
    alone = (len(statements) if total is None else total) == 1
    blocks: list[str] = []
    last = ""
    for statement in statements:
        marks = " " + "".join(f"[{number}]" for number in statement.citations)
        if statement.verdict == "unsupported":
            blocks.append(f"{UNSUPPORTED}\n```\n{statement.text}\n```" if statement.kind == "command" else UNSUPPORTED + statement.text)
        elif statement.kind == "command":
            blocks.append(f"```\n{statement.text}\n```\n{marks.strip()}")
        elif statement.kind in ("item", "entry", "row") and not alone:
            item = f"- {statement.text}{marks}"
            blocks[-1:] = [f"{blocks[-1]}\n{item}"] if last == "list" else [*blocks[-1:], item]
        else:
            blocks.append(statement.text + marks)
        last = "list" if statement.kind in ("item", "entry", "row") else ""
    return "\n\n".join(blocks)


def declined_text(declined: Declined, language: Language) -> str:
    """Say in one sentence what the material does not hold."""
    if declined.reason == "off_topic" or not declined.missing:
        return OFF_TOPIC[language]
    if language == "zh":
        return "资料里没有提到" + "、".join(f"「{word}」" for word in declined.missing) + "，因此无法回答。"
    return "The material does not mention " + ", ".join(f"“{word}”" for word in declined.missing) + ", so this cannot be answered from it."


def location(citation: Citation) -> str:
    """Where a citation points: `source path:lines`."""
    if citation.start_line is None:
        return f"{citation.source} {citation.path}"
    lines = f"{citation.start_line}" if citation.start_line == citation.end_line else f"{citation.start_line}-{citation.end_line}"
    return f"{citation.source} {citation.path}:{lines}"


def sources(citations: Iterable[Citation], marked: bool = True) -> str:
    """List citations, one a paragraph, the original lines beneath a rendition's."""
    lines: list[str] = []
    for citation in citations:
        mark = f"[{citation.id}] " if marked else "- "
        lines.append(f"{mark}{location(citation)}")
        lines.append(f"    {_quoted(citation)}")
        lines += [f"    {text}" for text in (citation.note, citation.url) if text]
        if citation.original is not None:
            lines.append(f"    {location(citation.original)}")
            lines.append(f"    {citation.original.quote}")
    return "\n".join(lines)


def _quoted(citation: Citation) -> str:
    """A citation's quote; what a directory holds on one line."""
    return citation.quote if citation.start_line is not None else "  ".join(citation.quote.split("\n"))


def plain(answer: Answer) -> str:
    """A whole answer for the terminal: the answer, then its sources or the nearest passages."""
    if answer.declined is not None and not answer.statements:
        nearest = answer.declined.nearest
        title = "最接近的段落：" if answer.language == "zh" else "Nearest passages:"
        return answer.answer + (f"\n\n{title}\n{sources(nearest, marked=False)}" if nearest else "")
    title = "来源：" if answer.language == "zh" else "Sources:"
    return f"{answer.answer}\n\n{title}\n{sources(answer.citations)}"
