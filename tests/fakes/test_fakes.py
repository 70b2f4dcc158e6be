"""The fakes behave as the real ones were seen to."""

from __future__ import annotations

import pytest

from changes.facts import BrokerRates, ReplicaLists
from changes.ports import Accepted, Refused, Unreachable
from tests.fakes.cluster import GB, FakeCluster


def one_partition() -> FakeCluster:
    """orders-0 of 1 GB on brokers 1, 2, 3 of six; copies run at 100 MB/s unless throttled."""
    return FakeCluster(
        brokers=6,
        topics={"orders": [GB]},
        canaries=False,
        unthrottled_bytes_per_second=100_000_000,
    )


async def scale(cluster: FakeCluster, brokers: int) -> Accepted | Refused:
    version = (await cluster.msk.describe()).current_version
    return await cluster.msk.update_broker_count(current_version=version, brokers=brokers)


async def test_an_update_goes_through_its_states_and_brings_brokers() -> None:
    cluster = FakeCluster()
    accepted = await scale(cluster, 6)
    assert isinstance(accepted, Accepted)
    arn = accepted.operation_arn
    assert (await cluster.msk.operation(arn=arn)).state == "PENDING"
    assert (await cluster.msk.describe()).state == "UPDATING"
    cluster.advance(10)
    assert (await cluster.msk.operation(arn=arn)).state == "UPDATE_IN_PROGRESS"
    assert len(await cluster.kafka.brokers()) == 3
    cluster.advance(25)
    racks = {b.broker_id: b.rack for b in await cluster.kafka.brokers()}
    assert racks == dict(zip(range(1, 7), cluster.azs * 2, strict=True))
    assert (await cluster.msk.describe()).broker_count == 3
    cluster.advance(60)
    operation = await cluster.msk.operation(arn=arn)
    assert operation.succeeded
    assert operation.created_broker_ids == (4, 5, 6)
    assert (await cluster.msk.describe()).broker_count == 6
    assert (await cluster.msk.describe()).state == "ACTIVE"


async def test_updates_are_refused_when_stale_busy_uneven_or_not_growing() -> None:
    cluster = FakeCluster()
    stale = await cluster.msk.update_broker_count(current_version="K0LD", brokers=6)
    assert isinstance(stale, Refused)
    assert stale.stale
    assert isinstance(await scale(cluster, 5), Refused)
    assert isinstance(await scale(cluster, 3), Refused)
    assert isinstance(await scale(cluster, 6), Accepted)
    busy = await scale(cluster, 9)
    assert isinstance(busy, Refused)
    assert busy.passing
    assert cluster.count("update_broker_count") == 5
    assert len(cluster.operations) == 1


async def test_a_failed_operation_leaves_no_brokers() -> None:
    cluster = FakeCluster()
    cluster.operation_error = "no capacity in use1-az2"
    accepted = await scale(cluster, 6)
    assert isinstance(accepted, Accepted)
    cluster.advance(100)
    operation = await cluster.msk.operation(arn=accepted.operation_arn)
    assert operation.failed
    assert operation.error == "no capacity in use1-az2"
    assert len(await cluster.kafka.brokers()) == 3


async def test_a_lost_answer_still_had_its_effect() -> None:
    cluster = FakeCluster()
    cluster.lose_answers.add("update_broker_count")
    with pytest.raises(Unreachable):
        await scale(cluster, 6)
    assert [one.target_broker_count for one in await cluster.msk.operations()] == [6]


async def test_a_reassignment_copies_at_the_unthrottled_rate_then_ends() -> None:
    cluster = one_partition()
    assert await cluster.kafka.reassign(targets={("orders", 0): (4, 2, 3)}) == {}
    cluster.advance(5)
    (running,) = await cluster.kafka.reassignments()
    assert running.adding == (4,)
    assert running.removing == (1,)
    assert running.replicas == (4, 2, 3, 1)
    sizes = await cluster.kafka.replica_sizes()
    assert sizes[4, "orders", 0] == GB // 2
    assert sizes[1, "orders", 0] == GB
    cluster.advance(6)
    (partition,) = await cluster.kafka.partitions()
    assert (partition.replicas, partition.isr) == ((4, 2, 3), (4, 2, 3))
    assert partition.leader == 4, "the old leader was removed"
    assert await cluster.kafka.reassignments() == ()


@pytest.mark.parametrize(
    ("listed", "rate", "seconds"),
    [
        (ReplicaLists(leader=("0:1",), follower=("0:4",)), 10_000_000, 100),
        (ReplicaLists(leader=("0:1",), follower=("0:4",)), None, 10),
        (ReplicaLists(), 10_000_000, 10),
        (ReplicaLists(leader=("*",)), 10_000_000, 100),
    ],
)
async def test_a_throttle_needs_both_its_halves(
    listed: ReplicaLists, rate: int | None, seconds: int
) -> None:
    cluster = one_partition()
    rates = BrokerRates(leader_bytes_per_second=rate, follower_bytes_per_second=rate)
    await cluster.kafka.set_broker_rates(rates={1: rates, 4: rates})
    await cluster.kafka.change_throttled_replicas(add={"orders": listed}, remove={})
    await cluster.kafka.reassign(targets={("orders", 0): (4, 2, 3)})
    cluster.advance(seconds * 0.9)
    assert await cluster.kafka.reassignments() != ()
    cluster.advance(seconds * 0.11)
    assert await cluster.kafka.reassignments() == ()


async def test_leaders_stay_until_they_are_elected() -> None:
    cluster = one_partition()
    await cluster.kafka.reassign(targets={("orders", 0): (3, 1, 2)})
    (partition,) = await cluster.kafka.partitions()
    assert (partition.replicas, partition.leader) == ((3, 1, 2), 1), "a new order costs no time"
    assert await cluster.kafka.elect_preferred_leaders(partitions=[("orders", 0)]) == {}
    (partition,) = await cluster.kafka.partitions()
    assert partition.leader == 3


async def test_refused_partitions_are_named() -> None:
    cluster = one_partition()
    refused = await cluster.kafka.reassign(
        targets={("orders", 0): (9, 2, 3), ("order", 0): (1, 2, 3)}
    )
    assert refused == {
        ("orders", 0): "broker 9 is not registered",
        ("order", 0): "no such partition",
    }
    nothing = await cluster.kafka.reassign(targets={("orders", 0): None})
    assert nothing == {("orders", 0): "nothing to cancel: no reassignment is running"}


async def test_a_cancelled_move_returns_to_its_brokers_but_not_to_their_order() -> None:
    cluster = one_partition()
    await cluster.kafka.reassign(targets={("orders", 0): (4, 2, 3)})
    cluster.advance(2)
    assert await cluster.kafka.reassign(targets={("orders", 0): None}) == {}
    (partition,) = await cluster.kafka.partitions()
    assert (partition.replicas, partition.leader) == ((2, 3, 1), 1)


async def test_a_dead_broker_leaves_the_isr_and_comes_back() -> None:
    cluster = one_partition()
    cluster.kill(1)
    (partition,) = await cluster.kafka.partitions()
    assert (partition.isr, partition.leader) == ((2, 3), 2)
    assert partition.under_replicated
    assert 1 not in {b.broker_id for b in await cluster.kafka.brokers()}
    words = await cluster.kafka.elect_preferred_leaders(partitions=[("orders", 0)])
    assert words == {("orders", 0): "its preferred leader 1 is not in sync"}
    cluster.restart(1)
    cluster.advance(4)
    (partition,) = await cluster.kafka.partitions()
    assert (partition.isr, partition.leader) == ((1, 2, 3), 2)


async def test_a_copy_to_a_dead_broker_waits_for_it() -> None:
    cluster = one_partition()
    await cluster.kafka.reassign(targets={("orders", 0): (4, 2, 3)})
    cluster.advance(5)
    cluster.kill(4)
    cluster.advance(3600)
    assert await cluster.kafka.reassignments() != ()
    cluster.restart(4)
    cluster.advance(5)
    assert await cluster.kafka.reassignments() == ()


async def test_throttles_are_added_and_taken_away_without_touching_others() -> None:
    cluster = one_partition()
    cluster.topic_configs["orders"] = {"leader.replication.throttled.replicas": "7:7"}
    ours = {"orders": ReplicaLists(leader=("0:1",), follower=("0:4",))}
    await cluster.kafka.change_throttled_replicas(add=ours, remove={})
    await cluster.kafka.set_broker_rates(rates={1: BrokerRates(leader_bytes_per_second=5)})
    seen = await cluster.kafka.throttles(topics=["orders"], broker_ids=[1, 2])
    assert seen.topics["orders"] == ReplicaLists(leader=("7:7", "0:1"), follower=("0:4",))
    assert seen.brokers == {1: BrokerRates(leader_bytes_per_second=5)}
    await cluster.kafka.change_throttled_replicas(add={}, remove=ours)
    await cluster.kafka.set_broker_rates(rates={1: BrokerRates()})
    seen = await cluster.kafka.throttles(topics=["orders"], broker_ids=[1, 2])
    assert seen.topics == {"orders": ReplicaLists(leader=("7:7",))}
    assert seen.brokers == {}
    theirs = {"orders": ReplicaLists(leader=("7:7",))}
    await cluster.kafka.change_throttled_replicas(add={}, remove=theirs)
    assert (cluster.topic_configs, cluster.broker_configs) == ({}, {}), "not even an empty one"


async def test_rates_of_a_dead_broker_are_refused_after_the_others_were_set() -> None:
    cluster = one_partition()
    cluster.kill(2)
    rate = BrokerRates(follower_bytes_per_second=5)
    with pytest.raises(Unreachable, match="broker 2"):
        await cluster.kafka.set_broker_rates(rates={2: rate, 3: rate})
    seen = await cluster.kafka.throttles(topics=[], broker_ids=[3])
    assert seen.brokers == {3: rate}


async def test_a_silent_port_raises() -> None:
    cluster = FakeCluster()
    cluster.silent.add("metrics")
    with pytest.raises(Unreachable):
        await cluster.metrics.loads(broker_ids=[1])


async def test_one_long_step_ends_like_many_short_ones() -> None:
    ends = []
    for steps in (1, 600):
        cluster = FakeCluster(brokers=6, azs=("a", "b", "c"))
        targets = {
            key: tuple(b % 6 + 1 for b in one.replicas) for key, one in cluster.partitions.items()
        }
        await cluster.kafka.reassign(targets=targets)
        for _ in range(steps):
            cluster.advance(600 / steps)
        ends.append([(p.key, p.replicas, p.isr) for p in cluster.partitions.values()])
    assert ends[0] == ends[1]


async def test_loads_and_series_follow_the_truth() -> None:
    cluster = FakeCluster()
    cluster.cpu_percent[2] = None
    loads = {one.broker_id: one for one in await cluster.metrics.loads(broker_ids=[1, 2, 3])}
    assert loads[1].cpu_percent == 25.0
    assert loads[2].cpu_percent is None
    assert (loads[1].disk_used_percent or 0) > 0
    end = cluster.clock()
    start = cluster.clock().replace(hour=8)
    (one,) = await cluster.metrics.series(
        metric="BytesInPerSec", broker_ids=[1], start=start, end=end
    )
    assert len(one.times) == len(one.values) == 60
    (two,) = await cluster.metrics.series(metric="CpuUser", broker_ids=[2], start=start, end=end)
    assert two.values == ()


async def test_metadata_may_trail_the_controller() -> None:
    cluster = one_partition()
    await cluster.kafka.reassign(targets={("orders", 0): (4, 2, 3)})
    cluster.advance(5)
    await cluster.kafka.partitions()
    cluster.advance(10)
    cluster.stale_partitions = 1
    assert await cluster.kafka.reassignments() == ()
    (stale,) = await cluster.kafka.partitions()
    assert stale.replicas == (4, 2, 3, 1)
    (fresh,) = await cluster.kafka.partitions()
    assert fresh.replicas == (4, 2, 3)


async def test_a_dead_broker_tells_neither_sizes_nor_rates() -> None:
    cluster = FakeCluster()
    cluster.kill(2)
    with pytest.raises(Unreachable, match="broker 2"):
        await cluster.kafka.replica_sizes(broker_ids=[1, 2])
    with pytest.raises(Unreachable, match="broker 2"):
        await cluster.kafka.throttles(topics=[], broker_ids=[1, 2])
    assert {b for b, _, _ in await cluster.kafka.replica_sizes()} == {1, 3}
