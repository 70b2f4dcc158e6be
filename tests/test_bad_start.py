"""A wrong setting, token, policy or Redis: the process refuses to start, in a sentence, without secrets."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.slack import Running, serve
from tests.redis_server import RedisServer, free_port, redis_server
from tests.starting import ROOT, Started, Starter, starter

pytestmark = pytest.mark.slow

__all__ = ["redis_server"]

BOT, WORKER, TICKER = "bot", "workers", "workers.ticker"
ROLES = (BOT, WORKER, TICKER)
PASSWORD = "p4ssw0rd-of-the-lab"
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-1-lab-secret", "SLACK_APP_TOKEN": "xapp-1-lab-secret"}
SECRETS = (PASSWORD, "lab-secret", "wrong-secret")


@pytest.fixture(scope="module")
def starting() -> Iterator[Starter]:
    with starter() as found:
        yield found


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of good policy files, to be spoiled."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for name in ("clusters.yaml", "production.yaml", "staging.yaml"):
        shutil.copy(ROOT / "policies" / name, folder / name)
    return folder


def environ_for(role: str, *, policies: Path, redis: str) -> dict[str, str]:
    own = {"OTTLA_POLICIES": str(policies), "REDIS_URL": redis}
    return {**own, **(TOKENS if role == BOT else {})}


def refused(started: Started, *words: str, lines_max: int = 4) -> str:
    """Not zero, these words, few lines, no trace, no secret."""
    said = started.said
    assert started.code not in (0, -14), f"it started: {said!r}"
    assert "Traceback" not in said, said
    for word in words:
        assert word in said, f"{word!r} is not in {said!r}"
    assert 0 < len(said.splitlines()) <= lines_max, said
    for secret in SECRETS:
        assert secret not in said
    return said


def spoiled(file: Path, old: str, new: str) -> str:
    """Replace once; the place (line:column) where the new text begins."""
    text = file.read_text()
    assert text.count(old) >= 1, f"{old!r} is not in {file.name}"
    before, _, after = text.partition(old)
    file.write_text(before + new + after)
    line = before.count("\n") + 1
    return f"{file.name}:{line}:"


MALFORMED = {
    "unknown key": (
        "production.yaml",
        "would_pass: 12",
        "would_pas: 12",
        ("did you mean `would_pass`",),
    ),
    "duplicate key": (
        "production.yaml",
        "    expires_after_minutes: 480\n",
        "    expires_after_minutes: 480\n    expires_after_minutes: 9\n",
        ("twice",),
    ),
    "wrong type": (
        "production.yaml",
        "expires_after_minutes: 480",
        "expires_after_minutes: soon",
        ("must be a whole number", '"soon"'),
    ),
    "octal": (
        "production.yaml",
        "expires_after_minutes: 480",
        "expires_after_minutes: 0480",
        ("must be a whole number",),
    ),
    "CEL variable": (
        "production.yaml",
        "scale.brokers <= 12",
        "scale.broker <= 12",
        ("did you mean `scale.brokers`",),
    ),
    "CEL grammar": (
        "production.yaml",
        "scale.brokers <= 12",
        "scale.brokers <=< 12",
        ("production.yaml",),
    ),
    "CEL type": (
        "production.yaml",
        "scale.brokers <= 12",
        "scale.brokers + 12",
        ("must give true or false",),
    ),
    "failing example": (
        "production.yaml",
        "scale.brokers <= 12",
        "scale.brokers <= 4",
        ("three to six needs one approval",),
    ),
    "nobody approves": (
        "production.yaml",
        'approvals:\n      - {count: 1, groups: [S0LABKAPPR], label: "@kafka-approvers"}\n    expires',
        "approvals:\n      - {count: 1, groups: []}\n    expires",
        ("groups",),
    ),
    "group by name": (
        "production.yaml",
        "groups: [S0LABKAPPR]",
        "groups: [kafka-approvers]",
        ("id",),
    ),
    "anchor": ("production.yaml", "policies:\n", "policies: &all\n", ("anchor",)),
    "tab": ("production.yaml", "    rules:\n", "\trules:\n", ("tab",)),
    "unclosed": ("production.yaml", "environments: [production]", "environments: [production", ()),
    "wrong region": (
        "clusters.yaml",
        "region: us-east-1",
        "region: eu-west-1",
        ("`region` is eu-west-1, its `arn` says us-east-1",),
    ),
    "wrong ARN": (
        "clusters.yaml",
        "arn:aws:kafka:us-east-1:123456789012:cluster/orders-prod/",
        "arn:aws:s3:::orders-prod/",
        ("needs an `arn` like arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID",),
    ),
    "channel by name": (
        "clusters.yaml",
        "channel: C0LABKAFKA",
        'channel: "#kafka"',
        ("channel id",),
    ),
    "unknown auth": ("clusters.yaml", "mode: plaintext", "mode: plain", ("plaintext",)),
    "environment typo": (
        "production.yaml",
        "environments: [production]",
        "environments: [producton]",
        ("did you mean `production`",),
    ),
}


@pytest.mark.parametrize("mistake", MALFORMED)
def test_a_malformed_policy_file_stops_every_role(
    starting: Starter, files: Path, mistake: str
) -> None:
    name, old, new, words = MALFORMED[mistake]
    spoiled(files / name, old, new)
    for role in ROLES if mistake in ("unknown key", "wrong region") else (BOT,):
        environ = environ_for(role, policies=files, redis=f"redis://:{PASSWORD}@127.0.0.1:1")
        said = refused(starting.start(role, **environ), f"{name}:", *words)
        place = said.partition(f"{name}:")[2].split(":")
        assert place[0].isdigit(), f"no line is named: {said}"
        assert place[1].isdigit(), f"no column is named: {said}"


@pytest.mark.parametrize("role", ROLES)
def test_missing_settings_are_named_with_their_variable(starting: Starter, role: str) -> None:
    wanted = ("REDIS_URL", *(TOKENS if role == BOT else ()))
    refused(starting.start(role), *wanted)
    empty = dict.fromkeys(wanted, "")
    refused(starting.start(role, **empty), *wanted)


@pytest.mark.parametrize("role", ROLES)
def test_policies_that_are_not_there(starting: Starter, role: str, tmp_path: Path) -> None:
    environ = environ_for(role, policies=tmp_path / "polices", redis="redis://127.0.0.1:1")
    refused(starting.start(role, **environ), "polices", "there is no such folder")
    environ = environ_for(role, policies=tmp_path, redis="redis://127.0.0.1:1")
    refused(starting.start(role, **environ), "clusters.yaml", "there is no such file")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"SLACK_BOT_TOKEN": "xapp-1-lab-secret"}, ("SLACK_BOT_TOKEN", "must begin with xoxb-")),
        ({"SLACK_APP_TOKEN": "xoxb-1-lab-secret"}, ("SLACK_APP_TOKEN", "must begin with xapp-")),
        ({"SLACK_BOT_TOKEN": " "}, ("SLACK_BOT_TOKEN", "must begin with xoxb-")),
        ({"SLACK_API_URL": "http://slack.com/api/"}, ("SLACK_API_URL", "must be https")),
        ({"SLACK_API_URL": "slack.com"}, ("SLACK_API_URL", "http(s) address")),
        ({"OTTLA_LOG_LEVEL": "LOUD"}, ("OTTLA_LOG_LEVEL",)),
        ({"REDIS_URL": "localhost:6379"}, ("It must look like redis://user:",)),
        ({"REDIS_URL": f"redis://:{PASSWORD}/x@127.0.0.1:1"}, ("percent-encoded",)),
        ({"REDIS_URL": "redis://redis.internal:6379"}, ("no password", "redis.internal:6379")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_value_is_named_and_not_shown(
    starting: Starter, files: Path, environ: dict[str, str], words: tuple[str, ...]
) -> None:
    good = environ_for(BOT, policies=files, redis="redis://127.0.0.1:1")
    refused(starting.start(BOT, **{**good, **environ}), *words)


@pytest.mark.parametrize("url", ["localhost:6379", "redis://redis.internal:6379"])
@pytest.mark.parametrize("role", [WORKER, TICKER])
def test_a_redis_address_that_will_not_do(
    starting: Starter, files: Path, role: str, url: str
) -> None:
    environ = environ_for(role, policies=files, redis=url)
    refused(starting.start(role, **environ), "The ledger is not used")


@pytest.mark.parametrize("role", [WORKER, TICKER])
def test_a_redis_that_is_not_there(starting: Starter, files: Path, role: str) -> None:
    port = free_port()
    environ = environ_for(role, policies=files, redis=f"redis://:{PASSWORD}@127.0.0.1:{port}")
    words = (f"Redis at 127.0.0.1:{port} does not answer",)
    refused(starting.start(role, **environ), *words)


@pytest.mark.parametrize("role", ROLES)
async def test_a_wrong_password_of_redis(
    starting: Starter, files: Path, role: str, tmp_path: Path
) -> None:
    running = await serve(rate_mode="off")
    try:
        with RedisServer(folder=tmp_path, password=PASSWORD) as server:
            url = server.url.replace(PASSWORD, "wrong-secret")
            environ = environ_for(role, policies=files, redis=url)
            if role == BOT:
                environ |= slack_of(running)
            started = await _in_thread(starting, role, environ)
            refused(started, "refuses the user or password that was given")
    finally:
        await running.close()


def slack_of(running: Running) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": running.bot_token,
        "SLACK_APP_TOKEN": running.app_token,
        "SLACK_API_URL": running.api_url,
    }


async def _in_thread(starting: Starter, role: str, environ: dict[str, str]) -> Started:
    return await asyncio.to_thread(starting.start, role, **environ)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (
            {"SLACK_BOT_TOKEN": "xoxb-1-wrong-secret"},
            ("auth.test", "invalid_auth", "SLACK_BOT_TOKEN"),
        ),
        ({"SLACK_APP_TOKEN": "xapp-1-wrong-secret"}, ("apps.connections.open", "SLACK_APP_TOKEN")),
        ({"SLACK_API_URL": "http://127.0.0.1:1/api/"}, ("Slack at http://127.0.0.1:1/api/",)),
    ],
)
async def test_slack_that_will_not_have_us(
    starting: Starter,
    files: Path,
    redis_server: str,
    environ: dict[str, str],
    words: tuple[str, ...],
) -> None:
    running = await serve(rate_mode="off")
    try:
        good = environ_for(BOT, policies=files, redis=redis_server) | slack_of(running)
        refused(await _in_thread(starting, BOT, good | environ), *words)
    finally:
        await running.close()


def test_a_cluster_login_that_is_not_set(starting: Starter, files: Path, redis_server: str) -> None:
    """Found at the first tick it would stop an approved change; found at the start it stops nobody."""
    login = "{mode: scram, username_env: ORDERS_USER, password_env: ORDERS_PASSWORD}"
    spoiled(files / "clusters.yaml", "{mode: plaintext}", login)
    environ = environ_for(WORKER, policies=files, redis=redis_server)
    refused(starting.start(WORKER, "--burst", **environ), "ORDERS_USER", "orders-prod")


@pytest.mark.parametrize("role", ROLES)
def test_a_settings_file_with_a_mistake(starting: Starter, tmp_path: Path, role: str) -> None:
    file = tmp_path / "ottla.yaml"
    file.write_text(json.dumps({"redis_ulr": f"redis://:{PASSWORD}@127.0.0.1:1"}))
    how = ("--config", str(file)) if role == BOT else ()
    environ = {"OTTLA_SETTINGS": str(file), **(TOKENS if role == BOT else {})}
    words = ("ottla.yaml:1:", "`redis_ulr` is not known", "did you mean `redis_url`")
    refused(starting.start(role, *how, **environ), *words)


def test_a_secret_that_a_settings_file_names_and_nobody_set(
    starting: Starter, tmp_path: Path
) -> None:
    file = tmp_path / "ottla.yaml"
    file.write_text("redis_url: redis://:${REDIS_PASSWORD}@127.0.0.1:1\n")
    started = starting.start(WORKER, OTTLA_SETTINGS=str(file))
    refused(started, "ottla.yaml:1:", "REDIS_PASSWORD is not set")
