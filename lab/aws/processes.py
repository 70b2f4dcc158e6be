"""How much CPU each broker's process took since we last looked.

A process is known by its id and its start, because ids are reused: a restarted broker begins anew
and its first look gives no number.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class _Look:
    at: float
    user: float
    system: float


class CpuMeter:
    """Remembers the last look at each process."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, float], _Look] = {}
        self._cores = os.cpu_count() or 1

    def percentages(self, *, pid: int, at: float) -> dict[str, float]:
        """CpuUser, CpuSystem and CpuIdle since the last look; empty on the first and for the dead."""
        try:
            process = psutil.Process(pid)
            times = process.cpu_times()
            key = (pid, process.create_time())
        except psutil.Error:
            return {}
        now = _Look(at=at, user=times.user, system=times.system)
        last = self._last.get(key)
        self._last[key] = now
        if last is None or at <= last.at:
            return {}
        whole = (at - last.at) * self._cores / 100.0
        user = min(max(now.user - last.user, 0.0) / whole, 100.0)
        system = min(max(now.system - last.system, 0.0) / whole, 100.0)
        return {"CpuUser": user, "CpuSystem": system, "CpuIdle": max(100.0 - user - system, 0.0)}

    def forget_except(self, pids: set[int]) -> None:
        """Drop processes that are gone."""
        self._last = {key: look for key, look in self._last.items() if key[0] in pids}
