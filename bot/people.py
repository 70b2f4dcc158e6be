"""A Slack user becomes a Person: read live at each decision, by ids, and closed when in doubt.

The surprising truth: a user group keeps people who left and groups that were switched off, so a
person's standing and the group's own state are read as well as the list of members.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.calls import Busy, SaidNo, Unsure, read
from changes.request import Person

log = logging.getLogger(__name__)

READ_SECONDS_MAX = 12.0
"""A person waits for the answer; a slower Slack is treated as one that did not answer."""
BUSY_SECONDS_MAX = 6.0
"""Slack allows 20 readings of groups a minute and then asks to wait for about three seconds."""
SLACKBOT = "USLACKBOT"
NOT_READ = "Slack did not say who you are just now, so it cannot count; try again in a minute"
GROUPS_NOT_READ = (
    "Slack did not say who belongs to the approver groups just now, so it cannot count; "
    "try again in a minute"
)
GONE = ("no_such_subteam", "subteam_not_found")


class NotRead(Exception):
    """Slack answered with an error, or not in time."""


class People:
    """Who acts, as Slack knows him at this moment."""

    def __init__(self, *, client: AsyncWebClient, home_team: str) -> None:
        self._client = client
        self._home_team = home_team

    async def read(self, user_id: str, *, approver_groups: Iterable[str]) -> Person:
        """The person with the approver groups he is in; a doubt becomes his `standing`."""
        try:
            async with asyncio.timeout(READ_SECONDS_MAX):
                return await self._read(user_id, frozenset(approver_groups))
        except (NotRead, TimeoutError) as doubt:
            log.warning("who %s is could not be read: %s", user_id, doubt or "too slow")
            return Person(user_id=user_id, name=user_id, standing=NOT_READ)

    async def _read(self, user_id: str, wanted: frozenset[str]) -> Person:
        user, member_of = await asyncio.gather(
            self._user(user_id), self._groups_of(user_id, wanted), return_exceptions=True
        )
        if isinstance(user, BaseException):
            raise user
        person = Person(
            user_id=user_id, name=name_of(user), standing=standing_of(user, self._home_team)
        )
        if isinstance(member_of, NotRead):
            log.warning("the groups of %s could not be read: %s", user_id, member_of)
            return person.with_(standing=person.standing or GROUPS_NOT_READ)
        if isinstance(member_of, BaseException):
            raise member_of
        return person.with_(groups=member_of)

    async def _user(self, user_id: str) -> Mapping[str, Any]:
        user = (await self._ask("users.info", user=user_id)).get("user")
        if not isinstance(user, dict) or user.get("id") != user_id:
            raise NotRead(f"users.info of {user_id} answered without that user")
        return user

    async def _groups_of(self, user_id: str, wanted: frozenset[str]) -> tuple[str, ...]:
        """Those of the wanted groups that are switched on and list the person."""
        if not wanted:
            return ()
        found = (await self._ask("usergroups.list")).get("usergroups") or []
        live = sorted(g["id"] for g in found if g["id"] in wanted and counts(g))
        listed = await asyncio.gather(*(self._members(group) for group in live))
        return tuple(group for group, users in zip(live, listed, strict=True) if user_id in users)

    async def _members(self, group: str) -> frozenset[str]:
        return frozenset(
            (await self._ask("usergroups.users.list", usergroup=group)).get("users", ())
        )

    async def _ask(self, method: str, **arguments: str) -> Mapping[str, Any]:
        """One reading; where Slack asks to wait a little, it is waited for, within the limit of `read`."""
        while True:
            try:
                return await read(self._client, method, **arguments)
            except SaidNo as refused:
                if refused.code in GONE:
                    return {}
                raise NotRead(str(refused)) from refused
            except Busy as busy:
                if busy.seconds > BUSY_SECONDS_MAX:
                    raise NotRead(str(busy)) from busy
                await asyncio.sleep(busy.seconds)
            except Unsure as failed:
                raise NotRead(str(failed)) from failed


def standing_of(user: Mapping[str, Any], home_team: str) -> str:
    """Empty for an active, full, human member of the home workspace; else why he may not act."""
    if user.get("deleted"):
        return "your Slack account is deactivated"
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("id") == SLACKBOT:
        return "bots, apps and workflows never decide"
    if user.get("is_stranger") or user.get("team_id") != home_team:
        return "you belong to another workspace"
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "guests cannot act on clusters"
    if user.get("is_email_confirmed") is False:
        return "your e-mail address is not confirmed in Slack yet"
    if user.get("is_invited_user"):
        return "you have not accepted your invitation to this workspace yet"
    return ""


def counts(group: Mapping[str, Any]) -> bool:
    """A group that was switched off keeps its members; an external one is another workspace's."""
    return not group.get("date_delete") and not group.get("is_external")


def name_of(user: Mapping[str, Any]) -> str:
    """Only ever shown; ids decide."""
    profile = user.get("profile") or {}
    name = profile.get("display_name") or user.get("real_name") or user.get("name")
    return str(name or user.get("id"))
