"""A real consumer hangs while partitions move: no batch begins until it reads again.

The throttle is lowered first, so that there are batches left by the time the watch is sure. One story for
all tests; an abort ends it, since whether moves can end is seen elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from changes.lifecycle import State
from changes.request import Progress, Request
from tests.scenarios.labs import Lab, until
from workers.lagging import HURT

pytestmark = pytest.mark.lab

LAB_RATE, SLOW_RATE = "throttle_bytes_per_second: 4MB/s", "throttle_bytes_per_second: 100kB/s"
HANGS = "analytics"
HOLD = f"consumer groups got into trouble since the last batch began ({HANGS}: "
HELD_SECONDS_MAX = 150
STEP_SECONDS_MAX = 120
LOOKS = 8
NOTE = re.compile(r"([0-9]+) of [0-9]+ partitions in place, ([0-9]+) moving")


@dataclass
class Story:
    request_id: str = ""
    begun: list[int] = field(default_factory=list)
    """Moves ever begun: at the hold, some looks later, and after it."""
    ended: Request | None = None
    thread: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def slow(lab: Lab) -> Iterator[Lab]:
    file = lab.folder / "policies" / "lab.yaml"
    usual = file.read_text()
    assert LAB_RATE in usual
    file.write_text(usual.replace(LAB_RATE, SLOW_RATE))
    yield lab
    file.write_text(usual)


@pytest.fixture(scope="module")
def story(slow: Lab) -> Story:
    lab, told = slow, Story()
    told.request_id = lab.ask("ann", "scale brokers 6 because consumers matter")
    card = lab.card_says(told.request_id, "awaiting approval", seconds=60)
    lab.click("bob", card, "Approve")
    until(lambda: begun(lab, told), what="a first batch", seconds=STEP_SECONDS_MAX)
    held_while_it_hangs(lab, told)
    lab.run("lab", "fault", "consumer-fine", HANGS)
    until(lambda: not hold(lab, told), what="the end of the hold", seconds=HELD_SECONDS_MAX)
    more = told.begun[-1]
    until(lambda: begun(lab, told) > more, what="the next batch", seconds=STEP_SECONDS_MAX)
    told.begun.append(begun(lab, told))
    lab.command("bob", f"/kafka abort {told.request_id}")
    ends = (State.ROLLED_BACK, State.FAILED, State.NEEDS_ATTENTION, State.DONE)
    told.ended = lab.until_state(told.request_id, *ends, seconds=STEP_SECONDS_MAX)
    told.thread = [line.text for line in told.ended.log]
    return told


def held_while_it_hangs(lab: Lab, told: Story) -> None:
    lab.run("lab", "fault", "consumer-hangs", HANGS)
    until(lambda: HOLD in hold(lab, told), what="the hold", seconds=HELD_SECONDS_MAX)
    told.begun.append(begun(lab, told))
    version = lab.request(told.request_id).version
    until(
        lambda: lab.request(told.request_id).version >= version + LOOKS,
        what=f"{LOOKS} looks while held",
        seconds=60,
    )
    assert HOLD in hold(lab, told)
    told.begun.append(begun(lab, told))


def progress(lab: Lab, told: Story) -> Progress | None:
    return lab.request(told.request_id).progress


def hold(lab: Lab, told: Story) -> str:
    found = progress(lab, told)
    return found.hold if found else ""


def begun(lab: Lab, told: Story) -> int:
    """Moves that are in place or on their way, as the card says."""
    found = progress(lab, told)
    said = NOTE.search(found.note) if found else None
    return int(said[1]) + int(said[2]) if said else 0


def test_no_batch_begins_while_the_consumer_hangs_and_the_next_one_afterwards(
    story: Story,
) -> None:
    at_hold, later, after = story.begun
    assert 0 < at_hold == later < after


def test_the_thread_says_why_and_when_it_goes_on(story: Story) -> None:
    said = [text for text in story.thread if HOLD in text]
    assert len(said) == 1
    assert any(f"({HANGS}: {kind})" in said[0] for kind in HURT)
    assert "Going on: the reason to hold is gone" in story.thread


def test_people_could_still_step_in(story: Story) -> None:
    assert story.ended is not None
    assert story.ended.state is State.ROLLED_BACK
