"""The fleet: real brokers that are added, removed, killed and restarted one by one.

The surprising truth: a removed broker has to be unregistered by hand. Kafka keeps a stopped broker as a
member for ever, and would go on placing new replicas on it.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.addresses import HOST, Ports
from lab.children import Child, ChildFailed, Children
from lab.fleet import FleetRefuses, LabBroker
from lab.kafka import properties
from lab.kafka.command import BROKER_HEAP_MIB, ENVIRONMENT, KafkaPrograms
from lab.kafka.controller import run_tool, start_controller
from lab.kafka.membership import members

AZ_IDS = ("use1-az1", "use1-az2", "use1-az3")
_REGISTER_SECONDS_MAX = 90.0
_STOP_SECONDS_MAX = 20.0
_LOOK_SECONDS = 0.3
_BOOTSTRAP_BROKERS_MAX = 3


@dataclass
class _Seat:
    """What stays the same for a broker over restarts, and its process of the moment."""

    broker_id: int
    az_id: str
    port: int
    jolokia_port: int
    folder: Path
    child: Child

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def shown(self) -> LabBroker:
        return LabBroker(
            broker_id=self.broker_id,
            az_id=self.az_id,
            host=HOST,
            port=self.port,
            jolokia_port=self.jolokia_port,
            pid=self.child.pid,
            log_dir=self.folder / "data",
            alive=self.child.alive,
            started_at=self.child.started_at,
        )


class KafkaFleet:
    """A controller and its brokers; implements `lab.fleet.Fleet`."""

    def __init__(
        self,
        *,
        children: Children,
        programs: KafkaPrograms,
        folder: Path,
        ports: Ports,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._children = children
        self._programs = programs
        self._folder = folder
        self._ports = ports
        self._changed = changed
        self._cluster_id = properties.new_id()
        self._controller_port = ports.take()
        self.controller_jolokia_port = ports.take()
        self._seats: dict[int, _Seat] = {}
        self._lock = asyncio.Lock()

    async def start(self, *, brokers: int) -> None:
        """The controller, then all brokers at once, spread round-robin over the AZs."""
        await start_controller(
            children=self._children,
            programs=self._programs,
            folder=self._folder / "controller",
            cluster_id=self._cluster_id,
            port=self._controller_port,
            jolokia_port=self.controller_jolokia_port,
        )
        for number in range(1, brokers + 1):
            await self._seat(broker_id=number, az_id=AZ_IDS[(number - 1) % len(AZ_IDS)])
        await asyncio.gather(*(self._registered(seat) for seat in self._seats.values()))
        self._changed()

    def brokers(self) -> tuple[LabBroker, ...]:
        return tuple(self._seats[number].shown() for number in sorted(self._seats))

    def bootstrap(self) -> str:
        """One living broker of each AZ; when an AZ has none alive, another AZ's second one."""
        place: Counter[str] = Counter()
        ranked: list[tuple[int, LabBroker]] = []
        for broker in (one for one in self.brokers() if one.alive):
            ranked.append((place[broker.az_id], broker))
            place[broker.az_id] += 1
        ranked.sort(key=lambda pair: (pair[0], pair[1].broker_id))
        chosen = [broker for _, broker in ranked[:_BOOTSTRAP_BROKERS_MAX]]
        return ",".join(f"{one.host}:{one.port}" for one in chosen)

    async def add(self, *, az_id: str) -> LabBroker:
        if az_id not in AZ_IDS:
            raise FleetRefuses(f"the lab has no AZ {az_id!r}; its AZs are {', '.join(AZ_IDS)}")
        async with self._lock:
            seat = await self._seat(broker_id=max(self._seats, default=0) + 1, az_id=az_id)
        try:
            await self._registered(seat)
        except ChildFailed:
            # A broker that never joined is no member: the next attempt starts from nothing.
            await self._children.kill(seat.child)
            await self._clear_away(seat)
            raise
        self._changed()
        return seat.shown()

    async def remove(self, *, broker_id: int) -> None:
        seat = self._known(broker_id)
        await self._children.stop(seat.child, seconds_max=_STOP_SECONDS_MAX)
        await self._unregister(broker_id)
        await self._clear_away(seat)

    async def kill(self, *, broker_id: int) -> None:
        await self._children.kill(self._known(broker_id).child)
        self._changed()

    async def restart(self, *, broker_id: int) -> LabBroker:
        seat = self._known(broker_id)
        await self._children.stop(seat.child, seconds_max=_STOP_SECONDS_MAX)
        await self._children.restart(seat.child)
        await self._registered(seat)
        self._changed()
        return seat.shown()

    async def stop(self) -> None:
        """Kill the brokers, then the controller: the lab is thrown away, nothing needs its disk."""
        await asyncio.gather(*(self._children.kill(seat.child) for seat in self._seats.values()))
        for child in self._children.all():
            if child.name == "controller":
                await self._children.kill(child)

    async def _clear_away(self, seat: _Seat) -> None:
        self._seats.pop(seat.broker_id, None)
        self._children.forget(seat.child)
        await asyncio.to_thread(shutil.rmtree, seat.folder, ignore_errors=True)
        self._changed()

    def _known(self, broker_id: int) -> _Seat:
        if broker_id not in self._seats:
            known = ", ".join(str(number) for number in sorted(self._seats))
            raise FleetRefuses(f"there is no broker {broker_id}; the brokers are {known}")
        return self._seats[broker_id]

    async def _seat(self, *, broker_id: int, az_id: str) -> _Seat:
        """Lay out a broker's folder and start its process."""
        folder = self._folder / f"broker-{broker_id}"
        port, jolokia_port = self._ports.take(), self._ports.take()
        file = self._lay_out(folder, broker_id=broker_id, az_id=az_id, port=port)
        child = await self._children.start(
            name=f"broker-{broker_id}",
            command=self._programs.server(
                properties=file, jolokia_port=jolokia_port, heap_mib=BROKER_HEAP_MIB
            ),
            environment=ENVIRONMENT,
            folder=folder,
        )
        seat = _Seat(broker_id, az_id, port, jolokia_port, folder, child)
        self._seats[broker_id] = seat
        return seat

    def _lay_out(self, folder: Path, *, broker_id: int, az_id: str, port: int) -> Path:
        data = folder / "data"
        data.mkdir(parents=True)
        meta = properties.meta(cluster_id=self._cluster_id, node_id=broker_id)
        (data / "meta.properties").write_text(meta, encoding="utf-8")
        file = folder / "server.properties"
        text = properties.broker(
            broker_id=broker_id,
            az_id=az_id,
            port=port,
            controller_port=self._controller_port,
            log_dir=data,
        )
        file.write_text(text, encoding="utf-8")
        return file

    async def _registered(self, seat: _Seat) -> None:
        """Wait until the broker itself knows that it is a living member with its rack."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _REGISTER_SECONDS_MAX
        while loop.time() < deadline:
            if not seat.child.alive:
                raise ChildFailed(
                    f"broker {seat.broker_id} ended while starting ({seat.child.end_in_words}); "
                    f"see {seat.child.log}"
                )
            found = await members(address=seat.address)
            if any((one.broker_id, one.rack) == (seat.broker_id, seat.az_id) for one in found):
                return
            await asyncio.sleep(_LOOK_SECONDS)
        raise ChildFailed(
            f"broker {seat.broker_id} was not registered within {_REGISTER_SECONDS_MAX:.0f} s; "
            f"see {seat.child.log}"
        )

    async def _unregister(self, broker_id: int) -> None:
        arguments = ("unregister", "--bootstrap-server", self.bootstrap(), "--id", str(broker_id))
        await run_tool(
            f"unregistering broker {broker_id}",
            command=self._programs.tool("org.apache.kafka.tools.ClusterTool", *arguments),
            seconds_max=_REGISTER_SECONDS_MAX,
        )
