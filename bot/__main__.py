"""`python -m bot`: listens to Slack, shows the ledger. Stops cleanly on SIGTERM and SIGINT.

Slack refuses nothing it has handed out: a command taken shortly before the end is finished first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

import click
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.app import Bot, build
from bot.calls import Busy, SaidNo, Unsure, send, web_client
from bot.logs import masked, set_up
from bot.settings import Settings, is_loopback, read_settings
from bot.standing import keep_answering
from changes.catalog import CATALOG
from ledger import Ledger, LedgerRefuses, LedgerUnavailable, connect
from policies import KeptPolicies, Problems

log = logging.getLogger("bot")

DRAIN_SECONDS = 10.0
ADDRESS_TRIES = 3
TOKEN_OF = {"auth.test": "SLACK_BOT_TOKEN", "apps.connections.open": "SLACK_APP_TOKEN"}
POLICY_SECONDS = 3.0
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class CannotStart(Exception):
    """The sentence says what has to be mended first."""


@click.command(help="Run Ottla's Slack bot: commands and approvals in, cards and threads out.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings file (YAML); the environment wins over it.",
)
@click.option("--check", is_flag=True, help="Read settings and policies, say what is wrong, stop.")
def main(config: Path | None, check: bool) -> None:
    settings = read_settings(path=config, environ=os.environ)
    if isinstance(settings, Problems):
        _stop(settings.words())
    set_up(settings.log_level)
    policies = KeptPolicies.start(settings.policies, catalog=CATALOG)
    if isinstance(policies, Problems):
        _stop(policies.words())
    try:
        ledger = connect(
            settings.redis_url.get_secret_value(),
            allow_no_password=settings.redis_allow_no_password,
        )
    except LedgerUnavailable as refused:
        _stop(str(refused))
    if check:
        click.echo("Settings and policies are fine.")
        return
    if is_loopback(settings.slack_api_url):
        forget_proxies()
    asyncio.run(run(settings=settings, policies=policies, ledger=ledger))


def forget_proxies() -> None:
    """The SDK applies these to addresses on this machine too, and knows no NO_PROXY."""
    for name in PROXY_VARIABLES:
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)


async def run(*, settings: Settings, policies: KeptPolicies, ledger: Ledger) -> None:
    """Connect, serve until a signal, take no more, finish what was taken."""
    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, asked_to_stop.set)
    starting = asyncio.create_task(started(settings, policies, ledger), name="start")
    stopping = asyncio.create_task(asked_to_stop.wait(), name="signal")
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():  # Slack may ask to wait for minutes before it lets us in
        starting.cancel()
        log.info("stopping before the start was done")
        return
    stopping.cancel()
    try:
        bot = await starting
    except CannotStart as refused:
        _stop(str(refused))
    await serve(bot, asked_to_stop)


async def started(settings: Settings, policies: KeptPolicies, ledger: Ledger) -> Bot:
    """Everything wired, and the socket open."""
    await _say_if_ledger_is_away(ledger)
    try:
        bot = await build(settings=settings, policies=policies, ledger=ledger)
        # Left to itself the SDK would ask again for ever, with a trace each time.
        bot.socket.client.wss_uri = await socket_address(settings)
        connect_socket: Callable[[], Awaitable[None]] = bot.socket.client.connect
        await connect_socket()
    except (SaidNo, Busy, Unsure, SlackApiError, SlackClientError, OSError) as failed:
        words = f"Slack at {settings.slack_api_url} would not have us: {failed}{whose(failed)}"
        raise CannotStart(words) from failed
    log.info("listening as %s in workspace %s", bot.doors.home.bot_user_id, bot.doors.home.team_id)
    return bot


async def socket_address(settings: Settings) -> str:
    """Where the first socket is to be opened: the one call that the app-level token is for."""
    token = settings.slack_app_token.get_secret_value()
    client = web_client(token=token, base_url=settings.slack_api_url)
    for _ in range(ADDRESS_TRIES - 1):
        try:
            return str((await send(client, "apps.connections.open"))["url"])
        except Busy as busy:  # Slack allows about one a minute, and a restart comes sooner
            log.warning("%s", busy)
            await asyncio.sleep(busy.seconds)
    return str((await send(client, "apps.connections.open"))["url"])


def whose(failed: Exception) -> str:
    """Which setting Slack did not like, when it was one."""
    method = str(failed).partition(":")[0] if isinstance(failed, SaidNo) else ""
    variable = TOKEN_OF.get(method)
    return f". Give {variable} a valid token of this app." if variable else ""


async def _say_if_ledger_is_away(ledger: Ledger) -> None:
    """No reason to stop: people have to be told, which only a running bot can do. A Redis that will
    never have us is one: somebody has to mend the settings."""
    try:
        await asyncio.to_thread(ledger.check)
    except LedgerRefuses as refused:
        raise CannotStart(str(refused)) from refused
    except LedgerUnavailable as away:
        log.error("%s Every change will be refused until it is back.", away)


async def serve(bot: Bot, asked_to_stop: asyncio.Event) -> None:
    announcing = asyncio.create_task(bot.announcer.run(), name="announcer")
    stopping = asyncio.create_task(asked_to_stop.wait(), name="signal")
    rounds = [
        asyncio.create_task(keep_answering(bot.doors, asked_to_stop), name="approvers"),
        asyncio.create_task(keep_reading(bot.doors.kept, asked_to_stop), name="policies"),
    ]
    await asyncio.wait({announcing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping: no more work is taken, what was taken is finished")
    close_socket: Callable[[], Awaitable[None]] = bot.socket.client.close
    await close_socket()
    await bot.doors.tasks.drain(seconds=DRAIN_SECONDS)
    await bot.announcer.stop()
    stopping.cancel()
    asked_to_stop.set()
    await asyncio.gather(*rounds)
    await announcing


async def keep_reading(kept: KeptPolicies, asked_to_stop: asyncio.Event) -> None:
    """Policies are read again within seconds of an edit; a broken edit is said and not used."""
    while not asked_to_stop.is_set():
        await asyncio.to_thread(kept.refresh)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asked_to_stop.wait(), POLICY_SECONDS)


def _stop(words: str) -> NoReturn:
    click.echo(masked(words), err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
