"""Who may approve, reject, cancel, pause and abort: every surface × every kind of actor × every state.

What should happen is told here a second time, in words of its own: `expected` shares nothing with the
authoriser, so a cell that opens by mistake fails even when the code is consistent with itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from changes.lifecycle import State
from changes.request import Person, Request
from lab.slack.entities import Person as Member
from tests.bot.counter import Answered, Counter, bend, counter

pytestmark = pytest.mark.slow

__all__ = ["counter"]

SURFACES = ("button", "thread", "command")
WORDS = ("approve", "reject", "cancel", "pause", "abort")
IN_THREADS = ("approve", "reject")
ALL_WORDS = ("requester", "approver", "not in the group", "guest")
"""The other words read people in the same way: for the other kinds approve alone is looked at."""
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
OPEN_TO_CANCEL = ("preparing", "awaiting approval", "queued")
CELLS: list[str] = []
"""Every cell that was looked at, so that the table is known to be whole."""


def expected(word: str, actor: Actor, state: State) -> tuple[State | None, str]:
    """(the state it becomes, or None = refused; the words of the refusal)."""
    standing = bool(actor.refusal) and actor.refusal not in (OWN, OUTSIDE)
    if standing:
        return None, actor.refusal
    if word == "cancel":
        if not actor.requester:
            return None, "only they can cancel it"
        open_ = state.value in OPEN_TO_CANCEL
        return (State.CANCELLED, "") if open_ else (None, "it cannot be cancelled")
    if word in ("pause", "abort"):
        return steered(word, actor, state)
    if actor.requester:
        return None, OWN
    if state.value != "awaiting approval":
        return None, f"there is nothing to {word}"
    if actor.refusal:
        return None, actor.refusal
    return (State.QUEUED if word == "approve" else State.REJECTED), ""


def steered(word: str, actor: Actor, state: State) -> tuple[State | None, str]:
    """Work that runs is stopped or held by whoever asked for it and by whoever may approve it."""
    nobody_yet = state is State.PREPARING and not actor.requester  # no verdict names approvers
    if actor.refusal == OUTSIDE or nobody_yet:
        return None, f"You cannot {word}"
    if state.value != "running":
        return None, f"nothing to {word}"
    return (State.RUNNING if word == "pause" else State.ROLLING_BACK), ""


def settled(counter: Counter, actor: Actor) -> Member:
    """The actor in the workspace as Slack would describe him, group and faults included."""
    workspace = counter.running.workspace
    name = actor.id.lower()
    if actor.unknown:
        member = Member(
            id=actor.id,
            name=name,
            real_name="",
            role="",
            kind="member",
            team_id=workspace.team_id,
            color="",
        )
    elif actor.id in workspace.people:
        member = workspace.people[actor.id]
    else:
        member = counter.member(id=actor.id, name=name, **dict(actor.fields))
    workspace.groups[GROUP].users = [] if not actor.in_group else [actor.id]
    if actor.fault == "emptied":
        workspace.groups[GROUP].users = []
    elif actor.fault == "switched off":
        workspace.groups[GROUP].date_delete = 1
    elif actor.fault:
        workspace.faults.add(
            action="error",
            match={"method": actor.fault},
            times=100_000,
            after=0,
            params={"code": "internal_error"},
        )
    return member


@pytest.mark.parametrize("kind", ACTORS)
async def test_exactly_the_allowed_cells_pass(
    counter: Counter, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = ACTORS[kind]
    member = settled(counter, actor)
    me = Person(user_id=actor.id, name=member.name)
    wrong: list[str] = []
    with bend(monkeypatch, {actor.id: dict(actor.bent)}):
        for state in State:
            request = fresh(counter, state, actor, me)
            for surface, word in product(SURFACES, words_of(kind)):
                answered = await counter.act(surface, word, member, request)
                cell = f"{surface} × {kind} × {state.value} × {word}"
                CELLS.append(cell)
                found = faults(surface, word, actor, request, answered)
                wrong += [f"{cell}: {fault}" for fault in found]
                if answered.request != request:
                    request = fresh(counter, state, actor, me)
    assert wrong == []


def words_of(kind: str) -> tuple[str, ...]:
    return WORDS if kind in ALL_WORDS else WORDS[:1]


def fresh(counter: Counter, state: State, actor: Actor, me: Person) -> Request:
    return counter.stored(state, requester=me) if actor.requester else counter.stored(state)


def faults(surface: str, word: str, actor: Actor, request: Request, got: Answered) -> list[str]:
    """What is wrong with one cell; nothing, as a rule."""
    if surface == "thread" and (word not in IN_THREADS or actor.ourselves):
        return talk(request, got)
    becomes, words = expected(word, actor, request.state)
    words = words.format(n=request.id.removeprefix("R-"))
    found: list[str] = []
    after = got.request
    assert after is not None
    if got.others:
        found.append(f"{got.others} others were told")
    events = [(line.actor, line.event) for line in got.audit]
    if becomes is None:
        if after != request:
            found.append(f"changed to {after.state}")
        if events != [(actor.id, f"refused: {word} by {surface}")]:
            found.append(f"audit says {events}")
        if not all(words in line.words for line in got.audit):
            found.append(f"the audit does not say {words!r}: {[x.words for x in got.audit]}")
        # Slack shows an unknown user nothing in a channel; an answer to a command reaches whoever asked.
        silent = actor.unknown and surface != "command"
        if silent != (not got.told) or not all(words in text for text in got.told):
            found.append(f"told {got.told}, not {words!r}")
        return found
    if after.state is not becomes:
        found.append(f"is {after.state}, not {becomes}: {got.told}")
    if events != [(actor.id, f"{word} by {surface}")]:
        found.append(f"audit says {events}")
    if word in IN_THREADS and [v.person.user_id for v in after.votes] != [actor.id]:
        found.append(f"votes are {after.votes}")
    return found


def talk(request: Request, got: Answered) -> list[str]:
    """Other words in a thread are none of ours, and Slack's copies of our own messages are dropped."""
    silent = not got.told and not got.audit and not got.others and got.request == request
    return [] if silent else [f"a word of talk did something: {got}"]


def test_the_table_is_whole() -> None:
    if len({cell.split(" × ")[1] for cell in CELLS}) < len(ACTORS):
        pytest.skip("only a part of the table was run")
    words = sum(len(words_of(kind)) for kind in ACTORS)
    assert len(CELLS) == len(set(CELLS)) == len(SURFACES) * len(State) * words
