"""Beyond this machine no process uses a Redis without a password, and a wrong one is a sentence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.redis_server import RedisServer
from tests.security.crew import ended

pytestmark = pytest.mark.slow

PROCESSES = {
    "bot": ("bot",),
    "worker": ("workers", "--burst"),
    "ticker": ("workers.ticker",),
    "watch": ("watch",),
    "ledger": ("ledger", "export"),
}
TOKENS = {
    "SLACK_BOT_TOKEN": "xoxb-test",
    "SLACK_APP_TOKEN": "xapp-test",
    "SLACK_API_URL": "http://127.0.0.1:9/api/",
}


@pytest.fixture(scope="module")
def ends(guarded_redis: RedisServer, rules: Path) -> dict[tuple[str, str], tuple[int, str]]:
    """What each process says of a remote Redis without a password, and of a local wrong one."""
    local = f"127.0.0.1:{guarded_redis.port}"
    urls = {"none": "redis://redis.example:6379/0", "wrong": f"redis://:wr0ng-pass@{local}/0"}
    cases = [*((name, "none") for name in PROCESSES), ("worker", "wrong")]

    def end_of(case: tuple[str, str]) -> tuple[int, str]:
        name, kind = case
        environ = {"OTTLA_POLICIES": str(rules), "REDIS_URL": urls[kind], **TOKENS}
        return ended(*PROCESSES[name], environ=environ)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(cases, pool.map(end_of, cases), strict=True))


@pytest.mark.parametrize("name", PROCESSES)
def test_none_is_refused_beyond_this_machine(
    ends: dict[tuple[str, str], tuple[int, str]], name: str
) -> None:
    code, said = ends[name, "none"]
    assert code != 0
    assert "redis.example:6379 has no password in its URL" in said


def test_a_wrong_one_is_a_sentence(ends: dict[tuple[str, str], tuple[int, str]]) -> None:
    code, said = ends["worker", "wrong"]
    assert code != 0
    assert "refuses the user or password that was given" in said
    assert "wr0ng-pass" not in said
