"""Child processes that cannot outlive the lab.

The surprising truth: the kernel's death signal is tied to the *thread* that forked, not to the
process. Children must be started from the main thread, or they die when some helper thread ends.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_RESPAWN_SECONDS = 2.0
_RESPAWN_SECONDS_MAX = 30.0
# A child that lived this long was not born ill: the next one is started at once again.
_HEALTHY_SECONDS = 20.0
# Loaded once, before any fork: a child between fork and exec must not load libraries.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Tell = Callable[[str], None]


class ChildFailed(Exception):
    """A child ended where it had to live; the sentence names it, its end and its log."""


@dataclass
class Child:
    """One process by name. `expected_end` is set before anybody means to end it."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    folder: Path | None = None
    respawns: bool = False
    process: asyncio.subprocess.Process | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    expected_end: bool = False
    ends_unexpected: int = 0
    respawn_seconds: float = _RESPAWN_SECONDS

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.alive else None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def end_in_words(self) -> str:
        code = self.process.returncode if self.process else None
        if code is None:
            return "never started" if self.process is None else "is running"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


class Children:
    """Starts, watches and stops children; tells people by name when one dies unasked."""

    def __init__(self, *, logs: Path, tell: Tell, changed: Callable[[], None]) -> None:
        self._logs = logs
        self._tell = tell
        self._changed = changed
        self._children: dict[str, Child] = {}
        self._watchers: set[asyncio.Task[None]] = set()

    def all(self) -> tuple[Child, ...]:
        return tuple(self._children.values())

    def pids(self) -> dict[str, int]:
        return {child.name: child.pid for child in self.all() if child.pid is not None}

    async def start(
        self,
        *,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        respawns: bool = False,
    ) -> Child:
        """Start a child under a name; its output goes to `logs/NAME.log`."""
        child = Child(
            name=name,
            command=tuple(command),
            log=self._logs / f"{name}.log",
            environment={**os.environ, **(environment or {})},
            folder=folder,
            respawns=respawns,
        )
        self._children[name] = child
        await self._spawn(child)
        return child

    async def _spawn(self, child: Child) -> None:
        assert threading.current_thread() is threading.main_thread(), "see the module's docstring"
        child.log.parent.mkdir(parents=True, exist_ok=True)
        with child.log.open("ab") as log:
            child.process = await asyncio.create_subprocess_exec(
                *child.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(child.environment),
                cwd=child.folder,
                # Ctrl-C in the terminal reaches the supervisor alone, which stops all in order.
                start_new_session=True,
                preexec_fn=die_with(os.getpid()),
            )
        child.started_at = datetime.now(UTC)
        child.expected_end = False
        watcher = asyncio.create_task(self._watch(child), name=f"watch-{child.name}")
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        self._changed()

    async def _watch(self, child: Child) -> None:
        assert child.process is not None
        await child.process.wait()
        if not child.expected_end:
            child.ends_unexpected += 1
            self._tell(f"{child.name} died unasked ({child.end_in_words}); see {child.log}")
        self._changed()
        if child.respawns and not child.expected_end:
            await self._respawn(child)

    async def _respawn(self, child: Child) -> None:
        """Start it again, waiting longer each time when it keeps dying young."""
        lived_seconds = (datetime.now(UTC) - child.started_at).total_seconds()
        if lived_seconds > _HEALTHY_SECONDS:
            child.respawn_seconds = _RESPAWN_SECONDS
        await asyncio.sleep(child.respawn_seconds)
        child.respawn_seconds = min(2 * child.respawn_seconds, _RESPAWN_SECONDS_MAX)
        if not child.expected_end:
            self._tell(f"{child.name} is started again")
            await self._spawn(child)

    async def restart(self, child: Child) -> None:
        """Start a child that has ended, with the same command and log."""
        await self._spawn(child)

    async def stop(self, child: Child, *, seconds_max: float) -> None:
        """SIGTERM, and SIGKILL when that takes longer than it may."""
        child.expected_end = True
        if not child.alive or child.process is None:
            return
        child.process.terminate()
        try:
            await asyncio.wait_for(child.process.wait(), seconds_max)
        except TimeoutError:
            self._tell(f"{child.name} did not stop within {seconds_max:.0f} s and is killed")
            await self.kill(child)

    async def kill(self, child: Child) -> None:
        child.expected_end = True
        if child.alive and child.process is not None:
            child.process.kill()
            await child.process.wait()

    def forget(self, child: Child) -> None:
        self._children.pop(child.name, None)
        self._changed()

    async def close(self) -> None:
        """Kill whatever still lives; the orderly stops came before."""
        for child in self.all():
            await self.kill(child)
        for watcher in tuple(self._watchers):
            watcher.cancel()


def die_with(parent: int) -> Callable[[], None]:
    """What a child does between fork and exec: ask to be killed when its parent dies."""

    def ask() -> None:
        if _LIBC is None:  # Elsewhere `lab down` and the next `lab up` clear what was left.
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # The parent died in between: no signal would ever come.
            os._exit(1)

    return ask
