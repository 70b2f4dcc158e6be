"""One card, each line once and in order, whatever Slack or a dying process does in between."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.finding import payload_of
from bot.request_story import RequestStory
from bot.story import Mark
from bot.writer import Writer
from changes.lifecycle import Event, State
from changes.request import Outcome, Progress, Request
from lab.slack.upsets import upset
from ledger import Audit, Card, keys
from tests.bot.conftest import KAFKA, Desk, Hire, Json, until

pytestmark = pytest.mark.slow

PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xdc\xccY\xe7"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)


def fault(
    desk: Desk, action: str, method: str, *, times: int = 1, after: int = 0, **more: Any
) -> None:
    match = {"method": method}
    desk.running.workspace.faults.add(
        action=action, match=match, times=times, after=after, params=more
    )


def save(desk: Desk, request: Request, event: str = "worked") -> Request:
    return desk.ledger.save(request, audit=Audit(actor="worker", event=event, words=event))


def start(desk: Desk) -> Request:
    """Approved and begun, as a worker does it."""
    now = datetime.now(UTC)
    queued = save(desk, desk.request().moved(event=Event.QUORUM_REACHED, now=now))
    begun = queued.moved(event=Event.STARTED, now=now)
    progress = Progress(
        step=2, started_at=now, step_started_at=now, done=1, total=100, unit="bytes"
    )
    return save(desk, begun.with_(progress=progress))


def lines(desk: Desk) -> list[str]:
    return [message["text"] for message in desk.thread() if not message.get("files")]


def all_shown(desk: Desk) -> bool:
    return desk.ledger.cards_behind() == ()


async def test_one_card_follows_its_request_to_the_end(desk: Desk) -> None:
    await desk.waiting()
    running = start(desk)
    await desk.card_with("*running*")
    now = datetime.now(UTC)
    outcome = Outcome(words="Six brokers.", seconds=60, bytes_moved=41_000_000_000)
    done = running.moved(event=Event.STEPS_FINISHED, now=now).with_(outcome=outcome)
    save(desk, done.said(now=now, text="Done in 1 min", calls="requester"))
    card = await desk.card_with("*done*")
    await until(lambda: all_shown(desk), what="nothing is behind")
    assert len(desk.cards()) == 1
    assert card["metadata"]["event_payload"] == {"request_id": "R-1", "revision": 1}
    assert lines(desk)[-1] == "Done in 1 min · <@U0LAB0ANN1>"
    assert all(block["type"] != "actions" for block in card["blocks"])


async def test_lines_come_once_and_in_order(desk: Desk) -> None:
    await desk.waiting()
    for start_at in range(0, 12, 3):
        request = desk.request()
        for number in range(start_at, start_at + 3):
            request = request.said(now=datetime.now(UTC), text=f"line {number}")
        save(desk, request)
    await until(lambda: all_shown(desk), what="nothing is behind")
    assert [line for line in lines(desk) if line.startswith("line")] == [
        f"line {number}" for number in range(12)
    ]


async def test_a_picture_stands_under_its_line_before_the_next_one(desk: Desk) -> None:
    await desk.waiting()
    key = desk.ledger.keep_picture(content=PIXEL)
    now = datetime.now(UTC)
    request = desk.request().said(now=now, text="Before: CPU 20 %", picture=key, title="Before")
    save(desk, request.said(now=now, text="and then"))
    await until(lambda: "and then" in lines(desk), what="the next line is there")
    thread = desk.thread()
    texts = [message["text"] for message in thread]
    shared = next(at for at, message in enumerate(thread) if message.get("files"))
    assert texts.index("Before: CPU 20 %") < shared < texts.index("and then")
    assert thread[shared]["files"][0]["title"] == "Before"
    assert sum(1 for message in thread if message.get("files")) == 1


@pytest.mark.parametrize("action", ["http", "ratelimit", "reset_after_commit"])
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_picture_that_fails_at_first_arrives_once(
    desk: Desk, action: str, method: str
) -> None:
    await desk.waiting()
    fault(desk, action, method)
    key = desk.ledger.keep_picture(content=PIXEL)
    said = desk.request().said(now=datetime.now(UTC), text="Midway", picture=key, title="Midway")
    save(desk, said.said(now=datetime.now(UTC), text="the end"))
    await until(lambda: "the end" in lines(desk), what="the last line is there", seconds=20)
    assert (lines(desk).count("Midway"), lines(desk).count("the end")) == (1, 1)
    assert sum(1 for message in desk.thread() if message.get("files")) == 1


async def test_a_picture_that_is_gone_is_said_and_one_that_is_refused_holds_up_nothing(
    desk: Desk,
) -> None:
    await desk.waiting()
    now = datetime.now(UTC)
    fault(desk, "error", "files.getUploadURLExternal", code="not_allowed_token_type")
    key = desk.ledger.keep_picture(content=PIXEL)
    request = desk.request().said(now=now, text="Midway", picture=key, title="Midway")
    request = request.said(now=now, text="After", picture="f" * 64, title="After")
    save(desk, request.said(now=now, text="the end"))
    await until(lambda: "the end" in lines(desk), what="the last line is there")
    assert "Midway" in lines(desk)
    assert "After (its picture is not kept any more)" in lines(desk)


async def test_a_post_whose_answer_is_lost_is_found_again_and_not_repeated(desk: Desk) -> None:
    fault(desk, "reset_after_commit", "chat.postMessage")
    await desk.asked()
    await until(lambda: all_shown(desk), what="the card is there", seconds=15)
    assert len(desk.cards()) == 1
    fault(desk, "reset_after_commit", "chat.postMessage")
    save(desk, desk.request().said(now=datetime.now(UTC), text="only once"))
    await until(lambda: all_shown(desk), what="the line is there", seconds=15)
    assert lines(desk).count("only once") == 1


@pytest.mark.parametrize("queued", [False, True])
async def test_a_bot_that_died_between_posting_and_remembering(
    desk: Desk, hire: Hire, queued: bool
) -> None:
    """Its claim is found, its message is looked for, and the next bot goes on from there.

    A queued card is redrawn whenever its place in line may have moved: not before the line in doubt.
    """
    await desk.asked()
    await until(lambda: all_shown(desk), what="the card is there")
    await desk.bot.announcer.stop()
    card = desk.ledger.card("R-1")
    assert card is not None
    now = datetime.now(UTC)
    request = desk.request()
    request = request.moved(event=Event.PREPARED_ALLOWED, now=now) if queued else request
    request = save(desk, request.said(now=now, text="posted, not remembered"))
    past = datetime.now(UTC) - timedelta(seconds=1)
    ghost = card.with_(claim="dead1234 line 0", claimed_until=past, drawn_version=request.version)
    assert desk.ledger.save_card("R-1", ghost, expected=card)
    await the_writer(desk).post_line(RequestStory(request), ghost, 0, doubtful=False)
    await hire()
    await until(lambda: all_shown(desk), what="the next bot has caught up")
    assert lines(desk) == ["posted, not remembered"]


def the_writer(desk: Desk) -> Writer:
    doors = desk.bot.doors
    return Writer(ledger=doors.ledger, client=doors.client, home=doors.home)


async def test_a_card_posted_and_forgotten_is_adopted(desk: Desk, hire: Hire) -> None:
    await desk.bot.announcer.stop()
    request = await desk.asked()
    await the_writer(desk).post_card(RequestStory(request), Card(channel=KAFKA), doubtful=False)
    past = datetime.now(UTC) - timedelta(seconds=1)
    ghost = Card(channel=KAFKA, claim="dead1234 card -1", claimed_until=past)
    assert desk.ledger.save_card("R-1", ghost, expected=None)
    await hire()
    await until(lambda: all_shown(desk), what="the next bot has caught up")
    assert len(desk.cards()) == 1
    found = desk.ledger.card("R-1")
    assert found is not None
    assert found.ts == desk.cards()[0]["ts"]


async def test_somebody_elses_metadata_is_not_our_card(desk: Desk) -> None:
    """Only the bot's own messages count, whatever another app writes into its metadata."""
    forged = {
        "user": "U0OTHERAPP",
        "metadata": {"event_type": "ottla_request", "event_payload": {"request_id": "R-1"}},
    }
    home = desk.bot.doors.home
    mark = Mark("request", "R-1")
    assert not payload_of(forged, home=home, mark=mark, line=None)
    assert payload_of({**forged, "user": home.bot_user_id}, home=home, mark=mark, line=None)


async def test_two_bots_post_each_thing_once(desk: Desk, hire: Hire) -> None:
    await hire()
    await desk.waiting()
    for number in range(6):
        save(desk, desk.request().said(now=datetime.now(UTC), text=f"line {number}"))
    await until(lambda: all_shown(desk), what="nothing is behind", seconds=15)
    assert len(desk.cards()) == 1
    assert [one for one in lines(desk) if one.startswith("line")] == [f"line {n}" for n in range(6)]


async def test_slack_asking_to_wait_is_obeyed(desk: Desk) -> None:
    await desk.asked()
    await until(lambda: all_shown(desk), what="the card is there")
    fault(desk, "ratelimit", "chat.postMessage", retry_after=2)
    began = asyncio.get_running_loop().time()
    save(desk, desk.request().said(now=datetime.now(UTC), text="after the wait"))
    await until(lambda: "after the wait" in lines(desk), what="the line is there")
    assert asyncio.get_running_loop().time() - began >= 2
    calls = api_calls(desk, "chat.postMessage")
    assert len(calls) == 3, "the card, the refused line, the line"


def api_calls(desk: Desk, method: str) -> list[Json]:
    entries = desk.running.workspace.log.entries(kind="api")
    return [entry for entry in entries if entry.get("method") == method]


async def test_progress_is_redrawn_not_oftener_than_every_two_seconds(desk: Desk) -> None:
    await desk.waiting()
    request = start(desk)
    await desk.card_with("*running*")
    before = len(api_calls(desk, "chat.update"))
    assert request.progress is not None
    for done in range(2, 42):
        request = request.with_(progress=request.progress.with_(done=done))
        request = desk.ledger.save(request, audit=None)
        await asyncio.sleep(0.1)
    await desk.card_with("41 B of 100 B")
    assert len(api_calls(desk, "chat.update")) - before <= 4


async def test_a_decision_does_not_wait_for_the_next_redraw(desk: Desk) -> None:
    await desk.waiting()
    request = start(desk)
    await desk.card_with("*running*")
    assert request.progress is not None
    held = request.progress.with_(hold="2 partitions are under-replicated")
    began = asyncio.get_running_loop().time()
    desk.ledger.save(request.with_(progress=held), audit=None)
    await desk.card_with("⏸️ *Holding:* 2 partitions are under-replicated.")
    assert asyncio.get_running_loop().time() - began < 1.5


async def test_a_deleted_card_is_posted_anew(desk: Desk) -> None:
    card = await desk.waiting()
    channel = desk.running.workspace.channel_named("#kafka")
    assert channel is not None
    await until(lambda: all_shown(desk), what="all is shown")
    del channel.messages[card["ts"]]
    request = save(desk, desk.request().said(now=datetime.now(UTC), text="still here"))
    await until(lambda: all_shown(desk), what="a new card is there")
    assert [c for c in desk.cards() if re.search("approve R-1", c["text"])]
    assert request.state is State.AWAITING_APPROVAL
    assert lines(desk)[-1] == "still here"


async def test_blocks_slack_will_not_have_give_way_to_simpler_ones_and_then_to_text(
    desk: Desk,
) -> None:
    fault(desk, "error", "chat.postMessage", times=2, code="invalid_blocks")
    await desk.asked()
    await until(lambda: all_shown(desk), what="the card is there")
    (card,) = desk.cards()
    assert "*R-1* · *preparing*" in card["text"]
    waiting = desk.prepared(desk.request())
    assert waiting.revision == 1
    await desk.card_with("approve R-1")
    assert [b for b in desk.cards()[0]["blocks"] if b["type"] == "actions"], "the next one is whole"


async def test_a_channel_without_the_bot_is_said_to_the_requester(desk: Desk) -> None:
    await upset(desk.running.workspace, "kick_bot", {"channel": "#kafka"})
    await desk.command("scale brokers 6", channel="#random")
    channels = desk.running.workspace.channels.values()

    def direct() -> str:
        texts = [m["text"] for c in channels if c.is_im for m in c.messages.values()]
        return "\n".join(texts)

    if not desk.ledger.requests():
        await desk.command("scale brokers 6 on orders-prod", channel="#random")
    await until(lambda: "its card cannot be shown" in direct(), what="the requester is told")
    assert "`/kafka show R-1`" in direct()


async def test_the_ledger_away_for_a_while_costs_nothing(desk: Desk) -> None:
    """News that nobody followed is caught up from the list of cards behind."""
    await desk.asked()
    await until(lambda: all_shown(desk), what="the card is there")
    for number in range(3):
        save(desk, desk.request().said(now=datetime.now(UTC), text=f"line {number}"))
        desk.ledger._redis.delete(keys.NEWS)
    await until(lambda: all_shown(desk), what="all lines are there", seconds=15)
    assert lines(desk) == ["line 0", "line 1", "line 2"]


async def test_the_card_behind_moves_up_when_the_one_before_it_ends(desk: Desk) -> None:
    await desk.waiting()
    start(desk)
    await desk.command("scale brokers 9", user="dan")
    await until(lambda: desk.ledger.load("R-2"), what="the second is asked for")
    second = desk.prepared(desk.request("R-2"))
    save(desk, second.moved(event=Event.QUORUM_REACHED, now=datetime.now(UTC)))
    await desk.card_with("1 change before it on orders-prod")
    now = datetime.now(UTC)
    save(desk, desk.request().moved(event=Event.STEPS_FINISHED, now=now).said(now=now, text="Done"))
    await desk.card_with("starts in a moment")


async def test_who_asked_hears_of_the_decision_and_of_the_end(desk: Desk) -> None:
    card = await desk.waiting()
    await desk.act("click", user="bob", ts=card["ts"], action_id="request:approve")
    ann, bob = "<@U0LAB0ANN1>", "<@U0LAB0BOB1>"
    approved = f"Approved by {bob} (revision 1) · {ann}"
    await until(lambda: approved in lines(desk), what="the approval names who asked")
    now = datetime.now(UTC)
    begun = save(desk, desk.request().moved(event=Event.STARTED, now=now))
    over = begun.moved(event=Event.STEPS_FINISHED, now=now)
    save(desk, over.said(now=now, text="Done in 4 min", calls="requester"))
    await until(lambda: f"Done in 4 min · {ann}" in lines(desk), what="the end names who asked")
