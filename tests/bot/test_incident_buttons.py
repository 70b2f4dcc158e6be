"""Acknowledge, mute, unmute, propose: who may, what it does, and what a forged value comes to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.cards.incident_buttons import digest
from changes.incident import AlertState, Family, Incident, Severity
from lab.slack.entities import Person as Member
from lab.slack.payloads import head, new_trigger
from tests.bot.conftest import KAFKA
from tests.bot.counter import Counter, bend, counter
from tests.bot.incident_samples import alert, incident, opened, over

__all__ = ["counter"]

Json = dict[str, Any]
SCALE = "scale brokers 6"
DAN = "U0LAB0DAN1"
ANN = "U0LAB0ANN1"


def person(counter: Counter, user_id: str) -> Member:
    return counter.running.workspace.people[user_id]


async def press(
    counter: Counter, action_id: str, actor: Member, value: str, *, chosen: bool = False
) -> str:
    """One click, and everything whoever clicked was told."""
    workspace = counter.running.workspace
    known = set(workspace.ephemerals)
    await press_alone(counter, action_id, actor, value, chosen=chosen)
    await counter.bot.doors.tasks.drain(seconds=5)
    fresh = [entry for ts, entry in workspace.ephemerals.items() if ts not in known]
    assert all(entry["user"] == actor.id for entry in fresh)
    return "\n".join(entry["message"]["text"] for entry in fresh)


async def press_alone(
    counter: Counter, action_id: str, actor: Member, value: str, *, chosen: bool = False
) -> None:
    """One click; what it begins may go on."""
    workspace = counter.running.workspace
    option = {"text": {"type": "plain_text", "text": "x"}, "value": value}
    what: Json = {"selected_option": option} if chosen else {"value": value}
    payload = {
        **head(workspace, actor, kind="block_actions"),
        "trigger_id": new_trigger(workspace, actor),
        "container": {"type": "message", "message_ts": "1.2", "channel_id": KAFKA},
        "channel": {"id": KAFKA},
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", **what}],
    }
    await counter.dispatch(payload)


def one(counter: Counter, **more: Any) -> Incident:
    (found,) = opened(counter.ledger, incident(alert(proposal=SCALE), **more))
    return found


def stored(counter: Counter, incident_id: str = "I-1") -> Incident:
    found = counter.ledger.incident(incident_id)
    assert found is not None
    return found


def audit(counter: Counter) -> list[tuple[str, str, str]]:
    return [(x.actor, x.event, x.request_id) for x in counter.ledger.audit_lines()]


async def test_acknowledging_says_who_has_it_and_tells_nobody_else(counter: Counter) -> None:
    one(counter)
    told = await press(counter, "incident:acknowledge", person(counter, DAN), "I-1")
    assert (told, stored(counter).acked_by) == ("", DAN)
    assert audit(counter) == [(DAN, "acknowledge by button", "I-1")]
    told = await press(counter, "incident:acknowledge", person(counter, ANN), "I-1")
    assert f"acknowledged by <@{DAN}> already" in told
    assert audit(counter)[-1] == (ANN, "refused: acknowledge by button", "I-1")


async def test_muting_for_as_long_as_was_chosen_and_hearing_it_again(counter: Counter) -> None:
    one(counter)
    dan = person(counter, DAN)
    assert await press(counter, "incident:mute", dan, "I-1:4", chosen=True) == ""
    until = stored(counter).muted_until
    assert until is not None
    left = until - counter.bot.doors.now()
    assert timedelta(hours=3.9) < left <= timedelta(hours=4)
    assert await press(counter, "incident:unmute", dan, "I-1") == ""
    assert stored(counter).muted_until is None
    assert "is not muted" in await press(counter, "incident:unmute", dan, "I-1")


async def test_proposing_opens_the_request_that_typing_it_would_open(counter: Counter) -> None:
    one(counter)
    value = f"I-1:{digest(SCALE)}"
    told = await press(counter, "incident:propose:0", person(counter, DAN), value)
    request = counter.ledger.load("R-1")
    assert request is not None
    assert request.requester.user_id == DAN
    assert request.change.describe() == "Scale orders-prod to 6 brokers"
    assert request.because.startswith("I-1: group payments: stopped: 18,240 messages")
    assert request.channel == KAFKA
    assert f"R-1: Scale orders-prod to 6 brokers: being planned; its card is in <#{KAFKA}>" in told
    assert stored(counter).proposed == ("R-1",)
    assert (DAN, "propose by button", "I-1") in audit(counter)


async def test_a_second_proposal_while_the_first_is_open_is_refused_with_its_name(
    counter: Counter,
) -> None:
    one(counter)
    value = f"I-1:{digest(SCALE)}"
    await press(counter, "incident:propose:0", person(counter, DAN), value)
    told = await press(counter, "incident:propose:0", person(counter, ANN), value)
    assert "R-1 was proposed from I-1 already and is preparing" in told
    assert counter.ledger.load("R-2") is None


async def test_nothing_is_proposed_while_another_change_of_the_cluster_is_open(
    counter: Counter,
) -> None:
    one(counter)
    await press(counter, "incident:propose:0", person(counter, DAN), f"I-1:{digest(SCALE)}")
    more = alert("broker 2", proposal="scale brokers 9", family=Family.CAPACITY)
    opened(counter.ledger, incident(more, family=Family.CAPACITY))
    value = f"I-2:{digest('scale brokers 9')}"
    told = await press(counter, "incident:propose:0", person(counter, ANN), value)
    assert "R-1 (Scale orders-prod to 6 brokers) is preparing: what it brings is seen" in told
    assert counter.ledger.load("R-2") is None


async def test_two_people_who_propose_in_the_same_second_open_one_request(
    counter: Counter,
) -> None:
    one(counter)
    value = f"I-1:{digest(SCALE)}"
    told = await asyncio.gather(
        *(
            press_alone(counter, "incident:propose:0", person(counter, who), value)
            for who in (DAN, ANN)
        )
    )
    await counter.bot.doors.tasks.drain(seconds=5)
    assert told == [None, None]
    assert counter.ledger.load("R-1") is not None
    assert counter.ledger.load("R-2") is None
    assert stored(counter).proposed == ("R-1",)
    entries = counter.running.workspace.ephemerals.values()
    words = [entry["message"]["text"] for entry in entries]
    assert sum("R-1 was proposed from I-1 already" in one for one in words) == 1


async def test_what_somebody_typed_already_is_not_proposed_once_more(counter: Counter) -> None:
    one(counter)
    await counter.command(f"{SCALE} on orders-prod", person(counter, ANN))
    await counter.bot.doors.tasks.drain(seconds=5)
    assert counter.ledger.load("R-1") is not None
    value = f"I-1:{digest(SCALE)}"
    told = await press(counter, "incident:propose:0", person(counter, DAN), value)
    assert "R-1 asks for it already and is preparing" in told
    assert counter.ledger.load("R-2") is None


async def test_an_offer_that_changed_since_it_was_drawn_opens_nothing(counter: Counter) -> None:
    one(counter)
    value = f"I-1:{digest('scale brokers 9')}"
    told = await press(counter, "incident:propose:0", person(counter, DAN), value)
    assert "does not propose that any more" in told
    assert counter.ledger.load("R-1") is None


async def test_a_rule_that_proposes_nonsense_opens_nothing(counter: Counter) -> None:
    opened(counter.ledger, incident(alert(proposal="delete everything")))
    value = f"I-1:{digest('delete everything')}"
    told = await press(counter, "incident:propose:0", person(counter, DAN), value)
    assert "`delete everything` is no change that can be asked for" in told


KINDS: dict[str, tuple[Json, Json, str]] = {
    "guest": ({"kind": "guest"}, {}, "guests cannot act"),
    "bot": ({"kind": "bot"}, {}, "bots, apps and workflows never decide"),
    "deactivated": ({"deleted": True}, {}, "deactivated"),
    "stranger": ({"kind": "stranger", "team_id": "T0LABOTHER"}, {}, "another workspace"),
    "workflow": ({}, {"is_workflow_bot": True}, "bots, apps and workflows never decide"),
}
ACTS = {
    "incident:acknowledge": "I-1",
    "incident:mute": "I-1:1",
    "incident:unmute": "I-1",
    "incident:propose:0": f"I-1:{digest(SCALE)}",
}


@pytest.mark.parametrize("kind", KINDS)
async def test_only_full_active_human_members_of_the_home_workspace_act(
    counter: Counter, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields, bent, words = KINDS[kind]
    before = one(counter)
    actor = counter.member(id="U0CASE0001", name="somebody", **fields)
    with bend(monkeypatch, {actor.id: bent}):
        for action_id, value in ACTS.items():
            told = await press(
                counter, action_id, actor, value, chosen=action_id == "incident:mute"
            )
            assert words in told, action_id
    assert stored(counter) == before
    assert counter.ledger.load("R-1") is None
    assert len(audit(counter)) == len(ACTS)
    assert all(event.startswith("refused: ") for _, event, _ in audit(counter))


async def test_nothing_is_done_to_what_is_over(counter: Counter) -> None:
    (found,) = opened(counter.ledger, incident(alert(proposal=SCALE)))
    opened(counter.ledger, over(found))
    for action_id, value in ACTS.items():
        chosen = action_id == "incident:mute"
        told = await press(counter, action_id, person(counter, DAN), value, chosen=chosen)
        assert "I-1 is over" in told
    assert counter.ledger.load("R-1") is None


async def test_nothing_is_proposed_for_what_is_getting_better(counter: Counter) -> None:
    """What helped a minute ago must not be followed by the offer of the next one."""
    better = alert(proposal=SCALE, state=AlertState.RESOLVING)
    opened(counter.ledger, incident(better))
    told = await press(counter, "incident:propose:0", person(counter, DAN), f"I-1:{digest(SCALE)}")
    assert "does not propose that any more" in told
    assert counter.ledger.load("R-1") is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "I-1:9999",
        "I-0",
        "R-1",
        "I-1; I-2",
        "I-1:4:4",
        "I-99999999999",
        "I-1\n",
        "i-1",
        "I-1:-4",
    ],
)
async def test_forged_values_change_nothing(counter: Counter, value: str) -> None:
    before = one(counter)
    for action_id in ACTS:
        told = await press(
            counter, action_id, person(counter, DAN), value, chosen=action_id == "incident:mute"
        )
        harmless = action_id in ("incident:acknowledge", "incident:unmute") and value == "I-1:9999"
        assert told or harmless
    if value != "I-1:9999":
        assert stored(counter) == before
    assert stored(counter).muted_until is None
    assert counter.ledger.load("R-1") is None


async def test_an_incident_nobody_knows_is_said(counter: Counter) -> None:
    told = await press(counter, "incident:acknowledge", person(counter, DAN), "I-77")
    assert "There is no incident I-77" in told


async def test_words_in_channels_do_what_the_buttons_do(counter: Counter) -> None:
    one(counter)
    dan = person(counter, DAN)
    known = set(counter.running.workspace.ephemerals)
    await counter.command("ack I-1", dan)
    await counter.command("mute I-1 for 90m", dan)
    await counter.bot.doors.tasks.drain(seconds=5)
    entries = counter.running.workspace.ephemerals.items()
    told = "\n".join(e["message"]["text"] for ts, e in entries if ts not in known)
    assert "I-1 is yours" in told
    assert "I-1 is muted for 1 h 30 min" in told
    found = stored(counter)
    assert (found.acked_by, found.severity) == (DAN, Severity.WARN)
    assert found.muted_until is not None
