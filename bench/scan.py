"""One full scan of a cluster's consumer groups, side by side: Ottla's and what else there is.

Same brokers, same groups, each client in a process of its own behind the same counting proxies, in
rounds that take turns. Three clients go on living between rounds, so their first scan is cold and the
others are not; Kafka's own tool starts a Java each time, and its figures hold that start.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import click

from bench.approve import started_lab
from bench.kafka_groups import commit, delete_topics, make_topics, produce
from bench.numbers import Number
from bench.processes import ROOT
from bench.scanners import CLIENTS

TOPICS, PARTITIONS, PARTITIONS_PER_GROUP = 100, 20, 10
PREFIX = "bench-scan-"
BROKERS = 6
"""Of a lab started for this: with three, each coordinates more than 500 of 2,000 groups."""
CPU_SECONDS_MAX = 0.060
GROUPS_PER_REQUEST_MAX = 500
SHELL = "kafka-consumer-groups.sh"
SHELL_MAIN = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
SHELL_SECONDS_MAX = 600
Json = dict[str, Any]


@dataclass
class Taken:
    """What one scan took, and what it read."""

    seconds: float
    cpu: float
    groups: int
    entries: int
    lag: int
    requests: int = 0
    by_name: Mapping[str, int] = field(default_factory=dict)


class Scanner(Protocol):
    def scan(self) -> Taken: ...


class Talker:
    """A process that answers each line with one."""

    def __init__(self, stack: ExitStack, *module: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(self._end)
        self.first = self.heard()

    def heard(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException(f"{self._process.args!r} ended with no answer")
        return line.strip()

    def asked(self) -> Json:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer: Json = json.loads(self.heard())
        return answer

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()


class Living:
    """A client that stays connected between its scans."""

    def __init__(self, stack: ExitStack, name: str, bootstrap: str) -> None:
        self._talker = Talker(stack, "bench.scanners", name, bootstrap)

    def scan(self) -> Taken:
        return Taken(**self._talker.asked())


class Shell:
    """Kafka's own tool, a Java for each scan."""

    def __init__(self, *, java: str, jars: str, bootstrap: str) -> None:
        self._command = (
            java,
            "-Xmx512m",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp",
            f"{jars}/*",
            SHELL_MAIN,
            *("--bootstrap-server", bootstrap, "--describe", "--all-groups"),
            *("--timeout", "60000"),
        )

    def scan(self) -> Taken:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall = time.perf_counter()
        done = subprocess.run(
            self._command, capture_output=True, text=True, timeout=SHELL_SECONDS_MAX, check=False
        )
        seconds = time.perf_counter() - wall
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        rows = [line.split() for line in done.stdout.splitlines()]
        read = [row for row in rows if len(row) > 5 and row[5].isdigit()]
        if done.returncode or not read:
            raise click.ClickException(f"{SHELL} read nothing: {done.stderr[-2000:]}")
        return Taken(
            seconds=seconds,
            cpu=cpu,
            groups=len({row[0] for row in read}),
            entries=len(read),
            lag=sum(int(row[5]) for row in read),
        )


def measure(
    folder: Path, *, lab: Path | None, groups: int, rounds: int, shell_rounds: int
) -> Sequence[Number]:
    """Fills the lab with groups, measures, and takes them away again."""
    with ExitStack() as stack:
        addresses = (
            json.loads((lab / "lab.json").read_text())
            if lab is not None
            else stack.enter_context(started_lab(folder, "--no-load", "--brokers", str(BROKERS)))
        )
        stack.enter_context(filled(str(addresses["bootstrap"]), groups=groups))
        taken = _rounds(stack, addresses, rounds=rounds, shell_rounds=shell_rounds)
    _must_agree(taken)
    brokers = len(addresses["brokers"])
    return [one for name, some in taken.items() for one in _numbers(name, some, brokers, groups)]


@contextmanager
def filled(bootstrap: str, *, groups: int) -> Iterator[None]:
    """Topics, the first with ten records a partition, and groups that stopped at different ones."""
    topics = [f"{PREFIX}{number:03d}" for number in range(TOPICS)]
    offsets = {
        f"{PREFIX}group-{number:05d}": {
            (topics[number % TOPICS], one): number // TOPICS % 10 if number % TOPICS == 0 else 0
            for one in range(PARTITIONS_PER_GROUP)
        }
        for number in range(groups)
    }

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # new topics have no leaders at first

    async def fill() -> None:
        await make_topics(bootstrap, topics=topics, partitions=PARTITIONS)
        await produce(bootstrap, topic=topics[0], partitions=range(PARTITIONS), count=10)
        await commit(bootstrap, offsets)

    try:
        asyncio.run(fill())
        yield
    finally:
        asyncio.run(delete_topics(bootstrap, topics=topics))


def _rounds(
    stack: ExitStack, addresses: Json, *, rounds: int, shell_rounds: int
) -> Mapping[str, list[Taken]]:
    brokers = [f"{one['id']}={one['address']}" for one in addresses["brokers"]]
    proxies = Talker(stack, "bench.kafka_proxy", *brokers)
    scanners: dict[str, Scanner] = {name: Living(stack, name, proxies.first) for name in CLIENTS}
    scanners[SHELL] = Shell(
        java=str(addresses["java"]), jars=str(addresses["kafka_jars"]), bootstrap=proxies.first
    )
    taken: dict[str, list[Taken]] = {name: [] for name in scanners}
    for number in range(rounds):
        for name, scanner in scanners.items():
            if name != SHELL or number < shell_rounds:
                proxies.asked()
                one = scanner.scan()
                counted = proxies.asked()["counts"]
                one.requests, one.by_name = sum(counted.values()), counted
                taken[name].append(one)
                click.echo(f"{name}: {one}", err=True)
    return taken


def _must_agree(taken: Mapping[str, Sequence[Taken]]) -> None:
    """A client that reads less is not faster."""
    read = {
        name: {(one.groups, one.entries, one.lag) for one in some} for name, some in taken.items()
    }
    if len(set().union(*read.values())) > 1:
        raise click.ClickException(f"the clients did not read the same: {read}")


def _numbers(name: str, taken: Sequence[Taken], brokers: int, groups: int) -> Sequence[Number]:
    """Cold is the first scan; steady the median of the rest."""
    found = []
    parts = {"": taken} if name == SHELL else {"cold": taken[:1], "steady": taken[1:]}
    for word, some in parts.items():
        if not some:
            continue
        requests = median(one.requests for one in some)
        cpu_ms = 1000 * median(one.cpu for one in some)
        told, bars = f"{name}, {word}".rstrip(", "), _bars(name, word, brokers, groups)
        found += [
            Number(f"{told}: requests to {brokers} brokers", requests, "", bars[0]),
            Number(f"{told}: CPU for {groups} groups", cpu_ms, "ms", bars[1]),
            Number(f"{told}: from start to end", 1000 * median(s.seconds for s in some), "ms"),
        ]
    return found


def _bars(name: str, word: str, brokers: int, groups: int) -> tuple[float | None, float | None]:
    """Most requests and most CPU of our own scans; a coordinator of more than 500 groups is asked
    once more for each further 500."""
    if name != "ottla":
        return None, None
    further = brokers * (ceil(groups / (brokers * GROUPS_PER_REQUEST_MAX)) - 1)
    if word == "cold":
        return 3 * brokers + 1 + further, None
    return 2 * brokers + ceil(brokers / 5) + further, 1000 * CPU_SECONDS_MAX
