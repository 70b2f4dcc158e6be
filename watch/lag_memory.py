"""What of the history of offsets outlives the scans that are kept: rhythms, rewinds, losses, standstills.

A ring of forty scans knows twenty minutes. An hourly rhythm, a rewind not yet regained, a loss that was
seen to happen and the last commit of a group that stopped this morning are older; they are few, and
are kept apart so that a restart forgets none of them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from changes.lag import TopicPartition
from watch.compressed import inflated
from watch.pace import Fall, Memory

FORMAT = b"ottla lag 1\n"
ENTRIES_MAX = 20_000
"""Rewinds and losses first, then rhythms, then standstills."""
BYTES_MAX = 64 * 1024 * 1024
HOURS_MAX = 24
STANDING_SECONDS = 600.0
"""Who has stood still for less is known from the scans."""

Key = tuple[str, TopicPartition]


class Memories(NamedTuple):
    """As of `at` seconds since 1970."""

    at: float
    entries: Mapping[Key, Memory]

    def hold_at(self, now: float) -> bool:
        """Memories of another day, or from the future, say nothing."""
        return 0 <= now - self.at <= HOURS_MAX * 3600


def packed(at: float, entries: Iterator[tuple[Key, Memory]]) -> bytes:
    worth = sorted(((one, key) for key, one in entries), key=lambda pair: pair[0].worth)
    rows = [
        [group, topic, partition, *one._replace(fall=None), one.fall]
        for one, (group, (topic, partition)) in worth[-ENTRIES_MAX:]
    ]
    told = json.dumps([at, rows], separators=(",", ":")).encode()
    return FORMAT + zlib.compress(told)


def unpacked(data: bytes) -> Memories | str:
    """The memories, or in words why these bytes hold none."""
    if not data.startswith(FORMAT):
        return "what was remembered of offsets was written by another version of Ottla"
    try:
        at, rows = json.loads(inflated(data[len(FORMAT) :], bytes_max=BYTES_MAX))
        return Memories(float(at), dict(_entry(row) for row in rows))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        return f"what was remembered of offsets is damaged ({error})"[:300]


def _entry(row: list[object]) -> tuple[Key, Memory]:
    group, topic, partition, *figures, _, fall = row
    memory = Memory(*figures, fall=Fall(*fall) if fall else None)  # type: ignore[arg-type, misc]
    numbers = (memory.committed, memory.entered_at, memory.changed_at, memory.waiting_since)
    if not all(isinstance(one, (int, float)) for one in (*numbers, memory.gap_seconds)):
        raise ValueError("figures that are no numbers")
    return (str(group), (str(topic), int(str(partition)))), memory._replace(gaps=tuple(memory.gaps))
