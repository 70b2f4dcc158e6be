"""Brokers that are away, that idle, that lead what is not theirs; and MSK's own word."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from changes.facts import MskOperation
from changes.incident import EVERYTHING, Severity
from tests.watch.brokers.seeing import (
    GIB,
    NOW,
    Clock,
    brokers_of,
    led,
    look,
    msk_of,
    only,
    partition_of,
    seen_of,
)
from watch.history import History
from watch.rules.broker_away import BrokerAway
from watch.rules.cluster_state import ClusterState
from watch.rules.idle_brokers import IdleBrokers
from watch.rules.preferred_leaders import PreferredLeaders

AWAY, IDLE, STATE, PREFERRED = BrokerAway(), IdleBrokers(), ClusterState(), PreferredLeaders()
MINUTE = timedelta(minutes=1)


# Away.


def test_a_broker_that_holds_replicas_and_is_gone_is_told_after_3_minutes() -> None:
    clock = Clock(AWAY, every=timedelta(seconds=30))
    while clock.minutes < 10:
        here = brokers_of(3) if clock.minutes < 2 else brokers_of(3)[:2]
        clock.round(seen_of(clock.at, brokers=here))
    ((minute, told),) = clock.fired
    assert minute == 5
    assert told.subject == "broker 3"
    assert told.never_excused, "no change explains that an old broker is gone"
    assert told.lines == ("last seen 03 Nov 09:01 UTC", "replicas it holds are missing")


def test_a_broker_that_msk_counts_and_that_was_here_today_is_missed_too() -> None:
    history = History()
    history.add(seen_of(NOW - timedelta(hours=2), number=4, partitions=led({1: 2, 2: 2, 3: 2})))
    gone = seen_of(number=3, partitions=led({1: 2, 2: 2, 3: 2}), msk=msk_of(broker_count=4))
    assert only(look(AWAY, gone, history)).subject == "broker 4"


def test_while_msk_patches_an_absence_of_minutes_is_no_news() -> None:
    patching = msk_of(state="MAINTENANCE")
    for minutes, alerts in ((15, 0), (25, 1)):
        clock = Clock(AWAY, every=MINUTE)
        while clock.minutes < 40:
            here = brokers_of(3)[:2] if 2 <= clock.minutes < 2 + minutes else brokers_of(3)
            clock.round(seen_of(clock.at, brokers=here, msk=patching))
        assert len(clock.fired) == alerts


@pytest.mark.parametrize("count", [3, None])
def test_a_broker_removed_on_purpose_is_not_missed(count: int | None) -> None:
    history = History()
    history.add(seen_of(NOW - timedelta(hours=2), number=4, partitions=led({1: 2, 2: 2, 3: 2})))
    msk = msk_of(broker_count=count) if count else None
    gone = seen_of(partitions=led({1: 2, 2: 2, 3: 2}), msk=msk)
    assert look(AWAY, gone, history).findings == ()


def test_while_msk_does_not_answer_an_absence_it_alone_can_tell_neither_ends_nor_begins() -> None:
    history = History()
    history.add(seen_of(NOW - timedelta(hours=2), number=4, partitions=led({1: 2, 2: 2, 3: 2})))
    gone = seen_of(partitions=led({1: 2, 2: 2, 3: 2}), msk=None, blind={"msk": "throttled"})
    looked = look(AWAY, gone, history)
    assert [(one.subject, one.words) for one in looked.unseen] == [
        ("broker 4", "throttled"),
        ("new brokers", "throttled"),
    ]


def test_new_brokers_that_are_not_there_yet_can_be_excused() -> None:
    told = only(look(AWAY, seen_of(msk=msk_of(broker_count=6))))
    assert (told.subject, told.kind) == ("new brokers", "new broker away")
    assert told.words == "MSK counts 6 brokers, 3 take part in Kafka"
    assert not told.never_excused
    created = MskOperation(
        arn="op",
        kind="INCREASE_BROKER_COUNT",
        state="UPDATE_COMPLETE",
        created_at=NOW - timedelta(minutes=30),
        created_broker_ids=(4, 5, 6),
    )
    named = look(AWAY, seen_of(msk=msk_of(broker_count=6), operations=(created,)))
    assert [one.subject for one in named.findings] == ["broker 4", "broker 5", "broker 6"]
    assert not any(one.never_excused for one in named.findings)
    history = History()
    history.add(seen_of(NOW - timedelta(minutes=5), number=6, partitions=led({1: 2, 2: 2, 3: 2})))
    back = look(AWAY, seen_of(msk=msk_of(broker_count=6), operations=(created,)), history)
    assert not any(one.never_excused for one in back.findings), "they come and go while they start"


# Idle.


def test_one_idle_broker_is_one_of_several() -> None:
    old = led({1: 20, 2: 20, 3: 20}, size_bytes=GIB)
    clock = Clock(IDLE, every=MINUTE)
    while clock.minutes < 40:
        clock.round(seen_of(clock.at, number=4, partitions=old))
    ((_, told),) = clock.fired
    assert told.words == "1 of 4 brokers holds nothing: 4"


def test_brokers_just_added_are_told_after_half_an_hour_with_a_plan() -> None:
    old = led({1: 200, 2: 200, 3: 200}, size_bytes=GIB)
    clock = Clock(IDLE, every=MINUTE)
    while clock.minutes < 40:
        clock.round(seen_of(clock.at, number=6, partitions=old))
    ((minute, told),) = clock.fired
    assert minute == 30
    assert told.words == "3 of 6 brokers hold nothing: 4, 5, 6"
    assert "a plan moves 966" in told.lines[0]
    assert "idle brokers already" in told.why_not
    assert told.broker_ids == (4, 5, 6)


def test_brokers_that_hold_only_canaries_are_idle() -> None:
    canaries = led({4: 1, 5: 1, 6: 1}, topic="__amazon_msk_canary", copies=1)
    seen = seen_of(number=6, partitions=(*led({1: 9, 2: 9, 3: 9}), *canaries))
    assert only(look(IDLE, seen)).measure == 3


def test_fewer_replicas_than_brokers_leave_some_idle_by_right() -> None:
    parts = (partition_of("a", 0, (1,)), partition_of("b", 0, (2,)))
    assert look(IDLE, seen_of(partitions=parts)).findings == ()
    assert look(IDLE, seen_of(partitions=())).findings == ()


# Leaders off their first replica.


def strayed(off: int, of: int = 60) -> dict[str, Any]:
    """So many of so many partitions are led by their second replica."""
    parts = led(dict.fromkeys((1, 2, 3), of // 3))
    return {
        "partitions": tuple(
            one.with_(leader=one.replicas[1]) if i < off else one for i, one in enumerate(parts)
        )
    }


@pytest.mark.parametrize(
    ("off", "phase"), [(0, None), (4, None), (5, "between"), (6, "trigger"), (60, "trigger")]
)
def test_a_tenth_of_all_leaders_off_their_first_replica(off: int, phase: str | None) -> None:
    found = look(PREFERRED, seen_of(**strayed(off))).findings
    assert [one.phase for one in found] == ([phase] if phase else [])


def test_the_remedy_is_an_election() -> None:
    told = only(look(PREFERRED, seen_of(**strayed(20))))
    assert told.words == "20 of 60 partitions are not led by their first replica"
    assert "moves no data" in told.why_not
    assert told.for_seconds == 900


def test_a_first_replica_that_is_not_in_sync_cannot_lead() -> None:
    parts = tuple(
        one.with_(leader=one.replicas[1], isr=one.replicas[1:]) for one in led({1: 20, 2: 1, 3: 1})
    )
    assert look(PREFERRED, seen_of(partitions=parts)).findings == ()


@pytest.mark.parametrize("rule", [IDLE, PREFERRED], ids=lambda rule: rule.name)
@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"partitions": None}, "metadata"),
        ({"reassignments": None}, "could not be read"),
        ({"msk": msk_of(instance_type="express.m7g.large", rebalancing="ACTIVE")}, "AWS balances"),
    ],
)
def test_without_rest_or_input_balance_is_not_judged(
    rule: Any, parts: dict[str, Any], words: str
) -> None:
    looked = look(rule, seen_of(number=6, **{"partitions": led({1: 9, 2: 9, 3: 9}), **parts}))
    assert looked.findings == ()
    assert words in looked.unseen[0].words
    assert looked.unseen[0].subject == EVERYTHING


def test_without_msk_no_plan_can_be_asked_for() -> None:
    looked = look(IDLE, seen_of(number=6, partitions=led({1: 9, 2: 9, 3: 9}), msk=None))
    assert looked.findings == ()
    assert "MSK does not answer" in looked.unseen[0].words


# MSK's own word.


@pytest.mark.parametrize(
    ("state", "severity"),
    [
        ("ACTIVE", None),
        ("UPDATING", Severity.INFO),
        ("MAINTENANCE", Severity.INFO),
        ("HEALING", Severity.WARN),
        ("FAILED", Severity.CRIT),
        ("SOMETHING_NEW", Severity.WARN),
    ],
)
def test_each_state_has_its_weight(state: str, severity: Severity | None) -> None:
    found = look(STATE, seen_of(msk=msk_of(state=state, state_message="a disk broke"))).findings
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert all(one.lines == ("a disk broke",) for one in found)
    assert all(one.never_excused is (state != "UPDATING") for one in found)


def test_when_msk_does_not_answer_its_state_is_not_active() -> None:
    looked = look(STATE, seen_of(msk=None, blind={"msk": "throttled"}))
    assert (looked.findings, looked.unseen[0].words) == ((), "throttled")
