"""A keeper, a real workspace and a real ledger, with our clock: what an incident looks like in Slack.

No announcer runs: the tests ask the keeper themselves, so every call to Slack is counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import keeper as keeping
from bot.app import who_we_are
from bot.calls import web_client
from bot.incident_story import IncidentShelf
from bot.keeper import Keeper, Later
from bot.missed import Missed
from bot.writer import Writer
from changes.incident import Incident, Severity
from lab.slack import Running, serve
from ledger import Ledger
from tests.bot.conftest import KAFKA
from tests.bot.incident_samples import CLUSTER, opened

Json = dict[str, Any]
CRIT: dict[str, Any] = {"severity": Severity.CRIT, "peak": Severity.CRIT}
POSTS = ("chat.postMessage", "chat.update")


@dataclass
class Clock:
    """The wall clock and the process's own, moved on together."""

    seconds: float = 0.0
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 10_000.0 + self.seconds


@dataclass
class Stage:
    running: Running
    ledger: Ledger
    clock: Clock
    keeper: Keeper
    missed: Missed

    def show(self, *incidents: Incident) -> tuple[Incident, ...]:
        return opened(self.ledger, *incidents)

    def stored(self, incident_id: str = "I-1") -> Incident:
        found = self.ledger.incident(incident_id)
        assert found is not None
        return found

    async def keep(self) -> dict[str, Later | None]:
        """One round over all that is behind."""
        return {one: await self.keeper.keep(one) for one in self.ledger.incidents_behind()}

    async def wait(self, seconds: float, *, step: float = 5.0) -> None:
        """Time passes, and the keeper looks around as the announcer has it look."""
        end = self.clock.seconds + seconds
        while self.clock.seconds < end:
            self.clock.seconds = min(end, self.clock.seconds + step)
            await self.keep()
            await self.missed.say()

    def messages(self) -> list[Json]:
        return list(self.running.workspace.channels[KAFKA].messages.values())

    def heads(self) -> list[Json]:
        return [one for one in self.messages() if one.get("thread_ts", one["ts"]) == one["ts"]]

    def lines(self) -> list[Json]:
        return [one for one in self.messages() if one.get("thread_ts", one["ts"]) != one["ts"]]

    def calls(self) -> int:
        entries = self.running.workspace.log.entries(kind="api")
        return sum(1 for entry in entries if entry.get("method") in POSTS)

    def away(self) -> None:
        self.running.workspace.faults.add(
            action="http", match={}, times=10**6, after=0, params={"status": 503}
        )

    def back(self) -> None:
        self.running.workspace.faults.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(keeping, "time", found)
    monkeypatch.setattr("bot.missed.time", found)
    return found


@pytest.fixture
async def stage(ledger: Ledger, clock: Clock) -> AsyncIterator[Stage]:
    running = await serve(rate_mode="off")
    yield await hired(running, ledger, clock)
    await running.close()


async def hired(running: Running, ledger: Ledger, clock: Clock) -> Stage:
    """One bot's keeper; a second one may be hired on the same stage."""
    client = web_client(token=running.bot_token, base_url=running.api_url)
    home = await who_we_are(client)
    missed = Missed(ledger=ledger, client=client, home=home)
    keeper = Keeper(
        ledger=ledger,
        writer=Writer(ledger=ledger, client=client, home=home),
        now=clock.now,
        shelf=IncidentShelf(ledger, lambda cluster: {CLUSTER: KAFKA}.get(cluster, "")),
        passed_over=missed.note,
    )
    return Stage(running, ledger, clock, keeper, missed)
