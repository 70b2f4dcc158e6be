"""What was asked of the endpoint, so that a test can count calls instead of believing.

Each operation has its own ring: an eager poller cannot push the one UpdateBrokerCount out.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict, deque
from collections.abc import Callable

from lab.aws.shapes import Fields

CALLS_MAX = 500  # of each operation
INPUT_CHARACTERS_MAX = 1_000  # GetMetricData inputs reach 100 kB; 500 of those would be 50 MB


def _ring() -> deque[tuple[int, str]]:
    return deque(maxlen=CALLS_MAX)


class WireLog:
    """The last calls of each operation, as JSON lines in the order they were answered."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._next = 0
        self._rings: defaultdict[str, deque[tuple[int, str]]] = defaultdict(_ring)

    def add(self, *, operation: str, fields: Fields, status: int, error: str | None) -> None:
        """One answered call."""
        text = json.dumps(fields, default=str)
        kept = fields if len(text) <= INPUT_CHARACTERS_MAX else text[:INPUT_CHARACTERS_MAX] + "…"
        line = {
            "time": round(self._clock(), 3),
            "operation": operation,
            "input": kept,
            "status": status,
            "error": error,
        }
        self._rings[operation].append((self._next, json.dumps(line, default=str)))
        self._next += 1

    def lines(self, *, operation: str | None = None) -> list[str]:
        """All lines kept, or those of one operation, oldest first."""
        rings = [ring for name, ring in self._rings.items() if operation in (None, name)]
        return [line for _, line in sorted(entry for ring in rings for entry in ring)]
