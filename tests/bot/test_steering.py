"""Pause, resume, abort and withdraw in Slack: buttons and commands, and whom they refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.standing import answer_all
from changes.lifecycle import State
from changes.progress import started
from changes.request import Request
from changes.standing import asked
from lab.slack.upsets import upset
from ledger import Audit
from tests.bot.conftest import Desk, until

pytestmark = pytest.mark.slow  # whole jobs and whole processes: seconds, not milliseconds

BUTTONS = {"pause": "request:pause", "resume": "request:resume", "abort": "request:abort"}


async def running(desk: Desk) -> Request:
    """Approved by bob, and a worker has begun."""
    card = await desk.waiting()
    await desk.act("click", user="bob", ts=card["ts"], action_id="request:approve")
    await until(lambda: desk.request().state is State.QUEUED, what="it is queued")
    begun = started(desk.request(), now=datetime.now(UTC))
    saved = desk.ledger.save(begun, audit=Audit(actor="worker", event="running", words="started"))
    await desk.card_with("*running*")
    return saved


@pytest.mark.parametrize("surface", ["button", "command"])
async def test_pause_resume_and_abort(desk: Desk, surface: str) -> None:
    await running(desk)

    async def press(what: str) -> None:
        if surface == "command":
            await desk.command(f"{what} R-1", user="bob")
            return
        card = desk.cards()[0]
        await until(
            lambda: BUTTONS[what] in str(desk.cards()[0]["blocks"]), what=f"a button to {what}"
        )
        await desk.act("click", user="bob", ts=card["ts"], action_id=BUTTONS[what])

    await press("pause")
    await until(lambda: desk.request().paused_by is not None, what="it is paused")
    await desk.card_with("*Paused by* <@U0LAB0BOB1>")
    assert desk.ledger.due(datetime.now(UTC) + timedelta(seconds=1)) == ("R-1",)
    await press("resume")
    await until(lambda: desk.request().paused_by is None, what="it goes on")
    await press("abort")
    await until(lambda: desk.request().state is State.ROLLING_BACK, what="it is stopped")
    found = [event for actor, event in desk.audit() if actor == "U0LAB0BOB1"]
    assert found[-3:] == [f"{what} by {surface}" for what in ("pause", "resume", "abort")]


@pytest.mark.parametrize("what", ["pause", "abort"])
@pytest.mark.parametrize("surface", ["button", "command"])
async def test_a_stranger_is_refused_alone_and_written_down(
    desk: Desk, what: str, surface: str
) -> None:
    """Dan was an approver until a moment ago."""
    await running(desk)
    emptied = {"usergroup": "kafka-approvers", "users": []}
    await upset(desk.running.workspace, "edit_usergroup", emptied)
    if surface == "button":
        await until(lambda: BUTTONS[what] in str(desk.cards()[0]["blocks"]), what="the button")
        await desk.act("click", user="dan", ts=desk.cards()[0]["ts"], action_id=BUTTONS[what])
    else:
        await desk.command(f"{what} R-1", user="dan")
    await desk.until_told("dan", f"You cannot {what} R-1: only its requester or")
    assert desk.request().state is State.RUNNING
    assert desk.request().paused_by is None
    assert desk.audit()[-1][1] == f"refused: {what} by {surface}"


async def test_a_vote_is_withdrawn_from_the_queue(desk: Desk) -> None:
    card = await desk.waiting()
    await desk.act("click", user="bob", ts=card["ts"], action_id="request:approve")
    await until(lambda: desk.request().state is State.QUEUED, what="it is queued")
    await desk.command("withdraw R-1", user="bob")
    await desk.until_told("bob", "Your approval of R-1 does not count any more.")
    assert desk.request().state is State.AWAITING_APPROVAL


async def test_the_bot_reads_approvers_again_when_a_worker_asks(desk: Desk) -> None:
    card = await desk.waiting()
    await desk.act("click", user="bob", ts=card["ts"], action_id="request:approve")
    await until(lambda: desk.request().state is State.QUEUED, what="it is queued")
    question = asked(desk.request(), now=datetime.now(UTC))
    desk.ledger.save(question, audit=None)
    await answer_all(desk.bot.doors)
    check = desk.request().standing
    assert check is not None
    assert [person.user_id for person in check.people] == ["U0LAB0BOB1"]
    assert check.people[0].groups == ("S0LABKAPPR",)
    assert check.answered_at is not None
    assert ("bot", "approvers read again") in desk.audit()
    await answer_all(desk.bot.doors)
    assert desk.request().standing == check, "one question, one answer"


async def test_status_says_when_the_policy_files_are_broken(desk: Desk) -> None:
    desk.bot.doors.kept.problem = "production.yaml:3:1: `rulez` is not known"
    await desk.command("status", user="ann")
    told = await desk.until_told("ann", "The policy files are broken")
    assert "the last good ones are in force" in told
    assert "rulez" in told
