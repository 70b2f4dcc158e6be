"""The Kafka port against real brokers: what the oracle cannot tell, Kafka does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from changes.facts import BrokerRates, ClusterRef, Partition, ReplicaLists, Throttles
from changes.ports import Unreachable
from cluster.connect import KafkaAuth, open_kafka
from cluster.errors import KafkaRefuses
from cluster.kafka import KafkaByWire
from lab.kafka.brokers import KafkaFleet
from tests.cluster.brokers import idle, make_topic, real_brokers, until

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]

REF = ClusterRef(name="real", arn="arn:real", region="us-east-1", environment="test")
ALL_BROKERS = (1, 2, 3, 4)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaFleet]:
    async with real_brokers(folder=tmp_path_factory.mktemp("brokers")) as brokers:
        yield brokers


@pytest_asyncio.fixture(loop_scope="module")
async def kafka(fleet: KafkaFleet) -> AsyncIterator[KafkaByWire]:
    auth = KafkaAuth(mode="plaintext")
    async with open_kafka(bootstrap=fleet.bootstrap(), auth=auth, ref=REF) as port:
        yield port


async def partition_of(kafka: KafkaByWire, topic: str, number: int = 0) -> Partition:
    (found,) = [p for p in await kafka.partitions() if (p.topic, p.partition) == (topic, number)]
    return found


async def settled(kafka: KafkaByWire, topic: str, replicas: tuple[int, ...]) -> Partition:
    """The controller knows first that a reassignment ended; brokers' metadata follows."""

    async def shown() -> bool:
        return (await partition_of(kafka, topic)).replicas == replicas

    await until(shown, seconds_max=10)
    return await partition_of(kafka, topic)


async def test_brokers_have_the_ids_racks_and_addresses_of_the_fleet(
    fleet: KafkaFleet, kafka: KafkaByWire
) -> None:
    seen = {b.broker_id: (b.rack, b.host, b.port) for b in await kafka.brokers()}
    assert seen == {b.broker_id: (b.az_id, b.host, b.port) for b in fleet.brokers()}


async def test_partitions_and_sizes_are_those_of_the_topic(
    fleet: KafkaFleet, kafka: KafkaByWire
) -> None:
    await make_topic(fleet, "sized", replicas={0: [1, 2, 3], 1: [2, 3, 4]}, megabytes=2)
    one = await partition_of(kafka, "sized", 1)
    assert (one.replicas, set(one.isr), one.leader) == ((2, 3, 4), {2, 3, 4}, 2)
    sizes = await kafka.replica_sizes()
    held = {(b, t, p): n for (b, t, p), n in sizes.items() if t == "sized"}
    places = {(1, 0), (2, 0), (3, 0), (2, 1), (3, 1), (4, 1)}
    assert {(b, p) for b, _, p in held} == places
    assert all(2_000_000 <= size < 2_100_000 for size in held.values())
    assert {b for b, _, _ in await kafka.replica_sizes(broker_ids=[4])} == {4}


async def test_a_throttled_reassignment_runs_at_its_rate_and_faster_without(
    fleet: KafkaFleet, kafka: KafkaByWire
) -> None:
    held, per_second = 24_000_000, 1_000_000
    await make_topic(fleet, "slow", replicas={0: [1, 2, 3]}, megabytes=held // 1_000_000)
    rate = BrokerRates(leader_bytes_per_second=per_second, follower_bytes_per_second=per_second)
    lists = {"slow": ReplicaLists(leader=("0:1",), follower=("0:4",))}
    await kafka.set_broker_rates(rates={1: rate, 4: rate})
    await kafka.change_throttled_replicas(add=lists, remove={})
    seen = await kafka.throttles(topics=["slow", "sized"], broker_ids=ALL_BROKERS)
    assert seen == Throttles(brokers={1: rate, 4: rate}, topics=lists)

    async def copied() -> int:
        return (await kafka.replica_sizes(broker_ids=[4])).get((4, "slow", 0), 0)

    async def begun() -> bool:
        return await copied() > 0

    began = time.monotonic()
    assert await kafka.reassign(targets={("slow", 0): (4, 2, 3)}) == {}
    (running,) = await kafka.reassignments()
    assert (running.topic, running.adding, running.removing) == ("slow", (4,), (1,))
    assert running.replicas == (4, 2, 3, 1), "the target first, then what goes"
    await until(begun)
    await asyncio.sleep(4)  # without a throttle, all of it would be there by then
    asked = time.monotonic()
    size = await copied()
    burst = 5_000_000
    assert 0 < size < burst + per_second * (time.monotonic() - began), (
        "Kafka's first burst, then 1 MB/s"
    )
    assert not await idle(kafka)

    await kafka.change_throttled_replicas(add={}, remove=lists)
    await kafka.set_broker_rates(rates={1: BrokerRates(), 4: BrokerRates()})
    await until(lambda: idle(kafka))
    throttled_seconds = (held - size) / per_second
    assert time.monotonic() - asked < 0.7 * throttled_seconds, "the rest came faster"
    moved = await settled(kafka, "slow", (4, 2, 3))
    assert set(moved.isr) == {4, 2, 3}
    assert moved.leader in (2, 3, 4)
    seen = await kafka.throttles(topics=["slow"], broker_ids=ALL_BROKERS)
    assert seen.none_set


async def test_leaders_change_only_when_elected(fleet: KafkaFleet, kafka: KafkaByWire) -> None:
    await make_topic(fleet, "led", replicas={0: [1, 2, 3], 1: [2, 3, 4]})
    assert await kafka.reassign(targets={("led", 0): (3, 2, 1)}) == {}
    await until(lambda: idle(kafka))
    assert (await settled(kafka, "led", (3, 2, 1))).leader == 1
    asked = [("led", 0), ("led", 1), ("led", 7), ("nowhere", 0)]
    refused = await kafka.elect_preferred_leaders(partitions=asked)
    assert set(refused) == {("led", 7), ("nowhere", 0)}, "led-1 was led well already"
    assert refused["led", 7].startswith("no such topic or partition")

    async def led_by_3() -> bool:
        return (await partition_of(kafka, "led")).leader == 3

    await until(led_by_3)


async def test_a_cancelled_reassignment_keeps_the_brokers_and_loses_their_order(
    fleet: KafkaFleet, kafka: KafkaByWire
) -> None:
    await make_topic(fleet, "undone", replicas={0: [1, 2, 3]}, megabytes=8)
    rate = BrokerRates(leader_bytes_per_second=200_000, follower_bytes_per_second=200_000)
    lists = {"undone": ReplicaLists(leader=("0:1",), follower=("0:4",))}
    await kafka.set_broker_rates(rates={1: rate, 4: rate})
    await kafka.change_throttled_replicas(add=lists, remove={})
    await kafka.reassign(targets={("undone", 0): (4, 2, 3)})
    assert not await idle(kafka)
    assert await kafka.reassign(targets={("undone", 0): None}) == {}
    await until(lambda: idle(kafka))
    assert (await settled(kafka, "undone", (2, 3, 1))).leader == 1
    await kafka.change_throttled_replicas(add={}, remove=lists)
    await kafka.set_broker_rates(rates={1: BrokerRates(), 4: BrokerRates()})
    nothing = await kafka.reassign(targets={("undone", 0): None})
    assert nothing["undone", 0].startswith("nothing to cancel: no reassignment is running")


async def test_each_refused_partition_is_named_with_its_reason(
    fleet: KafkaFleet, kafka: KafkaByWire
) -> None:
    await make_topic(fleet, "fussy", replicas={0: [1, 2, 3], 1: [1, 2, 3]})
    refused = await kafka.reassign(
        targets={
            ("fussy", 0): (9, 2, 3),
            ("fussy", 1): (1, 2, 3),
            ("fussy", 5): (1, 2, 3),
            ("missing", 0): (1, 2, 3),
        }
    )
    assert set(refused) == {("fussy", 0), ("fussy", 5), ("missing", 0)}
    assert refused["fussy", 0].startswith("these replicas are not allowed: ")
    assert "9" in refused["fussy", 0]
    assert refused["missing", 0].startswith("no such topic or partition")


async def test_others_entries_stay_and_an_emptied_list_is_gone(
    fleet: KafkaFleet, kafka: KafkaByWire
) -> None:
    await make_topic(fleet, "shared", replicas={0: [1, 2, 3], 1: [2, 3, 4]})
    theirs = {"shared": ReplicaLists(leader=("1:2",))}
    ours = {"shared": ReplicaLists(leader=("0:1",), follower=("0:4", "0:3"))}
    await kafka.change_throttled_replicas(add=theirs, remove={})
    await kafka.change_throttled_replicas(add=ours, remove={})
    await kafka.change_throttled_replicas(add=ours, remove={})
    seen = (await kafka.throttles(topics=["shared"], broker_ids=[])).topics["shared"]
    assert seen.leader == ("1:2", "0:1"), "asked twice, listed once"
    assert set(seen.follower) == {"0:4", "0:3"}
    await kafka.change_throttled_replicas(add={}, remove=ours)
    seen = (await kafka.throttles(topics=["shared"], broker_ids=[])).topics["shared"]
    assert seen == theirs["shared"]
    await kafka.change_throttled_replicas(add={}, remove=theirs)
    assert await kafka.throttle_settings(topic="shared") == {}, "not even an empty one"


async def test_throttles_of_topics_that_are_gone_are_no_trouble(kafka: KafkaByWire) -> None:
    lists = {"deleted-long-ago": ReplicaLists(leader=("0:1",))}
    assert (await kafka.throttles(topics=list(lists), broker_ids=[])).none_set
    await kafka.change_throttled_replicas(add={}, remove=lists)
    with pytest.raises(KafkaRefuses, match="deleted-long-ago: no such topic"):
        await kafka.change_throttled_replicas(add=lists, remove={})


async def test_a_dead_broker_is_named_when_the_others_were_told(
    fleet: KafkaFleet, kafka: KafkaByWire
) -> None:
    await make_topic(fleet, "orphan", replicas={0: [4, 1, 2]})
    rate = BrokerRates(follower_bytes_per_second=5_000_000)
    await fleet.kill(broker_id=4)
    try:
        with pytest.raises(Unreachable, match="broker 4 of real"):
            await kafka.set_broker_rates(rates={4: rate, 2: rate})
        seen = await kafka.throttles(topics=[], broker_ids=[1, 2, 3])
        assert seen.brokers == {2: rate}

        async def gone() -> bool:
            return 4 not in {b.broker_id for b in await kafka.brokers()}

        await until(gone)
        orphan = await partition_of(kafka, "orphan")
        assert orphan.leader in (1, 2)
        assert orphan.under_replicated
        refused = await kafka.elect_preferred_leaders(partitions=[("orphan", 0)])
        assert refused["orphan", 0].startswith("its preferred leader is not in sync")
        assert 4 not in {b for b, _, _ in await kafka.replica_sizes()}
        assert await idle(kafka)
    finally:
        await fleet.restart(broker_id=4)
        await kafka.set_broker_rates(rates={2: BrokerRates()})
