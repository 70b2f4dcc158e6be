"""`/kafka …` on a real socket: what is understood, what is answered, what is stored."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from changes.lifecycle import State
from changes.request import Request
from lab.slack.validate import validate_blocks
from ledger import Card
from tests.bot.conftest import KAFKA, Desk, until
from tests.bot.counter import Counter, counter
from tests.redis_server import RedisServer

__all__ = ["counter"]


def answer_of(done: dict[str, object]) -> str:
    answer = done["answer"]
    assert isinstance(answer, dict)
    assert validate_blocks([dict(b) for b in answer["blocks"]]) == []
    return str(answer["text"])


async def test_asking_opens_a_request_and_says_where_its_card_will_be(desk: Desk) -> None:
    done = await desk.command("scale brokers 6 because lag > 5 min", user="ann")
    assert "checking who you are" in answer_of(done)
    told = await desk.until_told("ann", "being planned; ")
    # The card may come sooner than these words, and is linked then.
    assert f"its card is in <#{KAFKA}>" in told or f"|its card> is in <#{KAFKA}>" in told
    assert "*R-1*" in told
    assert "orders-prod" in told, "the default that was used is stated"
    request = desk.request()
    assert request.state is State.PREPARING
    assert request.because == "lag > 5 min"
    assert (request.requester.user_id, request.channel) == ("U0LAB0ANN1", KAFKA)
    card = await desk.card_with("*preparing*")
    assert card["metadata"]["event_payload"] == {"request_id": "R-1", "revision": 0}


async def test_a_command_is_acknowledged_before_slack_is_asked_who_it_was(desk: Desk) -> None:
    """However long that takes: Slack gives up on a command after 3 s."""
    workspace = desk.running.workspace
    workspace.faults.add(
        action="slow", match={"method": "users.info"}, times=1, after=0, params={"s": 3}
    )
    await desk.command("scale brokers 6")
    await desk.until_told("ann", "R-1")
    log = workspace.log
    (command,) = [e for e in log.entries(kind="delivery") if e["type"] == "slash_commands"]
    (slow,) = [
        e for e in log.entries(kind="api") if e["method"] == "users.info" and e["seconds"] >= 3
    ]
    assert command["status"] == "acked"
    assert command["seconds"] < 2
    assert command["n"] < slow["n"], "who it was came after the acknowledgement"


async def test_a_card_that_came_sooner_than_the_answer_is_linked(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another bot may draw it first: then no word may say that it is still to come."""
    opening = counter.ledger.open_request

    def opened_and_drawn(**asked: Any) -> Request:
        request = opening(**asked)
        card = Card(channel=KAFKA, ts="1700000000.000100")
        assert counter.ledger.save_card(request.id, card, expected=None)
        return request

    monkeypatch.setattr(counter.ledger, "open_request", opened_and_drawn)
    ann = counter.running.workspace.people["U0LAB0ANN1"]
    await counter.command("scale brokers 6", ann)
    await counter.bot.doors.tasks.drain(seconds=5)
    told = [e["message"]["text"] for e in counter.running.workspace.ephemerals.values()]
    linked = f"archives/{KAFKA}/p1700000000000100|its card> is in <#{KAFKA}>"
    assert [linked in text for text in told].count(True) == 1, told
    assert not any("follows" in text for text in told)


async def test_the_same_wish_twice_is_one_request(desk: Desk) -> None:
    await asyncio.gather(*(desk.command("scale brokers 6") for _ in range(2)))
    await until(lambda: desk.told("ann").count("R-1") >= 2, what="both are answered")
    assert desk.ledger.load("R-2") is None


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("scale brokers six", "must be a whole number"),
        ("scael brokers 6", "Try: "),
        ("scale brokers 6; rm -rf /", "nothing is run through a shell"),
        ("scale brokers 6 on orders-*", "has no meaning here"),
        ("scale brokers @bob", "A mention cannot stand here"),
        ("show 17 18", "is all."),
        ("x" * 3000, "at most 500 are read"),
    ],
)
async def test_a_mistake_is_answered_at_once_and_changes_nothing(
    desk: Desk, typed: str, words: str
) -> None:
    done = await desk.command(typed)
    text = answer_of(done)
    assert "I did not understand that." in text
    assert "```" in text
    assert words in text
    assert desk.ledger.requests() == ()


async def test_help_names_every_line_and_one_in_full(desk: Desk) -> None:
    text = answer_of(await desk.command("help"))
    for line in ("scale brokers", "status", "show", "approve", "reject", "cancel"):
        assert line in text
    assert "Examples:" in answer_of(await desk.command("help scale brokers"))


async def test_guests_and_leavers_ask_for_nothing(desk: Desk) -> None:
    await desk.command("scale brokers 6", user="gus")
    await desk.until_told("gus", "Nothing was asked: guests cannot act on clusters.")
    assert desk.ledger.requests() == ()
    last = list(desk.ledger.audit_lines())[-1]
    assert (last.event, last.request_id) == ("refused: ask by command", "orders-prod")


@pytest.mark.parametrize("typed", ["status", "show R-1", "lag", "balance", "incidents", "forecast"])
async def test_guests_are_told_nothing_of_clusters(desk: Desk, typed: str) -> None:
    await desk.waiting()
    await desk.command(typed, user="gus")
    words = "Only members of this workspace are answered: guests cannot act on clusters."
    assert await desk.until_told("gus", "Only members") == words


async def test_status_lists_what_is_open_with_a_link_to_the_card(desk: Desk) -> None:
    await desk.command("status", user="bob")
    await desk.until_told("bob", "Nothing is open")
    card = await desk.waiting()
    await desk.command("status on orders-prod", user="bob")
    told = await desk.until_told("bob", "1 open request on orders-prod")
    assert f"archives/{KAFKA}/p{card['ts'].replace('.', '')}|R-1>" in told
    assert "awaiting approval" in told


async def test_show_has_the_card_and_the_thread_but_no_buttons(desk: Desk) -> None:
    await desk.waiting()
    await desk.command("show R-1", user="bob")
    told = await desk.until_told("bob", "*Thread*")
    assert "Add one broker per AZ" in told
    entries = desk.running.workspace.ephemerals.values()
    kinds = {block["type"] for e in entries for block in e["message"]["blocks"]}
    assert "actions" not in kinds


async def test_an_unknown_request_is_said_for_each_question(desk: Desk) -> None:
    for line in ("show R-9", "approve R-9", "reject R-9 no", "cancel R-9"):
        await desk.command(line, user="bob")
        await desk.until_told("bob", "There is no request R-9")
        desk.running.workspace.ephemerals.clear()


async def test_rejecting_by_command_keeps_the_reason_as_typed(desk: Desk) -> None:
    await desk.waiting()
    await desk.command("reject R-1 ask @ann & wait: lag > 5", user="bob")
    await until(lambda: desk.request().state is State.REJECTED, what="rejected")
    assert desk.request().votes[0].reason == "ask @ann & wait: lag > 5"
    await desk.until_told("bob", "R-1 is rejected.")


async def test_without_redis_nothing_is_changed_and_that_is_said(
    workspace_without_redis: tuple[Desk, RedisServer],
) -> None:
    desk, server = workspace_without_redis
    server.kill()
    await desk.command("scale brokers 6")
    told = await desk.until_told("ann", "Nothing was changed; try again in a minute.")
    assert "The ledger cannot be used while opening a request" in told
    server.start()
    assert desk.ledger.requests() == ()


async def test_something_unforeseen_gives_a_reference_and_no_details(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(desk.ledger, "requests", broken)
    await desk.command("status", user="bob")
    told = await desk.until_told("bob", "Something went wrong here (reference `")
    assert "secret detail" not in told
    reference = told.split("`")[1]
    assert f"(reference {reference})" in caplog.text
    assert "secret detail" in caplog.text
