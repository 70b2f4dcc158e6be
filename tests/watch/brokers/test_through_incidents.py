"""Real rules through the real evaluator: what a channel sees of a cluster's whole evening."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from changes.excuses import Effect
from changes.facts import Partition
from changes.incident import Family, Severity
from tests.watch.brokers.seeing import (
    GIB,
    brokers_of,
    lag_of,
    led,
    loads_of,
    move_of,
    msk_of,
    seen_of,
)
from tests.watch.brokers.test_every_rule import RULES, busy, healthy
from tests.watch.incidents.stage import START, Stage, lease
from watch.history import History
from watch.rule import Tuned
from watch.seen import Seen

Round = Callable[[datetime, float], Seen]


def evening(
    minutes: float, round_of: Round, *, every: float = 1.0, stage: Stage | None = None
) -> Stage:
    """Every rule looks at every round, and the channel is written down."""
    stage = stage or Stage(rules=RULES)
    history = History()
    rules = [(rule(), Tuned(base=rule.Settings())) for rule in RULES]
    while stage.minute <= minutes:
        seen = round_of(stage.now, stage.minute)
        history.add(seen)
        looked = [rule.look(history, seen, seen.at, tuned) for rule, tuned in rules]
        stage.measures = tuple(one for each in looked for one in each.measures)
        found = [one for each in looked for one in each.findings]
        blind = [one for each in looked for one in each.unseen]
        stage.at(stage.minute, *found, *blind)
        stage.minute += every
    return stage


def test_a_healthy_busy_cluster_gives_the_channel_nothing() -> None:
    shape = healthy(3)
    stage = evening(45, lambda at, _: busy(at, shape, since=START), every=2)
    assert stage.told == []
    assert stage.book.alerts == ()


def test_imbalance_is_one_message_that_ends_when_it_is_mended() -> None:
    hot, mended = led({1: 400, 2: 100, 3: 100}), led({1: 200, 2: 200, 3: 200})

    def round_of(at: datetime, minute: float) -> Seen:
        return seen_of(at, partitions=hot if minute < 30 else mended)

    stage = evening(60, round_of)
    posts = [minute for minute, what in stage.channel() if what == "post"]
    assert posts == [15]
    assert stage.the().ended_at == START + timedelta(minutes=40)
    assert "a plan moves" in " ".join(stage.texts())


def test_a_silent_broker_is_one_notice_and_ends_nothing() -> None:
    full = loads_of(disk_used_percent={1: 91.0, 2: 50.0, 3: 50.0})

    def round_of(at: datetime, minute: float) -> Seen:
        parts: dict[str, Any] = {"loads": full}
        if 10 <= minute < 20:
            parts["lag"] = lag_of(
                at, blind_brokers={2: "no answer"}, missing_groups=frozenset("ab")
            )
            parts["loads"] = None
            parts["blind"] = {"metrics": "throttled"}
        return seen_of(at, **parts)

    stage = evening(40, round_of, every=0.5)
    by_family = {one.family: one for one in stage.kept.values()}
    assert len(stage.kept) == 2
    disk, blind = by_family[Family.CAPACITY], by_family[Family.CLUSTER]
    assert disk.ended_at is None
    assert blind.ended_at is not None
    assert [what for _, what in stage.channel()].count("post") == 2


# An approved change from 3 to 6 brokers, as the watch sees it.


def growing(at: datetime, minute: float) -> Seen:
    """10: MSK adds brokers. 20: they are there. 30 to 60: a partition moves at a time. 61: done."""
    updating = 10 <= minute < 20
    number = 3 if minute < 20 else 6
    moved = 0 if minute < 30 else min(60, int((minute - 30) * 2))
    partitions = tuple(placed(i, moved, minute) for i in range(60))
    running = 30 <= minute < 60
    disks = {i: 60 - moved / 2 if i <= 3 else moved / 2 for i in range(1, number + 1)}
    return seen_of(
        at,
        number=number,
        partitions=partitions,
        reassignments=(move_of("orders", moved, to=[4, 5, 6], away=[1, 2, 3]),) if running else (),
        msk=msk_of(
            state="UPDATING" if updating else "ACTIVE", broker_count=3 if minute < 10 else 6
        ),
        loads=loads_of(
            disk_used_percent=disks, cpu_percent=dict.fromkeys(disks, 65.0 if running else 25.0)
        ),
        leases=(change(minute),) if minute >= 9 else (),
    )


def placed(i: int, moved: int, minute: float) -> Partition:
    """Every second partition goes to the new brokers; the one under way is not in sync there."""
    start = i % 3
    old = tuple((start + k) % 3 + 1 for k in range(3))
    new = tuple((start + k) % 3 + 4 for k in range(3))
    here = new if i < moved and i % 2 == 0 else old
    isr, replicas = here, here
    if i == moved and 30 <= minute < 60:
        isr, replicas = old, (*old, *new)
    return Partition(
        topic="orders", partition=i, replicas=replicas, isr=isr, leader=isr[0], size_bytes=GIB
    )


def change(minute: float) -> Any:
    ended = START + timedelta(minutes=62) if minute >= 62 else None
    return lease(
        Effect.ADDS_BROKERS,
        Effect.MOVES_REPLICAS,
        Effect.MOVES_LEADERS,
        Effect.LOADS_BROKERS,
        minute=9,
        broker_ids=(1, 2, 3, 4, 5, 6),
        ended_at=ended,
    )


def test_an_approved_change_from_3_to_6_makes_no_noise() -> None:
    stage = Stage(rules=RULES)

    def round_of(at: datetime, minute: float) -> Seen:
        seen = growing(at, minute)
        stage.leases = seen.leases
        return seen

    evening(150, round_of, stage=stage)
    assert stage.channel() == [], stage.told
    assert stage.kept == {}


def test_the_same_evening_without_an_approved_change_is_loud() -> None:
    stage = evening(70, growing)
    told = {one.finding.rule for kept in stage.kept.values() for one in kept.alerts}
    assert {"cluster_state", "cpu_forecast", "replication_lag"} <= told


def test_a_broker_that_dies_during_the_change_is_told_all_the_same() -> None:
    stage = Stage(rules=RULES)

    def round_of(at: datetime, minute: float) -> Seen:
        seen = growing(at, minute)
        stage.leases = seen.leases
        if minute < 40:
            return seen
        here = tuple(one for one in brokers_of(6) if one.broker_id != 2)
        return seen_of(
            at,
            number=6,
            partitions=seen.partitions,
            brokers=here,
            reassignments=seen.reassignments,
            leases=seen.leases,
        )

    evening(50, round_of, stage=stage)
    (told,) = (one for one in stage.kept.values() if one.family is Family.CLUSTER)
    assert told.told is Severity.WARN
    assert [one.finding.words for one in told.firing] == [
        "broker 2 does not take part in the cluster"
    ], "its missing copies are held back: they have the same cause"
