"""The whole bot on a real socket, a real workspace and a real Redis; only the workers are played.

`Desk.prepared` does what a worker does after its survey: it stores a plan and a verdict.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.app import Bot, build
from bot.settings import Settings
from changes.catalog import CATALOG
from changes.lifecycle import Event
from changes.request import Request, judged
from changes.verdict import ApprovalNeed, Verdict
from lab.slack import Running, serve
from lab.slack.acts import perform
from ledger import Audit, Ledger, connect, keys
from policies import Policies, Problems, load
from tests.bot.samples import PLAN
from tests.redis_server import RedisServer, redis_server, redis_url

__all__ = ["redis_server", "redis_url"]

POLICIES = Path(__file__).parents[2] / "policies"
KAFKA = "C0LABKAFKA"
APPROVERS = ApprovalNeed(
    rule="production", count=1, groups=("S0LABKAPPR",), label="@kafka-approvers"
)
Json = dict[str, Any]


@dataclass
class Desk:
    """A workspace with the bot in it, and short words for what people and workers do."""

    running: Running
    bot: Bot
    ledger: Ledger
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def act(self, do: str, *, user: str, channel: str = "#kafka", **more: Any) -> Json:
        act = {"do": do, "user": user, "channel": channel, **more}
        return await perform(self.running.workspace, act)

    async def command(self, text: str, *, user: str = "ann", channel: str = "#kafka") -> Json:
        return await self.act("command", user=user, channel=channel, text=f"/kafka {text}")

    def messages(self, channel: str = "#kafka") -> list[Json]:
        found = self.running.workspace.channel_named(channel)
        assert found is not None
        return list(found.messages.values())

    def cards(self) -> list[Json]:
        return [one for one in self.messages() if one["ts"] == one.get("thread_ts", one["ts"])]

    def thread(self) -> list[Json]:
        return [one for one in self.messages() if one.get("thread_ts", one["ts"]) != one["ts"]]

    def told(self, user: str) -> str:
        """Everything this person was told alone."""
        person = self.running.workspace.person_named(user)
        assert person is not None
        entries = self.running.workspace.ephemerals.values()
        return "\n".join(e["message"]["text"] for e in entries if e["user"] == person.id)

    async def until_told(self, user: str, words: str) -> str:
        await until(lambda: words in self.told(user), what=f"{user} is told {words!r}")
        return self.told(user)

    def request(self, request_id: str = "R-1") -> Request:
        found = self.ledger.load(request_id)
        assert found is not None
        return found

    async def asked(self, *, user: str = "ann") -> Request:
        await self.command("scale brokers 6 because the sale", user=user)
        await until(lambda: self.ledger.load("R-1"), what="the request is in the ledger")
        return self.request()

    def prepared(self, request: Request, *, count: int = 1) -> Request:
        """What `prepare` does once it has facts."""
        now = datetime.now(UTC)
        need = APPROVERS.with_(count=count)
        verdict = Verdict(outcome="needs_approvals", approvals=(need,), policy_digest="d" * 64)
        plan = PLAN.with_(change=request.change)
        waiting = judged(request, plan=plan, verdict=verdict, now=now).moved(
            event=Event.PREPARED_NEEDS_APPROVALS, now=now
        )
        said = waiting.said(now=now, text="Planned; needs 1 of <!subteam^S0LABKAPPR>")
        audit = Audit(actor="worker", event="prepared", words="needs approval")
        return self.ledger.save(said, audit=audit, due_at=now + timedelta(hours=8))

    async def waiting(self, *, count: int = 1) -> Json:
        """A card that waits for approval, as Slack shows it."""
        request = await self.asked()
        self.prepared(self.request(request.id), count=count)
        return await self.card_with("approve R-1")

    async def card_with(self, words: str) -> Json:
        await until(
            lambda: [one for one in self.cards() if words in one["text"]],
            what=f"a card with {words!r} among {[one['text'] for one in self.cards()]}",
        )
        return next(one for one in self.cards() if words in one["text"])

    async def deliver(self, **payload: Any) -> int:
        """Something that Slack's own page would never send: forged, late or from a machine."""
        request = AsyncBoltRequest(
            body={**payload, "team": {"id": "T0LABACME1"}}, mode="socket_mode"
        )
        answer = await self.bot.app.async_dispatch(request)
        return int(answer.status)

    async def deliver_click(self, *, user_id: str, value: str, action: str = "approve") -> int:
        card = self.cards()[0]
        place = {"type": "message", "message_ts": card["ts"], "channel_id": KAFKA}
        act = {"type": "button", "action_id": f"request:{action}", "block_id": "b", "value": value}
        return await self.deliver(
            type="block_actions",
            user={"id": user_id},
            container=place,
            channel={"id": KAFKA},
            actions=[act],
            trigger_id=self.running.workspace.mint.trigger_id(),
        )

    def audit(self) -> list[tuple[str, str]]:
        return [(line.actor, line.event) for line in self.ledger.audit_lines()]


async def until(what_holds: Callable[[], Any], *, what: str, seconds: float = 8.0) -> None:
    """Waits for a fact instead of a time, and fails by name when it does not come."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not what_holds():
        assert asyncio.get_running_loop().time() < deadline, f"did not come true: {what}"
        await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
def policies() -> Policies:
    found = load(POLICIES, catalog=CATALOG)
    assert not isinstance(found, Problems), found.words()
    return found


@pytest.fixture
def ledger(redis_url: str) -> Iterator[Ledger]:
    found = connect(redis_url)
    yield found
    found.close()


@pytest.fixture
async def workspace() -> AsyncIterator[Running]:
    running = await serve(rate_mode="off")
    yield running
    await running.close()


def settings_for(running: Running, redis_url: str) -> Settings:
    return Settings.model_validate(
        {
            "slack_bot_token": running.bot_token,
            "slack_app_token": running.app_token,
            "slack_api_url": running.api_url,
            "redis_url": redis_url,
        }
    )


Hire = Callable[[], Awaitable[Bot]]


@pytest.fixture
async def hire(
    workspace: Running, ledger: Ledger, redis_url: str, policies: Policies
) -> AsyncIterator[Hire]:
    """Starts one more bot on the workspace; each is stopped at the end."""
    hired: list[tuple[Bot, asyncio.Task[None]]] = []

    async def start() -> Bot:
        settings = settings_for(workspace, redis_url)
        bot = await build(settings=settings, policies=policies, ledger=ledger)
        before = len(workspace.workspace.sockets.connections)
        connect_socket: Callable[[], Awaitable[None]] = bot.socket.client.connect
        await connect_socket()
        await until(
            lambda: len(workspace.workspace.sockets.connections) > before, what="a socket is open"
        )
        hired.append((bot, asyncio.create_task(bot.announcer.run())))
        return bot

    yield start
    for bot, announcing in hired:
        close_socket: Callable[[], Awaitable[None]] = bot.socket.client.close
        await close_socket()
        await bot.doors.tasks.drain(seconds=2)
        stopping = asyncio.create_task(bot.announcer.stop())
        await asyncio.sleep(0)
        ledger._redis.xadd(keys.NEWS, {"id": "R-0"})  # wakes whoever blocks on the news
        await stopping
        with contextlib.suppress(asyncio.CancelledError):
            await announcing


@pytest.fixture
async def desk(workspace: Running, ledger: Ledger, hire: Hire) -> Desk:
    return Desk(running=workspace, bot=await hire(), ledger=ledger)


@pytest.fixture
async def workspace_without_redis(
    workspace: Running, policies: Policies, tmp_path: Path
) -> AsyncIterator[tuple[Desk, RedisServer]]:
    """A desk whose Redis can be killed; the announcer does not run, so nothing else trips over it."""
    server = RedisServer(folder=tmp_path)
    server.start()
    ledger = connect(server.url)
    settings = settings_for(workspace, server.url)
    bot = await build(settings=settings, policies=policies, ledger=ledger)
    connect_socket: Callable[[], Awaitable[None]] = bot.socket.client.connect
    await connect_socket()
    yield Desk(running=workspace, bot=bot, ledger=ledger), server
    close_socket: Callable[[], Awaitable[None]] = bot.socket.client.close
    await close_socket()
    await bot.doors.tasks.drain(seconds=2)
    ledger.close()
    server.stop()
