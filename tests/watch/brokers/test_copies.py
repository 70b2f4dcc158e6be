"""Missing copies, missing leaders, too few in sync, copies on their way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from changes.excuses import ChangeLease, Effect
from changes.facts import Partition, TopicSettings
from changes.incident import EVERYTHING, Severity
from tests.watch.brokers.seeing import (
    NOW,
    Clock,
    brokers_of,
    led,
    look,
    move_of,
    msk_of,
    only,
    partition_of,
    seen_of,
)
from watch.rule import Rule
from watch.rules.offline_partitions import OfflinePartitions
from watch.rules.replication_lag import ReplicationLag
from watch.rules.under_min_isr import UnderMinIsr
from watch.rules.under_replicated import UnderReplicated

URP, OFFLINE, MIN_ISR, FILLING = (
    UnderReplicated(),
    OfflinePartitions(),
    UnderMinIsr(),
    ReplicationLag(),
)
ALL: tuple[Rule[Any], ...] = (URP, OFFLINE, MIN_ISR, FILLING)
MINUTE = timedelta(minutes=1)


def without(partitions: tuple[Partition, ...], broker: int) -> tuple[Partition, ...]:
    """As metadata shows them while this broker is away: leaders moved on, copies out of sync."""

    def one(partition: Partition) -> Partition:
        isr = tuple(b for b in partition.isr if b != broker)
        return partition.with_(isr=isr, leader=isr[0] if isr else None)

    return tuple(one(partition) for partition in partitions)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_a_healthy_cluster_is_silent(rule: Rule[Any]) -> None:
    looked = look(rule, seen_of(number=6))
    assert (looked.findings, looked.unseen) == ((), ())


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_without_metadata_it_says_so(rule: Rule[Any]) -> None:
    looked = look(rule, seen_of(partitions=None, blind={"placement": "nobody answers"}))
    assert looked.findings == ()
    assert [(one.subject, one.words) for one in looked.unseen] == [(EVERYTHING, "nobody answers")]


# Under-replicated.


def test_the_broker_that_lacks_the_copies_is_the_subject() -> None:
    parts = without(led({1: 4, 2: 4, 3: 4}), 2)
    told = only(look(URP, seen_of(partitions=parts, brokers=brokers_of(3)[::2])))
    assert told.subject == "broker 2"
    assert told.broker_ids == (2,)
    assert told.words == "12 partitions are without an in-sync copy on broker 2"
    assert told.lines[0] == "broker 2 does not take part just now"
    assert not told.never_excused, "a change may explain it on the brokers of its plan"
    assert Effect.MOVES_REPLICAS in URP.excused_by


def test_a_restart_of_four_minutes_is_not_told_and_six_are() -> None:
    parts = led({1: 4, 2: 4, 3: 4})
    for minutes, alerts in ((4, 0), (6, 1)):
        clock = Clock(URP, every=timedelta(seconds=30))
        while clock.minutes < 20:
            away = 5 <= clock.minutes < 5 + minutes
            clock.round(seen_of(clock.at, partitions=without(parts, 2) if away else parts))
        assert len(clock.fired) == alerts


def test_the_leader_they_have_in_common_is_named() -> None:
    parts = tuple(partition_of("orders", i, (1, 4 + i % 2, 2), isr=(1, 2)) for i in range(8))
    found = look(URP, seen_of(number=6, partitions=parts)).findings
    assert [one.subject for one in found] == ["broker 4", "broker 5"]
    assert all("led by broker 1: look there first" in one.lines[-1] for one in found)
    assert found[0].lines[0] == "broker 4 takes part, but lags behind"


def test_copies_a_reassignment_brings_are_not_missing() -> None:
    moved = partition_of("orders", 0, (1, 2, 3, 4), isr=(1, 2, 3))
    seen = seen_of(
        number=4, partitions=(moved,), reassignments=(move_of("orders", 0, to=[4], away=[3]),)
    )
    assert look(URP, seen).findings == ()
    worse = moved.with_(isr=(1, 2))
    assert only(look(URP, seen_of(number=4, partitions=(worse,), reassignments=seen.reassignments)))


def test_express_keeps_its_copies_itself() -> None:
    parts = without(led({1: 4, 2: 4, 3: 4}), 2)
    looked = look(URP, seen_of(partitions=parts, msk=msk_of(instance_type="express.m7g.large")))
    assert looked.findings == ()
    assert "does not apply" in looked.unseen[0].words


def test_without_reassignments_nobody_knows_which_copies_are_missing() -> None:
    parts = without(led({1: 4, 2: 4, 3: 4}), 2)
    for rule in (URP, FILLING):
        looked = look(rule, seen_of(partitions=parts, reassignments=None))
        assert looked.findings == ()
        assert looked.unseen[0].subject == EVERYTHING


# Offline.


def test_no_leader_is_critical_at_the_second_look_and_never_excused() -> None:
    parts = without(led({1: 2, 2: 2}, topic="one", copies=1), 1)
    clock = Clock(OFFLINE, every=timedelta(seconds=30))
    for _ in range(10):
        clock.round(seen_of(clock.at, number=2, partitions=parts, brokers=brokers_of(3)[1:2]))
    ((minute, told),) = clock.fired
    assert minute == 0.5
    assert (told.severity, told.never_excused) == (Severity.CRIT, True)
    assert told.subject == "topic one"
    assert told.words == "2 partitions are offline: nobody can write or read"
    assert told.lines == (
        "one-0, one-1",
        "they have copies on broker 1, which does not take part",
    )


def test_an_election_that_takes_a_moment_is_not_told() -> None:
    parts = led({1: 4, 2: 4, 3: 4})
    clock = Clock(OFFLINE, every=timedelta(seconds=30))
    for i in range(10):
        electing = tuple(one.with_(leader=None) for one in parts)
        clock.round(seen_of(clock.at, partitions=electing if i == 4 else parts))
    assert clock.fired == []


def test_a_leader_of_minus_one_is_none() -> None:
    assert only(look(OFFLINE, seen_of(partitions=(partition_of("a", 0, (1,), leader=-1),))))


def test_canaries_offline_are_msks_business() -> None:
    canary = partition_of("__amazon_msk_canary", 0, (1,), leader=None, isr=())
    for rule in (OFFLINE, MIN_ISR):
        looked = look(rule, seen_of(partitions=(canary, *led({1: 1, 2: 1, 3: 1}))))
        assert looked.findings == ()


def test_thousands_of_topics_at_once_stay_a_bounded_number_of_findings() -> None:
    parts = tuple(partition_of(f"t{i:04}", 0, (1,), leader=None, isr=()) for i in range(5000))
    found = look(OFFLINE, seen_of(partitions=parts)).findings
    assert len(found) == 51
    assert found[-1].subject == "other topics"
    assert found[-1].words == "4,950 partitions are offline: nobody can write or read"


def test_what_is_beyond_the_limit_is_told_while_its_number_changes() -> None:
    """Topic after topic loses its leader: the others are one alert all along."""
    clock = Clock(OFFLINE, every=timedelta(seconds=15))
    for i in range(20):
        parts = tuple(partition_of(f"t{n:04}", 0, (1,), leader=None, isr=()) for n in range(60 + i))
        clock.round(seen_of(clock.at, partitions=parts))
    assert len(clock.fired) == 51
    assert clock.ended == []


# Under min ISR.


@pytest.mark.parametrize(("in_sync", "least", "bad"), [(2, 2, False), (1, 2, True), (2, 3, True)])
def test_fewer_in_sync_than_the_topic_asks_for(in_sync: int, least: int, bad: bool) -> None:
    part = partition_of("orders", 0, (1, 2, 3), isr=(1, 2, 3)[:in_sync])
    settings = {"orders": TopicSettings(min_isr=least)}
    found = look(MIN_ISR, seen_of(partitions=(part,), topics=settings)).findings
    assert [one.severity for one in found] == ([Severity.CRIT] if bad else [])
    assert all(one.never_excused for one in found)


def test_a_topic_made_with_too_few_copies_is_a_mistake_of_its_making() -> None:
    part = partition_of("scratch", 0, (1,))
    settings = {"scratch": TopicSettings(min_isr=2)}
    assert look(MIN_ISR, seen_of(partitions=(part,), topics=settings)).findings == ()


def test_a_partition_without_a_leader_is_told_once_by_the_other_rule() -> None:
    part = partition_of("orders", 0, (1, 2, 3), isr=(), leader=None)
    assert look(MIN_ISR, seen_of(partitions=(part,))).findings == ()


def test_an_unknown_setting_is_not_judged_and_said() -> None:
    parts = (partition_of("a", 0, (1, 2, 3), isr=(1,)), partition_of("b", 0, (1, 2, 3)))
    one = look(MIN_ISR, seen_of(partitions=parts, topics={"b": TopicSettings(min_isr=2)}))
    assert (one.findings, [x.subject for x in one.unseen]) == ((), ["topic a"])
    none = look(MIN_ISR, seen_of(partitions=parts, topics={}))
    assert [x.subject for x in none.unseen] == [EVERYTHING]


# Copies on their way.


def filling(in_sync: int) -> dict[str, Any]:
    parts = tuple(
        partition_of("orders", i, (1, 2, 4), isr=(1, 2, 4) if i < in_sync else (1, 2))
        for i in range(10)
    )
    moves = tuple(move_of("orders", i, to=[4], away=[3]) for i in range(10))
    return {"number": 4, "partitions": parts, "reassignments": moves}


def test_progress_is_shown_and_a_standstill_of_an_hour_is_told() -> None:
    clock = Clock(FILLING, every=MINUTE)
    while clock.minutes < 90:
        done = min(7, int(clock.minutes // 4))
        clock.round(seen_of(clock.at, **filling(done)))
    (first_at, shown), (second_at, told) = clock.fired
    assert (first_at, shown.severity) == (10, Severity.INFO)
    assert shown.words == "8 of 10 replicas moving to broker 4 are not in sync yet"
    assert (second_at, told.severity) == (28 + 60, Severity.WARN)
    assert told.words == "3 of 10 replicas moving to broker 4 are not in sync yet"
    assert told.lines[0] == "none came into sync for 60 min"
    assert told.broker_ids == (4,)


def test_time_in_which_nobody_looked_is_no_standstill() -> None:
    """A clock that was set, or a watch that was away: an hour more on the clock proves nothing."""
    clock = Clock(FILLING, every=MINUTE)
    while clock.minutes < 15:
        clock.round(seen_of(clock.at, **filling(3)))
    clock.at += timedelta(hours=1)
    for _ in range(30):
        clock.round(seen_of(clock.at, **filling(3)))
    assert {told.severity for _, told in clock.fired} == {Severity.INFO}
    for _ in range(20):
        clock.round(seen_of(clock.at, **filling(3)))
    assert clock.fired[-1][1].lines[0] == "none came into sync for 60 min"


def test_moves_of_somebody_else_are_called_that() -> None:
    told = only(look(FILLING, seen_of(**filling(2))))
    assert "somebody else" in told.lines[-1]
    ours = ChangeLease(
        request_id="R-1", cluster="orders", title="scale brokers 6", effects=(), started_at=NOW
    )
    told = only(look(FILLING, seen_of(**filling(2), leases=(ours,))))
    assert not any("somebody else" in line for line in told.lines)


def test_all_in_sync_is_nothing_to_tell() -> None:
    assert look(FILLING, seen_of(**filling(10))).findings == ()
