"""Who may do each of the seven things to a request: every surface × every kind of actor × every state.

What should happen stands in `tests.bot.authority`; here it is held against what does.
"""

from __future__ import annotations

from itertools import product

import pytest

from changes.lifecycle import State
from changes.request import Person, Request, Vote
from lab.slack.entities import Person as Member
from tests.bot.authority import (
    ACTORS,
    GROUP,
    IN_THREADS,
    NO_BUTTON,
    STAGES,
    SURFACES,
    TALKERS,
    WORDS,
    Actor,
    Stage,
    expected,
)
from tests.bot.conftest import APPROVERS
from tests.bot.counter import ANN, Answered, Counter, bend, counter

pytestmark = pytest.mark.slow

__all__ = ["counter"]

CAROL = Person(user_id="U0LAB0CAR1", name="carol")


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
    cells: set[str] = set()
    with bend(monkeypatch, {actor.id: dict(actor.bent)}):
        for name, stage in stages_of(actor).items():
            request = fresh(counter, stage, actor, me)
            for surface, word in acts_of(kind):
                answered = await counter.act(surface, word, member, request)
                cell = f"{surface} × {kind} × {name} × {word}"
                cells.add(cell)
                found = faults(surface, word, actor, stage, request, answered)
                wrong += [f"{cell}: {fault}" for fault in found]
                if answered.request != request:
                    request = fresh(counter, stage, actor, me)
    assert wrong == []
    assert len(cells) == cells_of(kind)


def cells_of(kind: str) -> int:
    return len(acts_of(kind)) * len(stages_of(ACTORS[kind]))


def stages_of(actor: Actor) -> dict[str, Stage]:
    """Nobody can ever have voted on his own request."""
    return {n: stage for n, stage in STAGES.items() if not (stage.voted and actor.requester)}


def acts_of(kind: str) -> list[tuple[str, str]]:
    return [
        (surface, word)
        for surface, word in product(SURFACES, WORDS)
        if kind in TALKERS or offered(surface, word)
    ]


def offered(surface: str, word: str) -> bool:
    return word in IN_THREADS if surface == "thread" else (surface, word) not in NOT_OFFERED


NOT_OFFERED = [("button", word) for word in NO_BUTTON]


def fresh(counter: Counter, stage: Stage, actor: Actor, me: Person) -> Request:
    needs = (APPROVERS.with_(count=2 if stage.state is State.AWAITING_APPROVAL else 1),)
    needs = needs if stage.voted else (APPROVERS,)
    request = counter.stored(stage.state, needs=needs, requester=me if actor.requester else ANN)
    if stage.voted:
        voter = me.with_(groups=(GROUP,))
        cast = Vote(
            person=voter,
            choice="approve",
            fingerprint=request.fingerprint,
            at=request.updated_at,
        )
        return counter.ledger.save(request.with_(votes=(cast,)), audit=None)
    if stage.paused:
        return counter.ledger.save(request.with_(paused_by=CAROL), audit=None)
    return request


def faults(
    surface: str, word: str, actor: Actor, stage: Stage, request: Request, got: Answered
) -> list[str]:
    """What is wrong with one cell; nothing, as a rule."""
    if surface == "thread" and (word not in IN_THREADS or actor.ourselves):
        return talk(request, got)
    if not offered(surface, word):
        return no_such_button(request, got)
    becomes, words = expected(word, actor, stage)
    words = words.format(n=request.id.removeprefix("R-"))
    after = got.request
    assert after is not None
    found = [f"{got.others} others were told"] if got.others else []
    if becomes is None:
        return found + refused(surface, word, actor, request, got, words)
    return found + allowed(surface, word, actor, becomes, after, got)


def refused(
    surface: str, word: str, actor: Actor, request: Request, got: Answered, words: str
) -> list[str]:
    """Nothing changed, the audit has it, and that person alone was told why."""
    found: list[str] = []
    if got.request != request:
        found.append(f"changed to {got.request and got.request.state}")
    if events_of(got) != [(actor.id, f"refused: {word} by {surface}")]:
        found.append(f"audit says {events_of(got)}")
    if not all(words in line.words for line in got.audit):
        found.append(f"the audit does not say {words!r}: {[x.words for x in got.audit]}")
    # Slack shows an unknown user nothing in a channel; an answer to a command reaches whoever asked.
    silent = actor.unknown and surface != "command"
    if silent != (not got.told) or not all(words in text for text in got.told):
        found.append(f"told {got.told}, not {words!r}")
    return found


def allowed(
    surface: str, word: str, actor: Actor, becomes: State, after: Request, got: Answered
) -> list[str]:
    found: list[str] = []
    if after.state is not becomes:
        found.append(f"is {after.state}, not {becomes}: {got.told}")
    if events_of(got) != [(actor.id, f"{word} by {surface}")]:
        found.append(f"audit says {events_of(got)}")
    voters = [(vote.person.user_id, vote.choice) for vote in after.votes]
    if word in IN_THREADS and voters[-1:] != [(actor.id, word)]:
        found.append(f"votes are {voters}")
    if word == "withdraw" and voters:
        found.append(f"votes are {voters}")
    paused = after.paused_by and after.paused_by.user_id
    if paused != (actor.id if word == "pause" else None):
        found.append(f"paused by {paused}")
    return found


def events_of(got: Answered) -> list[tuple[str, str]]:
    return [(line.actor, line.event) for line in got.audit]


def no_such_button(request: Request, got: Answered) -> list[str]:
    """Only a forged click presses it: it is answered, and it is no decision of anybody."""
    answered = [text for text in got.told if "not one I know any more" in text]
    good = answered and not got.audit and not got.others and got.request == request
    return [] if good else [f"a button that no card has did something: {got}"]


def talk(request: Request, got: Answered) -> list[str]:
    """Other words in a thread are none of ours, and Slack's copies of our own messages are dropped."""
    silent = not got.told and not got.audit and not got.others and got.request == request
    return [] if silent else [f"a word of talk did something: {got}"]


def test_the_table_is_whole() -> None:
    """Every surface, word, kind of actor and state stands in it somewhere."""
    acts = {act for kind in ACTORS for act in acts_of(kind)}
    assert acts == set(product(SURFACES, WORDS))
    assert {stage.state for stage in stages_of(ACTORS["approver"]).values()} == set(State)
    assert sum(map(cells_of, ACTORS)) > 4000
