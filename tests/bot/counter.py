"""A bot handed payloads directly, as fast as it can answer: the same app, ledger and Web API, no socket.

What the workspace says of a person can be bent (`bend`), since no seed holds every kind there is.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.app import Bot, build
from bot.cards.modal import REASON
from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from changes.request import Person, Progress, Request, judged
from changes.verdict import ApprovalNeed, Verdict
from lab.slack import Running, serve
from lab.slack.entities import Person as Member
from lab.slack.messages import bot_message
from lab.slack.methods import people as lab_people
from lab.slack.modals import View, shape
from lab.slack.payloads import head, new_trigger, slash, view_submission
from lab.slack.shapes import user_shape
from ledger import Audit, AuditLine, Card, Ledger, keys
from ledger.replies import stream
from policies import Policies
from tests.bot.conftest import APPROVERS, KAFKA, settings_for
from tests.bot.samples import PLAN

Json = dict[str, Any]
ANN = Person(user_id="U0LAB0ANN1", name="ann")
REASON_GIVEN = "not before the release"


@dataclass
class Answered:
    """What one act led to."""

    told: list[str]
    """Ephemeral texts to whoever acted."""
    others: int
    """Ephemerals to anybody else, and messages everybody sees: there must be none."""
    audit: list[AuditLine]
    request: Request | None


@dataclass
class Counter:
    running: Running
    bot: Bot
    ledger: Ledger
    cards: dict[str, str] = field(default_factory=dict)

    def member(self, **fields: Any) -> Member:
        """Somebody in the workspace and in #kafka."""
        base: Json = {"real_name": "Some Body", "role": "", "kind": "member", "color": "000000"}
        base |= {"team_id": self.running.workspace.team_id}
        found = Member(**{**base, **fields})
        self.running.workspace.people[found.id] = found
        self.running.workspace.channels[KAFKA].members.append(found.id)
        return found

    def stored(
        self,
        state: State,
        *,
        requester: Person = ANN,
        needs: tuple[ApprovalNeed, ...] = (APPROVERS,),
        expires: timedelta = timedelta(hours=8),
    ) -> Request:
        """A request in this state, with a card in #kafka, as workers would have left it."""
        now = datetime.now(UTC)
        change = ScaleBrokers(cluster="orders-prod", brokers=6)
        asked = self.ledger.open_request(
            change=change,
            requester=requester,
            channel=KAFKA,
            asked_in=KAFKA,
            because=f"case {len(self.cards)}",
            now=now,
        )
        self.cards[asked.id] = self._posted(asked.id)
        self.ledger.save_card(asked.id, Card(channel=KAFKA, ts=self.cards[asked.id]), expected=None)
        if state is State.PREPARING:
            return asked
        verdict = Verdict(outcome="needs_approvals", approvals=needs, policy_digest="d" * 64)
        planned = judged(asked, plan=PLAN.with_(change=change), verdict=verdict, now=now)
        progress = Progress(started_at=now, step_started_at=now)
        if state in (State.RUNNING, State.ROLLING_BACK, State.NEEDS_ATTENTION):
            planned = planned.with_(progress=progress)
        moved = planned.with_(state=state, expires_at=now + expires)
        return self.ledger.save(moved, audit=Audit(actor="worker", event=state.value, words="-"))

    def _posted(self, words: str) -> str:
        """Put there, not sent: nobody listens on a socket, so sending would be tried for minutes."""
        workspace = self.running.workspace
        ts = workspace.mint.ts()
        message = bot_message(workspace, text=words, blocks=[])
        workspace.channels[KAFKA].messages[ts] = {**message, "ts": ts}
        return str(ts)

    async def act(
        self, surface: str, word: str, actor: Member, request: Request, **more: Any
    ) -> Answered:
        """One person's one act, and all that came of it."""
        workspace = self.running.workspace
        whispers, said = set(workspace.ephemerals), len(workspace.channels[KAFKA].messages)
        known = _last(self.ledger)
        await getattr(self, f"_{surface}")(word, actor, request, **more)
        await self.bot.doors.tasks.drain(seconds=5)
        fresh = [e for ts, e in workspace.ephemerals.items() if ts not in whispers]
        mine = [e["message"]["text"] for e in fresh if e["user"] == actor.id]
        public = len(workspace.channels[KAFKA].messages) - said
        lines = [x for x in self.ledger.audit_lines(request_id=request.id) if x.seq > known]
        return Answered(
            told=mine,
            others=len(fresh) - len(mine) + public,
            audit=lines,
            request=self.ledger.load(request.id),
        )

    async def _button(
        self, word: str, actor: Member, request: Request, *, revision: int | None = None
    ) -> None:
        seen = request.revision if revision is None else revision
        await self.click(word, actor, ts=self.cards[request.id], value=f"{request.id}:{seen}")
        await self.bot.doors.tasks.drain(seconds=5)
        views = self.running.workspace.views
        opened = [v for v in views.values() if isinstance(v, View) and v.is_open]
        for view in opened:
            view.raw = {REASON: {REASON: REASON_GIVEN}}
            view.is_open = False
            workspace = self.running.workspace
            seen_view = shape(workspace, view)
            await self.dispatch(view_submission(workspace, actor, seen_view))

    async def click(self, word: str, actor: Member, *, ts: str, value: str) -> None:
        workspace = self.running.workspace
        action = {"type": "button", "action_id": f"request:{word}", "block_id": "b", "value": value}
        container = {"type": "message", "message_ts": ts, "channel_id": KAFKA}
        payload = {
            **head(workspace, actor, kind="block_actions"),
            "trigger_id": new_trigger(workspace, actor),
            "container": container,
            "channel": {"id": KAFKA},
            "actions": [action],
        }
        await self.dispatch(payload)

    async def _thread(
        self, word: str, actor: Member, request: Request, *, text: str = "", **more: Any
    ) -> None:
        typed = text or (f"reject {REASON_GIVEN}" if word == "reject" else word)
        event = {
            "type": "message",
            "user": actor.id,
            "text": typed,
            "ts": self.running.workspace.mint.ts(),
            "thread_ts": self.cards[request.id],
            "channel": KAFKA,
            "channel_type": "channel",
        }
        await self.event({**event, **more})

    async def event(self, event: Json, *, event_id: str = "Ev1") -> None:
        payload = {"type": "event_callback", "event": event, "event_id": event_id}
        await self.dispatch(payload)

    async def _command(self, word: str, actor: Member, request: Request) -> None:
        reason = f" {REASON_GIVEN}" if word == "reject" else ""
        await self.command(f"{word} {request.id}{reason}", actor)

    async def command(self, text: str, actor: Member) -> str:
        """The acknowledgement's own words."""
        workspace = self.running.workspace
        channel = workspace.channels[KAFKA]
        payload = slash(workspace, actor, channel, command="/kafka", text=text)
        request = AsyncBoltRequest(body=payload, mode="socket_mode")
        answer = await self.bot.app.async_dispatch(request)
        assert answer.status == 200
        return str(answer.body)

    async def dispatch(self, payload: Json) -> None:
        payload = {"team": {"id": self.running.workspace.team_id}, **payload}
        request = AsyncBoltRequest(body=payload, mode="socket_mode")
        assert (await self.bot.app.async_dispatch(request)).status == 200
        # Bolt acknowledges an event before its listener has begun.
        if begun := [
            task for task in asyncio.all_tasks() if "run_ack_function" in str(task.get_coro())
        ]:
            await asyncio.wait(begun)


def _last(ledger: Ledger) -> int:
    """The number of the newest audit line, read cheaply."""
    newest = stream(ledger._redis.xrevrange(keys.AUDIT, count=1))
    return int(newest[0].id.split("-")[0]) if newest else 0


@asynccontextmanager
async def counter_at(
    *, ledger: Ledger, redis_url: str, policies: Policies
) -> AsyncIterator[Counter]:
    running = await serve(rate_mode="off")
    try:
        bot = await build(
            settings=settings_for(running, redis_url), policies=policies, ledger=ledger
        )
        yield Counter(running=running, bot=bot, ledger=ledger)
        await bot.doors.tasks.drain(seconds=2)
        close_socket: Callable[[], Awaitable[None]] = bot.socket.client.close
        await close_socket()
    finally:
        await running.close()


@pytest.fixture
async def counter(
    ledger: Ledger, redis_url: str, policies: Policies, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Counter]:
    monkeypatch.setattr("bot.slash.ACK_HEAD_START_SECONDS", 0)  # nothing overtakes here
    async with counter_at(ledger=ledger, redis_url=redis_url, policies=policies) as found:
        yield found


@contextmanager
def bend(monkeypatch: pytest.MonkeyPatch, bent: dict[str, Json]) -> Iterator[None]:
    """Let `users.info` say more of some people than the seed can."""
    plain = user_shape

    def shape_of(workspace: Any, person: Member) -> Json:
        return plain(workspace, person) | bent.get(person.id, {})

    with monkeypatch.context() as patch:
        patch.setattr(lab_people, "user_shape", shape_of)
        yield


def changed(member: Member, **fields: Any) -> Member:
    return dataclasses.replace(member, **fields)
