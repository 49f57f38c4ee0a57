"""Runs as plain text: the figures by group, and what failed."""

from __future__ import annotations

import numpy as np

from evals.metrics import BY_NAME, METRICS, Metric
from evals.runs import Record, Run


def shown(metric: Metric, value: float | None) -> str:
    """A figure for people: per cent, characters, or as it is; '–' when unscored."""
    if value is None:
        return "–"
    return f"{100 * value:.0f} %" if metric.unit == "share" else f"{value:.0f}" if metric.unit == "characters" else f"{value:.3f}"


def shown_interval(metric: Metric, ends: list[float] | tuple[float, float] | None) -> str:
    """'64–88', in the unit of `shown`, without it."""
    if ends is None:
        return ""
    return "–".join(shown(metric, end).removesuffix(" %") for end in ends)


def table_of_groups(run: Run) -> str:
    """Every metric by group; the overall figures with their intervals."""
    summary = run.summary
    lines = ["all " + str(summary["all"]["questions"]) + " questions, 95 % intervals in brackets"]
    for metric in METRICS:
        if metric.name in summary["all"]:
            ends = shown_interval(metric, summary["all"][f"{metric.name}_95"])
            by_language = [f"{name} {shown(metric, summary[name].get(metric.name))}" for name in ("zh", "en") if name in summary]
            lines.append(f"  {metric.title:28}{shown(metric, summary['all'][metric.name]):>7}  {f'({ends})':14}{'  '.join(by_language)}")
    lines.append("by kind")
    for name, row in list(summary.items())[1:]:
        figures = [f"{m} {shown(BY_NAME[m], row[m])}" for m in ("right", "declined_rightly", "recall_5") if m in row]
        lines.append(f"  {name:16}{row['questions']:>4}  {'  '.join(figures)}")
    if run.milliseconds:
        p50, p95 = np.percentile(run.milliseconds, [50, 95])
        lines.append(f"median {p50:.1f} ms, p95 {p95:.1f} ms")
    return "\n".join(lines)


def is_wrong(record: Record) -> bool:
    """Whether the question was not dealt with as it should be."""
    return record.scores["handled"] == 0


def failures(run: Run) -> str:
    """Each question that went wrong, with what was wanted and what came."""
    return "\n".join(
        f"\n{r.id} {r.kind} {r.question!r} {list(r.history) or ''}\n  gold {', '.join(r.gold)} facts {list(r.key_facts)} found {r.scores['key_facts']}\n  "
        f"query {r.query!r} confidence {r.confidence:.2f}\n  cited {', '.join(r.citations)} missing {list(r.missing)}\n  {r.answer[:200]!r}"
        for r in run.records if is_wrong(r)
    )
