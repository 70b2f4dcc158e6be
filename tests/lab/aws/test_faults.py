"""Bad days on demand, and the log that proves what was asked."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ClientError

from lab.aws.wire_log import CALLS_MAX, WireLog
from tests.lab.aws.conftest import Aws


async def door(aws: Aws, **body: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{aws.server.url}/lab/faults", json=body) as answer,
    ):
        return answer.status, await answer.json()


async def logged(aws: Aws, operation: str) -> list[dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{aws.server.url}/lab/log", params={"operation": operation}) as answer,
    ):
        return [json.loads(line) for line in (await answer.text()).splitlines()]


async def test_healing_shows_and_refuses_updates_until_cleared(aws: Aws) -> None:
    await door(aws, action="add", name="cluster_state", state="HEALING")
    assert (await aws.cluster())["State"] == "HEALING"
    with pytest.raises(ClientError, match="states :\\[ACTIVE\\]"):
        await aws.update_count(6)
    await door(aws, action="clear", name="cluster_state")
    assert (await aws.cluster())["State"] == "ACTIVE"


async def test_the_next_update_fails_once(aws: Aws) -> None:
    await door(aws, action="add", name="update_fails", message="no capacity in use1-az2")
    ended = await aws.finished((await aws.update_count(6))["ClusterOperationArn"])
    assert ended["OperationState"] == "UPDATE_FAILED"
    assert ended["ErrorInfo"]["ErrorString"] == "no capacity in use1-az2"
    assert len(aws.fleet.brokers()) == 3
    again = await aws.finished((await aws.update_count(6))["ClusterOperationArn"])
    assert again["OperationState"] == "UPDATE_COMPLETE"


async def test_throttling_wears_out_under_the_clients_own_retries(aws: Aws) -> None:
    await door(aws, action="add", name="throttle", times=2, operation="ListNodes")
    assert (await aws.msk("list_nodes", ClusterArn=aws.arn))["NodeInfoList"]
    assert [line["status"] for line in await logged(aws, "ListNodes")] == [429, 429, 200]


async def test_an_unavailable_service_is_said_by_type(aws: Aws) -> None:
    await door(aws, action="add", name="unavailable")
    with pytest.raises(aws.kafka.exceptions.ServiceUnavailableException):
        await aws.msk("list_cluster_operations_v2", ClusterArn=aws.arn)
    await door(aws, action="clear")
    assert (await aws.cluster())["State"] == "ACTIVE"


async def test_an_error_after_acting_has_acted(aws: Aws) -> None:
    """boto3's blind second try meets the version its first try made stale."""
    await door(aws, action="add", name="error_after_acting")
    version = (await aws.cluster())["CurrentVersion"]
    with pytest.raises(ClientError):
        await aws.update_count(6, version=version)
    calls = await logged(aws, "UpdateBrokerCount")
    assert [line["status"] for line in calls] == [500, 400]
    (operation,) = (await aws.msk("list_cluster_operations", ClusterArn=aws.arn))[
        "ClusterOperationInfoList"
    ]
    ended = await aws.finished(operation["OperationArn"])
    assert ended["OperationState"] == "UPDATE_COMPLETE"
    assert len(aws.fleet.brokers()) == 6


async def test_a_hanging_call_takes_as_long_as_it_was_told(aws: Aws) -> None:
    await door(aws, action="add", name="hang", times=1, seconds=0.3)
    began = asyncio.get_running_loop().time()
    await aws.cluster()
    assert asyncio.get_running_loop().time() - began >= 0.3


async def test_late_metrics_hide_what_is_new(aws: Aws) -> None:

    async def disk_points() -> int:
        now = dt.datetime.now(dt.UTC)
        metric = {
            "Namespace": "AWS/Kafka",
            "MetricName": "KafkaDataLogsDiskUsed",
            "Dimensions": [{"Name": "Cluster Name", "Value": "orders"}],
        }
        stat = {"Metric": metric, "Period": 1, "Stat": "Maximum"}
        answer = await aws.metrics(
            "get_metric_data",
            MetricDataQueries=[{"Id": "m", "MetricStat": stat}],
            StartTime=now - dt.timedelta(minutes=1),
            EndTime=now + dt.timedelta(seconds=5),
        )
        return len(answer["MetricDataResults"][0]["Values"])

    async with asyncio.timeout(10):
        while True:
            if await disk_points():
                break
            await asyncio.sleep(0.1)
    await door(aws, action="add", name="late_metrics", seconds=600)
    assert await disk_points() == 0
    await door(aws, action="clear")
    assert await disk_points() >= 1


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({"name": "earthquake"}, "there are cluster_state"),
        ({}, "needs a name"),
        ({"name": "hang", "times": 0}, "times must be a whole number"),
        ({"name": "hang", "times": True}, "times must be a whole number"),
        ({"name": "hang", "seconds": -1}, "seconds must lie between"),
        ({"name": "hang", "seconds": "long"}, "seconds must be a number"),
        ({"name": "cluster_state", "state": "DELETING"}, "one of HEALING, MAINTENANCE"),
        ({"name": "hang", "colour": "red"}, "no field colour"),
        ({"action": "explode"}, "there are add, clear and list"),
    ],
)
async def test_a_mistaken_fault_is_refused_with_the_right_words(
    aws: Aws, body: dict[str, Any], fragment: str
) -> None:
    status, answer = await door(aws, **body)
    assert status == 400
    assert fragment in answer["message"]
    assert not aws.server.faults.active


async def test_faults_in_force_are_listed(aws: Aws) -> None:
    await door(aws, action="add", name="throttle", times=3)
    _, listed = await door(aws, action="list")
    assert [(one["name"], one["times"]) for one in listed["faults"]] == [("throttle", 3)]


async def test_the_log_holds_input_and_error_of_a_call(aws: Aws) -> None:
    with pytest.raises(ClientError):
        await aws.update_count(5)
    (line,) = await logged(aws, "UpdateBrokerCount")
    assert line["input"]["TargetNumberOfBrokerNodes"] == 5
    assert line["status"] == 400
    assert "multiple" in line["error"]


def test_an_eager_poller_cannot_push_other_calls_out_of_the_log() -> None:
    log = WireLog(clock=lambda: 1.0)
    log.add(operation="UpdateBrokerCount", fields={}, status=200, error=None)
    for _ in range(CALLS_MAX * 2):
        log.add(operation="ListNodes", fields={"x": "y" * 5_000}, status=200, error=None)
    assert len(log.lines(operation="UpdateBrokerCount")) == 1
    assert len(log.lines()) == CALLS_MAX + 1
    assert "UpdateBrokerCount" in log.lines()[0]
    assert max(map(len, log.lines())) < 1_200
