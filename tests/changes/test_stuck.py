"""What runs and gets no further: by how much is done, or by what the note says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from changes.progress import acted, seen
from changes.request import Progress, Request
from changes.steps import Finished, TryAgain, Underway
from tests.changes.test_steering import running
from tests.changes.toys import NOW

STUCK = "orders-3 does not arrive"


def copying(
    *, done: float = 0, note: str = "1 moving", hold: str = "", stuck: str = STUCK
) -> Underway:
    return Underway(note=note, done=done, total=100, unit="bytes", hold=hold, stuck=stuck)


def after(looks: Iterable[Underway], request: Request | None = None) -> Request:
    """The request after looks five minutes apart."""
    request = request or running()
    for number, look in enumerate(looks):
        request = seen(request, look, now=NOW + timedelta(minutes=5 * number))
    return request


def hold(request: Request) -> str:
    assert isinstance(request.progress, Progress)
    return request.progress.hold


STILL = [copying(done=40)] * 4


def test_three_times_five_minutes_without_a_byte_are_stuck() -> None:
    assert hold(after(STILL)) == f"nothing has got further for 15 min: {STUCK}"
    assert hold(after(STILL[:3])) == ""


@pytest.mark.parametrize(
    "looks",
    [
        pytest.param([copying(done=n) for n in range(20)], id="bytes arrive"),
        pytest.param([copying(note=f"{n} in place") for n in range(20)], id="empty partitions end"),
        pytest.param([copying(stuck="")] * 20, id="nothing of the step runs"),
    ],
)
def test_what_gets_further_is_not_stuck(looks: list[Underway]) -> None:
    assert hold(after(looks)) == ""


def test_bytes_that_come_and_go_are_no_progress() -> None:
    """A log that is shortened while it is copied is smaller for a moment, and not further later."""
    assert STUCK in hold(after([copying(done=n) for n in (40, 30, 40, 35)]))


def test_another_reason_to_hold_is_told_instead_and_starts_the_clock_again() -> None:
    looks = [*STILL[:3], copying(done=40, hold="broker 5 is away"), *STILL[:2]]
    assert hold(after(looks)) == ""
    assert STUCK in hold(after([*looks, copying(done=40)]))


def test_a_pause_starts_the_clock_again() -> None:
    paused = after([copying(done=40)] * 9, running(paused=True))
    assert hold(paused) == ""


def test_an_act_of_upkeep_does_not_end_it_and_a_byte_does() -> None:
    stuck, now = after(STILL), NOW + timedelta(minutes=16)
    assert STUCK in hold(acted(stuck, {}, now=now, look=copying(done=40)))
    further = seen(stuck, copying(done=41), now=now)
    assert hold(further) == ""
    assert further.log[-1].text == "Going on: the reason to hold is gone"


def test_a_refusal_that_passed_is_still_forgotten_by_the_act_that_worked() -> None:
    now = NOW + timedelta(minutes=1)
    tripped = acted(after(STILL[:1]), TryAgain(words="Kafka is busy"), now=now)
    assert hold(tripped) == "Kafka is busy"
    assert hold(acted(tripped, {}, now=now, look=copying(done=40))) == ""


def test_the_next_step_starts_afresh() -> None:
    ended = seen(after(STILL), Finished(note="all in place"), now=NOW + timedelta(minutes=20))
    assert ended.progress is not None
    assert (ended.progress.furthest, ended.progress.furthest_at) == (0, None)
