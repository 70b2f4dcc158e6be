"""Lines and bands that explain a picture: a limit, the moment a change began, the time it took."""

from __future__ import annotations

from dataclasses import dataclass

from lab.aws.reading import BadWidget, Node, iso_moment

HORIZONTAL_FILLS = ("none", "above", "below")
VERTICAL_FILLS = ("none", "before", "after")


@dataclass(frozen=True)
class Horizontal:
    """A line at a value, or a band between two."""

    value: float
    label: str
    color: str | None
    fill: str = "none"
    until: float | None = None
    axis: str = "left"


@dataclass(frozen=True)
class Vertical:
    """A line at a moment, or a band between two."""

    at: float
    label: str
    color: str | None
    fill: str = "none"
    until: float | None = None


def read_horizontal(node: Node) -> Horizontal:
    """A single annotation, or a pair of them, which makes a band."""
    first, second = _one_or_two(node)
    return Horizontal(
        value=_value(first),
        label=_label(first, second),
        color=first.color("color"),
        fill=first.choice("fill", HORIZONTAL_FILLS),
        until=_value(second) if second else None,
        axis=first.choice("yAxis", ("left", "right")),
    )


def read_vertical(node: Node) -> Vertical:
    """A single annotation, or a pair of them, which makes a band."""
    first, second = _one_or_two(node)
    return Vertical(
        at=_at(first),
        label=_label(first, second),
        color=first.color("color"),
        fill=first.choice("fill", VERTICAL_FILLS),
        until=_at(second) if second else None,
    )


def _one_or_two(node: Node) -> tuple[Node, Node | None]:
    if isinstance(node.value, dict):
        return node, None
    pair = node.array()
    if len(pair) != 2:
        raise BadWidget(f"{node.path} must be one annotation or a pair of them")
    return Node(pair[0], path=f"{node.path}[0]"), Node(pair[1], path=f"{node.path}[1]")


def _label(first: Node, second: Node | None) -> str:
    return first.text("label", "") or (second.text("label", "") if second else "")


def _value(node: Node) -> float:
    value = node.number("value")
    if value is None:
        raise BadWidget(f"{node.path} needs a value")
    return value


def _at(node: Node) -> float:
    return iso_moment(node.text("value", ""), path=f"{node.path}.value")
