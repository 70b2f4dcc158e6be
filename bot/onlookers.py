"""Who is answered: full members of the workspace; questions change nothing, and tell names and figures.

The surprising truth: this alone is remembered, for an hour. Slack lets a bot read people about a hundred
times a minute, and whoever looks at three in the night asks again and again. No decision is taken from
it: whoever acts is read live (`people`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.people import People

REMEMBERED = timedelta(hours=1)
PEOPLE_MAX = 10_000


class Onlookers:
    def __init__(self, *, people: People, now: Callable[[], datetime]) -> None:
        self._people = people
        self._now = now
        self._members: dict[str, datetime] = {}

    async def why_not(self, user_id: str) -> str:
        """Empty = answer; else the sentence. A guest is never remembered: he may be a member by now."""
        now = self._now()
        if abs(now - self._members.get(user_id, now - 2 * REMEMBERED)) < REMEMBERED:
            return ""
        person = await self._people.read(user_id, approver_groups=())
        if person.standing:
            return f"Only members of this workspace are answered: {person.standing}."
        if len(self._members) >= PEOPLE_MAX:
            self._members.clear()
        self._members[user_id] = now
        return ""
