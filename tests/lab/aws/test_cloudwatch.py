"""CloudWatch as boto3 sees it."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws.cloudwatch import CloudWatch
from lab.aws.faults import Faults
from lab.aws.series import SeriesStore, metric
from tests.lab.aws.conftest import Aws

# An hour ago: within what is kept, and away from the buckets the server's own sampler writes.
T0 = time.time() // 60 * 60 - 3_600


def moment(at: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(at, dt.UTC)


def put(aws: Aws, name: str, points: dict[float, float], *, broker: str = "101") -> None:
    dimensions = {"Cluster Name": "orders", "Broker ID": broker}
    for at, value in points.items():
        aws.server.series.add(metric("AWS/Kafka", name, dimensions), at=at, value=value)


def query(name: str, *, broker: str = "101", query_id: str = "m1", **stat: Any) -> dict[str, Any]:
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Kafka",
                "MetricName": name,
                "Dimensions": [
                    {"Name": "Broker ID", "Value": broker},
                    {"Name": "Cluster Name", "Value": "orders"},
                ],
            },
            "Period": 60,
            "Stat": "Average",
            **stat,
        },
    }


async def data(aws: Aws, *queries: dict[str, Any], start: float, end: float, **more: Any) -> Any:
    return await aws.metrics(
        "get_metric_data",
        MetricDataQueries=list(queries),
        StartTime=moment(start),
        EndTime=moment(end),
        **more,
    )


async def refused(call: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        await call
    return caught.value


async def test_buckets_lie_on_the_period_and_come_newest_first(aws: Aws) -> None:
    put(aws, "CpuUser", {T0 + s: float(s) for s in range(0, 180, 5)})
    answer = await data(aws, query("CpuUser"), start=T0 + 30, end=T0 + 180)
    (result,) = answer["MetricDataResults"]
    assert [at.timestamp() for at in result["Timestamps"]] == [T0 + 120, T0 + 60, T0]
    assert result["Values"] == [147.5, 87.5, 27.5]
    assert result["StatusCode"] == "Complete"
    assert "NextToken" not in answer


async def test_ascending_order_is_given_when_asked_for(aws: Aws) -> None:
    put(aws, "CpuUser", {T0: 1.0, T0 + 60: 2.0})
    answer = await data(aws, query("CpuUser"), start=T0, end=T0 + 120, ScanBy="TimestampAscending")
    assert answer["MetricDataResults"][0]["Values"] == [1.0, 2.0]


async def test_the_end_is_exclusive(aws: Aws) -> None:
    put(aws, "CpuUser", {T0: 1.0, T0 + 60: 2.0})
    answer = await data(aws, query("CpuUser"), start=T0, end=T0 + 60)
    assert answer["MetricDataResults"][0]["Values"] == [1.0]


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        ("Average", 2.5),
        ("Sum", 10.0),
        ("Minimum", 1.0),
        ("Maximum", 4.0),
        ("SampleCount", 4.0),
        ("p50", 2.5),
        ("p100", 4.0),
    ],
)
async def test_statistics_are_those_of_the_bucket(aws: Aws, stat: str, expected: float) -> None:
    put(aws, "CpuUser", {T0 + 5.0 * i: float(i) for i in (1, 2, 3, 4)})
    answer = await data(aws, query("CpuUser", Stat=stat), start=T0, end=T0 + 60)
    assert answer["MetricDataResults"][0]["Values"] == [expected]


async def test_dimensions_must_match_exactly(aws: Aws) -> None:
    put(aws, "CpuUser", {T0: 1.0})
    partial = query("CpuUser")
    del partial["MetricStat"]["Metric"]["Dimensions"][0]
    answer = await data(aws, partial, start=T0, end=T0 + 60)
    assert answer["MetricDataResults"][0]["Values"] == []
    assert answer["MetricDataResults"][0]["StatusCode"] == "Complete"


async def test_a_gap_has_no_datapoint(aws: Aws) -> None:
    put(aws, "CpuUser", {T0: 1.0, T0 + 120: 3.0})
    answer = await data(aws, query("CpuUser"), start=T0, end=T0 + 180)
    assert answer["MetricDataResults"][0]["Values"] == [3.0, 1.0]


async def test_many_points_come_in_pages_that_add_up(aws: Aws) -> None:
    put(aws, "CpuUser", {T0 + s: float(s) for s in range(0, 35, 5)})
    put(aws, "CpuSystem", {T0 + s: float(s) for s in range(0, 35, 5)})
    queries = [query("CpuUser", Period=5), query("CpuSystem", Period=5, query_id="m2")]

    def pages() -> list[Any]:
        paginator = aws.cloudwatch.get_paginator("get_metric_data")
        return list(
            paginator.paginate(
                MetricDataQueries=queries,
                StartTime=moment(T0),
                EndTime=moment(T0 + 60),
                MaxDatapoints=4,
            )
        )

    got = await asyncio.to_thread(pages)
    assert len(got) == 4
    assert got[0]["MetricDataResults"][0]["StatusCode"] == "PartialData"
    for index in (0, 1):
        values = [v for page in got for v in page["MetricDataResults"][index]["Values"]]
        assert values == [30.0, 25.0, 20.0, 15.0, 10.0, 5.0, 0.0]
    assert got[-1]["MetricDataResults"][1]["StatusCode"] == "Complete"


async def test_labels_say_what_differs(aws: Aws) -> None:
    queries = [query("CpuUser", broker=b, query_id=f"m{b}") for b in ("1", "2")]
    answer = await data(aws, *queries, start=T0, end=T0 + 60)
    assert [r["Label"] for r in answer["MetricDataResults"]] == ["Broker ID 1", "Broker ID 2"]


@pytest.mark.parametrize("expression", ["m1 / 2", "SEARCH('{AWS/Kafka}', 'Average')"])
async def test_metric_math_and_search_are_refused_loudly(aws: Aws, expression: str) -> None:
    error = await refused(data(aws, {"Id": "e1", "Expression": expression}, start=T0, end=T0 + 60))
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "metric math" in str(error)


@pytest.mark.parametrize(
    ("mistaken", "fragment"),
    [
        (query("CpuUser", Period=7), "multiple of 60"),
        (query("CpuUser", Stat="Mean"), "no statistic 'Mean'"),
        (query("CpuUser", query_id="M1"), "lower-case letter"),
    ],
)
async def test_a_mistaken_query_is_refused_with_the_reason(
    aws: Aws, mistaken: dict[str, Any], fragment: str
) -> None:
    assert fragment in str(await refused(data(aws, mistaken, start=T0, end=T0 + 60)))


async def test_ids_must_differ_and_time_must_go_forward(aws: Aws) -> None:
    twice = data(aws, query("CpuUser"), query("CpuSystem"), start=T0, end=T0 + 60)
    assert "unique" in str(await refused(twice))
    backwards = data(aws, query("CpuUser"), start=T0, end=T0)
    assert "StartTime must be less" in str(await refused(backwards))


async def test_a_wrong_token_raises_the_typed_exception(aws: Aws) -> None:
    with pytest.raises(aws.cloudwatch.exceptions.InvalidNextToken):
        await data(aws, query("CpuUser"), start=T0, end=T0 + 60, NextToken="nonsense")


async def test_metrics_are_listed_in_pages_of_500(aws: Aws) -> None:
    for broker in range(501):
        put(aws, "Made", {T0: 1.0}, broker=str(broker))

    def listed() -> list[Any]:
        paginator = aws.cloudwatch.get_paginator("list_metrics")
        return list(paginator.paginate(Namespace="AWS/Kafka", MetricName="Made"))

    pages = await asyncio.to_thread(listed)
    assert [len(page["Metrics"]) for page in pages] == [500, 1]
    names = {str(one["Dimensions"]) for page in pages for one in page["Metrics"]}
    assert len(names) == 501


async def test_metrics_are_found_by_dimension_name_or_value(aws: Aws) -> None:
    for broker in ("201", "202"):
        put(aws, "Made", {T0: 1.0}, broker=broker)

    async def found(**wanted: str) -> int:
        answer = await aws.metrics("list_metrics", MetricName="Made", Dimensions=[wanted])
        return len(answer["Metrics"])

    assert await found(Name="Broker ID") == 2
    assert await found(Name="Broker ID", Value="202") == 1
    assert await found(Name="Topic") == 0


async def test_recently_active_leaves_old_metrics_out() -> None:
    series = SeriesStore()
    series.add(metric("AWS/Kafka", "Made", {"Cluster Name": "orders"}), at=T0, value=1.0)
    cloudwatch = CloudWatch(series=series, faults=Faults(), clock=lambda: T0 + 3 * 3_600 + 1)
    assert (await cloudwatch.list_metrics({}))["Metrics"]
    assert not (await cloudwatch.list_metrics({"RecentlyActive": "PT3H"}))["Metrics"]
    cloudwatch.close()


async def test_the_sampler_behind_the_server_measures_the_fleet(aws: Aws) -> None:
    aws.fleet.put_partition(1, "orders-0", bytes_written=50_000_000)
    async with asyncio.timeout(5):
        while True:
            now = dt.datetime.now(dt.UTC).timestamp()
            stat = query("KafkaDataLogsDiskUsed", broker="1", Period=1, Stat="Maximum")
            answer = await data(aws, stat, start=now - 10, end=now + 10)
            values = answer["MetricDataResults"][0]["Values"]
            if values and values[0] > 0:
                break
            await asyncio.sleep(0.1)
    assert values[0] == pytest.approx(100 * 50_000_000 / 2**30, rel=0.01)


async def test_metrics_of_aws_cannot_be_written(aws: Aws) -> None:
    with pytest.raises(aws.cloudwatch.exceptions.InvalidParameterValueException) as caught:
        await aws.metrics(
            "put_metric_data",
            Namespace="AWS/Kafka",
            MetricData=[{"MetricName": "CpuUser", "Value": 1.0}],
        )
    assert "reserved" in str(caught.value)
    mine = aws.metrics(
        "put_metric_data", Namespace="Mine", MetricData=[{"MetricName": "m", "Value": 1.0}]
    )
    assert (await refused(mine)).response["ResponseMetadata"]["HTTPStatusCode"] == 501


async def test_an_unbuilt_operation_says_its_name(aws: Aws) -> None:
    assert "DescribeAlarms" in str(await refused(aws.metrics("describe_alarms")))
