"""The start of a lab, part by part, what can go at once going at once.

The surprising truth: the order is one of needs, nothing else. Jars, Redis and Slack need nobody; Kafka needs
jars; data and the AWS endpoint need brokers; Ottla needs them all.
"""

from __future__ import annotations

import asyncio
import errno
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from lab import compose
from lab.addresses import PAGE_PORT_FIRST, NoFreePort, Ports, is_free, read_json
from lab.broker_faults import BrokerFaults
from lab.children import Child, ChildFailed
from lab.control import Control
from lab.kafka import jars, java
from lab.kafka.brokers import KafkaFleet
from lab.kafka.canaries import create_canaries
from lab.kafka.command import KafkaPrograms
from lab.redis import start_redis
from lab.supervisor_parts import LabOptions, LabParts, addresses
from lab.supervisor_state import Progress

if TYPE_CHECKING:
    from lab.slack import Running as SlackServer

_LOAD_SECONDS_MAX = 180.0
_LOOK_SECONDS = 0.2
_JARS, _REDIS, _SLACK, _KAFKA = "java and jars", "redis", "slack", "kafka"
_LOAD, _AWS, _OTTLA = "topics and data", "aws", "ottla"


def stages(options: LabOptions) -> tuple[str, ...]:
    """The stages this lab will go through."""
    left_out = set()
    if options.bare:
        left_out |= {_SLACK, _AWS, _OTTLA}
    if not options.load:
        left_out.add(_LOAD)
    if not options.ottla:
        left_out.add(_OTTLA)
    every = (_JARS, _REDIS, _SLACK, _KAFKA, _LOAD, _AWS, _OTTLA)
    return tuple(name for name in every if name not in left_out)


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run all at once; the first failure ends the others and is the one that is told."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


class Start:
    """Fills in the parts of a lab."""

    def __init__(
        self,
        *,
        options: LabOptions,
        parts: LabParts,
        progress: Progress,
        changed: Callable[[], None],
    ) -> None:
        self._options = options
        self._folder = options.folder
        self._parts = parts
        self._progress = progress
        self._changed = changed
        self._ports = Ports()
        self._wanted = set(stages(options))

    async def run(self) -> None:
        page_port = self._page_port() if _SLACK in self._wanted else 0
        await together(self._find_kafka(), self._start_redis(), self._start_slack(page_port))
        fleet = await self._start_kafka()
        await self._open_control(fleet)
        await together(self._start_load(fleet), self._start_aws(fleet))
        await self._start_ottla()

    def _page_port(self) -> int:
        wanted = self._options.page_port
        if wanted is None:
            return self._ports.take_first_from(PAGE_PORT_FIRST)
        if not is_free(wanted):
            raise _taken(wanted)
        return self._ports.take_first_from(wanted)

    async def _find_kafka(self) -> None:
        unwanted = threading.Event()
        try:
            with self._progress.stage(_JARS):
                found_java = await asyncio.to_thread(java.find_java)
                found_jars = await asyncio.to_thread(
                    jars.provide, version=self._options.kafka_version, unwanted=unwanted
                )
        finally:
            # A thread cannot be cancelled; without this Ctrl-C would wait for every download.
            unwanted.set()
        self._parts.programs = KafkaPrograms(java=found_java, jars=found_jars)

    async def _start_redis(self) -> None:
        with self._progress.stage(_REDIS):
            self._parts.redis = await start_redis(
                children=self._parts.children, folder=self._folder.redis, port=self._ports.take()
            )

    async def _start_slack(self, port: int) -> None:
        if _SLACK in self._wanted:
            with self._progress.stage(_SLACK):
                self._parts.slack = await self._slack_from(port)

    async def _slack_from(self, port: int) -> SlackServer:
        """On the next free port when another lab, starting too, was faster; not where people asked for one."""
        while True:
            try:
                return await compose.start_slack(port=port)
            except OSError as problem:
                if problem.errno != errno.EADDRINUSE:
                    raise
                if self._options.page_port is not None:
                    raise _taken(port) from problem
                port = self._page_port()

    async def _start_kafka(self) -> KafkaFleet:
        assert self._parts.programs is not None
        self._parts.fleet = fleet = KafkaFleet(
            children=self._parts.children,
            programs=self._parts.programs,
            folder=self._folder.kafka,
            ports=self._ports,
            changed=self._changed,
        )
        with self._progress.stage(_KAFKA):
            await fleet.start(brokers=self._options.brokers)
            await create_canaries(bootstrap=fleet.bootstrap())
        return fleet

    async def _open_control(self, fleet: KafkaFleet) -> None:
        self._parts.control = control = Control(faults=BrokerFaults(fleet=fleet))
        await control.serve(port=self._ports.take())

    async def _start_load(self, fleet: KafkaFleet) -> None:
        if _LOAD not in self._wanted:
            return
        with self._progress.stage(_LOAD):
            command = (sys.executable, "-m", "lab.load", "--bootstrap", fleet.bootstrap())
            files = ("--file", str(self._folder.load), "--orders", str(self._folder.load_orders))
            faults = ("--faults", str(self._folder.load_faults))
            child = await self._parts.children.start(
                name="load", command=(*command, *files, *faults)
            )
            await self._load_flows(child)

    async def _load_flows(self, child: Child) -> None:
        deadline = asyncio.get_running_loop().time() + _LOAD_SECONDS_MAX
        while (read_json(self._folder.load) or {}).get("phase") != "running":
            if not child.alive:
                raise ChildFailed(f"the load ended early ({child.end_in_words}); see {child.log}")
            if asyncio.get_running_loop().time() > deadline:
                raise ChildFailed(f"no data within {_LOAD_SECONDS_MAX:.0f} s; see {child.log}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _start_aws(self, fleet: KafkaFleet) -> None:
        if _AWS in self._wanted:
            with self._progress.stage(_AWS):
                self._parts.aws = await compose.start_aws(
                    fleet=fleet,
                    port=self._ports.take(),
                    folder=self._folder,
                    kafka_version=self._options.kafka_version,
                )

    async def _start_ottla(self) -> None:
        if _OTTLA in self._wanted:
            known = addresses(parts=self._parts, options=self._options, ready=False)
            with self._progress.stage(_OTTLA):
                await compose.start_roles(
                    children=self._parts.children, addresses=known, folder=self._folder
                )


def _taken(port: int) -> NoFreePort:
    return NoFreePort(f"port {port} for the page is taken; give another with --port")
