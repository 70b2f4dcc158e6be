"""Pause, resume, abort, withdraw: who may, in which state, and what is said when not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes.lifecycle import State
from changes.progress import started
from changes.request import Person, Refusal, Request, vote
from changes.standing import ANSWER_STANDS, VOTE_STANDS, answered, asked, fresh, lost, owed
from changes.steering import ACTS, Steering, offered
from tests.changes.test_request import TWO
from tests.changes.toys import ANN, BOB, CAROL, DAN, EVE, FAY, NOW, waiting

LATER = NOW + timedelta(minutes=1)
STEERED: tuple[Steering, ...] = ("pause", "resume", "abort")


def queued() -> Request:
    voted = vote(waiting(), person=BOB, choice="approve", revision=1, now=NOW)
    assert isinstance(voted, Request)
    return voted


def running(*, paused: bool = False) -> Request:
    begun = started(queued(), now=NOW)
    return begun.with_(paused_by=CAROL) if paused else begun


def ready_for(what: Steering) -> Request:
    return running(paused=what == "resume")


def act(what: Steering, request: Request, person: Person) -> Request | Refusal:
    return ACTS[what](request, person=person, now=LATER)


def refused(what: Steering, request: Request, person: Person) -> str:
    answer = act(what, request, person)
    assert isinstance(answer, Refusal), answer
    return answer.words


@pytest.mark.parametrize("what", STEERED)
@pytest.mark.parametrize("person", [ANN, BOB, CAROL], ids=lambda one: one.name)
def test_whoever_asked_and_whoever_could_approve_may(what: Steering, person: Person) -> None:
    steered = act(what, ready_for(what), person)
    assert isinstance(steered, Request)
    assert steered.log[-1].calls == "requester"
    assert f"<@{person.user_id}>" in steered.log[-1].text


@pytest.mark.parametrize("what", STEERED)
@pytest.mark.parametrize("person", [DAN, EVE, FAY], ids=lambda one: one.name)
def test_nobody_else_may(what: Steering, person: Person) -> None:
    words = refused(what, ready_for(what), person)
    why = person.standing or "only its requester or @kafka-approvers may"
    assert words == f"You cannot {what} R-17: {why}."


@pytest.mark.parametrize("what", STEERED)
@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_only_what_runs_can_be_steered(what: Steering, state: State) -> None:
    words = refused(what, ready_for(what).with_(state=state), BOB)
    assert words == f"R-17 is {state.value}: there is nothing to {what}."


def test_a_requester_is_told_that_what_has_not_started_is_cancelled() -> None:
    assert "`/kafka cancel R-17`" in refused("abort", queued(), ANN)


def test_a_pause_is_remembered_until_somebody_resumes() -> None:
    paused = act("pause", running(), BOB)
    assert isinstance(paused, Request)
    assert paused.paused_by == BOB
    assert paused.state is State.RUNNING
    assert refused("pause", paused, CAROL) == "R-17 is paused already, by <@UBOB>."
    resumed = act("resume", paused, CAROL)
    assert isinstance(resumed, Request)
    assert resumed.paused_by is None
    assert "not paused" in refused("resume", resumed, BOB)


def test_a_card_offers_what_makes_sense() -> None:
    assert offered(running()) == ("pause", "abort")
    assert offered(running(paused=True)) == ("resume", "abort")
    assert offered(waiting()) == ()


def test_an_abort_of_a_paused_change_cleans_up_at_once() -> None:
    aborted = act("abort", running(paused=True), ANN)
    assert isinstance(aborted, Request)
    assert aborted.state is State.ROLLING_BACK
    assert aborted.paused_by is None
    assert "rolling back" in refused("abort", aborted, ANN)


def test_a_vote_withdrawn_while_others_are_missing_does_not_count() -> None:
    once = vote(waiting(TWO), person=BOB, choice="approve", revision=1, now=NOW)
    assert isinstance(once, Request)
    without = act("withdraw", once, BOB)
    assert isinstance(without, Request)
    assert without.counted_votes == ()
    assert without.state is State.AWAITING_APPROVAL
    assert "still needs 2 more" in without.log[-1].text
    again = vote(without, person=BOB, choice="approve", revision=1, now=LATER)
    assert isinstance(again, Request), "whoever withdrew may change his mind"


def test_a_vote_withdrawn_from_the_queue_asks_again() -> None:
    without = act("withdraw", queued(), BOB)
    assert isinstance(without, Request)
    assert without.state is State.AWAITING_APPROVAL
    assert without.log[-1].calls == "both"


@pytest.mark.parametrize(
    ("person", "words"),
    [(CAROL, "You have no vote"), (ANN, "You have no vote"), (EVE, "you are deactivated")],
    ids=["carol", "ann", "eve"],
)
def test_only_ones_own_vote_is_withdrawn(person: Person, words: str) -> None:
    assert words in refused("withdraw", queued(), person)


def test_what_runs_keeps_its_votes() -> None:
    assert refused("withdraw", running(), BOB) == (
        "R-17 is running: no vote can be withdrawn any more."
    )


def test_a_fresh_vote_needs_no_second_reading() -> None:
    assert fresh(queued(), now=NOW + VOTE_STANDS)
    assert not fresh(queued(), now=NOW + VOTE_STANDS + timedelta(seconds=1))


def test_the_first_of_two_votes_is_read_again_where_the_second_came_later() -> None:
    first = vote(waiting(TWO), person=BOB, choice="approve", revision=1, now=NOW)
    assert isinstance(first, Request)
    both = vote(first, person=CAROL, choice="approve", revision=1, now=LATER)
    assert isinstance(both, Request)
    assert both.state is State.QUEUED
    assert not fresh(both, now=LATER)


def test_a_worker_asks_once_and_takes_a_fresh_answer() -> None:
    late = NOW + timedelta(hours=1)
    question = asked(queued(), now=late)
    assert owed(question)
    assert asked(question, now=late + timedelta(minutes=1)).standing == question.standing
    told = answered(question, people=(BOB,), now=late)
    assert not owed(told)
    assert fresh(told, now=late)
    assert lost(told) == ()
    behind_a_silent_cluster = late + timedelta(seconds=3 * 35)
    assert fresh(told, now=behind_a_silent_cluster), "else it would be asked for, for ever"
    assert not fresh(told, now=late + ANSWER_STANDS + timedelta(seconds=1)), (
        "an old answer is no answer"
    )


@pytest.mark.parametrize(
    ("reading", "why"),
    [
        (BOB.with_(groups=()), "no longer among the approvers"),
        (BOB.with_(standing="your Slack account is deactivated"), "their Slack account is deact"),
        (BOB.with_(standing="guests cannot act on clusters"), "guests cannot act"),
    ],
    ids=["left the group", "deactivated", "became a guest"],
)
def test_a_lost_right_voids_the_approval_in_words(reading: Person, why: str) -> None:
    told = answered(asked(queued(), now=NOW), people=(reading,), now=NOW)
    (words,) = lost(told)
    assert words.startswith("bob approved and may not any more: ")
    assert why in words
