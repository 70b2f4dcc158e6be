"""The durable thing with a life cycle: who asked, plan, verdict, votes, progress.

The surprising truth: a vote is given to one fingerprint. A plan made again has another one, so its
votes start at zero, and a button from an older card says so instead of voting.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, SerializeAsAny

from changes.change import Change
from changes.lifecycle import Event, State, after, may
from changes.plan import Plan
from changes.ports import Json
from changes.tagged import Value
from changes.verdict import ApprovalNeed, Verdict


class Person(Value):
    """A Slack user as read live: ids decide, names are only shown."""

    user_id: str
    name: str
    groups: tuple[str, ...] = ()
    standing: str = ""
    """Empty for an active, full, human member of the home workspace; else why he may not act."""


class Vote(Value):
    person: Person
    choice: Literal["approve", "reject"]
    fingerprint: str
    at: AwareDatetime
    reason: str = ""


Called = Literal["", "requester", "approvers", "both"]
"""Whom a line of the thread is for: they are mentioned, everybody else is left in peace."""


class LogLine(Value):
    """One line of the thread; posted exactly once by the announcer, in order."""

    at: AwareDatetime
    text: str
    calls: Called = ""
    picture: str = ""
    """Key of a snapshot in the ledger; the line's text says what it shows."""
    picture_title: str = ""


class Progress(Value):
    """Where a running request is. `memory` is what its steps remember (plain JSON)."""

    step: int = 0
    started_at: AwareDatetime
    step_started_at: AwareDatetime
    note: str = ""
    hold: str = ""
    held_since: AwareDatetime | None = None
    told: tuple[str, ...] = ()
    """Sentences of the present step that are said once; see `progress.kind_of`."""
    done: float = 0
    total: float = 0
    unit: str = ""
    least_left: float | None = None
    """The least of what runs that was still to come, and when it became less last."""
    further_at: AwareDatetime | None = None
    quiet_since: AwareDatetime | None = None
    """Since when nothing of the step runs; None = something does, or nobody knows."""
    intended: bool = False
    """The intention to act on this step is stored; nobody knows yet whether the act happened."""
    snapshots: tuple[str, ...] = ()
    """Moments already pictured: before, midway, after."""
    marks: tuple[tuple[AwareDatetime, str], ...] = ()
    memory: Mapping[str, Json] = {}
    failures: int = 0
    """Ticks that failed in a row for reasons that may pass."""
    stays: tuple[str, ...] = ()
    """What cleaning up cannot or need not take back, in words."""


class StandingCheck(Value):
    """Who approved, read again by the bot because a worker asked (workers have no Slack)."""

    fingerprint: str
    asked_at: AwareDatetime
    answered_at: AwareDatetime | None = None
    people: tuple[Person, ...] = ()


class Outcome(Value):
    """Predicted against actual, for the final card."""

    words: str
    seconds: float = 0
    bytes_moved: int = 0
    replicas_moved: int = 0
    leaders_changed: int = 0


class Request(Value):
    """One request. `version` counts saves (compare-and-set); `revision` counts plans shown."""

    id: str
    version: int = 0
    revision: int = 0
    state: State = State.PREPARING
    change: SerializeAsAny[Change]
    because: str = ""
    requester: Person
    channel: str
    """The Slack channel of the cluster, where the card lives."""
    asked_in: str = ""
    """Where it was typed, for the answer to the requester."""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    plan: Plan | None = None
    verdict: Verdict | None = None
    differences: tuple[str, ...] = ()
    """Why an earlier revision was void."""
    votes: tuple[Vote, ...] = ()
    line_position: int = 0
    """0 = at the head of its cluster's line, else how many are before it."""
    waits: str = ""
    """Why work does not start although it is this request's turn."""
    standing: StandingCheck | None = None
    paused_by: Person | None = None
    """Nothing new is begun until somebody resumes."""
    aborted_by: Person | None = None
    progress: Progress | None = None
    outcome: Outcome | None = None
    log: tuple[LogLine, ...] = ()

    @property
    def cluster(self) -> str:
        return self.change.cluster

    @property
    def fingerprint(self) -> str:
        return self.plan.fingerprint if self.plan else ""

    @property
    def counted_votes(self) -> tuple[Vote, ...]:
        """Per person the latest vote on the present fingerprint."""
        latest = {v.person.user_id: v for v in self.votes if v.fingerprint == self.fingerprint}
        return tuple(latest.values())

    @property
    def missing(self) -> tuple[tuple[ApprovalNeed, int], ...]:
        """Which approvals are still needed, and how many of each."""
        if self.verdict is None:
            return ()
        approvers = [v.person for v in self.counted_votes if v.choice == "approve"]
        return still_missing(self.verdict.approvals, approvers)

    def said(
        self, *, now: datetime, text: str, picture: str = "", title: str = "", calls: Called = ""
    ) -> Request:
        """The request with one more line in its thread."""
        line = LogLine(at=now, text=text, calls=calls, picture=picture, picture_title=title)
        return self.with_(log=(*self.log, line), updated_at=now)

    def moved(self, *, event: Event, now: datetime) -> Request:
        return self.with_(state=after(self.state, event), updated_at=now)

    def due_to_expire(self, now: datetime) -> bool:
        waiting = may(self.state, Event.EXPIRED)
        return waiting and self.expires_at is not None and now >= self.expires_at


class Refusal(Value):
    """Why a person's act did not count, in words for that person alone."""

    words: str


def vote(
    request: Request,
    *,
    person: Person,
    choice: Literal["approve", "reject"],
    revision: int | None,
    now: datetime,
    reason: str = "",
) -> Request | Refusal:
    """Count one vote, or say why not. The one authoriser behind button, thread word and slash.

    `revision` is the one the person saw on the card; None where no card was involved (slash).
    """
    if refusal := why_not(request, person=person, revision=revision, choice=choice, now=now):
        return Refusal(words=refusal)
    cast = Vote(
        person=person, choice=choice, fingerprint=request.fingerprint, at=now, reason=reason
    )
    voted = request.with_(votes=(*request.votes, cast), standing=None)
    if choice == "reject":
        because = f": {reason}" if reason else ""
        text = f"Rejected by {mention(person)}{because}"
        rejected = voted.moved(event=Event.VOTED_AGAINST, now=now)
        return rejected.said(now=now, text=text, calls="requester")
    if voted.missing:
        text = f"Approved by {mention(person)}; {needs_in_words(voted.missing)}"
        return voted.said(now=now, text=text, calls="requester")
    text = f"Approved by {mention(person)} (revision {request.revision})"
    queued = voted.moved(event=Event.QUORUM_REACHED, now=now)
    return queued.said(now=now, text=text, calls="requester")


def why_not(
    request: Request,
    *,
    person: Person,
    choice: Literal["approve", "reject"],
    revision: int | None,
    now: datetime,
) -> str:
    """The refusal in words, or nothing. Identity first, so that strangers learn nothing else."""
    if person.standing:
        return f"You cannot {choice} {request.id}: {person.standing}."
    if person.user_id == request.requester.user_id and choice == "approve":
        return f"{request.id} is yours: a second engineer has to approve it."
    if person.user_id == request.requester.user_id:
        return f"{request.id} is yours: use `/kafka cancel {request.id}` to take it back."
    if request.state is not State.AWAITING_APPROVAL or request.plan is None:
        return f"{request.id} is {request.state.value}: there is nothing to {choice}."
    if revision is not None and revision != request.revision:
        return (
            f"That card shows revision {revision} of {request.id}; the plan was made again. "
            f"Look at revision {request.revision} and decide on that."
        )
    if request.due_to_expire(now):
        return f"{request.id} has expired. Ask again with `/kafka {request.change.usage}`."
    if not any(counts_for(need, person) for need in approvals_of(request)):
        circles = ", ".join(need.label or need.rule for need in approvals_of(request)) or "nobody"
        return f"You cannot {choice} {request.id}: only {circles} may."
    already = [v for v in request.counted_votes if v.person.user_id == person.user_id]
    if already and already[-1].choice == choice:
        return f"Your vote on {request.id} is already counted."
    return ""


def cancel(request: Request, *, person: Person, now: datetime) -> Request | Refusal:
    """Only the requester takes a request back, and only before work starts."""
    if person.standing:
        return Refusal(words=f"You cannot cancel {request.id}: {person.standing}.")
    if person.user_id != request.requester.user_id:
        who = mention(request.requester)
        return Refusal(words=f"{request.id} was asked by {who}; only they can cancel it.")
    if not may(request.state, Event.CANCELLED):
        return Refusal(words=f"{request.id} is {request.state.value}: it cannot be cancelled.")
    text = f"Cancelled by {mention(person)}"
    cancelled = request.moved(event=Event.CANCELLED, now=now)
    return cancelled.said(now=now, text=text, calls="requester")


def expire(request: Request, *, now: datetime) -> Request:
    """Nobody decided in time, or it was decided and could not start in time."""
    why = "nobody decided in time"
    if request.state is State.QUEUED:
        waited = f" ({request.waits})" if request.waits else ""
        why = f"it was approved but could not start in time{waited}"
    text = f"Expired: {why}. Ask again if it is still wanted."
    expired = request.moved(event=Event.EXPIRED, now=now)
    return expired.said(now=now, text=text, calls="requester")


def judged(request: Request, *, plan: Plan, verdict: Verdict, now: datetime) -> Request:
    """A plan and its verdict arrive (first, or again after a drift): the next revision.

    Votes on the same fingerprint go as well: they were given before the reason to ask again.
    """
    sealed = plan.sealed(policy_digest=verdict.policy_digest)
    expires_at = now + timedelta(minutes=verdict.expires_after_minutes)
    fields = {
        "plan": sealed,
        "verdict": verdict,
        "revision": request.revision + 1,
        "expires_at": expires_at,
        "waits": "",
        "standing": None,
        "votes": tuple(v for v in request.votes if v.fingerprint != sealed.fingerprint),
    }
    return request.with_(**fields).with_(updated_at=now)


def approvals_of(request: Request) -> tuple[ApprovalNeed, ...]:
    return request.verdict.approvals if request.verdict else ()


def counts_for(need: ApprovalNeed, person: Person) -> bool:
    return person.user_id in need.people or bool(set(person.groups) & set(need.groups))


def still_missing(
    needs: tuple[ApprovalNeed, ...], approvers: list[Person]
) -> tuple[tuple[ApprovalNeed, int], ...]:
    """Match distinct people to slots: one person fills one slot only (augmenting paths)."""
    slots = [need for need in needs for _ in range(need.count)]
    taken: dict[int, int] = {}

    def place(who: int, tried: set[int]) -> bool:
        for index, need in enumerate(slots):
            if index in tried or not counts_for(need, approvers[who]):
                continue
            tried.add(index)
            if index not in taken or place(taken[index], tried):
                taken[index] = who
                return True
        return False

    for who in range(len(approvers)):
        place(who, set())
    open_slots = [need for index, need in enumerate(slots) if index not in taken]
    return tuple((need, open_slots.count(need)) for need in needs if need in open_slots)


def needs_in_words(missing: tuple[tuple[ApprovalNeed, int], ...]) -> str:
    parts = [f"{count} more of {need.label or need.rule}" for need, count in missing]
    return "still needs " + " and ".join(parts)


def mention(person: Person) -> str:
    """How the thread names a person: by id, so that Slack shows the live name."""
    return f"<@{person.user_id}>"
