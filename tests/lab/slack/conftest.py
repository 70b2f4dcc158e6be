"""An unmodified slack_bolt app on a real socket to a workspace of its own per test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from lab.slack import Running, serve
from lab.slack.acts import perform
from lab.slack.entities import Json
from lab.slack.quirks import Quirks

WIDE_MANIFEST = Path(__file__).with_name("wide-manifest.yaml")
READING_MANIFEST = Path(__file__).with_name("reading-manifest.yaml")
ANN = "ann"
# Slack waits 3 s; what is tested is that it waits, so tests wait less.
QUICK = Quirks(ack_seconds=1.0, file_share_seconds=0.05)


@dataclass
class Bench:
    """A running workspace, an app on it, and short words for what people do."""

    running: Running
    app: AsyncApp
    seen: list[Json] = field(default_factory=list)

    @property
    def client(self) -> AsyncWebClient:
        client: AsyncWebClient = self.app.client
        return client

    async def act(self, do: str, *, user: str = ANN, channel: str = "#kafka", **more: Any) -> Json:
        act = {"do": do, "user": user, "channel": channel, **more}
        return await perform(self.running.workspace, act)

    def messages(self, channel: str = "#kafka") -> list[Json]:
        found = self.running.workspace.channel_named(channel)
        assert found is not None
        return list(found.messages.values())

    def ephemerals(self, user: str) -> list[Json]:
        person = self.running.workspace.person_named(user)
        assert person is not None
        entries = self.running.workspace.ephemerals.values()
        return [entry["message"] for entry in entries if entry["user"] == person.id]

    def log(self, kind: str) -> list[Json]:
        return list(self.running.workspace.log.entries(kind=kind))


async def until(what: Callable[[], Any], *, seconds: float = 5.0) -> Any:
    """Waits for a fact instead of a time, and fails by name when it does not come."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (found := what()):
        assert asyncio.get_running_loop().time() < deadline, f"{what} did not come true"
        await asyncio.sleep(0.01)
    return found


def new_app(running: Running) -> AsyncApp:
    client = AsyncWebClient(token=running.bot_token, base_url=running.api_url)
    return AsyncApp(client=client, raise_error_for_unhandled_request=False)


async def connect(
    app: AsyncApp, running: Running, *, ping_seconds: float = 10
) -> AsyncSocketModeHandler:
    handler = AsyncSocketModeHandler(app, running.app_token, ping_interval=ping_seconds)
    before = len(running.workspace.sockets.connections)
    await handler.connect_async()  # type: ignore[no-untyped-call] # slack_bolt leaves it untyped
    await until(lambda: len(running.workspace.sockets.connections) > before)
    return handler


async def hang_up(handler: AsyncSocketModeHandler) -> None:
    await handler.close_async()  # type: ignore[no-untyped-call] # slack_bolt leaves it untyped


Serve = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def serving() -> AsyncIterator[Serve]:
    """Starts a workspace with the settings of the test; the app is not connected yet."""
    started: list[Running] = []

    async def start(**settings: Any) -> Bench:
        running = await serve(**settings)
        started.append(running)
        return Bench(running, new_app(running))

    yield start
    for running in started:
        await running.close()


@pytest.fixture
async def bench(serving: Serve) -> AsyncIterator[Bench]:
    """The product's own manifest, and the app connected: listeners may be added afterwards."""
    bench = await serving(quirks=QUICK)
    handler = await connect(bench.app, bench.running)
    yield bench
    await hang_up(handler)


@pytest.fixture
async def wide(serving: Serve) -> AsyncIterator[Bench]:
    """An app with every scope the lab knows."""
    bench = await serving(manifest_path=WIDE_MANIFEST, quirks=QUICK)
    handler = await connect(bench.app, bench.running)
    yield bench
    await hang_up(handler)
