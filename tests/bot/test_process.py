"""The process itself: help, refusals to start, a clean end, and no secret in what it says."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import pytest

from bot.logs import Masked, masked
from bot.tasks import CUT_OFF, RUNNING_MAX, TOO_MANY, Tasks
from lab.slack import Running
from ledger import Ledger
from tests.bot.conftest import POLICIES, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


async def run_bot(*arguments: str, **environ: str) -> tuple[int, str]:
    process = await start_bot(*arguments, **environ)
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, said.decode()


async def start_bot(*arguments: str, **environ: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "OTTLA_POLICIES": str(POLICIES), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_help_says_what_it_is_for() -> None:
    code, said = await run_bot("--help")
    assert code == 0
    assert "Run Ottla's Slack bot" in said


async def test_it_does_not_start_without_its_tokens() -> None:
    code, said = await run_bot()
    assert code == 2
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "REDIS_URL"):
        assert name in said
    assert "Traceback" not in said


async def test_a_wrong_token_is_a_sentence(workspace: Running, redis_url: str) -> None:
    code, said = await run_bot(
        SLACK_BOT_TOKEN="xoxb-wrong-secret",
        SLACK_APP_TOKEN=workspace.app_token,
        SLACK_API_URL=workspace.api_url,
        REDIS_URL=redis_url,
    )
    assert code == 2
    assert "would not have us: auth.test: invalid_auth" in said
    assert "secret" not in said
    assert "Traceback" not in said


async def test_it_serves_behind_a_proxy_variable_and_stops_cleanly_on_sigterm(
    workspace: Running, redis_url: str, ledger: Ledger
) -> None:
    process = await start_bot(
        SLACK_BOT_TOKEN=workspace.bot_token,
        SLACK_APP_TOKEN=workspace.app_token,
        SLACK_API_URL=workspace.api_url,
        REDIS_URL=redis_url,
        HTTP_PROXY="http://127.0.0.1:9",
        https_proxy="http://127.0.0.1:9",
        OTTLA_LOG_LEVEL="DEBUG",
    )
    try:
        connections = workspace.workspace.sockets.connections
        await until(lambda: connections, what="the bot is connected", seconds=30)
        process.send_signal(signal.SIGTERM)
        said, _ = await asyncio.wait_for(process.communicate(), 20)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, said.decode()
    assert "Traceback" not in said.decode()
    for secret in (workspace.bot_token, workspace.app_token):
        assert secret.encode() not in said
    assert ledger.requests() == ()


async def test_it_stops_at_once_while_slack_makes_it_wait(
    workspace: Running, redis_url: str
) -> None:
    workspace.workspace.faults.add(
        action="ratelimit",
        match={"method": "apps.connections.open"},
        times=9,
        after=0,
        params={"retry_after": 60},
    )
    process = await start_bot(
        SLACK_BOT_TOKEN=workspace.bot_token,
        SLACK_APP_TOKEN=workspace.app_token,
        SLACK_API_URL=workspace.api_url,
        REDIS_URL=redis_url,
    )
    assert process.stdout is not None
    said = b""
    while b"Slack asks to wait 60 s" not in said:
        said += await asyncio.wait_for(process.stdout.readline(), 30)
    process.send_signal(signal.SIGTERM)
    rest, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, (said + rest).decode()
    assert "Traceback" not in (said + rest).decode()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("token xoxb-1-2-abcDEF used", "token xoxb-*** used"),
        ("xapp-1-A0-99-deadbeef", "xapp-***"),
        ("redis://user:p4ss/w@redis.example:6379/0", "redis://user:***@redis.example:6379/0"),
        ("https://slack.com/api/", "https://slack.com/api/"),
    ],
)
def test_whatever_looks_like_a_secret_is_masked(said: str, shown: str) -> None:
    assert masked(said) == shown


def test_a_traceback_is_masked_too() -> None:
    try:
        raise ValueError("with xoxb-123-secret inside")
    except ValueError:
        record = logging.LogRecord("bot", 40, "f", 1, "trouble", None, sys.exc_info())
    text = Masked("%(message)s").format(record)
    assert "Traceback" in text
    assert "secret" not in text


async def test_tasks_are_drained_and_late_ones_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    tasks, done = Tasks(), []

    async def tell(words: str) -> None:
        done.append(words)

    async def takes(seconds: float) -> None:
        await asyncio.sleep(seconds)
        done.append(f"{seconds}")

    tasks.start(takes(0.05), doing="soon", tell=tell)
    tasks.start(takes(60), doing="never", tell=tell)
    await tasks.drain(seconds=0.3)
    assert done == ["0.05", CUT_OFF], "whoever waits is told, for Slack will not ask again"
    assert "stopped in the middle of never" in caplog.text


async def test_a_flood_is_refused_instead_of_piled_up() -> None:
    tasks, told = Tasks(), []

    async def tell(words: str) -> None:
        told.append(words)

    async def takes() -> None:
        await asyncio.sleep(60)

    for _ in range(RUNNING_MAX + 3):
        tasks.start(takes(), doing="much", tell=tell)
    await until(lambda: told, what="somebody is told")
    assert told == [TOO_MANY] * 3
    await tasks.drain(seconds=0)
