"""What every listener is handed, wired once in `app.py`: the rooms it may use, and the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.onlookers import Onlookers
from bot.people import People
from bot.tasks import Tasks
from changes.grammar import Usage
from changes.request import Person
from ledger import Ledger
from policies import KeptPolicies, Policies


@dataclass(frozen=True)
class Home:
    """The workspace and the bot's own identity in it, from `auth.test`."""

    team_id: str
    bot_user_id: str
    bot_id: str
    url: str
    """With a slash at its end; links to messages begin with it."""

    def link(self, *, channel: str, ts: str) -> str:
        return f"{self.url}archives/{channel}/p{ts.replace('.', '')}"


@dataclass(frozen=True)
class Doors:
    ledger: Ledger
    kept: KeptPolicies
    people: People
    onlookers: Onlookers
    client: AsyncWebClient
    usages: tuple[Usage, ...]
    tasks: Tasks
    home: Home
    now: Callable[[], datetime]

    @property
    def policies(self) -> Policies:
        """Those in force now; ask again for each decision, since files may be edited."""
        return self.kept.current

    def channel_of(self, cluster: str) -> str:
        """Where a cluster is shown; empty = there is no such cluster."""
        known = self.policies.clusters.get(cluster)
        return known.channel if known else ""

    async def person(self, user_id: str) -> Person:
        """Who acts, read live: never cached, never taken from what was clicked."""
        groups = self.policies.approver_groups()
        return await self.people.read(user_id, approver_groups=groups)
