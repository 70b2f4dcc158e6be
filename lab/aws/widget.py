"""The JSON of a metric widget, as CloudWatch documents it, into a checked drawing order.

A metric is an array: namespace, name, dimension pairs, options; "." repeats the field above and
"..." all fields that are left out. What the lab cannot draw is refused, never left out of a picture.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.aws.annotations import Horizontal, Vertical, read_horizontal, read_vertical
from lab.aws.labels import default_labels
from lab.aws.reading import BadWidget, Node, in_calendar, iso_moment
from lab.aws.series import Metric, metric
from lab.aws.statistics import BadStatistic, Statistic, check_period, statistic

__all__ = ["Axis", "BadWidget", "Line", "Widget", "parse_widget"]

BYTES_MAX = 100_000
METRICS_MAX = 100
PIXELS_MAX = 2_000
_KNOWN = (
    *("metrics", "annotations", "start", "end", "period", "stat", "title", "width", "height"),
    *("legend", "liveData", "region", "stacked", "theme", "timezone", "view", "yAxis"),
    "setPeriodToTimeRange",
)
_DURATION = re.compile(
    r"-P(?:(?P<days>\d{1,6})D)?(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9})S)?)?"
)
_ZONE = re.compile(r"(?P<sign>[+-])(?P<hours>\d{2})(?P<minutes>\d{2})")


@dataclass(frozen=True)
class Line:
    """One metric to draw."""

    metric: Metric
    period_seconds: int
    reduce: Statistic
    label: str
    color: str | None
    axis: str


@dataclass(frozen=True)
class Axis:
    """Limits and name of one y axis; None means as the data wants it."""

    minimum: float | None = None
    maximum: float | None = None
    label: str = ""


@dataclass(frozen=True)
class Widget:
    """Everything a picture needs but the points."""

    lines: tuple[Line, ...]
    horizontals: tuple[Horizontal, ...]
    verticals: tuple[Vertical, ...]
    start: float
    end: float
    title: str
    width: int
    height: int
    dark: bool
    stacked: bool
    legend: str
    axes: dict[str, Axis]
    zone: dt.timezone


def parse_widget(text: str, *, now: float) -> Widget:
    """The drawing order, or BadWidget with a sentence that names the member."""
    root = Node(_object(text), path="widget")
    root.only(_KNOWN)
    if root.text("view", "timeSeries") != "timeSeries":
        raise BadWidget("view: the lab draws timeSeries only")
    start = _moment(root, "start", default="-PT3H", now=now)
    end = _moment(root, "end", default="-PT0H", now=now)
    if start >= end:
        raise BadWidget("start must lie before end")
    notes = root.child("annotations")
    return Widget(
        lines=_lines(root),
        horizontals=tuple(map(read_horizontal, notes.items("horizontal"))),
        verticals=tuple(map(read_vertical, notes.items("vertical"))),
        start=start,
        end=end,
        title=root.text("title", ""),
        width=root.whole("width", 600, most=PIXELS_MAX),
        height=root.whole("height", 400, most=PIXELS_MAX),
        dark=root.choice("theme", ("light", "dark")) == "dark",
        stacked=root.flag("stacked"),
        legend=root.child("legend").choice("position", ("bottom", "right", "hidden")),
        axes={side: _axis(root.child("yAxis").child(side)) for side in ("left", "right")},
        zone=_zone(root.text("timezone", "+0000")),
    )


def _object(text: str) -> Any:
    if len(text.encode()) > BYTES_MAX:
        raise BadWidget(f"it has {len(text.encode())} bytes, the most is {BYTES_MAX}")
    try:
        return json.loads(text)
    except ValueError as mistake:
        raise BadWidget(f"it is not JSON: {mistake}") from mistake


def _moment(root: Node, name: str, *, default: str, now: float) -> float:
    """An ISO time, or a duration back from now such as -PT3H."""
    given = root.text(name, default)
    if matched := _DURATION.fullmatch(given):
        parts = {unit: int(number) for unit, number in matched.groupdict().items() if number}
        back = dt.timedelta(**parts).total_seconds()
        return in_calendar(now - back, path=name)
    return iso_moment(given, path=f"{name} (or like -PT3H)")


def _zone(given: str) -> dt.timezone:
    matched = _ZONE.fullmatch(given)
    if matched is None:
        raise BadWidget(f"timezone: {given!r} is not like +0130")
    ahead = dt.timedelta(hours=int(matched["hours"]), minutes=int(matched["minutes"]))
    if ahead >= dt.timedelta(hours=24):
        raise BadWidget(f"timezone: {given!r} is a day or more away")
    return dt.timezone(-ahead if matched["sign"] == "-" else ahead)


def _axis(node: Node) -> Axis:
    return Axis(
        minimum=node.number("min"), maximum=node.number("max"), label=node.text("label", "")
    )


def _lines(root: Node) -> tuple[Line, ...]:
    rows = root.items("metrics")
    if len(rows) > METRICS_MAX:
        raise BadWidget(f"metrics: {len(rows)} are too many, the most is {METRICS_MAX}")
    above: list[str] = []
    read: list[tuple[Metric, Node]] = []
    for row in rows:
        above, options = _row(row, above=above)
        if options.flag("visible", default=True):
            read.append((_metric(above, row), options))
    labels = default_labels([name for name, _ in read])
    return tuple(
        _line(name, options, label=label, root=root)
        for (name, options), label in zip(read, labels, strict=True)
    )


def _row(row: Node, *, above: Sequence[str]) -> tuple[list[str], Node]:
    """The row's fields with every shorthand written out, and its options."""
    fields = row.array()
    last = fields[-1] if fields else None
    options = Node(last if isinstance(last, dict) else {}, path=f"{row.path} options")
    if isinstance(last, dict):
        fields = fields[:-1]
    if options.has("expression"):
        raise BadWidget(f"{row.path}: the lab has no metric math or SEARCH; draw raw metrics")
    if not fields or not all(isinstance(field, str) for field in fields):
        raise BadWidget(f"{row.path}: namespace, name and dimensions must be text")
    return _written_out(fields, above, path=row.path), options


def _written_out(fields: list[str], above: Sequence[str], *, path: str) -> list[str]:
    if "..." in fields:
        gap = fields.index("...")
        missing = len(above) - (len(fields) - 1)
        if missing < 0:
            raise BadWidget(f"{path}: there is nothing above that ... could repeat")
        fields = [*fields[:gap], *above[gap : gap + missing], *fields[gap + 1 :]]
    if any(field == "." and index >= len(above) for index, field in enumerate(fields)):
        raise BadWidget(f"{path}: there is nothing above that . could repeat")
    return [above[index] if field == "." else field for index, field in enumerate(fields)]


def _metric(fields: Sequence[str], row: Node) -> Metric:
    if len(fields) < 2 or len(fields) % 2:
        raise BadWidget(f"{row.path}: after namespace and name, dimensions come in pairs")
    return metric(fields[0], fields[1], dict(zip(fields[2::2], fields[3::2], strict=True)))


def _line(name: Metric, options: Node, *, label: str, root: Node) -> Line:
    period = options.whole("period", root.whole("period", 300, most=86_400), most=86_400)
    stat = options.text("stat", root.text("stat", "Average"))
    try:
        return Line(
            metric=name,
            period_seconds=check_period(period),
            reduce=statistic(stat),
            label=options.text("label", label),
            color=options.color("color"),
            axis=options.choice("yAxis", ("left", "right")),
        )
    except BadStatistic as mistake:
        raise BadWidget(f"{options.path}: {mistake}") from mistake
