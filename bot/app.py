"""The composition root: everything real is wired here, every listener registered here.

Order matters to Bolt (the first listener that fits wins), so the catch-alls come last. They exist
because Bolt leaves what nobody took without an acknowledgement: a person sees a failure then, and
Slack sends events again.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot import approvals, incidents, slash, thread_words
from bot.announcer import Announcer
from bot.calls import read, send, web_client
from bot.cards.help import told
from bot.doors import Doors, Home
from bot.incident_story import IncidentShelf
from bot.keeper import Keeper
from bot.missed import Missed
from bot.onlookers import Onlookers
from bot.people import People
from bot.questions import QUESTIONS
from bot.request_story import RequestShelf
from bot.settings import Settings
from bot.shelves import Shelves
from bot.tasks import Tasks
from bot.writer import Writer
from changes.catalog import CATALOG
from changes.grammar import usages_of
from ledger import Ledger
from policies import KeptPolicies, Policies

log = logging.getLogger(__name__)

ANYTHING = re.compile(".*", re.DOTALL)
Json = dict[str, Any]


@dataclass(frozen=True)
class Bot:
    """The running parts, for `__main__` to start and stop."""

    app: AsyncApp
    socket: AsyncSocketModeHandler
    announcer: Announcer
    doors: Doors


def utc_now() -> datetime:
    return datetime.now(UTC)


async def build(
    *,
    settings: Settings,
    policies: Policies | KeptPolicies,
    ledger: Ledger,
    now: Callable[[], datetime] = utc_now,
) -> Bot:
    """Wire the real things; Slack is asked who we are, so a wrong token is said at the start."""
    token = settings.slack_bot_token.get_secret_value()
    client = web_client(token=token, base_url=settings.slack_api_url)
    home = await who_we_are(client)
    people = People(client=client, home_team=home.team_id)
    doors = Doors(
        ledger=ledger,
        kept=policies if isinstance(policies, KeptPolicies) else KeptPolicies.fixed(policies),
        people=people,
        onlookers=Onlookers(people=people, now=now),
        client=client,
        usages=usages_of(CATALOG, QUESTIONS),
        tasks=Tasks(),
        home=home,
        now=now,
    )
    app = listening_app(doors, token=token)
    socket_client = web_client(token=token, base_url=settings.slack_api_url)
    socket = AsyncSocketModeHandler(
        app, settings.slack_app_token.get_secret_value(), web_client=socket_client
    )
    return Bot(app=app, socket=socket, announcer=announcer_of(doors), doors=doors)


def announcer_of(doors: Doors) -> Announcer:
    """Requests and incidents, shown by the same keeper within the same limits."""
    ledger = doors.ledger
    missed = Missed(ledger=ledger, client=doors.client, home=doors.home)
    shelf = Shelves(RequestShelf(ledger), IncidentShelf(ledger, doors.channel_of))
    keeper = Keeper(
        ledger=ledger,
        writer=Writer(ledger=ledger, client=doors.client, home=doors.home),
        now=doors.now,
        shelf=shelf,
        passed_over=missed.note,
    )
    return Announcer(ledger=ledger, keeper=keeper, shelf=shelf, missed=missed)


async def who_we_are(client: AsyncWebClient) -> Home:
    found = await read(client, "auth.test")
    url = str(found.get("url") or "")
    return Home(
        team_id=str(found["team_id"]),
        bot_user_id=str(found["user_id"]),
        bot_id=str(found.get("bot_id") or ""),
        url=url if url.endswith("/") else f"{url}/",
    )


def listening_app(doors: Doors, *, token: str) -> AsyncApp:
    """Bolt with every listener; it is told who it is, so that no request waits for `auth.test`."""
    known = AuthorizeResult(
        enterprise_id=None,
        team_id=doors.home.team_id,
        bot_user_id=doors.home.bot_user_id,
        bot_id=doors.home.bot_id,
        bot_token=token,
    )

    async def authorize() -> AuthorizeResult:
        return known

    # A client of its own without a token: Bolt fills in the one that `authorize` names.
    base_url = str(doors.client.base_url)
    app = AsyncApp(client=web_client(token=None, base_url=base_url), authorize=authorize)
    slash.register(app, doors)
    approvals.register(app, doors)
    incidents.register(app, doors)
    thread_words.register(app, doors)
    register_catch_alls(app, doors)
    return app


def register_catch_alls(app: AsyncApp, doors: Doors) -> None:
    """Everything is acknowledged, and a person always gets an answer."""

    @app.action(ANYTHING)
    async def unknown_action(ack: AsyncAck, body: Json) -> None:
        await ack()
        place, user_id = body.get("container") or {}, str(body["user"]["id"])

        async def tell(words: str) -> None:
            text = told(words).text
            channel = place.get("channel_id") or user_id
            await send(doors.client, "chat.postEphemeral", channel=channel, user=user_id, text=text)

        doors.tasks.start(tell(approvals.OUTDATED), doing="an unknown button", tell=tell)

    @app.command(ANYTHING)
    async def unknown_command(ack: AsyncAck, command: Json) -> None:
        words = f"I do not know `{command.get('command')}`. Try `{slash.COMMAND} help`."
        await ack(**slash.privately(told(words)))

    @app.view(ANYTHING)
    async def unknown_dialog(ack: AsyncAck) -> None:
        await ack()

    @app.view_closed(ANYTHING)
    async def dialog_closed(ack: AsyncAck) -> None:
        await ack()

    @app.shortcut(ANYTHING)
    async def unknown_shortcut(ack: AsyncAck) -> None:
        await ack()

    @app.options(ANYTHING)
    async def unknown_options(ack: AsyncAck) -> None:
        await ack(options=[])

    @app.event(ANYTHING)
    async def unknown_event() -> None:
        """Acknowledged by Bolt itself; unanswered events would be sent again three times."""

    @app.error
    async def trouble(error: Exception, body: Json) -> BoltResponse:
        """Bolt's outer edge: a reference for the person, the trace for the log, always a 200."""
        reference = secrets.token_hex(4)
        log.error("a listener failed (reference %s)", reference, exc_info=error)
        words = told(f"Something went wrong here (reference `{reference}`). Nothing was changed.")
        answered = body.get("command") is not None
        return BoltResponse(status=200, body=slash.privately(words) if answered else "")
