"""What holds for every rule about brokers, topics, placement and MSK."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from changes.facts import Partition, TopicSettings
from changes.incident import EVERYTHING
from tests.watch.brokers.seeing import (
    GIB,
    NOW,
    REF,
    Clock,
    group_of,
    lag_of,
    led,
    loads_of,
    look,
    msk_of,
    partition_of,
    seen_of,
)
from watch.rule import Rule
from watch.rules.blind import Blind
from watch.rules.broker_away import BrokerAway
from watch.rules.cluster_state import ClusterState
from watch.rules.cpu_forecast import CpuForecast
from watch.rules.disk_full import DiskFull
from watch.rules.hot_partition import HotPartition
from watch.rules.idle_brokers import IdleBrokers
from watch.rules.imbalance import Imbalance
from watch.rules.lag_witness import LagWitness
from watch.rules.offline_partitions import OfflinePartitions
from watch.rules.partitions_limit import PartitionsLimit
from watch.rules.preferred_leaders import PreferredLeaders
from watch.rules.replication_lag import ReplicationLag
from watch.rules.under_min_isr import UnderMinIsr
from watch.rules.under_replicated import UnderReplicated
from watch.seen import Seen

RULES: tuple[type[Rule[Any]], ...] = (
    Blind,
    BrokerAway,
    ClusterState,
    CpuForecast,
    DiskFull,
    HotPartition,
    IdleBrokers,
    Imbalance,
    LagWitness,
    OfflinePartitions,
    PartitionsLimit,
    PreferredLeaders,
    ReplicationLag,
    UnderMinIsr,
    UnderReplicated,
)
EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@EACH
def test_it_bears_its_files_name_and_says_what_it_cannot_see(rule: type[Rule[Any]]) -> None:
    module = inspect.getmodule(rule)
    assert module is not None
    assert module.__name__ == f"watch.rules.{rule.name}"
    assert len(module.__doc__ or "") > 150
    assert rule.title
    rule.Settings()  # every setting has a default


@EACH
def test_with_nothing_read_nothing_is_found_and_all_is_unseen(rule: type[Rule[Any]]) -> None:
    looked = look(rule(), Seen(at=NOW, cluster=REF, scan_seconds=30))
    assert looked.findings == ()
    if rule is not Blind:
        assert [one.subject for one in looked.unseen] == [EVERYTHING]
        assert all(one.words and one.rule == rule.name for one in looked.unseen)


def healthy(brokers: int) -> dict[str, Any]:
    """A busy cluster of three zones with a topic of every healthy shape."""
    ids = list(range(1, brokers + 1))
    shapes: tuple[tuple[Partition, ...], ...] = (
        led(dict.fromkeys(ids, 40), topic="orders", among=ids, size_bytes=2 * GIB),
        led(dict.fromkeys(ids[:3], 1), topic="three", among=ids, size_bytes=GIB),
        (partition_of("single", 0, tuple(ids[:3]), GIB), partition_of("scratch", 0, (ids[0],))),
        led(dict.fromkeys(ids, 1), topic="__amazon_msk_canary", copies=1),
    )
    parts = tuple(one for shape in shapes for one in shape)
    settings: Mapping[str, TopicSettings] = {one.topic: TopicSettings(min_isr=2) for one in parts}
    return {"number": brokers, "partitions": parts, "topics": settings}


def busy(at: datetime, shape: Mapping[str, Any], *, since: datetime = NOW) -> Seen:
    """Everything breathes a little, nothing is wrong."""
    second = (at - since).total_seconds()
    wave = (second // 60 % 7) - 3
    ids = range(1, shape["number"] + 1)
    ends = {("orders", i): int(1000 + (900 + 10 * i) * second) for i in range(12)}
    groups = {
        "payments": group_of({key: max(0, end - 500) for key, end in ends.items()}),
        "single": group_of({("single", 0): 7}),
    }
    before = at - timedelta(minutes=1)
    return seen_of(
        at,
        **shape,
        lag=lag_of(at, groups=groups, ends={**ends, ("single", 0): 7}),
        group_lag={("payments", "orders"): (before, 6000.0), ("single", "single"): (before, 0.0)},
        loads=loads_of(
            disk_used_percent={i: 61 + 0.1 * i + second / 36_000 for i in ids},
            cpu_percent={i: 35 + 3 * wave + i / 5 for i in ids},
            bytes_in_per_second={i: 5e6 + 2e5 * wave + 1e5 * (i % 3) for i in ids},
            bytes_out_per_second=dict.fromkeys(ids, 9e6),
        ),
    )


@pytest.mark.parametrize("brokers", [3, 6, 9])
def test_forty_minutes_of_a_healthy_busy_cluster_is_silent(brokers: int) -> None:
    shape = healthy(brokers)
    clocks = [Clock(rule(), every=timedelta(minutes=2)) for rule in RULES]
    for i in range(20):
        seen = busy(NOW + i * timedelta(minutes=2), shape)
        for clock in clocks:
            looked = clock.round(seen)
            assert not [one for one in looked.findings if one.phase == "trigger"], clock.minutes
            assert looked.unseen == () or i < 10, "by then everything it needs was seen"
    assert [clock.fired for clock in clocks] == [[]] * len(RULES)


@EACH
def test_express_brokers_are_never_judged_by_what_they_do_not_have(rule: type[Rule[Any]]) -> None:
    """No disks and no balance of ours; everything else is judged as on any cluster."""
    express = msk_of(instance_type="express.m7g.large", volume_gib=None, rebalancing="ACTIVE")
    looked = look(
        rule(), seen_of(msk=express, loads=loads_of(cpu_percent={1: 20.0, 2: 20.0, 3: 20.0}))
    )
    assert looked.findings == ()
    words = " ".join(one.words for one in looked.unseen)
    no_such = (DiskFull, UnderReplicated, Imbalance, IdleBrokers, PreferredLeaders)
    assert ("does not apply" in words) is (rule in no_such)
