"""Two runs beside each other: what changed, question by question, and whether the figures differ for sure."""

from __future__ import annotations

from dataclasses import dataclass

from evals.bootstrap import difference
from evals.console import is_wrong, shown
from evals.metrics import METRICS, Metric
from evals.runs import Record, Run, figure

SURE = 0.05
"""p from which a difference is marked."""


@dataclass(frozen=True)
class Difference:
    """One metric in both runs, on the questions that both score."""

    metric: Metric
    questions: int
    first: float
    second: float
    change: float
    """Second less first."""
    ends: tuple[float, float]
    """95 % interval of the change."""
    p: float
    """Two-sided, 0 to 1."""

    @property
    def verdict(self) -> str:
        """'better', 'worse', or '' when the difference may be chance."""
        if self.p >= SURE or self.change == 0:
            return ""
        return "better" if (self.change > 0) == (self.metric.better == "higher") else "worse"


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs."""

    first: str
    second: str
    differences: tuple[Difference, ...]
    mended: tuple[tuple[Record, Record], ...]
    """Questions that went wrong in the first and not in the second."""
    broken: tuple[tuple[Record, Record], ...]
    """The other way round."""
    changed: tuple[tuple[Record, Record], ...]
    """As right or wrong as before, with another answer."""
    only_one: int
    """Questions that only one of them was asked."""


def compare(first: Run, second: Run) -> Comparison:
    """Compare two runs on the questions that both were asked (same id, same text)."""
    before = {(r.id, r.question): r for r in first.records}
    after = {(r.id, r.question): r for r in second.records}
    pairs = [(before[key], after[key]) for key in before if key in after]
    return Comparison(
        first.name, second.name, tuple(d for metric in METRICS if (d := _difference(metric, pairs)) is not None),
        tuple((a, b) for a, b in pairs if is_wrong(a) and not is_wrong(b)),
        tuple((a, b) for a, b in pairs if is_wrong(b) and not is_wrong(a)),
        tuple((a, b) for a, b in pairs if is_wrong(a) == is_wrong(b) and a.answer != b.answer),
        len(before) + len(after) - 2 * len(pairs),
    )


def _difference(metric: Metric, pairs: list[tuple[Record, Record]]) -> Difference | None:
    both = [(a, b) for a, b in pairs if a.row(metric) is not None and b.row(metric) is not None]
    one, two = figure(metric, [a for a, _ in both]), figure(metric, [b for _, b in both])
    if one is None or two is None:
        return None
    rows = [[row for r in side if (row := r.row(metric)) is not None] for side in zip(*both, strict=True)]
    change, ends, p = difference(rows[0], rows[1], metric.total)
    return Difference(metric, len(both), one[0], two[0], change, ends, p)


def as_text(comparison: Comparison) -> str:
    """The comparison as lines: figures first, then each question that was mended or broken."""
    lines = [f"{'':28}{'first':>8}{'second':>8}{'change':>9}  95 %{'':14}p"]
    for d in comparison.differences:
        scale = 100 if d.metric.unit == "share" else 1
        digits = 3 if d.metric.unit == "rank" else 1
        ends = f"{scale * d.ends[0]:+.{digits}f} to {scale * d.ends[1]:+.{digits}f}"
        lines.append(
            f"{d.metric.title:28}{shown(d.metric, d.first):>8}{shown(d.metric, d.second):>8}{scale * d.change:>+9.{digits}f}"
            f"  {ends:18}{d.p:.3f} {d.verdict}".rstrip()
        )
    for title, pairs in (("mended", comparison.mended), ("broken", comparison.broken)):
        lines.append(f"\n{len(pairs)} {title}")
        for before, after in pairs:
            lines.append(f"  {after.id} {after.kind} {after.question!r}\n    - {_short(before)}\n    + {_short(after)}")
    lines.append(f"\n{len(comparison.changed)} answered otherwise, as right or wrong as before")
    lines += [f"  {after.id} {after.question!r}" for _, after in comparison.changed]
    if comparison.only_one:
        lines.append(f"\n{comparison.only_one} questions were asked in one run only")
    return "\n".join(lines)


def _short(record: Record) -> str:
    said = record.answer.replace("\n", " ")[:140] if record.answered else f"declined, missing {list(record.missing)}"
    return f"{said} {list(record.citations[:3])}"
