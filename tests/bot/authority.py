"""Who may do what to a request, said a second time and in words of its own.

Nothing here is shared with the authoriser, so a cell that opens by mistake fails even when the code is
consistent with itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from changes.lifecycle import State

SURFACES = ("button", "thread", "command")
WORDS = ("approve", "reject", "withdraw", "cancel", "pause", "resume", "abort")
IN_THREADS = ("approve", "reject")
NO_BUTTON = ("withdraw",)
"""A card looks the same to everybody, so it cannot offer one person his own vote back."""
TALKERS = ("requester", "approver", "not in the group", "guest")
"""Whose other words in a thread are looked at: they are talk, whoever says them."""
GROUP = "S0LABKAPPR"
OTHER_TEAM = "T0LABOTHER"
NOT_SAID = "Slack did not say who"


@dataclass(frozen=True)
class Actor:
    """A kind of person: how Slack describes him, and why he may not decide (empty = he may)."""

    id: str
    refusal: str = ""
    requester: bool = False
    in_group: bool = True
    fields: tuple[tuple[str, Any], ...] = ()
    bent: tuple[tuple[str, Any], ...] = ()
    fault: str = ""
    unknown: bool = False

    @property
    def ourselves(self) -> bool:
        return self.id == "U0LABOTTLA"


MACHINE = "bots, apps and workflows never decide"
GUEST = "guests cannot act on clusters"
ELSEWHERE = "you belong to another workspace"
OUTSIDE = "only @kafka-approvers may"
OWN = "R-{n} is yours"
ACTORS = {
    "requester": Actor("U0CASE0001", OWN, requester=True, in_group=False),
    "approver": Actor("U0CASE0002"),
    "both": Actor("U0CASE0003", OWN, requester=True),
    "not in the group": Actor("U0CASE0004", OUTSIDE, in_group=False),
    "guest": Actor("U0CASE0005", GUEST, fields=(("kind", "guest"),)),
    "single-channel guest": Actor(
        "U0CASE0006", GUEST, fields=(("kind", "guest"),), bent=(("is_ultra_restricted", True),)
    ),
    "bot": Actor("U0CASE0007", MACHINE, fields=(("kind", "bot"),)),
    "ourselves": Actor("U0LABOTTLA", MACHINE),
    "workflow": Actor("U0CASE0008", MACHINE, bent=(("is_workflow_bot", True),)),
    "deactivated": Actor(
        "U0CASE0009", "your Slack account is deactivated", fields=(("deleted", True),)
    ),
    "slack connect": Actor(
        "U0CASE0010", ELSEWHERE, fields=(("kind", "stranger"), ("team_id", OTHER_TEAM))
    ),
    "other team, unmarked": Actor("U0CASE0011", ELSEWHERE, fields=(("team_id", OTHER_TEAM),)),
    "unconfirmed": Actor(
        "U0CASE0012", "your e-mail address is not confirmed", bent=(("is_email_confirmed", False),)
    ),
    "unknown to Slack": Actor("U0CASE0013", NOT_SAID, unknown=True),
    "group emptied a second ago": Actor("U0CASE0014", OUTSIDE, fault="emptied"),
    "group switched off": Actor("U0CASE0015", OUTSIDE, fault="switched off"),
    "Slack fails at users.info": Actor("U0CASE0016", NOT_SAID, fault="users.info"),
    "Slack fails at usergroups.list": Actor("U0CASE0017", NOT_SAID, fault="usergroups.list"),
    "Slack fails at the members": Actor("U0CASE0018", NOT_SAID, fault="usergroups.users.list"),
}


@dataclass(frozen=True)
class Stage:
    """A state, and what else decides: who voted, and whether it was paused."""

    state: State
    voted: bool = False
    """The actor approved it when he still might."""
    paused: bool = False


STAGES = {
    **{state.value: Stage(state) for state in State},
    "awaiting a second vote": Stage(State.AWAITING_APPROVAL, voted=True),
    "queued with the actor's vote": Stage(State.QUEUED, voted=True),
    "running, paused": Stage(State.RUNNING, paused=True),
}
OPEN_TO_CANCEL = ("preparing", "awaiting approval", "queued")


def expected(word: str, actor: Actor, stage: Stage) -> tuple[State | None, str]:
    """(the state it becomes, or None = refused; the words of the refusal)."""
    state = stage.state
    standing = bool(actor.refusal) and actor.refusal not in (OWN, OUTSIDE)
    if standing:
        return None, actor.refusal
    if word == "cancel":
        if not actor.requester:
            return None, "only they can cancel it"
        open_ = state.value in OPEN_TO_CANCEL
        return (State.CANCELLED, "") if open_ else (None, "it cannot be cancelled")
    if word == "withdraw":
        return withdrawn(stage)
    if word in ("pause", "resume", "abort"):
        return steered(word, actor, stage)
    if actor.requester:
        return None, OWN
    if state.value != "awaiting approval":
        return None, f"there is nothing to {word}"
    if actor.refusal:
        return None, actor.refusal
    if stage.voted and word == "approve":
        return None, "already counted"
    return (State.QUEUED if word == "approve" else State.REJECTED), ""


def withdrawn(stage: Stage) -> tuple[State | None, str]:
    """One's own vote, as long as work has not begun; leaving the group does not take that right away."""
    if stage.state.value not in ("awaiting approval", "queued"):
        return None, "no vote can be withdrawn any more"
    if not stage.voted:
        return None, "You have no vote on R-"
    return State.AWAITING_APPROVAL, ""


def steered(word: str, actor: Actor, stage: Stage) -> tuple[State | None, str]:
    """Work that runs is stopped or held by whoever asked for it and by whoever may approve it."""
    nobody_yet = (
        stage.state is State.PREPARING and not actor.requester
    )  # no verdict names approvers
    if actor.refusal == OUTSIDE or nobody_yet:
        return None, f"You cannot {word}"
    if stage.state.value != "running":
        return None, f"nothing to {word}"
    if word == "pause" and stage.paused:
        return None, "is paused already"
    if word == "resume" and not stage.paused:
        return None, "is not paused: it is running"
    return (State.ROLLING_BACK if word == "abort" else State.RUNNING), ""
