"""Every state × event pair: exactly the moves of the table are possible, all others are refused."""

from __future__ import annotations

import pytest

from changes.lifecycle import ENDED, MOVES, Event, IllegalMove, State, after, may

EXPECTED = {
    ("preparing", "prepared: allowed", "queued"),
    ("preparing", "prepared: needs approvals", "awaiting approval"),
    ("preparing", "prepared: denied", "denied"),
    ("preparing", "cancelled", "cancelled"),
    ("preparing", "expired", "expired"),
    ("awaiting approval", "quorum reached", "queued"),
    ("awaiting approval", "voted against", "rejected"),
    ("awaiting approval", "cancelled", "cancelled"),
    ("awaiting approval", "expired", "expired"),
    ("queued", "started", "running"),
    ("queued", "drifted", "awaiting approval"),
    ("queued", "vote withdrawn", "awaiting approval"),
    ("queued", "prepared: denied", "denied"),
    ("queued", "cancelled", "cancelled"),
    ("queued", "expired", "expired"),
    ("running", "steps finished", "done"),
    ("running", "step broke", "rolling back"),
    ("running", "aborted", "rolling back"),
    ("running", "outcome unknown", "needs attention"),
    ("rolling back", "cleaned up", "failed"),
    ("rolling back", "undone", "rolled back"),
    ("rolling back", "outcome unknown", "needs attention"),
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", list(Event))
def test_a_request_moves_only_as_the_table_says(state: State, event: Event) -> None:
    to = {t for s, e, t in EXPECTED if (s, e) == (state.value, event.value)}
    assert may(state, event) is bool(to)
    if to:
        assert {after(state, event).value} == to
    else:
        with pytest.raises(IllegalMove, match=event.value):
            after(state, event)


def test_ended_states_are_those_without_a_way_out() -> None:
    assert {s.value for s in ENDED} == {
        "done",
        "failed",
        "rolled back",
        "cancelled",
        "rejected",
        "expired",
        "denied",
        "needs attention",
    }


def test_every_state_can_be_reached_from_preparing() -> None:
    reached, frontier = set(), {State.PREPARING}
    while frontier:
        reached |= frontier
        frontier = {m.to for s in frontier for m in MOVES.get(s, {}).values()} - reached
    assert reached == set(State)
