"""What a line is called when nobody named it: the parts in which the metrics differ.

A bare broker id says nothing on a phone, so a value that is only digits gets its dimension's name.
"""

from __future__ import annotations

from collections.abc import Sequence

from lab.aws.series import Metric


def default_labels(metrics: Sequence[Metric]) -> list[str]:
    """One label each, in order."""
    names = {metric.name for metric in metrics}
    varying = _varying_dimensions(metrics)
    return [_label(metric, varying, with_name=len(names) > 1) for metric in metrics]


def _varying_dimensions(metrics: Sequence[Metric]) -> set[str]:
    values: dict[str, set[str | None]] = {}
    for dimension in {name for metric in metrics for name, _ in metric.dimensions}:
        values[dimension] = {dict(metric.dimensions).get(dimension) for metric in metrics}
    return {name for name, seen in values.items() if len(seen) > 1}


def _label(metric: Metric, varying: set[str], *, with_name: bool) -> str:
    parts = [_named(name, value) for name, value in metric.dimensions if name in varying]
    if with_name or not parts:
        parts.append(metric.name)
    return " ".join(parts)


def _named(dimension: str, value: str) -> str:
    return f"{dimension} {value}" if value.isdecimal() else value
