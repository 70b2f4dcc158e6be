"""The bot's part of a job: every stored version of the request shown in Slack, write by write.

The story is recorded from the faultless job, then told again: version after version is saved as the
worker saved it, and between them the bot's own keeper pays what Slack is owed. Every post, edit, upload
and every save of the card passes through the hook.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from bot import keeper, pictures
from bot.app import who_we_are
from bot.calls import web_client
from bot.keeper import Keeper
from bot.writer import Writer
from changes.request import Request
from ledger import Audit, Ledger, connect
from tests.faults.far_slack import Slack
from tests.faults.life import THE_REQUEST, Life, Shop, ask, short_leases
from tests.faults.moments import Moments
from tests.faults.watched_ledger import watched_ledger

SLACK_WRITES = ("chat.postMessage", "chat.update", "files.")
OUTLIVED = timedelta(minutes=5)
"""A dead bot's claim has run out by then; the next one is given a later clock instead of a wait."""
ROUNDS_MAX = 200


class Story(NamedTuple):
    versions: tuple[Request, ...]
    pictures: tuple[bytes, ...]


def record(shop: Shop) -> Story:
    """Every version a card could have shown at the end of a beat, as long as it tells something new."""
    versions: list[Request] = []
    with short_leases(60):
        life = Life(shop, Moments())

        def note() -> bool:
            found = life.request()
            if found and (not versions or tells_more(found, than=versions[-1])):
                versions.append(found)
            return False

        life.live(until=note)
        last = life.request()
        assert last is not None
        versions.append(last)
        keys = [line.picture for line in last.log if line.picture]
        content = tuple(life.bot.picture(key) or b"" for key in keys)
        life.close()
    return Story(tuple(versions), content)


def tells_more(request: Request, *, than: Request) -> bool:
    return len(request.log) > len(than.log) or request.state is not than.state


def tell(ledger: Ledger, story: Story, at: int) -> None:
    """The worker's save of one version, unless it was made before."""
    if at == 0 and ledger.load(THE_REQUEST) is None:
        for content in story.pictures:
            ledger.keep_picture(content=content)
        ask(ledger, datetime.now(UTC))
    stored = ledger.load(THE_REQUEST)
    assert stored is not None
    following = story.versions[at]
    if at <= chapter_of(stored, story):
        return
    words = following.state.value
    audit = (
        Audit(actor="worker", event=words, words=words)
        if following.state is not stored.state
        else None
    )
    ledger.save(following.with_(version=stored.version, created_at=stored.created_at), audit=audit)


def chapter_of(stored: Request, story: Story) -> int:
    """How far the story was told already; state and length of the log name each version."""
    marks = [(one.state, len(one.log)) for one in story.versions]
    mark = (stored.state, len(stored.log))
    return marks.index(mark) if mark in marks else -1


class BotLife:
    """One bot process."""

    def __init__(self, shop: Shop, slack: Slack, story: Story, moments: Moments) -> None:
        self._shop = shop
        self._slack = slack
        self._story = story
        self._moments = moments

    async def show(self, *, later: timedelta = timedelta(), away: bool = False) -> None:
        """Until all is shown; `away` = the whole job happened before this bot came."""
        clock: Callable[[], datetime] = lambda: datetime.now(UTC) + later  # noqa: E731
        plain = connect(self._shop.redis_url)
        own = watched_ledger(self._shop.redis_url, role="bot", moments=self._moments, clock=clock)
        showing = await self._keeper(own, clock)
        for at in range(len(self._story.versions)):
            tell(plain, self._story, at)
            if not away:
                await paid(showing)
        await paid(showing)
        plain.close()
        own.close()

    async def _keeper(self, ledger: Ledger, clock: Callable[[], datetime]) -> Keeper:
        client = web_client(token=self._slack.bot_token, base_url=self._slack.api_url)
        home = await who_we_are(client)
        sent = client.api_call

        async def api_call(api_method: str, **how: Any) -> Any:
            if not api_method.startswith(SLACK_WRITES):
                return await sent(api_method, **how)
            number = self._moments.arriving("bot", api_method)
            answer = await sent(api_method, **how)
            self._moments.leaving(number)
            return answer

        client.api_call = api_call  # type: ignore[method-assign]  # the hook stands before the wire
        self._watch_uploads()
        return Keeper(
            ledger=ledger, writer=Writer(ledger=ledger, client=client, home=home), now=clock
        )

    def _watch_uploads(self) -> None:
        upload = pictures._upload

        async def watched(url: str, content: bytes) -> None:
            number = self._moments.arriving("bot", "the picture's bytes")
            await upload(url, content)
            self._moments.leaving(number)

        pictures._upload = watched


async def paid(showing: Keeper) -> None:
    for _ in range(ROUNDS_MAX):
        later = await showing.keep(THE_REQUEST)
        if later is None:
            return
        await asyncio.sleep(min(later.seconds, 1.2))
    raise AssertionError("Slack is never paid")


def bot(
    shop: Shop,
    slack: Slack,
    story: Story,
    moments: Moments | None = None,
    *,
    later: timedelta = timedelta(),
    away: bool = False,
) -> None:
    """A bot process from start to the end of the story; politeness towards the real Slack is cut short."""
    keeper.REDRAW_SECONDS_MIN = keeper.SHARE_SECONDS = 0.0
    keeper.UNSURE_SECONDS = 0.05
    pictures.LANDED_PAUSE_SECONDS = 0.15
    asyncio.run(BotLife(shop, slack, story, moments or Moments()).show(later=later, away=away))
