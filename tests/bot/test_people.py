"""Who may act, as Slack knows him now; every doubt is a no."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.calls import web_client
from bot.people import People, counts, name_of, standing_of
from lab.slack import Running, serve
from lab.slack.upsets import upset

HOME = "T0LABACME1"
GROUP = "S0LABKAPPR"
BOB = "U0LAB0BOB1"


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    started = await serve(rate_mode="off")
    yield started
    await started.close()


@pytest.fixture
def people(running: Running) -> People:
    client = web_client(token=running.bot_token, base_url=running.api_url)
    return People(client=client, home_team=HOME)


async def test_a_member_is_read_with_the_groups_he_is_in(people: People) -> None:
    bob = await people.read(BOB, approver_groups=[GROUP, "S0UNKNOWN1"])
    assert (bob.name, bob.groups, bob.standing) == ("bob", (GROUP,), "")
    ann = await people.read("U0LAB0ANN1", approver_groups=[GROUP])
    assert (ann.groups, ann.standing) == ((), "")


async def test_a_group_is_read_at_each_decision(people: People, running: Running) -> None:
    assert (await people.read(BOB, approver_groups=[GROUP])).groups == (GROUP,)
    await upset(running.workspace, "edit_usergroup", {"usergroup": GROUP, "users": ["dan"]})
    assert (await people.read(BOB, approver_groups=[GROUP])).groups == ()


async def test_a_group_that_was_switched_off_has_no_members(
    people: People, running: Running
) -> None:
    running.workspace.groups[GROUP].date_delete = 1
    assert (await people.read(BOB, approver_groups=[GROUP])).groups == ()


async def test_somebody_deactivated_is_still_in_his_group_and_may_not(people: People) -> None:
    eve = await people.read("U0LAB0EVE1", approver_groups=[GROUP])
    assert eve.groups == (GROUP,)
    assert eve.standing == "your Slack account is deactivated"


@pytest.mark.parametrize("method", ["users.info", "usergroups.list", "usergroups.users.list"])
@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("error", {"code": "internal_error"}),
        ("error", {"code": "missing_scope"}),
        ("ratelimit", {"retry_after": 30}),
        ("http", {"status": 502}),
        ("truncate_json", {}),
        ("reset_before_commit", {}),
    ],
)
async def test_any_failure_of_slack_is_a_no(
    people: People, running: Running, method: str, action: str, more: dict[str, Any]
) -> None:
    # aiohttp repeats a read once by itself when the connection drops.
    running.workspace.faults.add(
        action=action, match={"method": method}, times=3, after=0, params=more
    )
    bob = await people.read(BOB, approver_groups=[GROUP])
    assert "Slack did not say" in bob.standing
    assert bob.groups == ()


async def test_a_slack_that_asks_to_wait_a_moment_is_waited_for(
    people: People, running: Running
) -> None:
    running.workspace.faults.add(
        action="ratelimit",
        match={"method": "usergroups.list"},
        times=1,
        after=0,
        params={"retry_after": 1},
    )
    bob = await people.read(BOB, approver_groups=[GROUP])
    assert (bob.standing, bob.groups) == ("", (GROUP,))


async def test_a_slow_slack_is_a_no_and_nobody_waits_long(
    people: People, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.people.READ_SECONDS_MAX", 0.2)
    running.workspace.faults.add(
        action="slow", match={"method": "users.info"}, times=1, after=0, params={"seconds": 2}
    )
    assert "Slack did not say" in (await people.read(BOB, approver_groups=[])).standing


async def test_somebody_slack_does_not_know_is_a_no(people: People) -> None:
    assert "Slack did not say" in (await people.read("U0NOBODY11", approver_groups=[])).standing


def user(**fields: Any) -> dict[str, Any]:
    return {"id": "U1", "team_id": HOME, "deleted": False, **fields}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"deleted": True}, "deactivated"),
        ({"is_bot": True}, "bots, apps and workflows"),
        ({"is_workflow_bot": True}, "bots, apps and workflows"),
        ({"id": "USLACKBOT"}, "bots, apps and workflows"),
        ({"is_restricted": True}, "guests"),
        ({"is_ultra_restricted": True}, "guests"),
        ({"is_stranger": True}, "another workspace"),
        ({"team_id": "T0OTHER"}, "another workspace"),
        ({"team_id": None}, "another workspace"),
        ({"is_email_confirmed": False}, "e-mail address is not confirmed"),
        ({"is_invited_user": True}, "invitation"),
        ({"is_admin": True, "is_owner": True}, ""),
    ],
)
def test_standing(fields: dict[str, Any], words: str) -> None:
    standing = standing_of(user(**fields), HOME)
    assert words in standing
    assert bool(words) == bool(standing)


def test_an_external_group_does_not_count() -> None:
    assert counts({"id": GROUP})
    assert not counts({"id": GROUP, "is_external": True})
    assert not counts({"id": GROUP, "date_delete": 1700000000})


def test_a_name_is_only_shown() -> None:
    assert name_of(user(profile={"display_name": "bobby"}, real_name="Bob")) == "bobby"
    assert name_of(user()) == "U1"
