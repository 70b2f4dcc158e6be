"""Slack delivers twice, late, out of order, to a dead line or not at all; people repeat themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from lab.slack.upsets import upset
from tests.faults.judging import Ending, Judged, row
from tests.faults.life import Shop
from tests.faults.playing import new_day
from tests.faults.whole import Whole, until, whole

pytestmark = pytest.mark.fault
COMMANDS, CLICKS = {"type": "slash_commands"}, {"type": "block_actions"}
EVENTS, SAID = {"type": "events_api"}, {"type": "events_api", "event": "message"}
MANY = 10_000
Case = Callable[[Whole], Awaitable[None]]


@pytest.fixture(autouse=True)
def impolite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Politeness towards the real Slack is cut short, as for the bot of the other groups."""
    for name, seconds in {
        "bot.keeper.REDRAW_SECONDS_MIN": 0.0,
        "bot.keeper.SHARE_SECONDS": 0.0,
        "bot.keeper.UNSURE_SECONDS": 0.05,
        "bot.pictures.LANDED_PAUSE_SECONDS": 0.15,
        "bot.announcer.ROUND_SECONDS": 0.5,
        "bot.slash.ACK_HEAD_START_SECONDS": 0.0,
    }.items():
        monkeypatch.setattr(name, seconds)


async def quiet(day: Whole) -> None:
    await day.asked()
    await day.approved()


async def quiet_by_word(day: Whole) -> None:
    await day.asked()
    await day.approved("thread")


def ghosts(count: int) -> Case:
    async def case(day: Whole) -> None:
        """Dead registrations take their share of the payloads, from the first command to the end."""
        day.fault("ghost_connections", n=count)
        await quiet(day)

    return case


async def silent_socket(day: Whole) -> None:
    """The socket that comes next is open and silent: no pong ever; the bot has to notice by itself."""
    day.fault("half_open")
    await upset(day.running.workspace, "kill_tcp", {})
    await until(lambda: day.sockets_opened() == 3, what="the silent one is given up", seconds=20)
    await quiet(day)


async def cut_between(day: Whole) -> None:
    await day.asked()
    await upset(day.running.workspace, "kill_tcp", {})
    await day.approved()


async def told_to_move_on(day: Whole) -> None:
    await day.asked()
    await upset(day.running.workspace, "disconnect", {"reason": "refresh_requested"})
    await day.approved()


async def everything_twice(day: Whole) -> None:
    for match in (COMMANDS, CLICKS, EVENTS):
        day.fault("duplicate", match=match, times=MANY, n=2)
    await quiet(day)


async def words_twice(day: Whole) -> None:
    day.fault("duplicate", match=EVENTS, times=MANY, n=3)
    await quiet_by_word(day)


async def acks_unheard(day: Whole) -> None:
    """Slack believes that nothing arrived and sends every event again, under another envelope."""
    day.fault("ignore_ack", match=EVENTS, times=MANY)
    await quiet_by_word(day)


async def command_lost(day: Whole) -> None:
    day.fault("drop", match=COMMANDS)
    await quiet(day)
    assert day.acts.count("command") == 2


async def click_lost(day: Whole) -> None:
    await day.asked()
    day.fault("drop", match=CLICKS)
    await day.approved()
    assert day.acts.count("click") == 2


async def click_late(day: Whole) -> None:
    """So late that bob has pressed again meanwhile."""
    await day.asked()
    day.fault("delay", match=CLICKS, s=3)
    await day.approved()


async def word_after_what_followed_it(day: Whole) -> None:
    """Bob's word is held back and delivered after whatever Slack had to tell next, then again."""
    await day.asked()
    day.fault("reorder", match=SAID)
    await day.approved("thread")


async def word_before_its_card(day: Whole) -> None:
    """Slack shows the card, and bob answers it before the bot hears that it was posted."""
    posting = {"method": "chat.postMessage"}
    day.fault("ratelimit", match=posting, retry_after=1)  # by then it is planned, so the card asks
    day.fault("late_answer", match=posting, s=2)
    await day.asked()
    await day.approved("thread", patience_seconds=15)
    assert day.acts.count("message") == 1


CASES: dict[str, Case] = {
    "one ghost socket takes half of it": ghosts(1),
    "two ghost sockets take two thirds": ghosts(2),
    "a socket that is open and silent": silent_socket,
    "the line is cut between card and click": cut_between,
    "Slack asks the bot to move on": told_to_move_on,
    "everything is delivered twice": everything_twice,
    "every event is delivered three times": words_twice,
    "Slack hears no ack of an event": acks_unheard,
    "the command is lost": command_lost,
    "the click is lost": click_lost,
    "the click comes late": click_late,
    "the word comes after what followed it": word_after_what_followed_it,
    "the word comes before its card": word_before_its_card,
}


async def played(shop: Shop, case: Case, faultless: Ending | None) -> tuple[Ending, Judged]:
    new_day(shop)
    async with whole(shop) as day:
        await case(day)
        await day.ended()
        end = day.ending()
        return end, day.judge(faultless or end)


async def test_slack_delivers_as_it_likes(shop: Shop) -> None:
    with row("Slack delivers twice, late, out of order, to ghosts") as told:
        ends = {}
        undisturbed: dict[str, Case] = {"button": quiet, "thread": quiet_by_word}
        for name, case in undisturbed.items():
            ends[name], found = await played(shop, case, None)
            told.note(f"undisturbed, by {name}", found)
        for name, case in CASES.items():
            by = "thread" if case in BY_WORD else "button"
            told.note(name, (await played(shop, case, ends[by]))[1])


BY_WORD = (words_twice, acks_unheard, word_after_what_followed_it, word_before_its_card)
