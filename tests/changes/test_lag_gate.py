"""The gate on consumer lag: who joined those in trouble, since when, and what is said of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import pytest
from pydantic import JsonValue

from changes.lag_gate import GROUPS_MAX, KEY, OLD, LagGate, LagSeen, Trouble
from tests.changes.toys import NOW

QUARTER = timedelta(minutes=15)


def seen(*names: str, kind: str = "falling behind", minutes_ago: float = 0) -> LagSeen:
    trouble = Trouble(kind=kind, since=NOW - timedelta(minutes=minutes_ago))
    return LagSeen(at=NOW, groups=dict.fromkeys(names, trouble))


def gate(
    lag: LagSeen | None,
    *,
    before: Collection[str] | None = (),
    held_minutes: float | None = None,
    moving: bool = False,
) -> LagGate:
    held_since = None if held_minutes is None else NOW - timedelta(minutes=held_minutes)
    memory: dict[str, JsonValue] = {} if before is None else {KEY: list[JsonValue](before)}
    return LagGate(lag, memory, NOW, held_since, moving)


def test_who_joined_since_the_last_batch_holds_the_next() -> None:
    words = gate(seen("payments", "audit"), before=["audit"]).hold()
    assert words.startswith(
        "consumer groups got into trouble since the last batch began (payments: "
    )
    assert "audit" not in words
    assert "/kafka mute group NAME" in words


@pytest.mark.parametrize(
    "quiet",
    [
        pytest.param(gate(None), id="nobody watches"),
        pytest.param(gate(seen()), id="all are well"),
        pytest.param(gate(seen("payments"), before=["payments", "audit"]), id="behind before"),
        pytest.param(gate(seen("payments"), before=None), id="not known who was behind before"),
        pytest.param(gate(seen(*map(str, range(GROUPS_MAX + 1)))), id="too many to tell"),
    ],
)
def test_nothing_holds_and_nothing_is_said(quiet: LagGate) -> None:
    assert (quiet.hold(), quiet.say()) == ("", "")


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_watch_that_has_not_looked_for_a_while_holds_nothing_and_that_is_said(
    minutes: float,
) -> None:
    """Also one whose clock is ahead: what it saw cannot be placed."""
    old = seen("payments").with_(at=NOW + timedelta(minutes=minutes))
    assert gate(old).hold() == ""
    assert gate(old).say() == OLD
    assert gate(old).noted() == {}


def test_it_gives_up_where_nothing_moved_for_long_and_says_so() -> None:
    given_up = gate(seen("payments", minutes_ago=20), held_minutes=15)
    assert given_up.hold() == ""
    assert given_up.say().startswith(
        "nothing moved for 15 min and consumer groups are still in trouble"
    )


@pytest.mark.parametrize(
    "waits",
    [
        gate(seen("payments", minutes_ago=20), held_minutes=14),
        gate(seen("payments", minutes_ago=20), held_minutes=None),
        gate(seen("payments", minutes_ago=20), held_minutes=60, moving=True),
        gate(seen("payments", minutes_ago=3), held_minutes=60),
    ],
    ids=["held not for long", "not held", "copies still run", "held for another reason until now"],
)
def test_it_does_not_give_up_early(waits: LagGate) -> None:
    assert "payments" in waits.hold()
    assert waits.say() == ""


def test_one_that_was_given_up_does_not_hide_another() -> None:
    both = seen("payments", minutes_ago=20)
    both = both.with_(groups={**both.groups, "audit": Trouble(kind="stalled", since=NOW)})
    again = gate(both, held_minutes=20)
    assert "audit: stalled" in again.hold()
    assert "payments" not in again.hold()


def test_a_batch_remembers_who_is_in_trouble_now_and_no_longer_who_was() -> None:
    assert gate(seen("b", "a"), before=["c"]).noted() == {KEY: ["a", "b"]}


def test_names_are_cut_and_harmless() -> None:
    hostile = "<!channel>) `rm` (" + "x" * 500
    words = gate(seen(hostile, "a", "b", "c", "d")).hold()
    assert "<" not in words
    assert len(words) < 500
    assert "; 2 more)" in words
    assert words.count("(") == words.count(")") == 1
