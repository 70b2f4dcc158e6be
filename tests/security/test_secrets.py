"""Tokens, passwords and keys stay where they are: out of logs, cards, the audit and crash output.

A short life on the real pieces, with what goes wrong in a bad week: a cluster that does not answer, a
login that is not set, Redis gone in the middle. Then everything anybody could read is searched.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from changes.catalog import CATALOG
from changes.lifecycle import State
from lab.slack.client import LabRefused, press, read, say
from tests.redis_server import RedisServer
from tests.security.conftest import REDIS_PASSWORD
from tests.security.crew import Crew, ended, until
from tests.workers.conftest import Floor

pytestmark = pytest.mark.slow

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "aws-secret-9d1e55c0",
    "AWS_SESSION_TOKEN": "aws-session-5b20aa17",
    "ORDERS_KAFKA_PASSWORD": "scram-pass-c4417e09",
}
LIFE = ("bot", "ticker", "worker-unreachable", "worker-without-login", "slack", "wire", "audit")
OPENER = build_opener(ProxyHandler({}))


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def life(rules: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], set[str]]:
    """What every part said, and every secret that was in use."""
    folder = tmp_path_factory.mktemp("life")
    redis_folder = tmp_path_factory.mktemp("redis")
    with (
        RedisServer(folder=redis_folder, password=REDIS_PASSWORD) as redis,
        Crew(folder=folder, environ={}).running("workspace", "lab.slack", "--rates", "off") as log,
    ):
        until(lambda: "app token" in log.read_text(), what="the workspace is there")
        page, api, bot_token, app_token = addresses(log.read_text())
        environ = {
            "SLACK_BOT_TOKEN": bot_token,
            "SLACK_APP_TOKEN": app_token,
            "SLACK_API_URL": api,
            "REDIS_URL": redis.url,
            "OTTLA_POLICIES": str(rules),
            "OTTLA_LOG_LEVEL": "DEBUG",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed_port()}",
            "AWS_ACCESS_KEY_ID": "AKIATESTTESTTEST",
            "AWS_EC2_METADATA_DISABLED": "true",
            "ORDERS_KAFKA_USER": "ottla",
            **SECRETS,
        }
        crew = Crew(folder=folder, environ=environ)
        with (
            crew.running("bot", "bot") as bot_log,
            crew.running("ticker", "workers.ticker") as ticker_log,
        ):
            until(lambda: "listening as" in bot_log.read_text(), what="the bot listens")
            bad_week(crew, page)
            asyncio.run(good_day(page, redis.url, tmp_path_factory.mktemp("floor")))
            _, audit = ended("ledger", "export", environ=environ)
            without_redis(redis, page, (bot_log, ticker_log))
        said = crew.said()
        said["slack"] = OPENER.open(f"{page}lab/state?ephemerals=1").read().decode()
        said["wire"] = OPENER.open(f"{page}lab/log").read().decode()
        said["audit"] = audit
    return said, {bot_token, app_token, REDIS_PASSWORD, *SECRETS.values()}


def addresses(said: str) -> tuple[str, str, str, str]:
    found = dict(re.findall(r"(?m)^(page|Web API|bot token|app token) +(\S+)$", said))
    return found["page"], found["Web API"], found["bot token"], found["app token"]


def bad_week(crew: Crew, page: str) -> None:
    """The cluster does not answer; then the login that clusters.yaml names is not set."""
    say(page_url=page, as_name="ann", channel="#kafka", text="/kafka scale brokers 6")
    with crew.running("worker-unreachable", "workers") as log:
        until(lambda: "could not finish" in log.read_text(), what="the worker cannot reach AWS")
    with crew.running("worker-without-login", "workers", ORDERS_KAFKA_PASSWORD="") as log:
        until(lambda: "ORDERS_KAFKA_PASSWORD" in log.read_text(), what="the worker cannot log in")
    say(page_url=page, as_name="ann", channel="#kafka", text="/kafka cancel R-1")


async def good_day(page: str, redis_url: str, folder: Path) -> None:
    """Asked, approved by the button, carried out on a cluster in memory."""
    floor = Floor(redis_url=redis_url, folder=folder, catalog=CATALOG)
    floor.clock.now = datetime.now(UTC)
    say(page_url=page, as_name="ann", channel="#kafka", text="/kafka scale brokers 6 because sale")
    until(lambda: floor.ledger.load("R-2"), what="R-2 is in the ledger")
    request = floor.ledger.load("R-2")
    assert request is not None
    await floor.tick(request)
    until(lambda: approved(page), what="bob presses Approve")
    until(lambda: floor.now(request).state is State.QUEUED, what="the vote counts")
    ended = await floor.until_ended(request)
    assert ended.state is State.DONE
    until(lambda: re.search(r"R-2.*done", thread_and_cards(page)), what="the card says done")
    floor.ledger.close()


def approved(page: str) -> bool:
    for message in read(page_url=page, channel="#kafka"):
        if "approve R-2" in message["text"]:
            press(page_url=page, as_name="bob", message_ts=message["ts"], button="request:approve")
            return True
    return False


def thread_and_cards(page: str) -> str:
    return "\n".join(message["text"] for message in read(page_url=page, channel="#kafka"))


def without_redis(redis: RedisServer, page: str, logs: tuple[Path, ...]) -> None:
    redis.kill()
    with contextlib.suppress(LabRefused):
        say(page_url=page, as_name="ann", channel="#kafka", text="/kafka scale brokers 6")
    for log in logs:
        until(partial(says, log, "does not answer"), what=f"{log.stem} notices")


def says(log: Path, words: str) -> bool:
    return words in log.read_text()


@pytest.mark.parametrize("source", LIFE)
def test_no_secret_in_what_a_life_leaves(
    life: tuple[dict[str, str], set[str]], source: str
) -> None:
    said, secrets = life
    assert said[source], "nothing was recorded, so nothing is proved"
    assert [one for one in secrets if one in said[source]] == []


def test_the_life_was_one(life: tuple[dict[str, str], set[str]]) -> None:
    said, secrets = life
    assert len(secrets) == 6
    assert "ORDERS_KAFKA_PASSWORD is not set" in said["worker-without-login"]
    assert "does not answer" in said["ticker"]
    assert '"done"' in said["audit"]
    assert "chat.postMessage" in said["wire"]


# Crashes: every process with settings that are wrong in a way that tempts it to show them.

TOKEN, APP, PASSWORD = "xoxb-crash-71ffb20c", "xapp-crash-90ac11d8", "redis-crash-2e4d55b1"
GOOD = {
    "SLACK_BOT_TOKEN": TOKEN,
    "SLACK_APP_TOKEN": APP,
    "SLACK_API_URL": "http://127.0.0.1:9/api/",
    "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:9/0",
    **SECRETS,
}
CRASHES: dict[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "bot: nothing answers": (("bot",), {}),
    "bot: tokens swapped": (("bot",), {"SLACK_BOT_TOKEN": APP, "SLACK_APP_TOKEN": TOKEN}),
    "bot: a line break behind the token": (("bot",), {"SLACK_BOT_TOKEN": f"{TOKEN}\n"}),
    "bot: password with a slash": (("bot",), {"REDIS_URL": f"redis://:{PASSWORD}/x@127.0.0.1"}),
    "bot: password as the user": (("bot",), {"REDIS_URL": f"redis://{PASSWORD}@redis.example"}),
    "bot: tokens in a file with a mistake": (("bot", "--config", "settings.yaml"), {}),
    "worker: Redis away": (("workers",), {}),
    "worker: unknown option in the URL": (
        ("workers",),
        {"REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:9/0?secret={PASSWORD}"},
    ),
    "ticker: no port": (("workers.ticker",), {"REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:x"}),
    "ledger: Redis away": (("ledger", "export"), {}),
}


@pytest.fixture(scope="module")
def crashes(rules: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """What each said before it ended; two at a time."""
    folder = tmp_path_factory.mktemp("crashes")
    (folder / "settings.yaml").write_text(
        f"slack_bot_token: {TOKEN}\nslack_app_token: [{APP}]\nredis_url: {{url: {PASSWORD}}}\n"
        f"redis_pasword: {PASSWORD}\nlog_level: {PASSWORD}\n"
    )

    def end_of(case: tuple[tuple[str, ...], Mapping[str, str]]) -> tuple[int, str]:
        arguments, wrong = case
        environ = {} if "--config" in arguments else {**GOOD, **wrong}
        return ended(*arguments, folder=folder, environ={"OTTLA_POLICIES": str(rules), **environ})

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(CRASHES, pool.map(end_of, CRASHES.values()), strict=True))


@pytest.mark.parametrize("case", CRASHES)
def test_no_secret_in_what_a_process_says_when_it_ends(
    crashes: dict[str, tuple[int, str]], case: str
) -> None:
    code, said = crashes[case]
    assert code != 0
    assert said.strip(), "a process must say why it does not start"
    assert [one for one in (TOKEN, APP, PASSWORD, *SECRETS.values()) if one in said] == []
    assert "Traceback" not in said
