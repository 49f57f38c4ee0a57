"""The README's table of results: runs as rows, figures with their intervals as columns; generated, never typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from assistant.errors import SettingsError
from evals.console import shown, shown_interval
from evals.metrics import BY_NAME
from evals.runs import Run

COLUMNS = ("right", "declined_rightly", "declined_wrongly", "first_citation", "recall_5", "recall_budget", "median_characters")
"""Metrics of the table, by name."""
LANGUAGES = {"zh": "Chinese", "en": "English", "all": "both"}
BLOCK = re.compile(r"(<!-- results -->\n).*?(<!-- /results -->)", re.S)


def table(runs: Sequence[Run], command: str) -> str:
    """Markdown: for each run a row for each language; in brackets the 95 % intervals."""
    metrics = [BY_NAME[name] for name in COLUMNS]
    lines = [
        "| system | questions | " + " | ".join(metric.title for metric in metrics) + " |",
        "|---|---|" + "---|" * len(metrics),
    ]
    for run in runs:
        summary = run.summary
        for group, language in LANGUAGES.items():
            if group not in summary:
                continue
            row = summary[group]
            cells = [_cell(shown(m, row.get(m.name)), shown_interval(m, row.get(f"{m.name}_95"))) for m in metrics]
            lines.append(f"| {run.name} | {language}, {row['questions']} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", f"`{command}`; in brackets: 95 % bootstrap intervals.", ""])


def _cell(figure: str, ends: str) -> str:
    return f"{figure} ({ends})" if ends and figure != "–" else figure


def replaced(text: str, block: str) -> str:
    """A page with the block between its `<!-- results -->` marks replaced; raises SettingsError where there is none."""
    if not BLOCK.search(text):
        raise SettingsError("the page has no <!-- results --> … <!-- /results --> block; put one where the table goes")
    return BLOCK.sub(lambda match: f"{match[1]}{block}{match[2]}", text, count=1)


def write(path: Path, block: str) -> bool:
    """Replace the block of a file; whether that changed it. Raises SettingsError when it has none or cannot be read."""
    try:
        before = path.read_text(encoding="utf-8")
        after = replaced(before, block)
        if after != before:
            path.write_text(after, encoding="utf-8")
    except OSError as exc:
        raise SettingsError(f"{path} cannot be read or written ({exc.strerror})") from exc
    return after != before
