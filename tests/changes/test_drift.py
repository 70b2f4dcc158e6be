"""What happened between plan and start: everything that matters is seen, and nothing that does not.

Each case bends a fake cluster after the real plan was made and holds the plan against a real survey.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from changes.catalog.scale_brokers import ScaleBrokers
from changes.moves import ReplicaMove
from changes.plan import Plan
from changes.readiness import not_yet
from changes.steps_replicas import MoveReplicas
from changes.verdict import ExecutionLimits
from cluster.survey import survey
from tests.fakes.cluster import GB, FakeCluster

MB = 1_000_000


class Bent(FakeCluster):
    """A cluster that was planned for and is about to be another."""

    moves: tuple[ReplicaMove, ...] = ()


Bend = Callable[[Bent], None]
TOPICS = {
    "orders": [4 * GB, 1 * GB, 1 * GB, 2 * GB, 1 * GB, 3 * GB],
    "payments": [GB // 2] * 12,
    "__consumer_offsets": [10 * MB] * 6,
    **{f"small-{number}": [1 * MB] for number in range(24)},
}
TINY, PARKED = "small-11", "small-13"
"""Two of the small topics that the plan leaves alone."""


def cluster_before() -> Bent:
    cluster = Bent(topics=TOPICS)
    cluster.broker_configs[1] = {"leader.replication.throttled.rate": "5000000"}
    for number in range(24):
        listed = {"leader.replication.throttled.replicas": "0:1,0:2"}
        cluster.topic_configs[f"small-{number}"] = listed
    return cluster


async def planned(cluster: Bent) -> Plan:
    facts = await survey(cluster.world())
    plan = ScaleBrokers(cluster="orders-prod", brokers=6).plan(facts, ExecutionLimits())
    assert isinstance(plan, Plan), plan
    cluster.moves = next(step.moves for step in plan.steps if isinstance(step, MoveReplicas))
    touched = {move.topic for move in cluster.moves}
    assert "orders" in touched
    assert not touched & {TINY, PARKED}, sorted(set(TOPICS) - touched)
    return plan


async def sentences(bend: Bend) -> tuple[str, ...]:
    """Why the plan does not start: what passes first, then what lasts."""
    cluster = cluster_before()
    plan = await planned(cluster)
    bend(cluster)
    facts = await survey(cluster.world())
    wait = not_yet(facts)
    return ((wait,) if wait else ()) + plan.differences(facts)


def _msk(**fields: object) -> Bend:
    return lambda cluster: cluster.msk_says.update(fields)


def _state(state: str) -> Bend:
    return lambda cluster: cluster.set_state(state)


def _scaled_in_the_console(to: int) -> Bend:
    def bend(cluster: Bent) -> None:
        cluster.broker_count = to
        for broker_id in range(4, to + 1):
            cluster.register(broker_id)
        cluster.bump_version()

    return bend


def _replaced(cluster: Bent) -> None:
    gone = cluster.brokers.pop(3)
    cluster.register(7)
    cluster.brokers[7].rack = gone.rack
    for one in cluster.partitions.values():
        one.replicas = tuple(7 if b == 3 else b for b in one.replicas)
        one.isr, one.leader = one.replicas, one.replicas[0]


def _other_rack(cluster: Bent) -> None:
    cluster.brokers[2].rack = "use1-az6"


def _replicas(change: Callable[[tuple[int, ...]], tuple[int, ...]], topic: str = "orders") -> Bend:
    """Somebody edits a replica list; the copy is complete by the time it is looked at."""

    def bend(cluster: Bent) -> None:
        move = next(m for m in cluster.moves if m.topic == topic)
        one = cluster.partitions[move.topic, move.partition]
        one.replicas = one.isr = change(one.replicas)
        one.leader = one.replicas[0]

    return bend


def _untouched(change: Callable[[tuple[int, ...]], tuple[int, ...]], topic: str) -> Bend:
    """The same to a partition that the plan leaves where it is."""

    def bend(cluster: Bent) -> None:
        moving = {(m.topic, m.partition) for m in cluster.moves}
        key = next(k for k in cluster.partitions if k[0] == topic and k not in moving)
        one = cluster.partitions[key]
        one.replicas = one.isr = change(one.replicas)
        one.leader = one.replicas[0]

    return bend


def _deleted(topic: str) -> Bend:
    return lambda cluster: cluster.delete_topic(topic)


def _recreated(cluster: Bent) -> None:
    cluster.delete_topic("orders")
    cluster.add_topic("orders", sizes=[1 * GB] * 6, replication_factor=2)


def _grown(topic: str, factor: float) -> Bend:
    def bend(cluster: Bent) -> None:
        for key, one in cluster.partitions.items():
            if key[0] == topic:
                one.size_bytes = int(one.size_bytes * factor)

    return bend


def _topic(name: str, *sizes: int) -> Bend:
    return lambda cluster: cluster.add_topic(name, sizes=sizes)


def _more_partitions(topic: str, size: int) -> Bend:
    def bend(cluster: Bent) -> None:
        sizes = [p.size_bytes for k, p in cluster.partitions.items() if k[0] == topic]
        before = {k: p for k, p in cluster.partitions.items() if k[0] == topic}
        cluster.add_topic(topic, sizes=[*sizes, size])
        cluster.partitions.update(before)

    return bend


def _foreign(topic: str) -> Bend:
    def bend(cluster: Bent) -> None:
        cluster.register(4)
        cluster.broker_count = 4
        key = next(k for k in cluster.partitions if k[0] == topic)
        kept = cluster.partitions[key].replicas[:2]
        cluster.start_foreign_reassignment(topic, key[1], (*kept, 4))

    return bend


def _rate(broker_id: int, key: str, value: str | None) -> Bend:
    def bend(cluster: Bent) -> None:
        configs = cluster.broker_configs.setdefault(broker_id, {})
        configs.pop(key, None)
        if value is not None:
            configs[key] = value

    return bend


def _config(topic: str, key: str, value: str) -> Bend:
    return lambda cluster: cluster.topic_configs.setdefault(topic, {}).update({key: value})


def _killed(cluster: Bent) -> None:
    cluster.kill(2)


def _offline(cluster: Bent) -> None:
    cluster.partitions[TINY, 0].leader = None


def _thin(topic: str) -> Bend:
    def bend(cluster: Bent) -> None:
        one = cluster.partitions[topic, 0]
        one.isr = one.replicas[:2]

    return bend


def _leaders_moved(cluster: Bent) -> None:
    for one in cluster.partitions.values():
        one.leader = one.replicas[-1]


def _restarted(cluster: Bent) -> None:
    cluster.kill(2)
    cluster.advance(30)
    cluster.restart(2)
    cluster.advance(30)


def _isr_turned(cluster: Bent) -> None:
    for one in cluster.partitions.values():
        one.isr = tuple(reversed(one.isr))


def _busy(percent: float | None) -> Bend:
    return lambda cluster: cluster.cpu_percent.update(dict.fromkeys((1, 2, 3), percent))


def _silent(port: str) -> Bend:
    return lambda cluster: cluster.silent.add(port)


def _traffic(cluster: Bent) -> None:
    cluster.bytes_in_per_second_per_leader *= 40


def _many(cluster: Bent) -> None:
    for number in range(40):
        cluster.add_topic(f"t{number}", sizes=[MB] * 3)


def _canaries(cluster: Bent) -> None:
    cluster.delete_topic("__amazon_msk_canary")
    cluster.add_topic("__amazon_msk_canary", sizes=[5 * GB] * 9)
    cluster.add_topic("__amazon_msk_canary_state", sizes=[5 * GB])


def _a_day(cluster: Bent) -> None:
    cluster.advance(86_400)


def _azs_in_another_order(cluster: Bent) -> None:
    cluster.msk_says["az_ids"] = tuple(reversed(cluster.azs))


def void(*_: object) -> None:
    """A lambda's way to say that nothing comes of it."""


def turned(replicas: tuple[int, ...]) -> tuple[int, ...]:
    return (*replicas[1:], replicas[0])


RELEVANT: dict[str, tuple[Bend, str]] = {
    "target reached in the console": (_scaled_in_the_console(6), "MSK has 6 brokers, it had 3"),
    "grown beyond the target": (_scaled_in_the_console(9), "MSK has 9 brokers"),
    "broker type moved": (_msk(instance_type="kafka.m7g.large"), "are kafka.m7g.large"),
    "Kafka upgraded": (_msk(kafka_version="4.2.x.kraft"), "Kafka 4.2.x.kraft, they ran 4.1"),
    "volumes grown": (_msk(volume_gib=2000), "has 2000 GiB, it had 1000"),
    "some other update": (lambda c: void(c.bump_version()), "somebody changed the cluster"),
    "another AZ": (_msk(az_ids=("use1-az1", "use1-az2", "use1-az6")), "the AZs are"),
    "HEALING": (_state("HEALING"), "HEALING; work starts when"),
    "MAINTENANCE": (_state("MAINTENANCE"), "MAINTENANCE; work starts when"),
    "REBOOTING_BROKER": (_state("REBOOTING_BROKER"), "REBOOTING_BROKER; work starts when"),
    "UPDATING": (_state("UPDATING"), "UPDATING; work starts when"),
    "FAILED": (_state("FAILED"), "FAILED; work starts when"),
    "DELETING": (_state("DELETING"), "DELETING; work starts when"),
    "an operation runs": (_msk(active_operation_arn="arn:x"), "operation of somebody else"),
    "broker away": (_killed, "broker 2 is not in Kafka"),
    "broker replaced": (_replaced, "broker 3 is not there any more"),
    "broker more than MSK counts": (lambda c: c.register(4), "broker 4 is new"),
    "broker in another AZ": (_other_rack, "broker 2 is in use1-az6, it was in use1-az2"),
    "replicas moved by hand": (_replicas(lambda r: (*r[:2], 9)), "has replicas"),
    "preferred leader changed": (_replicas(turned), "has replicas"),
    "a small one's leader too": (_replicas(turned, "__consumer_offsets"), "has replicas"),
    "fewer replicas": (_replicas(lambda r: r[:2]), "has replicas"),
    "more replicas": (_replicas(lambda r: (*r, 4)), "has replicas"),
    "elsewhere in a touched topic": (_untouched(turned, "payments"), "topic payments has other"),
    "fewer replicas elsewhere": (_untouched(lambda r: r[:1], "orders"), "topic orders has other"),
    "touched topic deleted": (_deleted("orders"), "does not exist any more"),
    "internal topic deleted": (_deleted("__consumer_offsets"), "__consumer_offsets was deleted"),
    "touched topic made again": (_recreated, "has replicas"),
    "touched topic has partitions more": (_more_partitions("orders", 0), "topic orders has other"),
    "outgrown": (_grown("orders", 1.8), "topic orders grew from"),
    "outgrown ten times": (_grown("payments", 10), "topic payments grew from"),
    "large topic on moving brokers": (_topic("big", *[GB] * 6), "topic big is new"),
    "one large partition": (_topic("blob", 2 * GB), "topic blob is new"),
    "small one grown large": (_more_partitions(TINY, 3 * GB), f"topic {TINY} has other"),
    "foreign move of ours": (_foreign("orders"), "reassigned by somebody else"),
    "foreign move of others": (_foreign(PARKED), f"{PARKED}-0 is being reassigned"),
    "broker throttled": (_rate(2, "follower.replication.throttled.rate", "1000"), "of broker 2"),
    "throttle changed": (_rate(1, "leader.replication.throttled.rate", "99"), "of broker 1"),
    "replicas listed": (_config("orders", "leader.replication.throttled.replicas", "*"), "orders"),
    "offline": (_offline, f"have no leader ({TINY}-0)"),
    "under-replicated": (_thin(PARKED), f"under-replicated ({PARKED}-0)"),
}
HARMLESS: dict[str, Bend] = {
    "nothing": void,
    "CPU at 99 %": _busy(99.0),
    "CPU unknown": _busy(None),
    "CloudWatch is silent": _silent("metrics"),
    "traffic forty times": _traffic,
    "disks fuller": lambda c: c.disk_used_percent.update({1: 84.0, 2: 30.0}),
    "leaders moved": _leaders_moved,
    "a broker restarted": _restarted,
    "in-sync lists in another order": _isr_turned,
    "data grew by 20 %": _grown("orders", 1.2),
    "data grew by 45 %": _grown("payments", 1.45),
    "data expired": _grown("orders", 0.2),
    "offsets doubled": _grown("__consumer_offsets", 2),
    "a small topic grew": _grown(TINY, 20),
    "a new empty topic": _topic("fresh", *[0] * 12),
    "a new small topic": _topic("events", *[10 * MB] * 6),
    "many new topics": _many,
    "a small topic deleted": _deleted(PARKED),
    "a throttled small topic deleted": _deleted(TINY),
    "a small topic moved by hand": _untouched(turned, TINY),
    "a small topic with fewer replicas": _untouched(lambda r: r[:2], PARKED),
    "a small topic has partitions more": _more_partitions(TINY, 0),
    "retention changed": _config("orders", "retention.ms", "3600000"),
    "min.insync.replicas changed": _config("orders", "min.insync.replicas", "2"),
    "somebody's throttle ended": _rate(1, "leader.replication.throttled.rate", None),
    "throttled entries ended": _config(TINY, "leader.replication.throttled.replicas", "0:1"),
    "canaries come and go": _canaries,
    "a day later": _a_day,
    "AZs in another order": _azs_in_another_order,
    "MSK says something nice": _msk(state_message="all is well"),
}


@pytest.mark.parametrize("name", RELEVANT)
async def test_a_relevant_change_is_said_in_words(name: str) -> None:
    bend, words = RELEVANT[name]
    found = await sentences(bend)
    assert any(words in one for one in found), found


@pytest.mark.parametrize("name", HARMLESS)
async def test_a_harmless_change_is_not_seen(name: str) -> None:
    assert await sentences(HARMLESS[name]) == ()


def test_there_are_enough_of_them() -> None:
    assert len(RELEVANT) >= 30
    assert len(HARMLESS) >= 30


async def test_express_with_rebalancing_paused_meanwhile_is_seen() -> None:
    cluster = FakeCluster(topics=TOPICS, instance_type="express.m7g.large")
    cluster.msk_says["rebalancing"] = "ACTIVE"
    plan = ScaleBrokers(cluster="orders-prod", brokers=6).plan(
        await survey(cluster.world()), ExecutionLimits()
    )
    assert isinstance(plan, Plan)
    cluster.msk_says["rebalancing"] = "PAUSED"
    assert plan.differences(await survey(cluster.world())) == (
        "rebalancing is PAUSED, it was ACTIVE",
    )
