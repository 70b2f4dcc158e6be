"""The lines themselves. Gaps stay gaps: a line is broken where a broker was silent, and a lonely
point becomes a dot."""

from __future__ import annotations

import math
from itertools import pairwise

from matplotlib.axes import Axes

from lab.aws.drawing import LinePoints
from lab.aws.theme import Sizes
from lab.aws.widget import Line

Drawn = tuple[Line, LinePoints, str]

DASH_WIDTHS = 4.0


def draw_traces(axes: Axes, lines: list[Drawn], *, sizes: Sizes) -> None:
    """Brokers that fare alike draw the same line, and the last would hide the others. So every line
    is drawn whole, then once more in dashes that take turns: one line stays whole, lines upon each
    other become a rope of all their colours."""
    for place, (line, found, color) in enumerate(lines):
        broken = _with_gaps(found, period_seconds=line.period_seconds)
        _stroke(axes, broken, color, sizes, linestyle="solid", order=2.0)
        if len(lines) > 1:
            dash = (place * DASH_WIDTHS, (DASH_WIDTHS, (len(lines) - 1) * DASH_WIDTHS))
            _stroke(axes, broken, color, sizes, linestyle=dash, order=2.1)
        _dot(axes, _lonely(broken), color, sizes)


def _stroke(
    axes: Axes,
    points: LinePoints,
    color: str,
    sizes: Sizes,
    *,
    linestyle: str | tuple[float, tuple[float, float]],
    order: float,
) -> None:
    axes.plot(
        [at for at, _ in points],
        [value for _, value in points],
        color=color,
        linewidth=sizes.line,
        linestyle=linestyle,
        solid_capstyle="round",
        zorder=order,
    )


def _dot(axes: Axes, lonely: LinePoints, color: str, sizes: Sizes) -> None:
    axes.plot(
        [at for at, _ in lonely],
        [value for _, value in lonely],
        color=color,
        linestyle="none",
        marker="o",
        markersize=sizes.points(5),
    )


def _with_gaps(found: LinePoints, *, period_seconds: int) -> LinePoints:
    """A hole wherever more than one bucket is missing; a single late sample is no outage."""
    broken = list(found[:1])
    for (before, _), (at, value) in pairwise(found):
        if at - before > 2.5 * period_seconds:
            broken.append((before + period_seconds, math.nan))
        broken.append((at, value))
    return broken


def _lonely(broken: LinePoints) -> LinePoints:
    """Points without a neighbour, which no line would show."""
    padded = [math.nan, *(value for _, value in broken), math.nan]
    return [
        point
        for index, point in enumerate(broken)
        if not math.isnan(point[1]) and math.isnan(padded[index]) and math.isnan(padded[index + 2])
    ]


def draw_stack(axes: Axes, lines: list[Drawn], *, sizes: Sizes) -> None:
    moments = sorted({at for _, found, _ in lines for at, _ in found})
    if not moments:
        return
    rows = [[dict(found).get(at, 0.0) for at in moments] for _, found, _ in lines]
    colors = [color for _, _, color in lines]
    areas = axes.stackplot(moments, rows, colors=colors, alpha=0.75)
    for area in areas:
        area.set_linewidth(sizes.points(1))
