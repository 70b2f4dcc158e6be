"""The whole product at once: a bot on its socket, ticker and worker beside it, two people in Slack.

People are stubborn here: whoever sees nothing come of what he did does it again. So a delivery that is
lost, doubled, late or out of order must end in one request, one vote and one change all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.app import Bot, build
from bot.standing import keep_answering
from changes.lifecycle import State
from changes.request import Request
from lab.slack import Running, serve
from lab.slack.acting import ActMistake
from lab.slack.acts import perform
from lab.slack.quirks import Quirks
from ledger import Ledger, connect, keys
from tests.bot.conftest import settings_for
from tests.faults.judging import Ending, Judged, ending, judged
from tests.faults.life import SECONDS_PER_BEAT, THE_REQUEST, Life, Shop, short_leases
from tests.faults.moments import Moments

QUIRKS = Quirks(file_share_seconds=0.1, ack_seconds=0.6, event_retry_seconds=(0.0, 0.4, 1.0))
"""Slack waits 3 s for an ack and a minute before its second retry; shorter here, in the same order."""
PING_SECONDS = 0.5
SEEN_SECONDS = 2.0
"""How long a person looks at nothing happening before he does it again."""
TRIES_MAX = 15
END_SECONDS_MAX = 60.0
AT_WORK = (State.QUEUED, State.RUNNING, State.ROLLING_BACK)
Json = dict[str, Any]


@dataclass
class Whole:
    shop: Shop
    running: Running
    ledger: Ledger
    bot: Bot
    acts: list[str] = field(default_factory=list)
    """Every act of a person, so that a case can prove that it had to be repeated."""

    def fault(self, action: str, *, times: int = 1, **more: Any) -> None:
        match = more.pop("match", {})
        self.running.workspace.faults.add(
            action=action, match=match, times=times, after=0, params=more
        )

    async def act(self, do: str, **more: Any) -> None:
        self.acts.append(do)
        with contextlib.suppress(
            ActMistake
        ):  # "/kafka failed": the person sees that and tries again
            await perform(self.running.workspace, {"do": do, "channel": "#kafka", **more})

    async def insist(
        self,
        act: Callable[[], Awaitable[None]],
        holds: Callable[[], Any],
        *,
        patience_seconds: float = SEEN_SECONDS,
    ) -> None:
        for _ in range(TRIES_MAX):
            await act()
            with contextlib.suppress(AssertionError):
                await until(holds, what="it", seconds=patience_seconds)
                return
        raise AssertionError(f"nothing came of {self.acts[-TRIES_MAX:]}")

    def request(self) -> Request | None:
        return self.ledger.load(THE_REQUEST)

    def sockets_opened(self) -> int:
        """All since the start, whatever became of them."""
        lines = self.running.workspace.log.entries(kind="socket")
        return sum(1 for line in lines if line.get("event") == "open")

    def messages(self) -> list[Json]:
        found = self.running.workspace.channel_named("#kafka")
        assert found is not None
        mine = self.running.workspace.bot.id
        return [one for one in found.messages.values() if one.get("user") == mine]

    def cards(self) -> list[Json]:
        return [one for one in self.messages() if one.get("thread_ts", one["ts"]) == one["ts"]]

    def thread(self) -> list[Json]:
        return [one for one in self.messages() if one.get("thread_ts", one["ts"]) != one["ts"]]

    def asking_card(self) -> Json | None:
        return next((one for one in self.cards() if "*awaiting approval*" in one["text"]), None)

    async def asked(self) -> None:
        words = "/kafka scale brokers 6 because orders lag"
        await self.insist(lambda: self.act("command", user="ann", text=words), self.request)
        await until(self.asking_card, what="a card that asks", seconds=END_SECONDS_MAX)

    async def approved(
        self, surface: str = "button", *, patience_seconds: float = SEEN_SECONDS
    ) -> None:
        card = self.asking_card()
        assert card is not None

        async def press() -> None:
            if surface == "thread":
                await self.act("message", user="bob", text="approve", thread_ts=card["ts"])
            else:
                await self.act("click", user="bob", ts=card["ts"], action_id="request:approve")

        def counted() -> bool:
            found = self.request()
            return found is not None and bool(found.votes)

        await self.insist(press, counted, patience_seconds=patience_seconds)

    async def ended(self) -> None:
        def over() -> bool:
            found = self.request()
            return found is not None and found.state.ended

        await until(over, what="the end", seconds=END_SECONDS_MAX)
        await until(lambda: not self.ledger.cards_behind(), what="all shown", seconds=20)
        await self.bot.doors.tasks.drain(seconds=5)

    def ending(self) -> Ending:
        found = self.request()
        assert found is not None
        return ending(self.ledger, found)

    def judge(self, faultless: Ending) -> Judged:
        """By the ledger and the cluster as ever; and by what people saw in Slack."""
        request = self.request()
        assert request is not None
        line = self.shop.line()
        found = judged(self.ledger, request, line.truth(), faultless)
        line.close()
        seen = [one["text"] for one in self.thread() if not one.get("files")]
        told = Counter(nameless(line.text) for line in request.log)
        found_in = {text: sum(text in nameless(one) for one in seen) for text in told}
        lost = [f"{text!r} in the thread" for text, n in told.items() if found_in[text] < n]
        doubled = [f"{len(self.ledger.requests())} requests"] * (len(self.ledger.requests()) != 1)
        doubled += [f"{len(self.cards())} cards"] * (len(self.cards()) != 1)
        doubled += ["a line of the thread"] * (len(seen) > len(request.log))
        doubled += ["a vote"] * (len(request.votes) != 1)
        pictures = sum(len(one.get("files") or ()) for one in self.thread())
        planned = sum(1 for line in request.log if line.picture)
        lost += ["a picture"] * (pictures < planned)
        doubled += ["a picture"] * (pictures > planned)
        return Judged(found.done, (*found.lost, *lost), (*found.doubled, *doubled), found.left)


def nameless(text: str) -> str:
    """Without mentions: the thread calls people whom the log only names."""
    return " ".join(re.sub(r"<[@!][^>]*>|@[\w-]+", "", text).split())


async def until(holds: Callable[[], Any], *, what: str, seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, f"did not come true: {what}"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def whole(shop: Shop) -> AsyncIterator[Whole]:
    """Everything started and connected; the ledger and the cluster are as `shop` left them."""
    running = await serve(rate_mode="off", quirks=QUIRKS)
    line = shop.line()
    ledger = connect(shop.redis_url, clock=line.now)
    settings = settings_for(running, shop.redis_url)
    bot = await build(settings=settings, policies=shop.policies, ledger=ledger, now=line.now)
    bot.socket.client.ping_interval = PING_SECONDS
    stop = asyncio.Event()
    back_office = BackOffice(shop)
    try:
        connect_socket: Callable[[], Awaitable[None]] = bot.socket.client.connect
        await connect_socket()
        rounds = [
            asyncio.create_task(bot.announcer.run()),
            asyncio.create_task(keep_answering(bot.doors, stop)),
        ]
        back_office.start()
        yield Whole(shop, running, ledger, bot)
        back_office.stop()
        stop.set()
        await closed(bot, ledger)
        await asyncio.gather(*rounds)
    finally:
        back_office.stop()
        ledger.close()
        line.close()
        await running.close()


async def closed(bot: Bot, ledger: Ledger) -> None:
    close_socket: Callable[[], Awaitable[None]] = bot.socket.client.close
    await close_socket()
    stopping = asyncio.create_task(bot.announcer.stop())
    await asyncio.sleep(0)
    ledger._redis.xadd(keys.NEWS, {"id": "R-0"})  # wakes whoever blocks on the news
    await stopping


class BackOffice:
    """Ticker and worker in a thread; time passes only while there is work, so nothing expires."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="back office", daemon=True)
        self.trouble: list[BaseException] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join(30)
        assert not self.trouble, self.trouble

    def _work(self) -> None:
        try:
            with short_leases():
                self._until_the_end(Life(self._shop, Moments()))
        except BaseException as trouble:  # told by `stop`, in the test's own thread
            self.trouble.append(trouble)

    def _until_the_end(self, life: Life) -> None:
        while not self._end.wait(0.01):
            life.tick(reconcile=False)
            life.work()
            found = life.request()
            if found is not None and found.state in AT_WORK:
                life.line.advance(SECONDS_PER_BEAT)
        life.close()
