"""Slack's native charts from trends and bars, and the words that say the same where none is shown.

The surprising truth: Slack's x axis is a list of names and every line needs a value at each of them,
while trends are points in time, each line with its own. So lines are laid on one grid of moments; a
value between two points is the last one known, never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bot.cards.blocks import Block
from bot.cards.text import plain
from changes.incident import Trend, TrendLine

POINTS_MAX = 20
LINES_MAX = 6
CHARTS_MAX = 2
"""Per message."""
TITLE_LETTERS_MAX = 50
NAME_LETTERS_MAX = 20


class Bars(NamedTuple):
    """Named bars, a group of them for each label."""

    title: str
    unit: str
    labels: tuple[str, ...]
    groups: Mapping[str, Sequence[float]]


def trend_chart(trend: Trend) -> Block | None:
    """None where there is no line of two points to draw."""
    lines = [steady for line in trend.lines[:LINES_MAX] if len(steady := _finite(line).points) > 1]
    if not lines:
        return None
    names = _named(line.name for line in trend.lines if len(_finite(line).points) > 1)
    moments = grid(lines)
    labels = labels_of(moments)
    groups = {
        name: [value_at(points, one) for one in moments]
        for name, points in zip(names, lines, strict=False)
    }
    return _chart("line", Bars(trend.title, trend.unit, labels, groups), x_label="time (UTC)")


def bar_chart(bars: Bars) -> Block | None:
    """None where there is nothing to draw; more than Slack takes is left out, the first ones stay."""
    labels = _named(bars.labels[:POINTS_MAX])
    if not labels or not bars.groups:
        return None
    names = _named(list(bars.groups)[:LINES_MAX])
    values = [list(row[:POINTS_MAX]) for row in bars.groups.values()][:LINES_MAX]
    groups = dict(zip(names, values, strict=True))
    return _chart("bar", bars._replace(labels=labels, groups=groups), x_label="")


def _chart(kind: str, bars: Bars, *, x_label: str) -> Block:
    axis: Block = {"categories": list(bars.labels)}
    if bars.unit:
        axis["y_label"] = plain(bars.unit, letters_max=TITLE_LETTERS_MAX)
    if x_label:
        axis["x_label"] = x_label
    series = [
        {
            "name": name,
            "data": [
                {"label": label, "value": _round(value)}
                for label, value in zip(bars.labels, values, strict=True)
            ],
        }
        for name, values in bars.groups.items()
    ]
    return {
        "type": "data_visualization",
        "title": plain(bars.title, letters_max=TITLE_LETTERS_MAX),
        "chart": {"type": kind, "series": series, "axis_config": axis},
    }


def grid(lines: Sequence[Sequence[tuple[datetime, float]]]) -> tuple[datetime, ...]:
    """At most `POINTS_MAX` moments: those of the points themselves where they are few and shared."""
    every = sorted({at for points in lines for at, _ in points})
    if len(every) <= POINTS_MAX:
        return tuple(every)
    step = (every[-1] - every[0]) / (POINTS_MAX - 1)
    return tuple(every[0] + step * number for number in range(POINTS_MAX))


def value_at(points: Sequence[tuple[datetime, float]], moment: datetime) -> float:
    """The last value known by then; before the first point, the first."""
    known = [value for at, value in points if at <= moment + timedelta(milliseconds=1)]
    return known[-1] if known else points[0][1]


def labels_of(moments: Sequence[datetime]) -> tuple[str, ...]:
    """As short as keeps them apart."""
    days = {one.astimezone(UTC).date() for one in moments}
    for shape in ("%H:%M", "%H:%M:%S") if len(days) == 1 else ("%d %b %H:%M", "%d %b %H:%M:%S"):
        labels = tuple(one.astimezone(UTC).strftime(shape) for one in moments)
        if len(set(labels)) == len(labels):
            return labels
    return _named(labels)


def _finite(line: TrendLine) -> TrendLine:
    kept = sorted((at, value) for at, value in line.points if math.isfinite(value))
    return line.with_(points=tuple(kept))


def _round(value: float) -> float:
    """Four digits are more than a chart shows, and keep the message small."""
    return float(f"{value:.4g}") if math.isfinite(value) else 0.0


def _named(names: Iterable[str]) -> tuple[str, ...]:
    """Names within Slack's length and all different, in their order."""
    found: list[str] = []
    for name in names:
        short = plain(name, letters_max=NAME_LETTERS_MAX)
        number = 2
        while short in found:
            tail = f" {number}"
            short = plain(name, letters_max=NAME_LETTERS_MAX - len(tail)) + tail
            number += 1
        found.append(short)
    return tuple(found)
