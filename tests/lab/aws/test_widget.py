"""Pictures: real PNGs of the size asked for, and refusals that name the member."""

from __future__ import annotations

import asyncio
import io
import json
import struct
from typing import Any

import pytest
from botocore.exceptions import ClientError
from matplotlib.image import imread

from lab.aws.drawing import Easel
from lab.aws.series import SeriesStore, metric
from lab.aws.widget import BadWidget, parse_widget
from tests.lab.aws.conftest import Aws

NOW = 1_700_000_000.0
BASE: dict[str, Any] = {
    "title": "Bytes in",
    "metrics": [
        ["AWS/Kafka", "BytesInPerSec", "Cluster Name", "orders", "Broker ID", "1"],
        ["...", "2"],
        [".", "BytesOutPerSec", ".", ".", ".", "2", {"label": "out", "color": "#123456"}],
    ],
    "start": "-PT10M",
    "period": 60,
    "annotations": {
        "vertical": [{"value": "2023-11-14T22:10:00Z", "label": "brokers added"}],
        "horizontal": [{"value": 9e6, "label": "limit", "fill": "above"}],
    },
}


def store() -> SeriesStore:
    series = SeriesStore()
    for broker in ("1", "2"):
        for name in ("BytesInPerSec", "BytesOutPerSec"):
            dimensions = {"Cluster Name": "orders", "Broker ID": broker}
            for step in range(120):
                at = NOW - 600 + 5 * step
                series.add(metric("AWS/Kafka", name, dimensions), at=at, value=5e6 + 1e4 * step)
    return series


async def drawn(widget: dict[str, Any]) -> bytes:
    easel = Easel()
    try:
        parsed = parse_widget(json.dumps(widget), now=NOW)
        return await easel.draw(parsed, series=store(), newest=float("inf"))
    finally:
        easel.close()


def size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG that decodes; pixels are read, not only the header."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    pixels = imread(io.BytesIO(png), format="png")
    width, height = struct.unpack(">II", png[16:24])
    assert pixels.shape[:2] == (height, width)
    return width, height


@pytest.mark.parametrize(
    ("width", "height"),
    [(1, 1), (60, 40), (240, 160), (241, 161), (333, 777), (600, 400), (2000, 300)],
)
async def test_a_picture_has_the_size_asked_for(width: int, height: int) -> None:
    assert size(await drawn({**BASE, "width": width, "height": height})) == (width, height)


@pytest.mark.parametrize(
    "change",
    [
        {"stacked": True},
        {"theme": "dark"},
        {"legend": {"position": "right"}},
        {"legend": {"position": "hidden"}},
        {"yAxis": {"left": {"min": 10, "max": 20, "label": "b" * 500}}},
        {"metrics": []},
        {"title": "$\\frac{1}{0}$ 漢字 🚀\n" + "long " * 150},
        {"metrics": [[*BASE["metrics"][0], {"label": "_hidden", "yAxis": "right"}]]},
        {"metrics": [["AWS/Kafka", "X", "Broker ID", str(n) * 60] for n in range(100)]},
        {"annotations": {"horizontal": [[{"value": 1e299}, {"value": -1e299, "label": "b"}]]}},
        {
            "annotations": {
                "vertical": [
                    {"value": f"2023-11-14T22:{minute:02}:00Z", "label": "a long word " * 9}
                    for minute in range(4, 13)
                ]
            }
        },
        {"timezone": "-0930", "start": "-P90D", "period": 86_400},
    ],
)
@pytest.mark.parametrize("pixels", [(240, 160), (600, 400)])
async def test_nothing_in_a_widget_breaks_the_drawing(
    change: dict[str, Any], pixels: tuple[int, int]
) -> None:
    widget = {**BASE, **change, "width": pixels[0], "height": pixels[1]}
    assert size(await drawn(widget)) == pixels


async def test_two_themes_differ_and_a_line_leaves_ink() -> None:
    light, dark, empty = await asyncio.gather(
        drawn(BASE), drawn({**BASE, "theme": "dark"}), drawn({**BASE, "metrics": []})
    )
    corner = {imread(io.BytesIO(png), format="png")[-1, -1].tobytes() for png in (light, dark)}
    assert len(corner) == 2
    assert light != empty


def test_shorthands_are_written_out() -> None:
    lines = parse_widget(json.dumps(BASE), now=NOW).lines
    assert [dict(line.metric.dimensions)["Broker ID"] for line in lines] == ["1", "2", "2"]
    assert [line.metric.name for line in lines] == [
        "BytesInPerSec",
        "BytesInPerSec",
        "BytesOutPerSec",
    ]
    assert lines[2].label == "out"


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"width": 2001}, "widget.width must be a whole number from 1 to 2000"),
        ({"height": "400"}, "widget.height"),
        ({"view": "pie"}, "timeSeries only"),
        ({"metric": []}, "no member 'metric'"),
        ({"start": "yesterday"}, "'yesterday' is not an ISO time"),
        ({"start": "1e300"}, "'1e300' is not an ISO time"),
        ({"start": "0001-01-01T00:00:00Z"}, "between the years 2000 and 2100"),
        ({"start": "-P999999D"}, "between the years 2000 and 2100"),
        ({"start": "-PT9999999999H"}, "is not an ISO time"),
        ({"start": "-PT0H", "end": "-PT1H"}, "start must lie before end"),
        ({"period": 7}, "multiple of 60"),
        ({"stat": "Mean"}, "no statistic 'Mean'"),
        ({"timezone": "CET"}, "timezone: 'CET'"),
        ({"theme": "sepia"}, "one of light, dark"),
        ({"metrics": [["AWS/Kafka"]]}, "metrics[0]"),
        ({"metrics": [[".", "CpuUser"]]}, "nothing above"),
        ({"metrics": [[{"expression": "m1+m2"}]]}, "no metric math"),
        ({"metrics": [["a", "b"]] * 101}, "101 are too many"),
        ({"metrics": [["a", "b", {"color": "red"}]]}, "color must be like"),
        ({"annotations": {"horizontal": [{"label": "x"}]}}, "needs a value"),
        ({"annotations": {"horizontal": [{"value": float("nan")}]}}, "must be a number"),
        ({"annotations": {"vertical": [{"value": "noon"}]}}, "'noon' is not an ISO time"),
    ],
)
def test_a_mistake_is_named_by_its_member(change: dict[str, Any], fragment: str) -> None:
    with pytest.raises(BadWidget) as caught:
        parse_widget(json.dumps({**BASE, **change}), now=NOW)
    assert fragment in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(BadWidget):
        parse_widget(text, now=NOW)


async def test_boto3_gets_the_picture_over_the_wire(aws: Aws) -> None:
    answer = await aws.metrics(
        "get_metric_widget_image", MetricWidget=json.dumps({**BASE, "width": 800, "height": 450})
    )
    assert size(answer["MetricWidgetImage"]) == (800, 450)
    with pytest.raises(ClientError, match=r"widget\.width"):
        await aws.metrics("get_metric_widget_image", MetricWidget='{"width": 0}')
