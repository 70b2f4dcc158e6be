"""From an alert to the change that helps, and back to the alert's own message, on the real thing.

The lab's disks are mostly empty, so an operator's edit of `alerts.yaml` while it runs calls them full. One
story for all tests: the alert offers more brokers, somebody proposes them from its button, a second
engineer approves, and the message says what became of its figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from changes.incident import Family, Incident
from changes.lifecycle import State
from changes.request import Request
from ledger import Ledger, connect
from tests.scenarios.labs import Json, Lab, until

pytestmark = pytest.mark.lab
CLUSTER = "orders-lab"
FULL = "    disk_full: {warn_percent: 4.5, clear_percent: 4, clear_minutes: 0.25}\n"
"""Between what the lab's disks hold on three brokers (over 5 %) and on six (about 3 %)."""
OFFER = "Propose scale brokers 6"
TOLD_SECONDS_MAX = 120.0
JOB_SECONDS_MAX = 200.0
JUDGED_SECONDS_MAX = 240.0
"""The grace after the change, and then the channel's calls of a minute."""
FIGURE = re.compile(r"percent of broker (\d)'s disk in use ([0-9.]+) → ([0-9.]+), better")


@dataclass
class Story:
    """What was seen at each turn."""

    offered: Json = field(default_factory=dict)
    asked: Request | None = None
    proposed: Json = field(default_factory=dict)
    ended: Request | None = None
    verified: Json = field(default_factory=dict)
    incident: Incident | None = None


@pytest.fixture(scope="module")
def ledger(lab: Lab) -> Iterator[Ledger]:
    found = connect(str(lab.addresses["redis"]))
    yield found
    found.close()


def capacity(lab: Lab, words: str, *, seconds: float) -> Json:
    """The one message about capacity, once it says these words."""

    def look() -> Json | None:
        found = [
            one
            for one in lab.messages()
            if (one["metadata"] or {}).get("event_type") == "ottla_incident"
            and "Capacity" in one["text"]
        ]
        assert len(found) <= 1, "one message a family"
        return found[0] if found and words in said(found[0]) else None

    shown: Json = until(look, what=f"the message to say {words!r}", seconds=seconds)
    return shown


def said(message: Json) -> str:
    return "\n".join((message["text"], *(button["text"] for button in message["buttons"])))


@pytest.fixture(scope="module")
def story(lab: Lab, ledger: Ledger) -> Story:
    told = Story()
    file = lab.folder / "policies" / "alerts.yaml"
    file.write_text(file.read_text() + FULL)
    told.offered = capacity(lab, OFFER, seconds=TOLD_SECONDS_MAX)
    lab.click("gus", told.offered, OFFER)
    lab.click("ann", told.offered, OFFER)
    (request,) = until(lambda: ledger.requests(cluster=CLUSTER, limit=5), what="it", seconds=20)
    card = lab.card_says(request.id, "awaiting approval", seconds=60)
    told.asked = lab.request(request.id)
    told.proposed = capacity(lab, f"`{request.id}`", seconds=75)
    lab.click("bob", card, "Approve")
    told.ended = lab.until_state(
        request.id, State.DONE, State.FAILED, State.NEEDS_ATTENTION, seconds=JOB_SECONDS_MAX
    )
    told.verified = capacity(lab, f"after {request.id}", seconds=JUDGED_SECONDS_MAX)
    (told.incident,) = (one for one in ledger.incidents(CLUSTER) if one.family is Family.CAPACITY)
    return told


def test_the_alert_offers_the_change_and_waits_while_it_is_open(story: Story) -> None:
    assert "disk of `broker 1` is" in story.offered["text"]
    assert OFFER in said(story.offered)
    assert OFFER not in said(story.proposed), "no second offer while the first is open"
    assert "Proposed from here" in story.proposed["text"]


def test_whoever_pressed_is_the_requester_and_a_guest_is_not(story: Story, ledger: Ledger) -> None:
    assert story.asked is not None
    assert story.asked.requester.name == "ann"
    assert story.asked.change.describe() == "Scale orders-lab to 6 brokers"
    assert "disk of broker 1" in story.asked.because
    assert len(ledger.requests(cluster=CLUSTER, limit=5)) == 1


def test_it_is_reviewed_like_any_other_and_done(story: Story) -> None:
    assert story.ended is not None
    assert story.ended.state is State.DONE, story.ended.outcome
    assert [vote.person.name for vote in story.ended.votes] == ["bob"]


def test_the_same_message_says_what_became_of_its_figures(story: Story) -> None:
    found = FIGURE.findall(story.verified["text"])
    assert {broker for broker, _, _ in found} == {"1", "2", "3"}
    for _, before, after in found:
        assert float(after) < 0.8 * float(before), "half of each disk went to the new brokers"
    assert story.verified["ts"] == story.offered["ts"]


def test_what_helped_is_not_followed_by_the_next_offer(story: Story) -> None:
    assert "Propose scale" not in said(story.verified)
    assert story.incident is not None
    assert story.ended is not None
    assert story.incident.proposed == (story.ended.id,)
