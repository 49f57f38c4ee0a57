"""One page on one or several runs: self-contained HTML, readable on a phone, in light and dark; nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from assistant.errors import CorpusError
from evals.bootstrap import as_rows, interval
from evals.console import is_wrong, shown, shown_interval
from evals.metrics import BY_NAME, METRICS
from evals.mutations import MUTATIONS
from evals.risk import curve
from evals.runs import Record, Run, groups, on_common, read_run
from evals.svg import Bar, Line, bars, lines
from evals.verifier import VERIFIERS

STYLE = """
:root{color-scheme:light dark;--b:#fff;--f:#1d2430;--q:#5c6675;--g:#dde2e9;--c0:#2f6fde;--c1:#d9822b;--c2:#3a9a5b;--c3:#9256c8;--c4:#c8435c;--c5:#6b7685}
@media(prefers-color-scheme:dark){:root{--b:#12161c;--f:#e6eaf0;--q:#9aa5b4;--g:#2c343f;--c0:#6ea2ff;--c1:#f0a55a;--c2:#66c98a;--c3:#bd8cf0;--c4:#f07a90;--c5:#98a3b3}}
body{font:16px/1.5 system-ui,sans-serif;background:var(--b);color:var(--f);margin:0 auto;max-width:46rem;padding:1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}figure{margin:1rem 0}figcaption{color:var(--q);font-size:.9rem;margin-bottom:.3rem}
svg{width:100%;height:auto;max-width:40rem;display:block}text{font:10.5px system-ui,sans-serif}.t{fill:var(--f)}.q{fill:var(--q);font-size:9px}
.g{stroke:var(--g);stroke-width:1}.w{stroke:var(--f);fill:none;stroke-width:1;opacity:.75}polyline{fill:none;stroke-width:1.8}
.s0{fill:var(--c0)}.s1{fill:var(--c1)}.s2{fill:var(--c2)}.s3{fill:var(--c3)}.s4{fill:var(--c4)}.s5{fill:var(--c5)}
.l0{stroke:var(--c0)}.l1{stroke:var(--c1)}.l2{stroke:var(--c2)}.l3{stroke:var(--c3)}.l4{stroke:var(--c4)}.l5{stroke:var(--c5)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}td,th{text-align:left;padding:.25rem .5rem .25rem 0;vertical-align:top;border-bottom:1px solid var(--g)}
td+td{white-space:nowrap}td .quiet{display:block;font-size:.78rem}details{margin:.4rem 0}summary{cursor:pointer}pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem;color:var(--q);margin:.3rem 0}
.quiet{color:var(--q);font-size:.9rem;overflow-wrap:anywhere}
"""
SERIES = 6


def find_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs in these folders or directly below them; raises CorpusError when there is none."""
    found = []
    for folder in folders:
        below = [folder] if (folder / "records.jsonl").is_file() else sorted(p.parent for p in folder.glob("*/records.jsonl"))
        found += [read_run(path) for path in below]
    if not found:
        raise CorpusError(f"no run in {', '.join(map(str, folders))}; make one with `python -m evals run`")
    return sorted(found, key=lambda run: run.about.get("order", 0))


def read_extra(folders: Sequence[Path], name: str) -> Any:
    """The JSON file of this name in the first folder that has one; None when none has."""
    return next((json.loads((f / name).read_text(encoding="utf-8")) for f in folders if (f / name).is_file()), None)


def page(runs: Sequence[Run], verifier: Mapping[str, Mapping[str, Any]] | None = None, speed: Sequence[Mapping[str, Any]] | None = None) -> str:
    """The whole page; the first run is the one looked at, the others stand beside it."""
    run = runs[0]
    parts = [
        f"<h1>Evaluation of {escape(run.name)}</h1>", _about(run),
        "<h2>Figures</h2>", _figures(run),
        "<h2>Dealt with rightly, by kind and language</h2>", _by_group(run),
        "<h2>Risk and coverage</h2>", _risk(runs),
    ]
    if len(runs) > 1:
        both = on_common(runs)
        parts += [f"<h2>Beside each other, on {len(both[0].records)} questions</h2>", *(_beside(both, name) for name in ("right", "declined_rightly", "recall_5", "recall_budget"))]
    parts += ["<h2>Speed</h2>", _speed(run, speed or [])]
    if verifier:
        parts += ["<h2>False statements that the verifier accepts</h2>", _verifier(verifier)]
    wrong = [record for record in run.records if is_wrong(record)]
    if "test" not in run.about.get("questions", ""):
        parts += [f"<h2>{len(wrong)} questions that went wrong</h2>", *map(_question, wrong)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Evaluation of {escape(run.name)}</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _about(run: Run) -> str:
    about = run.about
    index = about.get("index", {})
    said = [
        f"{len(run.records)} questions ({about.get('questions', '?')})", f"{index.get('chunks', '?')} chunks of {', '.join(index.get('sources', []))}",
        f"commit {about.get('commit') or 'unknown'}", str(about.get("date", "")),
        ", ".join(f"{k} {v}" for k, v in about.get("settings", {}).items() if v), ", ".join(f"{k} {v}" for k, v in about.get("machine", {}).items()),
        ", ".join(f"{k} {v}" for k, v in about.get("versions", {}).items() if v),
    ]
    return f'<p class="quiet">{"<br>".join(escape(line) for line in said if line)}</p>'


def _figures(run: Run) -> str:
    summary = run.summary
    names = [name for name in ("all", "zh", "en") if name in summary]
    rows = ["<tr><th></th>" + "".join(f"<th>{name} ({summary[name]['questions']})</th>" for name in names) + "</tr>"]
    for metric in METRICS:
        cells = []
        for name in names:
            ends = shown_interval(metric, summary[name].get(f"{metric.name}_95"))
            cells.append(f"<td>{shown(metric, summary[name].get(metric.name))} <span class=quiet>{ends}</span></td>")
        rows.append(f"<tr><td>{escape(metric.title)}</td>{''.join(cells)}</tr>")
    return f'<div class="scroll"><table>{"".join(rows)}</table></div>'


def _by_group(run: Run) -> str:
    rows = []
    for name, records in groups(run.records).items():
        values = [1.0 - is_wrong(record) for record in records]
        low, high = interval(values)
        share = sum(values) / len(values)
        rows.append(Bar(f"{name} ({len(values)})", share, low, high, f"{100 * share:.0f} %", 0 if name in ("all", "zh", "en") else 2))
    return bars(rows, "Answered rightly, or declined where the material has no answer; 95 % intervals")


def _risk(runs: Sequence[Run]) -> str:
    metric = BY_NAME["risk_coverage"]
    drawn = []
    both = on_common(runs)
    for number, run in enumerate([both[0], *both[1:][1 - SERIES :]]):
        rows = [row for record in run.records if (row := record.row(metric)) is not None]
        coverage, risk = curve(as_rows(rows))
        area = run.summary["all"]["risk_coverage"]
        drawn.append(Line(f"{run.name} ({area:.3f})", coverage.tolist(), risk.tolist(), series=number))
    return lines(drawn, "Share wrong among the surest answers; in brackets the area, lower is better", "coverage", "risk")


def _beside(runs: Sequence[Run], name: str) -> str:
    metric, rows = BY_NAME[name], []
    for run in runs:
        figures = run.summary["all"]
        if name in figures:
            low, high = figures[f"{name}_95"]
            rows.append(Bar(run.name, figures[name], low, high, shown(metric, figures[name]), 0 if run is runs[0] else 5))
    return bars(rows, f"{metric.title}; {metric.better} is better")


def _speed(run: Run, speed: Sequence[Mapping[str, Any]]) -> str:
    timings = run.about.get("timings", {})
    said = [f"{name} {timings[name]} ms ({timings[name + '_95'][0]}–{timings[name + '_95'][1]})" for name in ("p50", "p95") if name in timings]
    if timings.get("cold_start"):
        said.append("cold start " + ", ".join(f"{ms:.0f}" for ms in timings["cold_start"]) + " ms")
    text = f"<p>{escape('; '.join(said))}</p>"
    if not speed:
        return text
    sizes = [row["chunks"] for row in speed]
    drawn = [
        Line(name, sizes, [row[name] for row in speed], [tuple(row[f"{name}_95"]) for row in speed], number)
        for number, name in enumerate(("p50", "p95"))
    ]
    return text + lines(drawn, "Milliseconds of a warm answer against the size of the index", "chunks", "ms", logarithmic=True)


def _verifier(result: Mapping[str, Mapping[str, Any]]) -> str:
    plots = []
    for change in [*(name for name, _ in MUTATIONS), "false accepts", "false rejects"]:
        row = result.get(change, {})
        rows = [
            Bar(name, row[name], row[f"{name}_95"][0], row[f"{name}_95"][1], f"{100 * row[name]:.0f} %", number)
            for number, (name, _) in enumerate(VERIFIERS) if name in row
        ]
        if rows:
            plots.append(bars(rows, f"{change}, {row['statements']} statements"))
    return "".join(plots)


def _question(record: Record) -> str:
    facts = "\n".join(f"fact: {fact}" for fact in record.key_facts)
    missing = f"\nmissing: {', '.join(record.missing)}" if record.missing else ""
    before = "".join(f"{earlier} → " for earlier in record.history)
    body = (
        f"gold: {', '.join(record.gold) or 'none'}\n{facts}\nquery: {record.query}\ncited: {', '.join(record.citations)}{missing}\n"
        f"confidence: {record.confidence:.2f}\n\n{record.answer}"
    )
    return f"<details><summary>{escape(before + record.question)} <span class=quiet>{escape(record.id)}, {escape(record.kind)}</span></summary><pre>{escape(body)}</pre></details>"
