"""Votes: who may, on what, once, and what is said when not."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import pytest

from changes.lifecycle import State
from changes.plan import Plan
from changes.request import Person, Refusal, Request, cancel, expire, judged, vote
from changes.verdict import ApprovalNeed, Verdict
from tests.changes.toys import ANN, BOB, CAROL, DAN, EVE, FAY, NOW, ONE, Count, toy_plan, waiting

TWO = ApprovalNeed(rule="two", count=2, groups=("SAPPROVERS",), label="@kafka-approvers")
LEAD = ApprovalNeed(rule="lead", count=1, groups=("SLEADS",), people=("UCAROL",), label="@leads")
LATER = NOW + timedelta(minutes=1)


def cast(
    request: Request,
    person: Person,
    choice: Literal["approve", "reject"] = "approve",
    *,
    revision: int | None = 1,
    reason: str = "",
) -> Request:
    answer = vote(
        request, person=person, choice=choice, revision=revision, now=LATER, reason=reason
    )
    assert isinstance(answer, Request), answer
    return answer


def refusal(request: Request, person: Person, **more: object) -> str:
    options = {"choice": "approve", "revision": 1, **more}
    answer = vote(request, person=person, now=LATER, **options)  # type: ignore[arg-type] # options vary by row
    assert isinstance(answer, Refusal)
    return answer.words


def test_one_approver_is_a_quorum_of_one() -> None:
    approved = cast(waiting(), BOB)
    assert approved.state is State.QUEUED
    assert approved.log[-1].text == "Approved by <@UBOB> (revision 1)"


def test_two_are_needed_for_a_quorum_of_two() -> None:
    once = cast(waiting(TWO), BOB)
    assert once.state is State.AWAITING_APPROVAL
    assert "1 more of @kafka-approvers" in once.log[-1].text
    assert cast(once, CAROL).state is State.QUEUED


def test_one_person_fills_one_slot_only() -> None:
    """Carol counts for both circles; with Bob in one of them she is moved to the other."""
    request = cast(waiting(ONE, LEAD), CAROL)
    assert request.state is State.AWAITING_APPROVAL
    assert cast(request, BOB).state is State.QUEUED


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (ANN, "R-17 is yours: a second engineer has to approve it."),
        (EVE, "You cannot approve R-17: you are deactivated."),
        (FAY, "You cannot approve R-17: only @kafka-approvers may."),
        (DAN, "You cannot approve R-17: only @kafka-approvers may."),
    ],
)
def test_nobody_else_may_approve(person: Person, words: str) -> None:
    assert refusal(waiting(), person) == words


def test_a_requester_in_the_approver_group_may_not_approve_either() -> None:
    assert "second engineer" in refusal(waiting(requester=BOB), BOB)


def test_a_vote_counts_once() -> None:
    once = cast(waiting(TWO), BOB)
    assert refusal(once, BOB) == "Your vote on R-17 is already counted."


def test_a_later_vote_of_the_same_person_counts_instead() -> None:
    changed_mind = cast(cast(waiting(TWO), BOB), BOB, "reject", reason="not on a Friday")
    assert changed_mind.state is State.REJECTED
    assert changed_mind.log[-1].text == "Rejected by <@UBOB>: not on a Friday"
    assert len(changed_mind.votes) == 2


def test_a_button_of_an_older_revision_does_not_vote() -> None:
    request = waiting()
    plan = request.plan
    assert isinstance(plan, Plan)
    verdict = request.verdict
    assert isinstance(verdict, Verdict)
    newer = toy_plan(Count(cluster="orders-prod", to=4), to=4)
    again = judged(request, plan=newer, verdict=verdict, now=LATER)
    assert "revision 1 of R-17; the plan was made again" in refusal(again, BOB, revision=1)
    assert cast(again, BOB, revision=2).state is State.QUEUED


def test_votes_on_an_older_fingerprint_do_not_count() -> None:
    once = cast(waiting(TWO), BOB)
    assert once.verdict is not None
    newer = toy_plan(Count(cluster="orders-prod", to=4), to=4)
    again = judged(once, plan=newer, verdict=once.verdict, now=LATER)
    assert again.counted_votes == ()
    assert again.fingerprint != once.fingerprint


def test_nothing_is_approved_after_its_time() -> None:
    late = waiting().with_(expires_at=NOW)
    assert "has expired" in refusal(late, BOB)
    assert expire(late, now=NOW).state is State.EXPIRED


def test_only_the_requester_cancels() -> None:
    assert cancel(waiting(), person=BOB, now=LATER) == Refusal(
        words="R-17 was asked by <@UANN>; only they can cancel it."
    )
    cancelled = cancel(waiting(), person=ANN, now=LATER)
    assert isinstance(cancelled, Request)
    assert cancelled.state is State.CANCELLED
    again = cancel(cancelled, person=ANN, now=LATER)
    assert again == Refusal(words="R-17 is cancelled: it cannot be cancelled.")


def test_an_empty_circle_lets_nobody_approve() -> None:
    nobody = ApprovalNeed(rule="nobody", count=1)
    assert "only nobody may" in refusal(waiting(nobody), BOB)


def test_a_request_returns_from_its_json_as_it_left() -> None:
    request = cast(waiting(TWO), BOB)
    again = Request.model_validate_json(request.model_dump_json())
    assert again == request
    assert type(again.change) is Count
    assert again.plan is not None
    assert again.plan.intact
