"""One thing that is read now and then: its newest value, or the words why there is none.

The surprising truth: a reading that failed leaves no value. What was read an hour ago and cannot be
read now is not known now; only what is not due yet is carried over.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from changes.ports import Unreachable

log = logging.getLogger(__name__)

T = TypeVar("T")
AGAIN_SECONDS = 30.0
"""What failed is tried again after this (or its own period, when that is shorter)."""
EARLY_SECONDS = 0.5
"""Due a moment before its time counts as due: periods are multiples of scans, and clocks tremble."""


@dataclass
class Part(Generic[T]):
    """`name` is the key in `Seen.blind`; the seconds are monotonic ones."""

    name: str
    every_seconds: float
    seconds_max: float
    value: T | None = None
    words: str = ""
    """Why there is no value; empty = there is, or nobody looked yet."""
    read_at: datetime | None = None
    next_at: float = 0.0
    _reference: str = ""

    def due(self, mono: float) -> bool:
        return mono >= self.next_at - EARLY_SECONDS

    async def read(
        self, reading: Callable[[], Awaitable[T]], *, now: datetime, mono: float
    ) -> T | None:
        """The value read now; None = it could not be, and `words` says why."""
        try:
            async with asyncio.timeout(self.seconds_max):
                self.value = await reading()
        except Unreachable as away:
            self._failed(str(away), mono)
        except TimeoutError:
            self._failed(f"reading {self.name}: no answer in {self.seconds_max:g} s", mono)
        except Exception:
            # The edge of one reading: a mistake in one part must not blind the others.
            if not self._reference:  # traced once, until it works again
                self._reference = secrets.token_hex(4)
                log.exception("reading %s failed (reference %s)", self.name, self._reference)
            self._failed(f"reading {self.name} failed (reference {self._reference})", mono)
        else:
            self.words = self._reference = ""
            self.read_at = now
            self.next_at = mono + self.every_seconds
        return self.value

    def forget(self, words: str) -> None:
        """Nothing can be read just now; look again as soon as it can."""
        self.value, self.words, self.read_at, self.next_at = None, words, None, 0.0

    def _failed(self, words: str, mono: float) -> None:
        self.value, self.words, self.read_at = None, words, None
        self.next_at = mono + min(self.every_seconds, AGAIN_SECONDS)
