"""The workspace: everything one lab knows, and the parts that act on it.

It is the one mutable thing here; handlers look things up in it and change it through messages, views and files.
"""

import asyncio
import hashlib
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.slack.clock import Clock
from lab.slack.entities import Channel, Identity, Json, Person, StoredFile, UserGroup
from lab.slack.faults import Faults
from lab.slack.feed import Feed
from lab.slack.ids import Minter
from lab.slack.manifest import AppManifest, load_manifest
from lab.slack.quirks import Quirks
from lab.slack.rates import Rates
from lab.slack.seed import Seed, load_seed
from lab.slack.sockets import SocketHub
from lab.slack.wirelog import WireLog


@dataclass
class ResponseUrl:
    """What a response_url may still do. `source_ts` is the clicked message, empty for commands."""

    user_id: str
    channel_id: str
    expires_at: float
    uses_left: int
    source_ts: str = ""
    source_is_ephemeral: bool = False
    thread_ts: str = ""


@dataclass
class Trigger:
    user_id: str
    expires_at: float
    view_id: str = ""
    used: bool = False


@dataclass
class Workspace:
    manifest: AppManifest
    seed_path: Path
    seed: Seed
    public_url: str
    quirks: Quirks
    clock: Clock
    mint: Minter
    log: WireLog
    feed: Feed
    faults: Faults
    rates: Rates
    sockets: SocketHub
    people: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    ephemerals: dict[str, Json] = field(default_factory=dict)
    views: dict[str, Any] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    revoked_tokens: set[str] = field(default_factory=set)
    tickets: dict[str, tuple[float, float]] = field(default_factory=dict)
    message_state: dict[tuple[str, str], Json] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def team_id(self) -> str:
        return self.seed.team_id

    @property
    def bot(self) -> Person:
        return self.people[self.seed.bot_user_id]

    @property
    def bot_token(self) -> str:
        return next(i.token for i in self.identities.values() if i.kind == "bot")

    @property
    def app_token(self) -> str:
        return next(i.token for i in self.identities.values() if i.kind == "app")

    def person_named(self, name: str) -> Person | None:
        """By id or by name, with or without @."""
        wanted = name.removeprefix("@")
        found = self.people.get(wanted)
        return found or next((p for p in self.people.values() if p.name == wanted), None)

    def channel_named(self, name: str) -> Channel | None:
        """By id or by name, with or without #."""
        wanted = name.removeprefix("#")
        found = self.channels.get(wanted)
        named = (c for c in self.channels.values() if c.name == wanted and not c.is_im)
        return found or next(named, None)

    def can_see(self, *, user_id: str, channel: Channel) -> bool:
        """Members see; other full members may look into public channels, guests and strangers not."""
        if user_id in channel.members:
            return True
        person = self.people.get(user_id)
        is_open = not channel.is_private and not channel.is_im
        return person is not None and person.kind == "member" and not person.deleted and is_open

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs on in the background; `close` ends what is left."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.feed.close()
        await self.sockets.close()


def build_workspace(
    *,
    manifest_path: Path,
    seed_path: Path,
    public_url: str,
    rate_mode: str,
    random_seed: int,
    quirks: Quirks,
) -> Workspace:
    clock = Clock()
    mint = Minter(clock=clock, random_seed=random_seed)
    manifest = load_manifest(manifest_path)
    seed = load_seed(seed_path, bot_name=manifest.bot_name, now=int(clock.now()))
    log = WireLog(clock=clock)
    faults = Faults(log=log)
    workspace = Workspace(
        manifest=manifest,
        seed_path=seed_path,
        seed=seed,
        public_url=public_url.rstrip("/"),
        quirks=quirks,
        clock=clock,
        mint=mint,
        log=log,
        feed=Feed(),
        faults=faults,
        rates=Rates(clock=clock, mode=rate_mode),
        sockets=SocketHub(
            app_id=seed.app_id, clock=clock, mint=mint, log=log, faults=faults, quirks=quirks
        ),
    )
    workspace.sockets.on_change = lambda count: workspace.feed.publish(
        kind="connections", content={"count": count}, audience=lambda _: True
    )
    fill(workspace)
    return workspace


def fill_again(workspace: Workspace) -> None:
    """Back to the seed; tokens and sockets stay, so the app need not notice."""
    path, now = workspace.seed_path, int(workspace.clock.now())
    workspace.seed = load_seed(path, bot_name=workspace.manifest.bot_name, now=now)
    for held in (workspace.files, workspace.ephemerals, workspace.views, workspace.triggers):
        held.clear()
    workspace.response_urls.clear()
    workspace.message_state.clear()
    workspace.revoked_tokens.clear()
    workspace.faults.clear()
    workspace.rates.clear()
    workspace.log.clear()
    fill(workspace)


def fill(workspace: Workspace) -> None:
    seed = workspace.seed
    workspace.people = {person.id: person for person in seed.people}
    workspace.channels = {channel.id: channel for channel in seed.channels}
    workspace.groups = {group.id: group for group in seed.groups}
    bot_scopes = workspace.manifest.scopes
    for kind, scopes in (("bot", bot_scopes), ("app", ("connections:write",))):
        token = _token(kind=kind, app_id=seed.app_id)
        workspace.identities[token] = Identity(token, kind, seed.bot_user_id, tuple(scopes))


def _token(*, kind: str, app_id: str) -> str:
    """The same on every run: it opens a loopback toy, and a bot keeps working over a restart."""
    tail = hashlib.sha256(f"lab {kind} {app_id}".encode()).hexdigest()[:24]
    return f"{'xoxb' if kind == 'bot' else 'xapp'}-lab-{tail}"
