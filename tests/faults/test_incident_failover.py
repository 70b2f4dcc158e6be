"""A hundred bots killed between posting an incident and remembering where: one message each, ended by edit.

SIGKILL in a process of its own; the next bot is given a later clock instead of a wait for the claim.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from bot import keeper
from bot.app import who_we_are
from bot.calls import web_client
from bot.incident_story import IncidentShelf
from bot.keeper import Keeper
from bot.writer import Writer
from changes.incident import Incident, Severity
from ledger import connect, keys
from tests.bot.incident_samples import alert, incident, opened, over
from tests.faults.far_slack import Slack, far_slack
from tests.faults.life import CHANNEL
from tests.faults.moments import Moments, When
from tests.faults.playing import KILLED, in_a_process
from tests.redis_server import redis_server, redis_url

__all__ = ["redis_server", "redis_url"]

pytestmark = pytest.mark.fault
ROUNDS = 100
ROUND = timedelta(minutes=10)
"""Between two rounds; longer than a claim."""
OUTLIVED = timedelta(minutes=3)
WRITES = ("chat.postMessage", "chat.update")
LOOKS_MAX = 20
CRITICAL = {"severity": Severity.CRIT, "peak": Severity.CRIT}


@pytest.fixture(scope="module")
def slack() -> Iterator[Slack]:
    with far_slack() as found:
        yield found


class Post:
    """Where the watch's incidents go in and bots come and go."""

    def __init__(self, url: str, slack: Slack) -> None:
        self._url = url
        self._slack = slack

    def store(self, one: Incident) -> Incident:
        ledger = connect(self._url)
        (saved,) = opened(ledger, one)
        ledger.close()
        return saved

    def stored(self, incident_id: str) -> Incident:
        ledger = connect(self._url)
        found = ledger.incident(incident_id)
        ledger.close()
        assert found is not None
        return found

    def behind(self) -> tuple[str, ...]:
        ledger = connect(self._url)
        found = ledger.incidents_behind()
        ledger.close()
        return found

    def a_minute_passes(self) -> None:
        """For the budget, which goes by Redis's own clock."""
        with Redis.from_url(self._url) as redis:
            redis.delete(keys.budget(f"slack:{CHANNEL}"))

    def bot(self, incident_id: str, later: timedelta, moments: Moments | None = None) -> None:
        """One bot process, until all of this incident is shown, or until it is struck."""
        asyncio.run(self._bot(incident_id, later, moments or Moments()))

    async def _bot(self, incident_id: str, later: timedelta, moments: Moments) -> None:
        keeper.UNSURE_SECONDS = 0.05
        clock: Callable[[], datetime] = lambda: datetime.now(UTC) + later  # noqa: E731
        client = web_client(token=self._slack.bot_token, base_url=self._slack.api_url)
        home = await who_we_are(client)
        _strike(client, moments)
        ledger = connect(self._url, clock=clock)
        showing = Keeper(
            ledger=ledger,
            writer=Writer(ledger=ledger, client=client, home=home),
            now=clock,
            shelf=IncidentShelf(ledger, lambda _: CHANNEL),
        )
        for _ in range(LOOKS_MAX):
            if (await showing.keep(incident_id)) is None:
                ledger.close()
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{incident_id} is never shown whole")


def _strike(client: Any, moments: Moments) -> None:
    sent = client.api_call

    async def api_call(api_method: str, **how: Any) -> Any:
        if api_method not in WRITES:
            return await sent(api_method, **how)
        number = moments.arriving("bot", api_method)
        answer = await sent(api_method, **how)
        moments.leaving(number)
        return answer

    client.api_call = api_call


def killed(post: Post, incident_id: str, later: timedelta, *, at: int, when: When) -> None:
    moments = Moments(at=at, when=when)
    assert in_a_process(lambda: post.bot(incident_id, later, moments)) == KILLED


def test_a_hundred_failovers_leave_one_message_each_and_every_end_is_told(
    redis_url: str, slack: Slack
) -> None:
    slack.reset()
    post = Post(redis_url, slack)
    for number in range(ROUNDS):
        later = ROUND * number
        post.a_minute_passes()
        found = post.store(incident(alert(f"group g-{number}", **CRITICAL)))
        killed(post, found.id, later, at=0, when="after" if number % 4 else "before")
        post.a_minute_passes()  # so long is a claim respected
        post.bot(found.id, later + OUTLIVED)
        post.store(over(post.stored(found.id)))
        post.a_minute_passes()
        if number % 5 == 0:
            killed(post, found.id, later + 2 * OUTLIVED, at=0, when="after")
            post.a_minute_passes()
        post.bot(found.id, later + 3 * OUTLIVED)
    heads, lines, _ = slack.shown()
    assert len(heads) == ROUNDS, "no message twice, none lost"
    assert lines == []
    assert all("over after 12 min" in head for head in heads), "every end edits its message"
    assert sorted(int(head.split("g-")[1].split()[0].strip("`")) for head in heads) == list(
        range(ROUNDS)
    )
    assert post.behind() == ()
    with Redis.from_url(redis_url) as redis:
        cards = [json.loads(redis.get(name) or b"{}") for name in redis.keys("ottla:*card*I-*")]
    assert len(cards) == ROUNDS
    assert not [card for card in cards if card["claim"]]
