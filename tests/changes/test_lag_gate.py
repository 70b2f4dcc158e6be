"""The gate on consumer lag: who joined those in trouble, since when, and what is said of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes.lag_gate import KEY, OLD, LagGate, LagSeen, Trouble
from tests.changes.toys import NOW


def ago(minutes: float) -> Trouble:
    at = NOW - timedelta(minutes=minutes)
    return Trouble(kind="falling behind", began_at=at - timedelta(minutes=1), certain_at=at)


def seen(**minutes_ago: float) -> LagSeen:
    return LagSeen(at=NOW, groups={name: ago(minutes) for name, minutes in minutes_ago.items()})


def gate(
    lag: LagSeen | None,
    *,
    batch_minutes_ago: float | None = 30,
    quiet_minutes: float | None = None,
) -> LagGate:
    """A batch began half an hour ago, and something moves, unless told otherwise."""
    memory = {}
    if batch_minutes_ago is not None:
        memory = {KEY: (NOW - timedelta(minutes=batch_minutes_ago)).isoformat()}
    quiet = None if quiet_minutes is None else NOW - timedelta(minutes=quiet_minutes)
    return LagGate(lag, memory, NOW, quiet, NOW - timedelta(minutes=60))


def test_who_joined_since_the_last_batch_holds_the_next() -> None:
    words = gate(seen(payments=20, audit=40)).hold()
    assert words.startswith(
        "consumer groups got into trouble since the last batch began (payments: falling behind); "
    )
    assert "/kafka mute group NAME" in words


@pytest.mark.parametrize(
    "quiet",
    [
        pytest.param(gate(None), id="nobody watches"),
        pytest.param(gate(seen()), id="all are well"),
        pytest.param(gate(seen(payments=31, audit=3000)), id="behind before the batch"),
        pytest.param(gate(seen(payments=1), batch_minutes_ago=None), id="no batch was begun"),
    ],
)
def test_nothing_holds_and_nothing_is_said(quiet: LagGate) -> None:
    assert (quiet.hold(), quiet.over(), quiet.say()) == ("", "", "")


def test_a_batch_between_the_beginning_and_the_certainty_does_not_hide_a_group() -> None:
    """It takes the watch a while to be sure, and batches begin every few seconds."""
    assert "payments" in gate(seen(payments=1), batch_minutes_ago=1.5).hold()


def test_what_began_before_anything_moved_holds_nothing() -> None:
    assert gate(seen(payments=59.5), batch_minutes_ago=59.8).hold() == ""


def test_any_number_of_groups_is_counted_and_three_are_named() -> None:
    many = LagSeen(at=NOW, groups={f"g{number:05}": ago(1) for number in range(5_000)})
    assert (
        "(g00000: falling behind; g00001: falling behind; g00002: falling behind; 4997 more)"
        in (gate(many).hold())
    )


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_watch_that_has_not_looked_for_a_while_makes_nobody_well(minutes: float) -> None:
    """Also one whose clock is ahead: when it looked cannot be told."""
    old = seen(payments=20).with_(at=NOW + timedelta(minutes=minutes))
    assert "payments" in gate(old).hold()
    assert gate(old).say() == OLD


def test_it_gives_up_where_nothing_moved_for_long_and_says_so() -> None:
    given_up = gate(seen(payments=20), quiet_minutes=15)
    assert given_up.hold() == ""
    assert given_up.over() == (
        "nothing moved for 15 min and consumer groups are still in trouble "
        "(payments: falling behind), so the moves are not what hurts them"
    )


@pytest.mark.parametrize(
    "waits",
    [
        gate(seen(payments=20), quiet_minutes=14),
        gate(seen(payments=20), quiet_minutes=0),
        gate(seen(payments=20), quiet_minutes=None),
        gate(seen(payments=3), quiet_minutes=25),
    ],
    ids=["quiet not for long", "copies ended this moment", "copies run", "in trouble not for long"],
)
def test_it_does_not_give_up_early(waits: LagGate) -> None:
    assert "payments" in waits.hold()
    assert waits.over() == ""


def test_one_that_was_given_up_does_not_hide_another() -> None:
    again = gate(seen(payments=20, audit=1), quiet_minutes=20)
    assert "audit" in again.hold()
    assert "payments" not in again.hold()
    assert again.over() == "", "it is not over"


def test_a_batch_remembers_its_moment() -> None:
    assert gate(None).batch() == {KEY: NOW.isoformat()}


def test_names_are_cut_and_harmless() -> None:
    hostile = "<!channel>) `rm` (" + "x" * 500
    words = gate(LagSeen(at=NOW, groups=dict.fromkeys((hostile, *"abcd"), ago(1)))).hold()
    assert "<" not in words
    assert len(words) < 500
    assert "; 2 more)" in words
    assert words.count("(") == words.count(")") == 1
