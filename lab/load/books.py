"""The books of one run of the load: a tally per topic, latencies, errors, and the file they go to.

The surprising truth: `missing` counts records on their way too. While traffic flows a few are always
unread for a moment; once the load is drained the number must be 0.
"""

from __future__ import annotations

import os
import time
from collections import deque
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.addresses import write_json
from lab.load.records import RUN_ID_BYTES
from lab.load.tally import Tally
from lab.load.topics import TOPICS

_LATENCIES_KEPT = 2_000
_ERRORS_KEPT = 5


class Books:
    """Everything that `load.json` says, kept by producer and consumers as they go."""

    def __init__(self) -> None:
        self.run_id = os.urandom(RUN_ID_BYTES)
        self.phase = "starting"
        self.tallies = {topic.name: Tally() for topic in TOPICS}
        self._latencies: deque[float] = deque(maxlen=_LATENCIES_KEPT)
        self._errors: deque[str] = deque(maxlen=_ERRORS_KEPT)
        self._errors_count = 0
        self._rate_marks: deque[tuple[float, int]] = deque(maxlen=11)
        self._started = datetime.now(UTC)

    def acknowledged(self, *, topic: str, sequence: int, seconds: float) -> None:
        self.tallies[topic].acknowledged(sequence)
        self._latencies.append(seconds)

    def went_wrong(self, *, doing: str, reason: BaseException) -> None:
        """An error the load got over; kept so that nobody has to guess what it lived through."""
        self._errors_count += 1
        when = datetime.now(UTC).isoformat(timespec="seconds")
        self._errors.append(f"{when} {doing}: {type(reason).__name__} {reason}".strip())

    @property
    def missing(self) -> int:
        return sum(tally.counts().missing for tally in self.tallies.values())

    def write(self, path: Path) -> None:
        write_json(path, self.shown())

    def shown(self) -> dict[str, Any]:
        topics = {name: asdict(tally.counts()) for name, tally in self.tallies.items()}
        kinds = ("sent", "acknowledged", "read_back", "missing", "duplicates", "unconfirmed")
        totals = {kind: sum(counts[kind] for counts in topics.values()) for kind in kinds}
        return {
            "phase": self.phase,
            "started_at": self._started.isoformat(timespec="seconds"),
            "updated_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "acknowledged_per_second": self._rate(totals["acknowledged"]),
            "ack_milliseconds": self._percentiles(),
            "errors_survived": self._errors_count,
            "errors_last": list(self._errors),
            "totals": totals,
            "topics": topics,
        }

    def _rate(self, acknowledged: int) -> float:
        """Over the last ten writings, which are a second apart."""
        self._rate_marks.append((time.monotonic(), acknowledged))
        (then, before), (now, after) = self._rate_marks[0], self._rate_marks[-1]
        return round((after - before) / (now - then), 1) if now > then else 0.0

    def _percentiles(self) -> dict[str, float]:
        ordered = sorted(self._latencies)
        if not ordered:
            return {}
        picks = {"p50": 0.50, "p99": 0.99}
        return {
            name: round(ordered[int(share * (len(ordered) - 1))] * 1000, 1)
            for name, share in picks.items()
        }
