"""Keeps a lab: brings it up, tells the world about it, and takes it down in order.

The surprising truth: nothing is ever restored. A lab starts empty every time, so at the end the brokers
are killed rather than asked, and the next start wipes their disks.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

from lab import compose, leftovers
from lab.addresses import sole_owner, write_json
from lab.children import Children, Tell
from lab.supervisor_parts import LabOptions, LabParts, addresses
from lab.supervisor_start import Start, stages
from lab.supervisor_state import Progress

_ROLE_SECONDS_MAX = 12.0
_CHANGES_GATHERED_SECONDS = 0.05
_NOT_ROLES = ("redis", "controller", "broker-", "load")


async def run(*, options: LabOptions, tell: Tell) -> None:
    """Bring the lab up, keep it until a signal comes, take it down."""
    with sole_owner(options.folder):
        for name in leftovers.clear(options.folder):
            tell(f"{name} of an earlier lab was still running and has been ended")
        await Supervisor(options=options, tell=tell).run()


class Supervisor:
    """One lab, from nothing to nothing."""

    def __init__(self, *, options: LabOptions, tell: Tell) -> None:
        self._options = options
        self._tell = tell
        self._stop = asyncio.Event()
        self._ready = False
        self._writing: asyncio.TimerHandle | None = None
        self._progress = Progress(folder=options.folder, stages=stages(options), tell=tell)
        children = Children(logs=options.folder.logs, tell=tell, changed=self._changed)
        self._parts = LabParts(children=children)
        self._progress.watch(children.all)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        try:
            if await self._started():
                await self._stop.wait()
        except BaseException as reason:
            await self._end(phase="failed", message=str(reason))
            raise
        await self._end(phase="stopped", message="")

    async def _started(self) -> bool:
        """Whether the lab came up before somebody wanted it down."""
        start = Start(
            options=self._options,
            parts=self._parts,
            progress=self._progress,
            changed=self._changed,
        )
        starting = asyncio.create_task(start.run())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not starting.done():
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            return False
        starting.result()
        await self._announce()
        return True

    async def _announce(self) -> None:
        self._ready = True
        self._progress.enter("ready")
        self._write()
        self._tell(f"the lab is ready after {self._progress.seconds:.0f} s")
        if self._options.tour:
            await compose.start_tour(
                children=self._parts.children,
                addresses=self._addresses(),
                folder=self._options.folder,
            )

    def _addresses(self) -> dict[str, Any]:
        return addresses(parts=self._parts, options=self._options, ready=self._ready)

    def _changed(self) -> None:
        """A process came or went: say so, once for all that happens in the same moment."""
        if self._writing is None:
            loop = asyncio.get_running_loop()
            self._writing = loop.call_later(_CHANGES_GATHERED_SECONDS, self._write)

    def _write(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        self._progress.write()
        if self._ready:
            write_json(self._options.folder.addresses, self._addresses())

    async def _end(self, *, phase: str, message: str) -> None:
        """Those who use the others go first: roles, load, doors, brokers, controller, Redis."""
        self._tell("stopping the lab")
        self._ready = False
        self._options.folder.addresses.unlink(missing_ok=True)
        self._progress.enter("stopping", message=message)
        parts, children = self._parts, self._parts.children
        roles = [one for one in children.all() if not one.name.startswith(_NOT_ROLES)]
        await asyncio.gather(*(children.stop(one, seconds_max=_ROLE_SECONDS_MAX) for one in roles))
        for child in (one for one in children.all() if one.name == "load"):
            await children.kill(child)
        for door in (parts.control, parts.aws, parts.slack):
            if door is not None:
                await door.close()
        if parts.fleet is not None:
            await parts.fleet.stop()
        await children.close()
        if self._writing is not None:
            self._writing.cancel()
        self._progress.enter(phase, message=message)
        self._tell("the lab is down")
