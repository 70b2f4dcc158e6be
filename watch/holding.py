"""Which of several watch processes looks at a cluster: the one that holds its lease.

The lease is renewed beside the rounds, so a round that waits for a silent broker does not lose it. A
process that died is followed by the next within a few scans.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from ledger import Fence, Ledger, LedgerUnavailable

log = logging.getLogger(__name__)

SCANS = 3
SECONDS_MIN = 6.0


class Hold:
    """The lease `watch:<cluster>`; `held` is what this process may believe at the moment."""

    def __init__(self, *, ledger: Ledger, cluster: str, scan_seconds: float) -> None:
        self._ledger = ledger
        self._name = f"watch:{cluster}"
        self._seconds = max(SECONDS_MIN, SCANS * scan_seconds)
        self._fence: Fence | None = None
        self._renewing: asyncio.Task[None] | None = None

    @property
    def held(self) -> bool:
        return self._fence is not None

    async def claim(self) -> bool:
        """Is it ours (now)? Raises `LedgerUnavailable` when nobody can know."""
        if self._fence is None:
            self._fence = await asyncio.to_thread(
                self._ledger.claim, self._name, seconds=self._seconds
            )
            if self._fence is not None:
                log.info("%s is ours", self._name)
                self._renewing = asyncio.create_task(self._keep())
        return self.held

    async def _keep(self) -> None:
        """While Redis is away the lease counts as ours: nothing can be saved without it anyway."""
        while self._fence is not None:
            await asyncio.sleep(self._seconds / 3)
            fence = self._fence
            with contextlib.suppress(LedgerUnavailable):
                if not await asyncio.to_thread(self._ledger.renew, fence):
                    log.warning("%s has passed on to another process", self._name)
                    self._fence = None

    async def release(self) -> None:
        """Give it back, so that another need not wait for its end."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        fence, self._fence = self._fence, None
        if fence is not None:
            with contextlib.suppress(LedgerUnavailable):
                await asyncio.to_thread(self._ledger.release, fence)
