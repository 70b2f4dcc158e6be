"""How far this machine's clock is from Redis's.

The surprising truth: due times are written by one machine and read by another. A worker whose clock runs
seven minutes ahead would put every next tick seven minutes too far, and nobody would see why. So due
times are kept in Redis's own time, the one clock that all processes share.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from redis import Redis
from redis.exceptions import NoPermissionError

log = logging.getLogger(__name__)

MEASURE_SECONDS = 60.0
IGNORED_SECONDS = 1.0
"""Reading two clocks takes a moment too; less than this is no skew."""
SAID_SECONDS = 30.0
"""From here on people can see it: in the times on cards, and in when a request expires."""


class Skew:
    def __init__(self, *, address: str, clock: Callable[[], datetime]) -> None:
        self._address = address
        self._clock = clock
        self._measured_at = -MEASURE_SECONDS
        self._said = False
        self.seconds = 0.0
        """To be added to this machine's time to get Redis's; 0 until it was measured."""

    def measure(self, redis: Redis) -> None:
        """Once a minute, for clocks are set while processes run."""
        now = time.monotonic()
        if now - self._measured_at < MEASURE_SECONDS:
            return
        self._measured_at = now
        try:
            theirs: Any = redis.time()
        except NoPermissionError:  # a narrow ACL: then the clocks have to be trusted
            return
        found = theirs[0] + theirs[1] / 1_000_000 - self._clock().timestamp()
        self.seconds = found if abs(found) >= IGNORED_SECONDS else 0.0
        self._say()

    def _say(self) -> None:
        far = abs(self.seconds) >= SAID_SECONDS
        if far and not self._said:
            log.warning(
                "This machine's clock is %d s %s that of Redis at %s. Due times are corrected for "
                "it; the times on cards and when requests expire are not. Set the clocks by NTP.",
                abs(round(self.seconds)),
                "behind" if self.seconds > 0 else "ahead of",
                self._address,
            )
        self._said = far
