"""Who is answered: members, remembered for a while; everybody else is looked at every time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from bot import onlookers
from bot.onlookers import Onlookers
from bot.people import NOT_READ, People
from changes.request import Person
from tests.fakes.clock import FakeClock


class Slack(People):
    """Who somebody is, as a test says it; how often it was asked."""

    def __init__(self) -> None:
        self.standing: dict[str, str] = {}
        self.asked: list[str] = []

    async def read(self, user_id: str, *, approver_groups: Iterable[str]) -> Person:
        assert not list(approver_groups), "groups are read 20 times a minute at most"
        self.asked.append(user_id)
        return Person(user_id=user_id, name="", standing=self.standing.get(user_id, ""))


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def door(slack: Slack, clock: FakeClock) -> Onlookers:
    return Onlookers(people=slack, now=clock)


async def test_a_member_is_looked_at_once_an_hour(
    door: Onlookers, slack: Slack, clock: FakeClock
) -> None:
    for _ in range(10):
        assert await door.why_not("U1") == ""
        clock.advance(300)
    assert slack.asked == ["U1"]
    clock.advance(600)
    slack.standing["U1"] = "your Slack account is deactivated"
    assert "deactivated" in await door.why_not("U1")


async def test_a_guest_who_becomes_a_member_is_answered_at_once(
    door: Onlookers, slack: Slack
) -> None:
    slack.standing["U2"] = "guests cannot act on clusters"
    assert await door.why_not("U2") == (
        "Only members of this workspace are answered: guests cannot act on clusters."
    )
    slack.standing.clear()
    assert await door.why_not("U2") == ""


async def test_a_slack_that_does_not_say_is_a_no_for_who_was_not_seen_before(
    door: Onlookers, slack: Slack
) -> None:
    assert await door.why_not("U1") == ""
    slack.standing = {"U1": NOT_READ, "U2": NOT_READ}
    assert await door.why_not("U1") == ""
    assert "try again in a minute" in await door.why_not("U2")


async def test_a_clock_set_back_remembers_nobody(
    door: Onlookers, slack: Slack, clock: FakeClock
) -> None:
    await door.why_not("U1")
    clock.now -= timedelta(days=1)
    await door.why_not("U1")
    assert len(slack.asked) == 2


async def test_what_is_remembered_is_bounded(
    door: Onlookers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onlookers, "PEOPLE_MAX", 3)
    for number in range(10):
        await door.why_not(f"U{number}")
    assert len(door._members) <= 3
