"""`scale brokers`: what is refused and what is offered instead, and the whole job on a fake cluster."""

from __future__ import annotations

from collections import Counter

import pytest

from changes.catalog.scale_brokers import ScaleBrokers
from changes.facts import ClusterFacts
from changes.plan import CannotPlan, Plan
from changes.ports import Unreachable
from changes.verdict import ExecutionLimits
from cluster.survey import survey
from tests.changes.driving import drive
from tests.fakes.cluster import FakeCluster

LIMITS = ExecutionLimits(throttle_bytes_per_second=50_000_000)
MB = 1_000_000


async def facts_of(cluster: FakeCluster) -> ClusterFacts:
    return await survey(cluster.world())


async def plan_for(cluster: FakeCluster, brokers: int) -> Plan | CannotPlan:
    change = ScaleBrokers(cluster="orders-prod", brokers=brokers)
    return change.plan(await facts_of(cluster), LIMITS)


async def good_plan(cluster: FakeCluster, brokers: int = 6) -> Plan:
    plan = await plan_for(cluster, brokers)
    assert isinstance(plan, Plan), plan
    return plan


@pytest.mark.parametrize(
    ("brokers", "words", "would_pass"),
    [
        (5, "4 or 5 cannot be spread; 6 can", "6"),
        (4, "4 or 5 cannot be spread; 6 can", "6"),
        (7, "7 or 8 cannot be spread; 9 can", "6, 9"),
        (3, "already has 3 brokers", "6"),
        (2, "only grows", "6"),
        (63, "AWS's quota of 60", "60"),
    ],
)
async def test_a_number_msk_would_not_take_is_refused_with_one_it_would(
    brokers: int, words: str, would_pass: str
) -> None:
    cannot = await plan_for(FakeCluster(), brokers)
    assert isinstance(cannot, CannotPlan)
    assert words in cannot.words
    assert cannot.would_pass == would_pass


async def test_a_cluster_that_is_not_active_is_not_planned_for() -> None:
    cluster = FakeCluster()
    cluster.set_state("HEALING")
    cannot = await plan_for(cluster, 6)
    assert isinstance(cannot, CannotPlan)
    assert "HEALING" in cannot.words


async def test_a_broker_that_is_away_stops_the_plan() -> None:
    cluster = FakeCluster()
    cluster.kill(2)
    cannot = await plan_for(cluster, 6)
    assert isinstance(cannot, CannotPlan)
    assert "broker 2 is in MSK's list but not registered" in cannot.words


async def test_moves_of_somebody_else_stop_the_plan() -> None:
    cluster = FakeCluster()
    topic, partition = next(k for k in cluster.partitions if not k[0].startswith("__"))
    before = cluster.partitions[(topic, partition)].replicas
    cluster.start_foreign_reassignment(topic, partition, tuple(reversed(before)))
    cannot = await plan_for(cluster, 6)
    if isinstance(cannot, CannotPlan):
        assert "moved by somebody else" in cannot.words


async def test_express_with_rebalancing_leaves_moving_to_aws() -> None:
    facts = await facts_of(FakeCluster())
    express = facts.with_(
        msk=facts.msk.with_(instance_type="express.m7g.large", rebalancing="ACTIVE")
    )
    plan = ScaleBrokers(cluster="orders-prod", brokers=6).plan(express, LIMITS)
    assert isinstance(plan, Plan)
    assert [type(s).__name__ for s in plan.steps] == ["AddBrokers", "AwaitBrokers", "Validate"]
    paused = express.with_(msk=express.msk.with_(rebalancing="PAUSED"))
    cannot = ScaleBrokers(cluster="orders-prod", brokers=6).plan(paused, LIMITS)
    assert isinstance(cannot, CannotPlan)


async def test_the_plan_names_its_cost_and_its_bound() -> None:
    plan = await good_plan(FakeCluster())
    assert plan.impact.cost_usd_per_month == pytest.approx(759.90)
    assert plan.impact.bytes_lower_bound > 0
    assert plan.impact.duration_seconds_low < plan.impact.duration_seconds_high
    assert plan.policy_facts["scale.brokers_added"] == 3


async def test_the_same_facts_give_the_same_fingerprint() -> None:
    one, other = await good_plan(FakeCluster()), await good_plan(FakeCluster())
    digest = "p" * 64
    first = one.sealed(policy_digest=digest)
    assert first.fingerprint == other.sealed(policy_digest=digest).fingerprint
    assert first.fingerprint != one.sealed(policy_digest="q" * 64).fingerprint
    assert Plan.model_validate_json(first.model_dump_json()).intact


async def test_three_brokers_become_six_and_nothing_is_left_behind() -> None:
    topics = {"orders": [900 * MB] * 12, "clicks": [300 * MB] * 6, "audit": [50 * MB] * 3}
    cluster = FakeCluster(topics=topics)
    plan = await good_plan(cluster)
    driven = await drive(plan, cluster)

    assert not driven.broken
    assert cluster.count("update_broker_count") == 1
    facts = await facts_of(cluster)
    assert facts.reassignments == ()
    assert cluster.broker_configs in ({}, {b: {} for b in cluster.broker_configs})
    assert all(not configs for configs in cluster.topic_configs.values())
    racks = {b.broker_id: b.rack for b in facts.brokers}
    assert len(racks) == 6
    ours = facts.planned_partitions
    assert all(len({racks[b] for b in p.replicas}) == 3 for p in ours)
    assert not any(p.under_replicated for p in ours)
    leaders = Counter(p.leader for p in ours)
    assert max(leaders.values()) - min(leaders.values()) <= 1
    used = Counter(dict.fromkeys(racks, 0))
    for p in ours:
        for b in p.replicas:
            used[b] += p.size_bytes
    mean = sum(used.values()) / 6
    assert max(used.values()) - mean <= 900 * MB / 2
    assert driven.memory["bytes_moved"] == plan.impact.bytes_moved
    assert driven.memory["replicas_moved"] == plan.impact.replicas_moved
    assert driven.memory["leaders_changed"] == plan.impact.leaders_changed


async def test_never_more_partitions_than_allowed_move_at_once() -> None:
    topics = {"orders": [400 * MB] * 60}
    cluster = FakeCluster(topics=topics)
    limits = LIMITS.with_(partitions_in_flight=12, partitions_per_call=5)
    facts = await facts_of(cluster)
    plan = ScaleBrokers(cluster="orders-prod", brokers=6).plan(facts, limits)
    assert isinstance(plan, Plan)
    await drive(plan, cluster, seconds_per_tick=2)
    calls = [c for c in cluster.calls if c[0] == "reassign"]
    assert calls
    assert len(calls) >= plan.impact.partitions_touched / 5


async def test_a_lost_answer_of_msk_adds_brokers_once() -> None:
    cluster = FakeCluster()
    cluster.lose_answers.add("update_broker_count")
    plan = await good_plan(cluster)
    step = plan.steps[0]
    memory = dict(await step.intend(cluster.world()))
    with pytest.raises(Unreachable):
        await step.act(cluster.world(memory=memory))
    while not cluster.operations[0].as_fact().succeeded:
        look = await step.look(cluster.world(memory=memory))
        assert type(look).__name__ == "Underway"
        cluster.advance(5)
    assert type(await step.look(cluster.world(memory=memory))).__name__ == "Finished"
    assert cluster.count("update_broker_count") == 1


async def test_a_failed_operation_says_what_msk_said() -> None:
    cluster = FakeCluster()
    cluster.operation_error = "InsufficientCapacity in use1-az2"
    driven = await drive(await good_plan(cluster), cluster)
    assert driven.broken == "MSK could not add the brokers: InsufficientCapacity in use1-az2"


async def test_others_throttles_are_put_back_as_they_were() -> None:
    cluster = FakeCluster(topics={"orders": [500 * MB] * 12})
    cluster.broker_configs[1] = {"follower.replication.throttled.rate": "7000000"}
    cluster.topic_configs["orders"] = {"leader.replication.throttled.replicas": "99:1"}
    driven = await drive(await good_plan(cluster), cluster)
    assert not driven.broken
    assert cluster.broker_configs[1] == {"follower.replication.throttled.rate": "7000000"}
    assert cluster.topic_configs["orders"] == {"leader.replication.throttled.replicas": "99:1"}
    assert all(not c for b, c in cluster.broker_configs.items() if b != 1)
