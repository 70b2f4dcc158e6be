"""MSK as boto3 sees it: reads, refusals and the life of a count change."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws import serve
from lab.aws.refusals import STALE_VERSION
from tests.lab.aws.conftest import Aws
from tests.lab.aws.fake_fleet import ZONES, FakeFleet


async def refused(call: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        await call
    return caught.value


async def test_a_described_cluster_is_active_and_counts_the_fleet(aws: Aws) -> None:
    cluster = await aws.cluster()
    assert (cluster["State"], cluster["ClusterType"]) == ("ACTIVE", "PROVISIONED")
    assert re.fullmatch(r"K[0-9A-Z]{11,13}", cluster["CurrentVersion"])
    provisioned = cluster["Provisioned"]
    assert provisioned["NumberOfBrokerNodes"] == 3
    group = provisioned["BrokerNodeGroupInfo"]
    assert tuple(group["ZoneIds"]) == ZONES
    assert len(set(group["ClientSubnets"])) == 3
    assert provisioned["EnhancedMonitoring"] == "PER_BROKER"


async def test_both_generations_and_the_list_describe_the_same_cluster(aws: Aws) -> None:
    old = (await aws.msk("describe_cluster", ClusterArn=aws.arn))["ClusterInfo"]
    listed = (await aws.msk("list_clusters_v2", ClusterNameFilter="ord"))["ClusterInfoList"]
    assert old["NumberOfBrokerNodes"] == 3
    assert [one["ClusterArn"] for one in listed] == [old["ClusterArn"]] == [aws.arn]
    assert not (await aws.msk("list_clusters_v2", ClusterNameFilter="x"))["ClusterInfoList"]


async def test_nodes_come_in_pages_and_their_ids_are_doubles(aws: Aws) -> None:
    pages = await asyncio.to_thread(
        lambda: list(
            aws.kafka.get_paginator("list_nodes").paginate(
                ClusterArn=aws.arn, PaginationConfig={"PageSize": 2}
            )
        )
    )
    assert [len(page["NodeInfoList"]) for page in pages] == [2, 1]
    nodes = [node["BrokerNodeInfo"] for page in pages for node in page["NodeInfoList"]]
    assert [node["BrokerId"] for node in nodes] == [1.0, 2.0, 3.0]
    assert all(isinstance(node["BrokerId"], float) for node in nodes)
    assert nodes[0]["Endpoints"] == ["127.0.0.1:19001"]


async def test_bootstrap_names_three_living_brokers(aws: Aws) -> None:
    answer = await aws.msk("get_bootstrap_brokers", ClusterArn=aws.arn)
    assert sorted(answer["BootstrapBrokerString"].split(",")) == [
        f"127.0.0.1:{port}" for port in (19001, 19002, 19003)
    ]


async def test_an_unknown_cluster_raises_the_typed_exception(aws: Aws) -> None:
    with pytest.raises(aws.kafka.exceptions.NotFoundException) as caught:
        await aws.msk("list_nodes", ClusterArn=aws.arn + "x")
    assert caught.value.response["InvalidParameter"] == "clusterArn"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


async def test_a_bad_page_token_is_refused(aws: Aws) -> None:
    error = await refused(aws.msk("list_nodes", ClusterArn=aws.arn, NextToken="page 2, please"))
    assert isinstance(error, aws.kafka.exceptions.BadRequestException)


async def test_limits_that_botocore_does_not_check_are_checked_here(aws: Aws) -> None:
    error = await refused(aws.msk("list_nodes", ClusterArn=aws.arn, MaxResults=101))
    assert isinstance(error, aws.kafka.exceptions.BadRequestException)
    assert "100" in str(error)


async def test_an_unbuilt_operation_says_its_name(aws: Aws) -> None:
    error = await refused(aws.msk("reboot_broker", ClusterArn=aws.arn, BrokerIds=["1"]))
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "RebootBroker" in str(error)


async def test_growth_starts_brokers_over_all_zones_and_names_them(aws: Aws) -> None:
    before = await aws.cluster()
    accepted = await aws.update_count(9)
    running = await aws.cluster()
    assert running["State"] == "UPDATING"
    assert running["ActiveOperationArn"] == accepted["ClusterOperationArn"]
    assert running["CurrentVersion"] != before["CurrentVersion"]
    assert running["Provisioned"]["NumberOfBrokerNodes"] == 3
    ended = await aws.finished(accepted["ClusterOperationArn"])
    assert (ended["OperationType"], ended["OperationState"]) == (
        "INCREASE_BROKER_COUNT",
        "UPDATE_COMPLETE",
    )
    target = ended["Provisioned"]["TargetClusterInfo"]
    assert target["NumberOfBrokerNodes"] == 9
    assert target["BrokerCountUpdateInfo"]["CreatedBrokerIds"] == [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    assert ended["Provisioned"]["SourceClusterInfo"]["NumberOfBrokerNodes"] == 3
    zones = [broker.az_id for broker in aws.fleet.brokers()]
    assert {zone: zones.count(zone) for zone in ZONES} == dict.fromkeys(ZONES, 3)
    assert aws.fleet.most_starting_at_once == 3
    after = await aws.cluster()
    assert (after["State"], after["Provisioned"]["NumberOfBrokerNodes"]) == ("ACTIVE", 9)


async def test_an_operation_is_pending_before_it_is_in_progress(aws: Aws) -> None:
    arn = (await aws.update_count(6))["ClusterOperationArn"]
    seen: list[str] = []
    while not seen or seen[-1] != "UPDATE_COMPLETE":
        info = await aws.msk("describe_cluster_operation", ClusterOperationArn=arn)
        state = info["ClusterOperationInfo"]["OperationState"]
        seen += [state] if state not in seen else []
        await asyncio.sleep(0.005)
    assert seen == ["PENDING", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]


async def test_operations_are_listed_newest_first_in_both_generations(aws: Aws) -> None:
    first = (await aws.update_count(6))["ClusterOperationArn"]
    await aws.finished(first)
    second = (await aws.update_count(9))["ClusterOperationArn"]
    await aws.finished(second)
    for method in ("list_cluster_operations", "list_cluster_operations_v2"):
        listed = (await aws.msk(method, ClusterArn=aws.arn))["ClusterOperationInfoList"]
        assert [one["OperationArn"] for one in listed] == [second, first]


async def test_a_stale_version_is_refused_in_the_words_of_aws(aws: Aws) -> None:
    stale = (await aws.cluster())["CurrentVersion"]
    await aws.finished((await aws.update_count(6))["ClusterOperationArn"])
    error = await refused(aws.update_count(9, version=stale))
    assert isinstance(error, aws.kafka.exceptions.BadRequestException)
    assert error.response["Error"]["Message"] == STALE_VERSION
    assert len(aws.fleet.brokers()) == 6


async def test_a_second_operation_waits_its_turn(aws: Aws) -> None:
    await aws.update_count(6)
    error = await refused(aws.update_count(9))
    assert "one of the following states :[ACTIVE]" in str(error)


@pytest.mark.parametrize(
    ("target", "fragment"),
    [
        (5, "multiple of the number of Availability Zones (3)"),
        (3, "already has 3"),
        (63, "quota of 60"),
    ],
)
async def test_a_count_against_the_rules_is_refused(aws: Aws, target: int, fragment: str) -> None:
    version = (await aws.cluster())["CurrentVersion"]
    error = await refused(aws.update_count(target))
    assert fragment in str(error)
    assert error.response["InvalidParameter"] == "targetNumberOfBrokerNodes"
    after = await aws.cluster()
    assert (after["CurrentVersion"], after["State"]) == (version, "ACTIVE")


async def test_a_refused_start_fails_the_operation_and_leaves_nothing_behind(aws: Aws) -> None:
    aws.fleet.refuse_adds = 1
    ended = await aws.finished((await aws.update_count(6))["ClusterOperationArn"])
    assert ended["OperationState"] == "UPDATE_FAILED"
    assert "no room for a broker" in ended["ErrorInfo"]["ErrorString"]
    assert len(aws.fleet.brokers()) == 3
    assert (await aws.cluster())["State"] == "ACTIVE"


async def test_removal_wants_an_empty_broker_in_every_zone(aws: Aws) -> None:
    await aws.finished((await aws.update_count(6))["ClusterOperationArn"])
    for broker_id in (1, 2, 3, 4):
        aws.fleet.put_partition(broker_id, "orders-0")
    assert ZONES[0] in str(await refused(aws.update_count(3)))


async def test_removal_takes_the_empty_brokers_canaries_or_not(aws: Aws) -> None:
    await aws.finished((await aws.update_count(6))["ClusterOperationArn"])
    for broker_id in (1, 5, 3):
        aws.fleet.put_partition(broker_id, "__consumer_offsets-0")
    for broker_id in (2, 4, 6):
        aws.fleet.put_partition(broker_id, "__amazon_msk_canary-0")
    ended = await aws.finished((await aws.update_count(3))["ClusterOperationArn"])
    info = ended["Provisioned"]["TargetClusterInfo"]["BrokerCountUpdateInfo"]
    assert ended["OperationType"] == "DECREASE_BROKER_COUNT"
    assert info["DeletedBrokerIds"] == [2.0, 4.0, 6.0]
    assert [broker.broker_id for broker in aws.fleet.brokers()] == [1, 3, 5]


async def test_removal_takes_one_broker_per_zone_at_a_time(aws: Aws) -> None:
    await aws.finished((await aws.update_count(9))["ClusterOperationArn"])
    assert "next lower count is 6" in str(await refused(aws.update_count(3)))


async def test_versions_and_tags_are_answered(aws: Aws) -> None:
    compatible = await aws.msk("get_compatible_kafka_versions", ClusterArn=aws.arn)
    assert compatible["CompatibleKafkaVersions"] == [
        {"SourceVersion": "4.1.x.kraft", "TargetVersions": []}
    ]
    listed = (await aws.msk("list_kafka_versions"))["KafkaVersions"]
    assert {"Version": "4.1.x.kraft", "Status": "ACTIVE"} in listed
    assert (await aws.msk("list_tags_for_resource", ResourceArn=aws.arn))["Tags"]


async def test_the_arn_and_version_of_a_folder_survive_a_restart(tmp_path: Path) -> None:
    seen = []
    for start in range(2):
        server = await serve(
            fleet=FakeFleet(folder=tmp_path / f"disks-{start}"),
            host="127.0.0.1",
            port=0,
            folder=tmp_path / "aws",
            cluster_name="orders",
            measure_lag=False,
        )
        seen.append((server.cluster_arn, server.cluster.identity.current_version))
        await server.close()
    assert seen[0] == seen[1]
    assert re.fullmatch(
        r"arn:aws:kafka:us-east-1:123456789012:cluster/orders/[0-9a-f-]{36}-s1", seen[0][0]
    )
