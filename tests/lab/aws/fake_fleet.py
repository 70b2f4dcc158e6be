"""A fleet without Java: brokers are values, their disks real folders, one Jolokia answers for all."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

from lab.fleet import FleetRefuses, LabBroker

ZONES = ("use1-az1", "use1-az2", "use1-az4")


class FakeFleet:
    """Keeps the promises of the fleet's door, at once."""

    def __init__(self, *, folder: Path, jolokia_port: int = 1, refuse_adds: int = 0) -> None:
        self._folder = folder
        self._jolokia_port = jolokia_port
        self.refuse_adds = refuse_adds
        self.starting_at_once = 0
        self.most_starting_at_once = 0
        self._brokers: dict[int, LabBroker] = {}
        for zone in ZONES:
            self._new(zone)

    def _new(self, zone: str) -> LabBroker:
        broker_id = max(self._brokers, default=0) + 1
        log_dir = self._folder / f"broker-{broker_id}"
        log_dir.mkdir(parents=True)
        broker = LabBroker(
            broker_id=broker_id,
            az_id=zone,
            host="127.0.0.1",
            port=19_000 + broker_id,
            jolokia_port=self._jolokia_port,
            pid=os.getpid(),
            log_dir=log_dir,
            alive=True,
            started_at=dt.datetime.now(dt.UTC),
        )
        self._brokers[broker_id] = broker
        return broker

    def put_partition(self, broker_id: int, name: str, *, bytes_written: int = 0) -> None:
        folder = self._brokers[broker_id].log_dir / name
        folder.mkdir()
        (folder / "00000000000000000000.log").write_bytes(b"x" * bytes_written)

    def brokers(self) -> tuple[LabBroker, ...]:
        return tuple(self._brokers[key] for key in sorted(self._brokers))

    def bootstrap(self) -> str:
        living = [broker for broker in self.brokers() if broker.alive]
        return ",".join(f"{broker.host}:{broker.port}" for broker in living[:3])

    async def add(self, *, az_id: str) -> LabBroker:
        self.starting_at_once += 1
        self.most_starting_at_once = max(self.most_starting_at_once, self.starting_at_once)
        await asyncio.sleep(0.02)
        self.starting_at_once -= 1
        if self.refuse_adds > 0:
            self.refuse_adds -= 1
            raise FleetRefuses(f"no room for a broker in {az_id}")
        return self._new(az_id)

    async def remove(self, *, broker_id: int) -> None:
        del self._brokers[broker_id]

    async def kill(self, *, broker_id: int) -> None:
        self._brokers[broker_id] = replace(self._brokers[broker_id], alive=False, pid=None)

    async def restart(self, *, broker_id: int) -> LabBroker:
        alive = replace(self._brokers[broker_id], alive=True, pid=os.getpid())
        self._brokers[broker_id] = alive
        return alive
