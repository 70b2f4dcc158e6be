"""The worker as a process of its own: alone in a container, and with its ticker beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from redis import Redis

from changes.catalog.scale_brokers import ScaleBrokers
from changes.request import Request
from ledger import connect
from tests.ledger.test_failover import Pair, pair
from tests.redis_server import RedisServer, free_port
from tests.workers.conftest import ANN, Floor
from workers.tied import tie_to

pytestmark = pytest.mark.slow

__all__ = ["pair"]

ROOT = Path(__file__).parents[2]
SIX = ScaleBrokers(cluster="orders-lab", brokers=6)
SECONDS_MAX = 60
ALONE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""As process 1 of its own, which a container's main process is."""


def environ(floor: Floor, redis_url: str) -> dict[str, str]:
    """An AWS that nobody answers for: what a job does is seen by what it says of that."""
    return {
        **os.environ,
        "REDIS_URL": redis_url,
        "OTTLA_POLICIES": str(floor.folder),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
    }


def until(look: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not look():
        assert time.monotonic() < deadline, f"waited {SECONDS_MAX} s for {what}"
        time.sleep(0.1)


def carried_out(floor: Floor, asked: Request) -> bool:
    """Did a job do its work? The cluster's silence is noted in the request."""
    return floor.now(asked).version > asked.version


# Its own children


@pytest.mark.parametrize(("parent", "code"), [(os.getpid, 7), (lambda: 1, 1)])
def test_a_child_ends_when_somebody_else_is_its_parent(
    parent: Callable[[], int], code: int
) -> None:
    expected = parent()
    child = os.fork()
    if child == 0:
        tie_to(expected)
        os._exit(7)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == code


def namespaces() -> bool:
    with suppress(OSError):
        return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
    return False


@pytest.mark.skipif(not namespaces(), reason="this machine does not let us have a process 1")
def test_jobs_are_carried_out_where_the_worker_is_process_one(floor: Floor, redis_url: str) -> None:
    asked = floor.ask(SIX)
    done = subprocess.run(
        [*ALONE, sys.executable, "-m", "workers", "--burst"],
        cwd=ROOT,
        env=environ(floor, redis_url),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert carried_out(floor, asked), done.stderr


# Its ticker


@contextmanager
def with_ticker(floor: Floor, redis_url: str, said: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (
        said.open("wb") as stream,
        subprocess.Popen(
            [sys.executable, "-m", "workers", "--ticker"],
            cwd=ROOT,
            env=environ(floor, redis_url),
            stderr=stream,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def tickers(worker: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return [
            one
            for one in psutil.Process(worker).children()
            if "workers.ticker" in " ".join(one.cmdline())
        ]
    return []


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_ticker_that_dies_is_said_and_started_again(
    floor: Floor, redis_url: str, tmp_path: Path
) -> None:
    said = tmp_path / "said.log"
    with with_ticker(floor, redis_url, said) as worker:
        until(lambda: tickers(worker.pid), "a ticker")
        first = tickers(worker.pid)[0]
        first.kill()
        until(lambda: any(one.pid != first.pid for one in tickers(worker.pid)), "the next ticker")
        assert "the ticker has ended (killed by signal 9)" in said.read_text()
        asked = floor.ask(SIX)
        until(lambda: carried_out(floor, asked), "its work to be queued and done")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_ticker_outlives_its_worker(
    floor: Floor, redis_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with with_ticker(floor, redis_url, tmp_path / "said.log") as worker:
        until(lambda: tickers(worker.pid), "a ticker")
        ticker = tickers(worker.pid)[0]
        time.sleep(2)  # it has started by then, and knows whose child it is
        worker.send_signal(number)
        until(lambda: gone(ticker), "the ticker to end")
        worker.wait(SECONDS_MAX)
        if number is signal.SIGTERM:
            assert "has ended" not in (tmp_path / "said.log").read_text()


# Its end


@pytest.mark.parametrize("redis_is_there", [True, False])
def test_it_ends_when_told_to_with_redis_or_without(
    floor: Floor, tmp_path: Path, redis_is_there: bool
) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    with RedisServer(folder) as redis, with_ticker(floor, redis.url, tmp_path / "said") as worker:
        floor.ledger = connect(redis.url)
        asked = floor.ask(SIX)
        until(lambda: carried_out(floor, asked), "a job")
        if not redis_is_there:
            redis.kill()
            time.sleep(1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0


# Its Redis


def asked_just_now(floor: Floor) -> Request:
    """By this machine's clock: a silent cluster is asked again for a while, with ticks that fall due."""
    return floor.ledger.open_request(
        change=SIX.with_(brokers=9),
        requester=ANN,
        channel="C0LABKAFKA",
        asked_in="C0LABKAFKA",
        because="",
        now=datetime.now(UTC),
    )


def test_a_redis_that_dies_and_comes_back_ends_no_worker(floor: Floor, tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    with (
        RedisServer(folder) as redis,
        with_ticker(floor, redis.url, tmp_path / "said.log") as worker,
    ):
        floor.ledger = connect(redis.url)
        first = floor.ask(SIX)
        until(lambda: carried_out(floor, first), "the first job")
        redis.kill()
        time.sleep(3)
        redis.start()
        second = floor.ask(SIX.with_(brokers=9))
        until(lambda: carried_out(floor, second), "the second job")
        assert worker.poll() is None, "the same process"


def test_a_redis_that_is_full_for_a_while_ends_no_worker(floor: Floor, tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    with RedisServer(folder) as redis, with_ticker(floor, redis.url, tmp_path / "said") as worker:
        floor.ledger = connect(redis.url)
        first = floor.ask(SIX)
        until(lambda: carried_out(floor, first), "the first job")
        ticker = tickers(worker.pid)[0]
        with Redis.from_url(redis.url) as operator:
            operator.config_set("maxmemory", 1)
            time.sleep(25)  # longer than RQ's own pulse, which is a write
            assert worker.poll() is None
            operator.config_set("maxmemory", 0)
        second = floor.ask(SIX.with_(brokers=9))
        until(lambda: carried_out(floor, second), "the second job")
        assert worker.poll() is None, "the same process"
        assert [one.pid for one in tickers(worker.pid)] == [ticker.pid]


def test_a_redis_that_fails_over_is_followed_by_worker_and_ticker(
    floor: Floor, pair: Pair, tmp_path: Path
) -> None:
    with with_ticker(floor, pair.front.url, tmp_path / "said.log") as worker:
        floor.ledger = connect(pair.front.url)
        first = floor.ask(SIX)
        until(lambda: carried_out(floor, first), "the first job")
        ticker = tickers(worker.pid)[0]
        pair.fails_over()
        floor.ledger = connect(pair.front.url)
        second = asked_just_now(floor)
        until(lambda: carried_out(floor, second), "the second job")
        due = floor.now(second).version
        until(lambda: floor.now(second).version > due, "a tick that the ticker queued")
        assert worker.poll() is None, "the same process"
        assert [one.pid for one in tickers(worker.pid)] == [ticker.pid]
