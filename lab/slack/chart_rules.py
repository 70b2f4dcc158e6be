"""Slack's native charts (`data_visualization`, June 2026): what they may hold.

The surprising truth: a chart's x axis is a list of names, never of times, and every series must give
one point for each of those names, in whatever order.
"""

from __future__ import annotations

import math
from typing import Any

from lab.slack.entities import Json
from lab.slack.schema import Problem, Rule, array, by_type, enum, strict, string

TITLE_LETTERS_MAX = 50
LABEL_LETTERS_MAX = 20
POINTS_MAX = 20
SERIES_MAX = 6
"""Six by Slack's page of June 2026; some later pages say twelve."""
CHARTS_MAX = 2
"""Per message."""


def number(value: Any, pointer: str) -> list[Problem]:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return []
    return [Problem(pointer, "must provide a number", (("type", "type"), ("expected", "number")))]


def positive(value: Any, pointer: str) -> list[Problem]:
    found = number(value, pointer)
    if found or value > 0:
        return found
    return [Problem(pointer, "must be more than 0", (("type", "minimum"), ("expected", 0)))]


LABEL = string(most=LABEL_LETTERS_MAX)
POINT = strict({"label": LABEL, "value": number}, required=("label", "value"))
SERIES = strict({"name": LABEL, "data": array(POINT, most=POINTS_MAX)}, required=("name", "data"))
AXIS = strict(
    {
        "categories": array(LABEL, most=POINTS_MAX),
        "x_label": string(most=TITLE_LETTERS_MAX),
        "y_label": string(most=TITLE_LETTERS_MAX),
    },
    required=("categories",),
)
SEGMENT = strict({"label": LABEL, "value": positive}, required=("label", "value"))


def _drawn_on_axes(kind: str) -> Rule:
    shape = strict(
        {"type": enum(kind), "series": array(SERIES, most=SERIES_MAX), "axis_config": AXIS},
        required=("type", "series", "axis_config"),
    )
    return lambda value, pointer: shape(value, pointer) or _fits_axis(value, pointer)


def _fits_axis(chart: Json, pointer: str) -> list[Problem]:
    """Names of series are unique, and each series has exactly the points of the axis."""
    categories = chart["axis_config"]["categories"]
    found = _twice(categories, f"{pointer}/axis_config/categories")
    found += _twice([one["name"] for one in chart["series"]], f"{pointer}/series")
    for place, series in enumerate(chart["series"]):
        labels = [point["label"] for point in series["data"]]
        if sorted(labels) != sorted(categories):
            message = "data labels must match `axis_config.categories`"
            found.append(Problem(f"{pointer}/series/{place}/data", message))
    return found


def _twice(names: list[str], pointer: str) -> list[Problem]:
    return [Problem(pointer, "must be unique")] if len(set(names)) < len(names) else []


CHART = by_type(
    {
        "pie": strict(
            {"type": enum("pie"), "segments": array(SEGMENT, most=SERIES_MAX)},
            required=("type", "segments"),
        ),
        **{kind: _drawn_on_axes(kind) for kind in ("bar", "area", "line")},
    }
)
