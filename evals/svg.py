"""Plots as inline SVG, drawn by hand: no library, no script, no font from elsewhere; colours come from the page.

A plot is 360 units wide and scales with the page, so it is readable on a phone. The classes `s0` to `s5`
colour series, `t` is text, `q` quiet text, `g` a grid line, `w` an interval's whisker.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 360
LABEL = 118
"""Width of the labels left of the bars."""
FIGURE = 38
"""Width of the figures right of them."""


@dataclass(frozen=True)
class Bar:
    """One bar with its interval, in the unit of the axis."""

    label: str
    value: float
    low: float
    high: float
    shown: str
    """The figure as text."""
    series: int = 0


@dataclass(frozen=True)
class Line:
    """One series of points; with `ends`, their intervals."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    ends: Sequence[tuple[float, float]] = ()
    series: int = 0


def bars(rows: Sequence[Bar], title: str, most: float = 1.0) -> str:
    """Horizontal bars, one under the other, from 0 to `most`, with whiskers for the intervals."""
    room = WIDTH - LABEL - FIGURE
    body = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        x = LABEL + room * share
        body.append(f'<line class="g" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{18 * len(rows):.1f}"/>')
    for number, row in enumerate(rows):
        y = 18 * number

        def at(value: float) -> float:
            return LABEL + room * min(1.0, max(0.0, value / most if most else 0.0))

        body.append(
            f'<text class="t" x="{LABEL - 6}" y="{y + 12.5}" text-anchor="end">{escape(_short(row.label))}</text>'
            f'<rect class="s{row.series}" x="{LABEL}" y="{y + 3}" width="{max(0.6, at(row.value) - LABEL):.1f}" height="12" rx="2">'
            f"<title>{escape(row.label)}: {escape(row.shown)}</title></rect>"
            f'<path class="w" d="M{at(row.low):.1f} {y + 6}v6m0 -3H{at(row.high):.1f}m0 -3v6"/>'
            f'<text class="t" x="{WIDTH}" y="{y + 12.5}" text-anchor="end">{escape(row.shown)}</text>'
        )
    return _figure(title, 18 * len(rows) + 2, body)


def lines(series: Sequence[Line], title: str, x_title: str, y_title: str, logarithmic: bool = False) -> str:
    """Lines over x; both axes begin at 0, but for a logarithmic x. Each line is named under the plot."""
    left, top, height = 34, 8, 180
    right = WIDTH - 8
    xs = [math.log10(x) if logarithmic else x for one in series for x in one.x]
    ys = [y for one in series for y in one.y] + [end for one in series for pair in one.ends for end in pair]
    low_x, high_x = (min(xs, default=0), max(xs, default=1)) if logarithmic else (0.0, max(xs, default=1.0))
    high_y = _round_up(max(ys, default=1.0))

    def at(x: float, y: float) -> tuple[float, float]:
        place = (math.log10(x) if logarithmic else x) - low_x
        return left + (right - left) * place / ((high_x - low_x) or 1), top + height * (1 - y / high_y)

    body = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = top + height * (1 - share)
        body.append(
            f'<line class="g" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="q" x="{left - 4}" y="{y + 3:.1f}" text-anchor="end">{high_y * share:.3g}</text>'
        )
    ticks = sorted({x for one in series for x in one.x}) if logarithmic else [high_x * share for share in (0, 0.25, 0.5, 0.75, 1)]
    for x in ticks:
        anchor = "end" if x == max(ticks) else "middle"
        shown = f"{x:,.0f}" if x >= 10 else f"{x:.3g}"
        body.append(f'<text class="q" x="{at(x, 0)[0]:.1f}" y="{top + height + 13}" text-anchor="{anchor}">{shown}</text>')
    body.append(f'<text class="q" x="{right}" y="{top + height + 26}" text-anchor="end">{escape(x_title)}</text>')
    body.append(f'<text class="q" x="{left + 4}" y="{top + 9}">{escape(y_title)}</text>')
    for one in series:
        points = [at(x, y) for x, y in zip(one.x, one.y, strict=True)]
        body.append(f'<polyline class="l{one.series}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>')
        for (x, y), (low, high) in zip(zip(one.x, one.y, strict=True), one.ends, strict=False):
            px, py = at(x, y)
            body.append(f'<circle class="s{one.series}" cx="{px:.1f}" cy="{py:.1f}" r="3"/>')
            body.append(f'<path class="w" d="M{px:.1f} {at(x, low)[1]:.1f}V{at(x, high)[1]:.1f}"/>')
    row = top + height + 40
    for number, one in enumerate(series):
        x, y = (left + (number % 2) * 165, row + 15 * (number // 2))
        body.append(f'<rect class="s{one.series}" x="{x}" y="{y - 8}" width="10" height="10" rx="2"/>')
        body.append(f'<text class="t" x="{x + 14}" y="{y + 1}">{escape(one.label)}</text>')
    return _figure(title, row + 15 * ((len(series) + 1) // 2), body)


def _figure(title: str, height: float, body: Sequence[str]) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escape(title)}">{"".join(body)}</svg></figure>'
    )


def _short(label: str) -> str:
    return label if len(label) <= 20 else label[:19] + "…"


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten; 1 for 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.9999)
