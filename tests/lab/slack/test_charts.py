"""Slack's native charts: each limit from both sides, and what a reader without eyes is told."""

from __future__ import annotations

from typing import Any

import pytest

from lab.slack.plain import Names, message_text
from lab.slack.validate import validate_blocks

Json = dict[str, Any]
NAMES = [f"{number:02}:00" for number in range(20)]


def series(name: str = "lag", labels: list[str] | None = None) -> Json:
    names = NAMES if labels is None else labels
    return {"name": name, "data": [{"label": one, "value": -1.5} for one in names]}


def chart(kind: str = "line", **more: Any) -> Json:
    inner = {"type": kind, "series": [series()], "axis_config": {"categories": NAMES}} | more
    return {"type": "data_visualization", "title": "t" * 50, "chart": inner}


def pie(*values: float) -> Json:
    parts = [{"label": f"part {at}", "value": value} for at, value in enumerate(values)]
    return chart() | {"chart": {"type": "pie", "segments": parts}}


def problems(*blocks: Json) -> list[tuple[str, str]]:
    return [(one.pointer, one.message) for one in validate_blocks(list(blocks))]


GOOD = {
    "twenty points": chart(),
    "six series": chart(series=[series(str(number)) for number in range(6)]),
    "an area": chart("area"),
    "bars with titles": chart("bar", axis_config={"categories": NAMES, "y_label": "y" * 50}),
    "six segments": pie(1, 2, 3, 4, 5, 0.5),
}
BAD = {
    "a longer title": (chart() | {"title": "t" * 51}, "/0/title"),
    "seven series": (chart(series=[series(str(n)) for n in range(7)]), "/0/chart/series"),
    "no series": (chart(series=[]), "/0/chart/series"),
    "names of series twice": (chart(series=[series(), series()]), "/0/chart/series"),
    "21 points": (
        chart(series=[series(labels=[*NAMES, "x"])], axis_config={"categories": [*NAMES, "x"]}),
        "/0/chart/series/0/data",
    ),
    "a point less than the axis": (
        chart(series=[series(labels=NAMES[1:])]),
        "/0/chart/series/0/data",
    ),
    "a longer label": (
        chart(series=[series(labels=["l" * 21])], axis_config={"categories": ["l" * 21]}),
        "/0/chart/axis_config/categories/0",
    ),
    "a longer name": (chart(series=[series("n" * 21)]), "/0/chart/series/0/name"),
    "a nothing in pies": (pie(1, 0), "/0/chart/segments/1/value"),
    "no number": (
        chart(series=[{"name": "a", "data": [{"label": "x", "value": "7"}]}]),
        "/0/chart/series/0/data/0/value",
    ),
    "no axis": (chart(axis_config=None), "/0/chart"),
    "another kind": (chart("radar"), "/0/chart/type"),
    "something unheard of": (chart() | {"colour": "red"}, "/0"),
}


@pytest.mark.parametrize("what", GOOD)
def test_slack_takes(what: str) -> None:
    assert problems(GOOD[what]) == []


@pytest.mark.parametrize("what", BAD)
def test_slack_refuses(what: str) -> None:
    block, pointer = BAD[what]
    assert pointer in [where for where, _ in problems(block)]


def test_two_charts_are_enough_for_a_message() -> None:
    assert problems(chart(), chart()) == []
    assert problems(chart(), chart(), chart()) == [("/2", "no more than 2 charts allowed")]
    assert validate_blocks([chart()], surface="modal") != []


def test_a_terminal_reads_the_figures_in_the_order_of_the_axis() -> None:
    line = {"name": "lag", "data": [{"label": "b", "value": 2}, {"label": "a", "value": 1.5}]}
    block = chart(series=[line], axis_config={"categories": ["a", "b"]}) | {"title": "Lag"}
    names = Names({"people": [], "channels": [], "groups": []})
    assert message_text({"blocks": [block]}, names) == "[chart: Lag]\nlag: a 1.5, b 2"
    words = message_text({"blocks": [pie(1, 3)]}, names)
    assert words == f"[chart: {'t' * 50}: part 0 1, part 1 3]"
