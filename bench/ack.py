"""How fast the bot acknowledges commands under load, and whether each gets its answer.

Commands leave on time whether or not earlier ones were answered, as people would send them. The time
is taken by the workspace: from sending the envelope down the socket to having its acknowledgement.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.numbers import Number, percentile
from bench.processes import floor

PEOPLE = ("ann", "bob")
TEXTS = ("help", "status", "show R-1", "scael brokers 6", "scale brokers 6 because load {}")
"""A fifth each: two answers from memory, two from the ledger, one new request with its card."""
LOG_SECONDS = 2.0
"""How often the workspace's log is read: it keeps a bounded number of lines."""
SETTLE_SECONDS_MAX = 30.0


@dataclass
class Seen:
    """What the workspace saw of the commands: seconds to the acknowledgement, and the answers."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    unanswered: set[str] = field(default_factory=set)
    at: int = 0
    _payloads: dict[str, Any] = field(default_factory=dict)

    def read(self, lines: str) -> None:
        for line in lines.splitlines():
            entry = json.loads(line)
            self.at = entry["n"]
            if entry["kind"] == "ack":
                self._payloads[entry["envelope_id"]] = entry["payload"]
            elif entry["kind"] == "delivery" and entry["type"] == "slash_commands":
                self._delivered(entry)
            elif entry["kind"] == "response_url":
                self.unanswered.discard(entry["path"].rsplit("/", 1)[-1])

    def _delivered(self, entry: dict[str, Any]) -> None:
        said = self._payloads.pop(entry["envelope_id"], None)
        if entry["status"] != "acked":
            self.failed += 1
            return
        self.seconds.append(float(entry["seconds"]))
        # "… one moment …" is no answer yet; that comes by the command's own address.
        if not said or str(said.get("text", "")).rstrip().endswith("…"):
            self.unanswered.add(entry["payload"]["response_url"].rsplit("/", 1)[-1])


async def drive(page: str, *, seconds: float, per_second: float) -> tuple[Seen, int]:
    """Send commands evenly for a while; what was seen, and how many were sent."""
    seen, count = Seen(), int(seconds * per_second)
    async with aiohttp.ClientSession(base_url=page) as session:
        before = Seen()
        await _read(session, before)
        seen.at = before.at
        reading = asyncio.create_task(_keep_reading(session, seen))
        async with asyncio.TaskGroup() as group:
            started = asyncio.get_running_loop().time()
            for number in range(count):
                wait = started + number / per_second - asyncio.get_running_loop().time()
                await asyncio.sleep(max(0.0, wait))
                group.create_task(_say(session, number))
        reading.cancel()  # two readers at once would count a line twice
        await asyncio.wait({reading})
        await _settle(session, seen, count)
    return seen, count


async def _say(session: aiohttp.ClientSession, number: int) -> None:
    text = TEXTS[number % len(TEXTS)].format(number)
    person = PEOPLE[number % len(PEOPLE)]
    act = {"do": "command", "user": person, "channel": "#kafka", "text": f"/kafka {text}"}
    async with session.post("lab/act", json=act) as answer:
        await answer.read()


async def _settle(session: aiohttp.ClientSession, seen: Seen, count: int) -> None:
    for _ in range(int(SETTLE_SECONDS_MAX / 0.5)):
        await _read(session, seen)
        if len(seen.seconds) + seen.failed >= count and not seen.unanswered:
            return
        await asyncio.sleep(0.5)


async def _keep_reading(session: aiohttp.ClientSession, seen: Seen) -> None:
    while True:
        await _read(session, seen)
        await asyncio.sleep(LOG_SECONDS)


async def _read(session: aiohttp.ClientSession, seen: Seen) -> None:
    async with session.get("lab/log", params={"since": str(seen.at)}) as answer:
        seen.read(await answer.text())


def measure(folder: Path, *, seconds: float, per_second: float) -> Sequence[Number]:
    with floor(folder) as crew:
        crew.redis()
        crew.policies()
        crew.slack()
        crew.bot()
        asyncio.run(drive(crew.page, seconds=2, per_second=10))  # first imports and connections
        seen, count = asyncio.run(drive(crew.page, seconds=seconds, per_second=per_second))
    lost = count - len(seen.seconds) + len(seen.unanswered)
    taken = [one * 1000 for one in seen.seconds]
    name = f"command → acknowledgement, {per_second:g}/s for {seconds:g} s"
    return (
        Number(f"{name}, p50", percentile(taken, 0.50), "ms", 20),
        Number(f"{name}, p99", percentile(taken, 0.99), "ms", 100),
        Number(f"{name}, slowest of {count}", max(taken), "ms", 500),
        Number("commands without an acknowledgement or an answer", lost, "", 0),
    )
