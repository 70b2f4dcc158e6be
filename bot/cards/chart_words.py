"""A chart for those who see none: the same figures in words, for fallback text and simpler messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SIZES = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))
"""(from, divided by, sign): four digits are read as they are."""


def chart_words(block: dict[str, Any]) -> list[str]:
    """The title, then each line's first, last and highest value, or each bar."""
    chart = block["chart"]
    unit = chart["axis_config"].get("y_label", "")
    head = f"{block['title']}{f' ({unit})' if unit else ''}"
    words = _bars if chart["type"] == "bar" else _line
    return [head, *(f"{one['name']}: {words(one['data'])}" for one in chart["series"])]


def _line(data: Sequence[dict[str, Any]]) -> str:
    first, last = data[0], data[-1]
    highest = max(point["value"] for point in data)
    words = (
        f"{figure(first['value'])} at {first['label']}, {figure(last['value'])} at {last['label']}"
    )
    peaked = highest > max(first["value"], last["value"])
    return f"{words}, at most {figure(highest)}" if peaked else words


def _bars(data: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{point['label']} {figure(point['value'])}" for point in data)


def figure(value: float) -> str:
    """1,234 or 4.2 M: a figure in a sentence."""
    for least, size, sign in SIZES:
        if abs(value) >= least:
            return f"{value / size:.3g} {sign}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
