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


def draw_traces(axes: Axes, lines: list[Drawn], *, sizes: Sizes) -> None:
    for line, found, color in lines:
        broken = _with_gaps(found, period_seconds=line.period_seconds)
        times = [at for at, _ in broken]
        values = [value for _, value in broken]
        axes.plot(times, values, color=color, linewidth=sizes.line, solid_capstyle="round")
        lonely = _lonely(broken)
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
