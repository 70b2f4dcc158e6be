"""An entry of a newer Ottla: said in a sentence wherever it is met, and nothing else suffers from it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from changes.lifecycle import State
from ledger import Ledger, keys
from tests.bot.conftest import Desk, until
from tests.bot.counter import Counter, counter
from tests.bot.test_forged_votes import who
from tests.starting import ROOT

__all__ = ["counter"]

NEWER = "was written by another version of Ottla"


def from_the_future(ledger: Ledger, request_id: str) -> None:
    ledger._redis.hset(keys.request(request_id), mapping={"format": "99", "body": b"?"})


def all_told(counter: Counter) -> str:
    entries = counter.running.workspace.ephemerals.values()
    return "\n".join(str(e["message"]["text"]) for e in entries)


@pytest.mark.parametrize("text", ["show R-1", "approve R-1", "reject R-1 no", "cancel R-1"])
async def test_whoever_names_it_is_told(counter: Counter, text: str) -> None:
    counter.stored(State.AWAITING_APPROVAL)
    from_the_future(counter.ledger, "R-1")
    await counter.command(text, who(counter, "bob"))
    await counter.bot.doors.tasks.drain(seconds=5)
    assert f"R-1 {NEWER}" in all_told(counter)
    assert "Something went wrong" not in all_told(counter)


async def test_its_buttons_are_answered(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    from_the_future(counter.ledger, "R-1")
    for word in ("approve", "reject", "cancel"):
        counter.running.workspace.ephemerals.clear()
        bob = who(counter, "bob")
        await counter.click(word, bob, ts=counter.cards["R-1"], value=f"R-1:{request.revision}")
        await counter.bot.doors.tasks.drain(seconds=5)
        assert f"R-1 {NEWER}" in all_told(counter)


async def test_status_names_it_and_shows_the_others(counter: Counter) -> None:
    counter.stored(State.AWAITING_APPROVAL)
    counter.stored(State.QUEUED)
    from_the_future(counter.ledger, "R-1")
    for text in ("status", "status on orders-prod"):
        counter.running.workspace.ephemerals.clear()
        await counter.command(text, who(counter, "bob"))
        await counter.bot.doors.tasks.drain(seconds=5)
        assert f"R-1 {NEWER}" in all_told(counter)
        assert "R-2" in all_told(counter)


async def test_others_are_approved_and_shown_as_ever(desk: Desk) -> None:
    await desk.waiting()
    from_the_future(desk.ledger, "R-1")
    await desk.command("scale brokers 9 because more", user="ann")
    await until(lambda: desk.ledger.load("R-2"), what="R-2 is asked")
    desk.prepared(desk.request("R-2"))
    await desk.card_with("approve R-2")
    await desk.command("approve R-2", user="bob")
    await until(lambda: desk.request("R-2").state is State.QUEUED, what="R-2 is queued")
    await desk.card_with("*queued*")


def test_the_command_line_says_it_too(ledger: Ledger, redis_url: str, counter: Counter) -> None:
    counter.stored(State.QUEUED)
    from_the_future(ledger, "R-1")
    shown = subprocess.run(
        [sys.executable, "-m", "ledger", "show", "R-1"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 2
    assert f"R-1 {NEWER}" in shown.stderr
    assert "Traceback" not in shown.stderr
