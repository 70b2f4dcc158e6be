"""Faults of brokers, by name: dead, frozen, slow.

The surprising truth: a slow disk is played by stopping the whole process for most of each moment. To its
peers and clients that looks the same, and it needs no rights that a laptop's user lacks.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lab.fleet import Fleet, FleetRefuses

SECONDS_MAX = 600.0
_SLICE_SECONDS = 0.2
_STOPPED_SHARE = 0.7


@dataclass(frozen=True)
class BrokerFault:
    """One fault: what it does in a sentence, and whether it takes seconds."""

    name: str
    does: str
    lasts: bool


FAULTS = (
    BrokerFault("broker-kill", "SIGKILL a broker; it stays dead until restarted", False),
    BrokerFault("broker-restart", "start a broker again on its port and disk", False),
    BrokerFault("broker-freeze", "stop a broker for some seconds, as a long pause would", True),
    BrokerFault("slow-disk", "let a broker run three moments of ten, as on a slow disk", True),
)


class BrokerFaults:
    """Carries the faults out; lasting ones end by themselves."""

    def __init__(self, *, fleet: Fleet) -> None:
        self._fleet = fleet
        self._lasting: set[asyncio.Task[None]] = set()
        self._deeds: dict[str, Callable[[int, float], Awaitable[str]]] = {
            "broker-kill": self._kill,
            "broker-restart": self._restart,
            "broker-freeze": self._freeze,
            "slow-disk": self._slow,
        }

    async def play(self, *, name: str, broker_id: Any, seconds: Any = 10.0) -> str:
        """What was done, in words; raises FleetRefuses with words when it cannot be."""
        if name not in self._deeds:
            raise FleetRefuses(
                f"there is no broker fault {name!r}; there are {', '.join(self._deeds)}"
            )
        if not isinstance(broker_id, int) or isinstance(broker_id, bool):
            raise FleetRefuses(f"{name} wants the id of a broker, a whole number")
        if not isinstance(seconds, int | float) or not 0 < seconds <= SECONDS_MAX:
            raise FleetRefuses(f"seconds must lie between 0 and {SECONDS_MAX:.0f}, not {seconds!r}")
        return await self._deeds[name](broker_id, float(seconds))

    async def close(self) -> None:
        for task in tuple(self._lasting):
            task.cancel()
        await asyncio.gather(*self._lasting, return_exceptions=True)

    async def _kill(self, broker_id: int, _seconds: float) -> str:
        await self._fleet.kill(broker_id=broker_id)
        return f"broker {broker_id} was killed"

    async def _restart(self, broker_id: int, _seconds: float) -> str:
        broker = await self._fleet.restart(broker_id=broker_id)
        return f"broker {broker_id} is registered again (process {broker.pid})"

    async def _freeze(self, broker_id: int, seconds: float) -> str:
        self._last(_frozen(self._pid(broker_id), seconds))
        return f"broker {broker_id} is frozen for {seconds:g} s"

    async def _slow(self, broker_id: int, seconds: float) -> str:
        self._last(_slowed(self._pid(broker_id), seconds))
        return f"broker {broker_id} is slow for {seconds:g} s"

    def _pid(self, broker_id: int) -> int:
        for broker in self._fleet.brokers():
            if broker.broker_id == broker_id:
                if broker.pid is None:
                    raise FleetRefuses(f"broker {broker_id} is not running")
                return broker.pid
        known = ", ".join(str(broker.broker_id) for broker in self._fleet.brokers())
        raise FleetRefuses(f"there is no broker {broker_id}; the brokers are {known}")

    def _last(self, deed: Awaitable[None]) -> None:
        task = asyncio.ensure_future(deed)
        self._lasting.add(task)
        task.add_done_callback(self._lasting.discard)


async def _frozen(pid: int, seconds: float) -> None:
    try:
        _send(pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
    finally:
        _send(pid, signal.SIGCONT)


async def _slowed(pid: int, seconds: float) -> None:
    for _ in range(max(1, round(seconds / _SLICE_SECONDS))):
        await _frozen(pid, _SLICE_SECONDS * _STOPPED_SHARE)
        await asyncio.sleep(_SLICE_SECONDS * (1 - _STOPPED_SHARE))


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # It was killed meanwhile: another fault, or the lab's end.
