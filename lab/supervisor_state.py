"""What the supervisor tells the world: stages while starting, children while running; pure but for the file.

The surprising truth: `state.json` outlives the lab on purpose. After a lab that failed, or was killed, it is
the only witness of how far it came and which processes it had.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import psutil

from lab.addresses import LabFolder, write_json
from lab.children import Child


@dataclass(frozen=True)
class Stage:
    """One part of the start. State: waiting, underway, done or failed."""

    name: str
    state: str = "waiting"
    seconds: float = 0.0
    detail: str = ""


class Progress:
    """The stages and the phase, written to `state.json` at every change."""

    def __init__(self, *, folder: LabFolder, stages: tuple[str, ...], tell: Callable[[str], None]):
        self._folder = folder
        self._tell = tell
        self._started = time.monotonic()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._stages = {name: Stage(name) for name in stages}
        self._children: Callable[[], tuple[Child, ...]] = lambda: ()
        self.phase = "starting"
        self.message = ""

    def watch(self, children: Callable[[], tuple[Child, ...]]) -> None:
        self._children = children

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Mark a stage underway, then done or failed, with the seconds it took."""
        started = time.monotonic()
        self._stages[name] = Stage(name, "underway")
        self.write()
        try:
            yield
        except BaseException as reason:
            self._settle(name, "failed", started, detail=str(reason))
            raise
        self._settle(name, "done", started)
        self._tell(f"{name}: up after {self._stages[name].seconds:.1f} s")

    def _settle(self, name: str, state: str, started: float, *, detail: str = "") -> None:
        seconds = round(time.monotonic() - started, 1)
        self._stages[name] = replace(
            self._stages[name], state=state, seconds=seconds, detail=detail
        )
        self.write()

    def enter(self, phase: str, *, message: str = "") -> None:
        self.phase, self.message = phase, message
        self.write()

    def write(self) -> None:
        write_json(self._folder.state, self.shown())

    def shown(self) -> dict[str, Any]:
        return {
            "phase": self.phase,
            "message": self.message,
            "pid": os.getpid(),
            "started_at": self._started_at,
            "seconds": round(self.seconds, 1),
            "stages": [asdict(stage) for stage in self._stages.values()],
            "children": [_child_shown(child) for child in self._children()],
        }


def _child_shown(child: Child) -> dict[str, Any]:
    state = "up" if child.alive else "stopped" if child.expected_end else "died"
    return {
        "name": child.name,
        "pid": child.pid,
        "state": state,
        "detail": "" if child.alive else child.end_in_words,
        "deaths_unasked": child.ends_unexpected,
        "log": str(child.log),
        # With the id, this names the process for good: ids are used again, start times are not.
        "created": _created(child.pid),
    }


def _created(pid: int | None) -> float | None:
    try:
        return psutil.Process(pid).create_time() if pid is not None else None
    except psutil.Error:
        return None
