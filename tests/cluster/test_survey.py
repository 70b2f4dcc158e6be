"""One survey: whole when all answer, honest when some do not."""

from __future__ import annotations

import pytest

from changes.facts import BrokerRates
from changes.ports import Unreachable
from cluster.survey import survey
from tests.fakes.cluster import GB, FakeCluster


async def test_a_survey_holds_all_that_can_be_seen() -> None:
    cluster = FakeCluster()
    cluster.broker_configs[2] = {"leader.replication.throttled.rate": "5"}
    facts = await survey(cluster.world())
    assert facts.not_seen == ()
    assert facts.taken_at == cluster.clock()
    assert [b.broker_id for b in facts.brokers] == [n.broker_id for n in facts.nodes] == [1, 2, 3]
    assert facts.throttles.brokers == {2: BrokerRates(leader_bytes_per_second=5)}
    sizes = {p.key: p.size_bytes for p in facts.partitions}
    assert sizes["orders-0"] == 4 * GB
    assert len(facts.loads) == 3


async def test_a_partition_is_as_large_as_its_largest_replica() -> None:
    cluster = FakeCluster(brokers=6, topics={"orders": [GB]}, canaries=False)
    await cluster.kafka.reassign(targets={("orders", 0): (4, 2, 3)})
    cluster.advance(0.5)
    facts = await survey(cluster.world())
    assert facts.partitions[0].size_bytes == GB
    assert facts.reassignments[0].adding == (4,)


@pytest.mark.parametrize("call", ["nodes", "throttles", "loads"])
async def test_what_cannot_be_read_is_named(call: str) -> None:
    cluster = FakeCluster()
    cluster.silent.add(call)
    facts = await survey(cluster.world())
    assert len(facts.not_seen) == 1
    assert facts.not_seen[0].startswith(f"{call} of orders-prod")


@pytest.mark.parametrize("call", ["describe", "brokers", "partitions", "reassignments"])
async def test_without_the_essentials_there_are_no_facts(call: str) -> None:
    cluster = FakeCluster()
    cluster.silent.add(call)
    with pytest.raises(Unreachable, match=call):
        await survey(cluster.world())


async def test_partitions_that_nobody_told_the_size_of_are_named() -> None:
    cluster = FakeCluster(topics={"orders": [GB] * 8}, canaries=False)
    cluster.silent.add("replica_sizes")
    facts = await survey(cluster.world())
    named = "orders-0, orders-1, orders-2, orders-3, orders-4 and 3 more"
    assert facts.not_seen[-1] == f"no broker told the size of {named}"


async def test_figures_that_cloudwatch_lacks_are_named() -> None:
    cluster = FakeCluster()
    cluster.cpu_percent |= {2: None, 3: None}
    facts = await survey(cluster.world())
    assert facts.not_seen == ("CloudWatch has no CPU figure of brokers 2, 3",)


async def test_a_dead_broker_costs_neither_sizes_nor_throttles() -> None:
    cluster = FakeCluster()
    cluster.kill(3)
    facts = await survey(cluster.world())
    assert facts.not_seen == ()
    assert all(p.size_bytes > 0 for p in facts.planned_partitions)
    assert any(p.under_replicated for p in facts.partitions)
