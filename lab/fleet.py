"""The door between the lab's real Kafka brokers and whoever commands them.

The local MSK endpoint grows and shrinks a fleet; faults kill and restart single brokers. The one
surprising truth: every call acts on real operating-system processes, so `add` takes seconds and may
fail like one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class LabBroker:
    """One broker as the fleet knows it, whether its process lives or not."""

    broker_id: int
    az_id: str
    host: str
    port: int
    jolokia_port: int
    pid: int | None
    log_dir: Path
    alive: bool
    started_at: datetime


class FleetRefuses(Exception):
    """A fleet call that cannot be carried out; its sentence may be shown to people."""


class Fleet(Protocol):
    """What the MSK endpoint and the faults may do to the brokers."""

    def brokers(self) -> tuple[LabBroker, ...]:
        """Every broker of the cluster, by ascending id, dead ones included."""
        ...

    def bootstrap(self) -> str:
        """`host:port` of up to three living brokers, one per AZ, separated by commas."""
        ...

    async def add(self, *, az_id: str) -> LabBroker:
        """Start a real broker with `broker.rack` = az_id; return once it is registered."""
        ...

    async def remove(self, *, broker_id: int) -> None:
        """Stop a broker in order, unregister it and delete its log directory."""
        ...

    async def kill(self, *, broker_id: int) -> None:
        """SIGKILL one broker (a fault); it stays a member of the cluster, dead until restarted."""
        ...

    async def restart(self, *, broker_id: int) -> LabBroker:
        """Start a broker again on its port and disk, stopping it in order first if it lives."""
        ...
