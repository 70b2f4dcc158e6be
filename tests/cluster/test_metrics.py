"""The CloudWatch adapter: newest points, series, and the description of a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from changes.ports import Unreachable
from cluster.metrics import LOAD_METRICS, MetricsByBoto, drawn
from tests.cluster.aws import REF, stubbed

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
Aws = tuple[MetricsByBoto, Stubber]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    client, stubber = stubbed(monkeypatch, "cloudwatch")
    port = MetricsByBoto(client=client, cluster=REF, period_seconds=60, clock=lambda: NOW)
    yield port, stubber
    stubber.assert_no_pending_responses()


def minutes_ago(*minutes: int) -> list[datetime]:
    return [NOW - timedelta(minutes=m) for m in minutes]


def result(query: int, points: dict[int, float]) -> dict[str, Any]:
    return {
        "Id": f"q{query}",
        "Timestamps": minutes_ago(*points),
        "Values": list(points.values()),
    }


async def test_loads_are_the_newest_points_and_missing_is_not_zero(aws: Aws) -> None:
    metrics, stubber = aws
    of_1 = [
        result(0, {1: 10.0, 2: 30.0}),
        result(1, {2: 5.0, 3: 9.0}),
        result(2, {2: 41.5, 1: 42.5}),
        result(3, {1: 0.0}),
        result(4, {}),
    ]
    stubber.add_response("get_metric_data", {"MetricDataResults": of_1})
    one, two = await metrics.loads(broker_ids=[1, 2])
    assert one.cpu_percent == 35.0, "the newest moment that has user and system time"
    assert one.disk_used_percent == 42.5
    assert one.bytes_in_per_second == 0.0
    assert one.bytes_out_per_second is None
    assert (two.broker_id, two.cpu_percent, two.disk_used_percent) == (2, None, None)


async def test_what_is_asked_is_the_exact_dimensions_without_a_unit(aws: Aws) -> None:
    metrics, stubber = aws
    queries = [
        {
            "Id": f"q{i}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Kafka",
                    "MetricName": name,
                    "Dimensions": [
                        {"Name": "Cluster Name", "Value": "orders-prod"},
                        {"Name": "Broker ID", "Value": "7"},
                    ],
                },
                "Period": 60,
                "Stat": "Maximum" if name == "KafkaDataLogsDiskUsed" else "Average",
            },
        }
        for i, name in enumerate(LOAD_METRICS)
    ]
    asked = {
        "MetricDataQueries": queries,
        "StartTime": NOW - timedelta(minutes=5),
        "EndTime": NOW + timedelta(minutes=1),
    }
    stubber.add_response("get_metric_data", {"MetricDataResults": []}, asked)
    await metrics.loads(broker_ids=[7])


async def test_many_brokers_are_asked_for_in_parts_of_500(aws: Aws) -> None:
    metrics, stubber = aws
    for _ in range(2):
        stubber.add_response("get_metric_data", {"MetricDataResults": [result(0, {1: 1.0})]})
    loads = await metrics.loads(broker_ids=list(range(1, 121)))
    assert len(loads) == 120


async def test_a_series_is_oldest_first_over_all_pages(aws: Aws) -> None:
    metrics, stubber = aws
    first = {"MetricDataResults": [result(0, {1: 1.0, 2: 2.0})], "NextToken": "more"}
    stubber.add_response("get_metric_data", first)
    more = {"MetricDataQueries": ANY, "StartTime": ANY, "EndTime": ANY, "NextToken": "more"}
    second = {"MetricDataResults": [result(0, {3: 3.0}), result(1, {})]}
    stubber.add_response("get_metric_data", second, more)
    one, two = await metrics.series(
        metric="CpuUser", broker_ids=[1, 2], start=NOW - timedelta(hours=1), end=NOW
    )
    assert one.values == (3.0, 2.0, 1.0)
    assert one.times == tuple(minutes_ago(3, 2, 1))
    assert (two.broker_id, two.times) == (2, ())


async def test_a_picture_has_a_line_per_metric_and_broker_and_its_marks(aws: Aws) -> None:
    metrics, stubber = aws
    seen: list[dict[str, Any]] = []
    metrics._client.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricWidgetImage",
        lambda params, **_: seen.append(json.loads(params["MetricWidget"])),
    )
    stubber.add_response("get_metric_widget_image", {"MetricWidgetImage": b"\x89PNG"})
    image = await metrics.picture(
        title="CPU",
        metrics=["CpuUser"],
        broker_ids=[1, 2],
        start=NOW - timedelta(hours=3),
        end=NOW,
        marks=[(NOW - timedelta(hours=1), "R-17 started")],
    )
    assert image == b"\x89PNG"
    (widget,) = seen
    labels = [line[-1]["label"] for line in widget["metrics"]]
    assert labels == ["broker 1", "broker 2"]
    assert widget["metrics"][1][:6] == [
        "AWS/Kafka", "CpuUser", "Cluster Name", "orders-prod", "Broker ID", "2",
    ]  # fmt: skip
    mark = {"value": "2026-11-03T08:00:00Z", "label": "R-17 started"}
    assert widget["annotations"] == {"vertical": [mark]}
    assert (widget["start"], widget["period"]) == ("2026-11-03T06:00:00Z", 60)


def test_of_many_brokers_a_few_are_drawn_the_first_and_last_among_them() -> None:
    assert drawn(range(1, 7), lines_max=12) == (1, 2, 3, 4, 5, 6)
    few = drawn(range(1, 61), lines_max=12)
    assert len(few) == len(set(few)) == 12
    assert (few[0], few[-1]) == (1, 60)
    assert drawn([1, 2, 3], lines_max=1) == (3,)


async def test_a_refused_picture_names_the_permission(aws: Aws) -> None:
    metrics, stubber = aws
    stubber.add_client_error("get_metric_widget_image", "AccessDenied", "no")
    with pytest.raises(Unreachable, match="cloudwatch:GetMetricWidgetImage"):
        await metrics.picture(title="", metrics=["CpuUser"], broker_ids=[1], start=NOW, end=NOW)


async def test_group_lag_is_asked_by_group_and_topic_and_a_gap_is_missing(aws: Aws) -> None:
    metrics, stubber = aws
    expected = {
        "MetricDataQueries": [
            {
                "Id": f"q{i}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Kafka",
                        "MetricName": "SumOffsetLag",
                        "Dimensions": [
                            {"Name": "Cluster Name", "Value": REF.name},
                            {"Name": "Consumer Group", "Value": group},
                            {"Name": "Topic", "Value": "orders"},
                        ],
                    },
                    "Period": 60,
                    "Stat": "Maximum",
                },
            }
            for i, group in enumerate(("payments", "rebalancing"))
        ],
        "StartTime": ANY,
        "EndTime": ANY,
    }
    answer = {"MetricDataResults": [result(0, {3: 7.0, 2: 9.0}), result(1, {})]}
    stubber.add_response("get_metric_data", answer, expected)
    pairs = [("payments", "orders"), ("rebalancing", "orders"), ("payments", "orders")]
    found = await metrics.group_lag(pairs=pairs)
    assert found == {("payments", "orders"): (NOW - timedelta(minutes=2), 9.0)}


async def test_no_groups_to_ask_about_is_no_call(aws: Aws) -> None:
    metrics, _ = aws
    assert await metrics.group_lag(pairs=[]) == {}
