"""Pause, resume and abort of a real 3 → 6 while replicas move, with a second client as the witness.

The throttle is lowered first, so that a batch takes seconds and there is a between. One story for all
tests: paused amid a batch, resumed, aborted amid the next; each test reads another part of what was seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from changes.lifecycle import State
from changes.request import Request
from changes.steps_replicas import MoveReplicas, bound_ids
from ledger import Verified, verify
from tests.scenarios.labs import Json, Lab, until
from tests.scenarios.test_main_job import (
    DRAINED,
    books,
    in_sync,
    test_msk_was_asked_once,
    test_the_witness_would_see_a_throttle,
    thread,
    throttles_set,
)
from tests.scenarios.watching import Partition, Watch, admin, replicas, watched

__all__ = ["test_msk_was_asked_once", "test_the_witness_would_see_a_throttle"]
pytestmark = pytest.mark.lab
LAB_RATE, SLOW_RATE = "4MB/s", "100kB/s"
STEP_SECONDS_MAX = 120
IDLE_LOOKS = 3
PAUSED_POLLS = 10
"""Of the witness, before work goes on."""


@dataclass
class Story:
    """What was seen at each turn."""

    request_id: str = ""
    before: dict[Partition, tuple[int, ...]] = field(default_factory=dict)
    paused_at: float = 0.0
    resumed_at: float = 0.0
    aborted_at: float = 0.0
    paused: Request | None = None
    paused_card: Json = field(default_factory=dict)
    moving_at_abort: frozenset[Partition] = frozenset()
    told: dict[str, str] = field(default_factory=dict)
    ended: Request | None = None


@pytest.fixture(scope="module")
def slow(lab: Lab) -> Iterator[Lab]:
    """The lab with a lower throttle in its policy: an edit while it runs, as an operator makes one."""
    file = lab.folder / "policies" / "lab.yaml"
    usual = file.read_text()
    assert LAB_RATE in usual
    file.write_text(usual.replace(LAB_RATE, SLOW_RATE))
    yield lab
    file.write_text(usual)


@pytest.fixture(scope="module")
def watch(lab: Lab) -> Iterator[Watch]:
    with watched(lab.reload()["bootstrap"]) as found:
        yield found


@pytest.fixture(scope="module")
def story(slow: Lab, watch: Watch) -> Story:
    told = Story(request_id=asked_and_approved(slow))
    told.before = now_in(slow, replicas)
    until(lambda: watch.polls and watch.polls[-1].moving, what="moves", seconds=STEP_SECONDS_MAX)
    paused(slow, watch, told)
    resumed(slow, watch, told)
    aborted(slow, watch, told)
    return told


def asked_and_approved(lab: Lab) -> str:
    request_id = lab.ask("ann", "scale brokers 6 because people change their minds")
    card = lab.card_says(request_id, "awaiting approval", seconds=60)
    lab.click("bob", card, "Approve")
    return request_id


def paused(lab: Lab, watch: Watch, told: Story) -> None:
    """A tick that had written its intention when the pause came still submits its batch. There is one tick
    at a time, so the first look that is saved while paused proves that no such tick is left."""
    told.told["pause"] = lab.command("bob", f"/kafka pause {told.request_id}")
    until(lambda: lab.request(told.request_id).paused_by, what="the pause", seconds=20)
    looked(lab, told, 1)
    told.paused_at = time.monotonic()
    told.paused_card = lab.card_says(told.request_id, "Paused by")
    until(
        lambda: at_rest(watch, newer_than=told.paused_at),
        what="what was in flight to end",
        seconds=STEP_SECONDS_MAX,
    )
    looked(lab, told, IDLE_LOOKS)
    told.paused = lab.request(told.request_id)
    until(
        lambda: len(watch.since(told.paused_at)) > PAUSED_POLLS,
        what=f"{PAUSED_POLLS} polls of the witness while paused",
        seconds=60,
    )


def looked(lab: Lab, told: Story, times: int) -> None:
    """So many more looks of the worker, each saved with its version; a line of the thread is none."""

    def looks() -> int:
        request = lab.request(told.request_id)
        return request.version - len(request.log)

    before = looks()
    until(lambda: looks() >= before + times, what=f"{times} looks while paused", seconds=60)


def resumed(lab: Lab, watch: Watch, told: Story) -> None:
    told.resumed_at = time.monotonic()
    told.told["resume"] = lab.command("ann", f"/kafka resume {told.request_id}")
    until(lambda: not at_rest(watch), what="the next batch", seconds=30)


def aborted(lab: Lab, watch: Watch, told: Story) -> None:
    told.moving_at_abort = until(
        lambda: watch.polls[-1].moving, what="something to cancel", seconds=30
    )
    told.aborted_at = time.monotonic()
    told.told["abort"] = lab.command("bob", f"/kafka abort {told.request_id}")
    ends = (State.ROLLED_BACK, State.FAILED, State.NEEDS_ATTENTION, State.DONE)
    told.ended = lab.until_state(told.request_id, *ends, seconds=STEP_SECONDS_MAX)
    last = time.monotonic()
    until(lambda: watch.since(last), what="a poll after the end", seconds=20)


def at_rest(watch: Watch, *, newer_than: float = 0.0) -> bool:
    assert not watch.trouble, watch.trouble
    return watch.moving(newer_than=newer_than) == frozenset()


def now_in(lab: Lab, ask: Callable[[Any], Any]) -> Any:
    client = admin(lab.reload()["bootstrap"])
    try:
        return ask(client)
    finally:
        client.close()


@pytest.fixture(scope="module")
def witness(lab: Lab, story: Story) -> Iterator[Any]:
    assert story.ended is not None
    client = admin(lab.reload()["bootstrap"])
    yield client
    client.close()


@pytest.fixture(scope="module")
def done(story: Story) -> Request:
    """For the tests taken over from the main job: the request, however it ended."""
    assert story.ended is not None
    return story.ended


def begun_before_pause(watch: Watch, told: Story) -> frozenset[Partition]:
    """All that was ever seen moving, up to the first poll after a look while paused."""
    end = watch.since(told.paused_at)[0].at
    return frozenset().union(*(poll.moving for poll in watch.polls if poll.at <= end))


def test_nothing_begins_while_paused_and_what_is_in_flight_ends(story: Story, watch: Watch) -> None:
    first, *later = [poll for poll in watch.since(story.paused_at) if poll.at < story.resumed_at]
    assert len(later) >= PAUSED_POLLS, "the witness hardly looked"
    assert begun_before_pause(watch, story)
    for before, after in pairwise((first, *later)):
        assert after.moving <= before.moving, "nothing begins, nor begins again"
    assert later[-1].moving == frozenset(), "what was in flight has not ended"
    assert story.paused is not None
    assert story.paused.state is State.RUNNING
    assert story.paused.paused_by is not None
    assert story.paused.progress is not None
    assert story.paused.progress.done < story.paused.progress.total, "nothing was left to begin"


def test_the_card_says_who_paused_and_offers_to_go_on(story: Story) -> None:
    assert "@bob" in story.paused_card["text"]
    labels = [button["text"] for button in story.paused_card["buttons"]]
    assert any("Resume" in label for label in labels), labels
    assert not any("Pause" in label for label in labels), labels
    assert story.told["pause"].strip().endswith(f"{story.request_id} is paused.")


def test_resume_begins_what_had_not_begun(story: Story, watch: Watch) -> None:
    begun = begun_before_pause(watch, story)
    fresh = frozenset().union(*(p.moving for p in watch.since(story.resumed_at))) - begun
    assert fresh
    assert story.told["resume"].strip().endswith(f"{story.request_id} goes on.")


def test_abort_cancels_what_runs(story: Story, watch: Watch, witness: Any) -> None:
    """The moves were cancelled, not waited for: a partition caught in flight is where it was before."""
    assert story.moving_at_abort
    assert "is being stopped" in story.told["abort"]
    assert watch.polls[-1].moving == frozenset()
    assert not witness.list_partition_reassignments()
    present = replicas(witness)
    back = [p for p in story.moving_at_abort if set(present[p]) == set(story.before[p])]
    assert back, (story.moving_at_abort, present)


def test_no_partition_was_without_a_leader_at_any_poll(story: Story, watch: Watch) -> None:
    assert story.aborted_at
    assert not watch.trouble, watch.trouble
    assert len(watch.polls) >= 60
    assert [poll for poll in watch.polls if poll.leaderless] == []


def test_every_replica_list_is_the_one_before_or_the_planned_one(
    story: Story, witness: Any, done: Request
) -> None:
    assert done.plan is not None
    assert done.progress is not None
    ids = bound_ids(done.progress.memory)
    steps = [step for step in done.plan.steps if isinstance(step, MoveReplicas)]
    planned = {(m.topic, m.partition): m.bound(ids).after for step in steps for m in step.moves}
    present = replicas(witness)
    moved = [p for p, after in planned.items() if present[p] == after != story.before[p]]
    for partition, brokers in present.items():
        allowed = (set(story.before[partition]), set(planned.get(partition, ())))
        assert set(brokers) in allowed, (partition, brokers)
    assert done.outcome is not None
    assert f"{len(moved)} partitions stay where they were moved to" in done.outcome.words


def test_all_replicas_are_in_sync_and_no_throttle_is_left(lab: Lab, witness: Any) -> None:
    until(lambda: in_sync(witness), what="every replica in sync", seconds=30)
    assert throttles_set(lab, witness) == []


def test_it_ends_saying_what_stands_now(lab: Lab, done: Request) -> None:
    assert done.state is State.ROLLED_BACK, done.outcome
    assert done.outcome is not None
    words = done.outcome.words
    assert words.startswith("stopped by bob. What stays: ")
    assert "the brokers MSK has added; removing them needs a drain" in words
    card = lab.card_says(done.id, "rolled back")
    assert not card["buttons"]
    assert "What stays" in card["text"]


def test_the_thread_and_the_audit_tell_each_decision_once(lab: Lab, done: Request) -> None:
    card = lab.card_says(done.id, "rolled back")

    def shown() -> list[str]:
        return [m["text"] for m in thread(lab, card) if not m["files"]]

    until(lambda: len(shown()) >= len(done.log), what="the whole thread", seconds=30)
    texts = shown()
    for begins in ("Paused by", "Resumed by", "Aborted by @bob: cancelling", "Aborted by @bob. "):
        assert len([text for text in texts if begins in text]) == 1, (begins, texts)
    lines = lab.run("ledger", "export").splitlines()
    assert isinstance(verify(lines), Verified)
    events = [json.loads(line)["event"] for line in lines if f'"{done.id}"' in line]
    steered = [event for event in events if event.split()[0] in ("pause", "resume", "abort")]
    assert steered == ["pause by command", "resume by command", "abort by command"]
    assert events[-1] == "rolled back"


def test_every_acknowledged_record_is_read_back(lab: Lab, done: Request) -> None:
    assert done.state is State.ROLLED_BACK
    lab.run("lab", "load", "stop", *DRAINED)
    totals = books(lab)["totals"]
    assert totals["acknowledged"] > 0
    assert totals["missing"] == 0
    lab.run("lab", "load", "start")


def steered(request: Request | None) -> Request | None:
    """All that steering could have changed: the watch may note in the thread what it held back."""
    if request is None:
        return None
    kept = tuple(line for line in request.log if not line.text.startswith("Held back while"))
    return request.with_(version=0, updated_at=request.created_at, log=kept)


def test_steering_again_is_answered_with_why_not(lab: Lab, done: Request) -> None:
    """An ended change is nobody's to steer, and the cluster is free for the next one."""
    for word in ("pause", "resume", "abort", "cancel", "withdraw"):
        told = lab.command("bob", f"/kafka {word} {done.id}")
        assert done.id in told, (word, told)
        assert steered(lab.request(done.id)) == steered(done)
