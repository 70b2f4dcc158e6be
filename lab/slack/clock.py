"""Time in the workspace: the real clock plus an offset that tests push forward.

Everything that waits (retries, expiries, rate limits) waits on this clock, so `advance` wakes it at once.
"""

import asyncio
import time


class Clock:
    def __init__(self) -> None:
        self._offset_seconds = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        return time.time() + self._offset_seconds

    def advance(self, *, seconds: float) -> None:
        self._offset_seconds += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, *, seconds: float) -> None:
        deadline = self.now() + seconds
        while (left := deadline - self.now()) > 0:
            try:
                await asyncio.wait_for(self._moved.wait(), timeout=left)
            except TimeoutError:
                continue
