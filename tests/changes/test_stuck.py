"""What runs and gets no further: by how much is done, or by what the note says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from changes.progress import acted, away, seen
from changes.request import Progress, Request
from changes.steps import Finished, TryAgain, Underway
from tests.changes.test_steering import running
from tests.changes.toys import NOW

STUCK = "orders-3 does not arrive"


def copying(
    *,
    left: float = 60,
    note: str = "1 moving",
    hold: str = "",
    stuck: str = STUCK,
    running: int = 1,
) -> Underway:
    more = {"left": left, "running": running, "stuck": stuck}
    return Underway(note=note, done=40, total=100, unit="bytes", hold=hold, **more)


def after(
    looks: Iterable[Underway], request: Request | None = None, *, start: float = 0
) -> Request:
    """The request after looks five minutes apart."""
    request = request or running()
    for number, look in enumerate(looks):
        request = seen(request, look, now=NOW + timedelta(minutes=start + 5 * number))
    return request


def hold(request: Request) -> str:
    assert isinstance(request.progress, Progress)
    return request.progress.hold


STILL = [copying()] * 4
SAID = f"nothing has got further (for 15 min): {STUCK}"


def test_three_times_five_minutes_without_a_byte_are_stuck() -> None:
    assert hold(after(STILL)) == SAID
    assert hold(after(STILL[:3])) == ""


@pytest.mark.parametrize(
    "looks",
    [
        pytest.param([copying(left=100 - n) for n in range(20)], id="bytes arrive"),
        pytest.param([copying(note=f"{n} in place") for n in range(20)], id="empty partitions end"),
        pytest.param([copying(stuck="", running=0)] * 20, id="nothing of the step runs"),
        pytest.param([copying(stuck="", hold="broker 5 is away")] * 20, id="it may stand"),
    ],
)
def test_what_gets_further_is_not_stuck(looks: list[Underway]) -> None:
    assert STUCK not in hold(after(looks))


@pytest.mark.parametrize(
    "left",
    [(60, 70, 60, 65), (60, 61, 70, 90)],
    ids=["it comes and goes", "more comes in than goes"],
)
def test_what_is_left_and_does_not_shrink_is_stuck(left: tuple[float, ...]) -> None:
    """A log that is shortened while it is copied; one that grows faster than it is copied."""
    assert STUCK in hold(after([copying(left=one) for one in left]))


def test_a_batch_that_begins_or_a_move_that_is_submitted_again_starts_afresh() -> None:
    began = [copying(left=10), copying(left=90, note="2 moving")]
    assert hold(after([*began, *[copying(left=90, note="2 moving")] * 2])) == ""
    assert hold(after([*began, *(copying(left=89 - n, note="2 moving") for n in range(9))])) == ""


def test_a_gate_that_holds_the_next_batch_does_not_hide_it() -> None:
    """Lag and CPU stop no copy that runs; what is stuck is said before them."""
    assert hold(after([copying(hold="CPU is high")] * 4)) == SAID
    assert hold(after([copying(hold="CPU is high")] * 3)) == "CPU is high"


def test_the_clock_starts_again_when_something_may_no_longer_stand() -> None:
    stands = copying(stuck="", hold="broker 5 is away")
    assert hold(after([*STILL[:3], stands, *STILL[:2]])) == ""
    assert STUCK in hold(after([*STILL[:3], stands, *STILL[:3]]))


def test_a_silent_cluster_starts_the_clock_again() -> None:
    silent = away(after(STILL[:2]), "Kafka does not answer", now=NOW + timedelta(minutes=25))
    assert hold(after(STILL[:3], silent, start=30)) == ""
    assert STUCK in hold(after(STILL, silent, start=30))


def test_it_is_said_of_a_paused_run_too() -> None:
    """What was in flight goes on while paused, and ought to end."""
    assert hold(after(STILL, running(paused=True))) == SAID


def test_an_act_of_upkeep_does_not_end_it_and_a_byte_does() -> None:
    stuck, now = after(STILL), NOW + timedelta(minutes=16)
    assert STUCK in hold(acted(stuck, {}, now=now, look=copying()))
    further = seen(stuck, copying(left=59), now=now)
    assert hold(further) == ""
    assert further.log[-1].text == "Going on: the reason to hold is gone"


def test_a_look_that_would_act_holds_as_well() -> None:
    looks = [one.with_(act=True, upkeep=True) for one in STILL]
    assert hold(after(looks)) == SAID


def test_it_is_said_once_however_long_it_lasts() -> None:
    long = after([copying()] * 40)
    assert sum(line.text.startswith("Holding: ") for line in long.log) == 1
    assert "(for 3.2 h)" in hold(long)


def test_a_refusal_that_passed_is_still_forgotten_by_the_act_that_worked() -> None:
    now = NOW + timedelta(minutes=1)
    tripped = acted(after(STILL[:1]), TryAgain(words="Kafka is busy"), now=now)
    assert hold(tripped) == "Kafka is busy"
    assert hold(acted(tripped, {}, now=now, look=copying())) == ""


def test_the_next_step_starts_afresh() -> None:
    ended = seen(after(STILL), Finished(note="all in place"), now=NOW + timedelta(minutes=20))
    assert ended.progress is not None
    progress = ended.progress
    assert (progress.least_left, progress.further_at, progress.quiet_since) == (None, None, None)


# Since when nothing runs


def quiet_minutes(request: Request, *, at: float) -> float | None:
    assert request.progress is not None
    since = request.progress.quiet_since
    return None if since is None else (NOW + timedelta(minutes=at) - since).total_seconds() / 60


RESTS = copying(stuck="", running=0, hold="consumer groups got into trouble")


@pytest.mark.parametrize(
    ("looks", "quiet"),
    [
        ([*STILL[:2], RESTS, RESTS], 5),
        ([RESTS, copying(), RESTS], 0),
        ([RESTS, copying()], None),
        ([RESTS] * 4, 15),
    ],
    ids=["since the copies ended", "a copy in between", "a copy runs", "all the time"],
)
def test_a_rest_begins_with_the_first_look_that_sees_nothing_run(
    looks: list[Underway], quiet: float | None
) -> None:
    assert quiet_minutes(after(looks), at=5 * (len(looks) - 1)) == quiet


def test_a_silent_cluster_is_no_rest() -> None:
    silent = away(after([RESTS] * 4), "Kafka does not answer", now=NOW + timedelta(minutes=20))
    assert quiet_minutes(silent, at=20) is None


# Reasons that flicker


def test_two_reasons_that_take_turns_are_two_lines() -> None:
    turns = [copying(stuck="", hold=f"CPU is {n} %" if n % 2 else "lag") for n in range(60)]
    request = running()
    for number, look in enumerate(turns):
        request = seen(request, look, now=NOW + timedelta(seconds=60 * number))
    said = [line.text for line in request.log if line.text.startswith("Holding: ")]
    assert len(said) <= 2 * 5, said
    assert said[:2] == ["Holding: lag", "Holding: CPU is 1 %"]


def test_the_end_of_a_hold_is_told_with_its_own_words() -> None:
    over = "nothing moved for 15 min"
    held = after([RESTS])
    now = NOW + timedelta(minutes=20)
    goes_on = copying(stuck="", running=0).with_(act=True, over=over)
    going = acted(seen(held, goes_on, now=now), {}, now=now, look=goes_on)
    assert going.log[-1].text == f"Going on: {over}"
