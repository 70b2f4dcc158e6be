"""Figures of every broker: the last rounds closely, the last two days by hourly peak.

The surprising truth: an hour is remembered by its peak, not by its mean. Retention deletes in steps,
so disks rise and fall like teeth of a saw, and only the tips say when a disk will be full.

Bounded: 8 figures a broker, each 40 rounds (none nearer than 20 s) and 48 hourly peaks; a broker unheard of for 48 h is
forgotten. Packed that is about 2 kB a broker. A clock set back drops what then lies in the future.
"""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from watch.broker_figures import DISK, figures_of
from watch.seen import Seen

CLOSE_MAX = 40
CLOSE_SECONDS = 20.0
"""Rounds that follow each other faster share a place, so that the close ones span 13 minutes at least."""
HOURS_MAX = 48
STEP_PERCENT = 5.0
"""A rise of so much within `STEP_WINDOW_SECONDS` is a step, no trend."""
STEP_WINDOW_SECONDS = 1800.0
STEP_REST_SECONDS = 3 * 3600.0
"""Two rises within three hours are no single step but growth."""
MOVED_SECONDS = 600.0
"""So long after replicas moved to or from a broker its disk still changes by that: old copies are
deleted a minute later, and CloudWatch's figures are two minutes late."""
UNSEEN_SCANS, UNSEEN_SECONDS_MIN = 5, 120.0
"""What stood the same for so long, without a look between, was not seen to stand still."""
CLOCK_BACK_SECONDS = 600.0
"""A moment this much before the newest means that the clock was set back."""
GROWTH_SHOWS_SECONDS = 2 * 3600.0
"""How long after its storage grew a broker's percentage may still fall by that."""
FORMAT = 1
PACKED_BYTES_MAX = 64 * 2**20
HOUR = 3600.0

Point = tuple[datetime, float]
Raw = tuple[float, float]


@dataclass(slots=True)
class _Figure:
    """One figure of one broker, times in seconds since 1970."""

    close: deque[Raw] = field(default_factory=lambda: deque(maxlen=CLOSE_MAX))
    hours: dict[int, Raw] = field(default_factory=dict)
    steps: list[Raw] = field(default_factory=list)
    same_since: float = 0.0
    before: Raw | None = None
    """What was newest until the last `add`."""

    def add(self, at: float, value: float, *, unseen_after: float) -> bool:
        """False when the moment is known already (a figure carried over from an earlier round).

        A gap of more than `unseen_after` seconds is time in which nobody looked.
        """
        newest = self.close[-1] if self.close else None
        if newest and at < newest[0] - CLOCK_BACK_SECONDS:
            self.forget(after=at)
            newest = self.close[-1] if self.close else None
        if newest and at <= newest[0]:
            return False
        if newest is None or value != newest[1]:
            self.same_since = at
        elif at - newest[0] > unseen_after:  # nobody looked, or the clock was set: no standstill
            self.same_since += at - newest[0]
        self.before = newest
        if len(self.close) > 1 and self.close[-1][0] - self.close[-2][0] < CLOSE_SECONDS:
            self.close.pop()
        self.close.append((at, value))
        hour = int(at // HOUR)
        known = self.hours.get(hour)
        if known is None or value >= known[1]:
            self.hours[hour] = (at, value)
        if known is None:
            self.hours = {h: peak for h, peak in self.hours.items() if h > hour - HOURS_MAX}
            self.steps = [one for one in self.steps if one[0] > at - HOURS_MAX * HOUR]
        return True

    def forget(self, *, after: float) -> None:
        self.close = deque((one for one in self.close if one[0] <= after), maxlen=CLOSE_MAX)
        self.hours = {h: one for h, one in self.hours.items() if one[0] <= after}
        self.steps = [one for one in self.steps if one[0] <= after]
        self.same_since = min(self.same_since, after)

    def start_anew(self) -> None:
        """Only the newest point still says something."""
        newest = self.close[-1]
        self.close = deque([newest], maxlen=CLOSE_MAX)
        self.before = None
        self.hours = {int(newest[0] // HOUR): newest}
        self.steps = []

    def note_step(self) -> None:
        """Remember a rise too steep for a trend, once in three hours."""
        at, value = self.close[-1]
        before = [v for t, v in list(self.close)[:-1] if t >= at - STEP_WINDOW_SECONDS]
        gap_hours = 0.0
        if not before and self.before:
            before, gap_hours = [self.before[1]], (at - self.before[0]) / HOUR
        rise = value - min(before, default=value)
        rested = not self.steps or at - self.steps[-1][0] >= STEP_REST_SECONDS
        if rested and rise >= STEP_PERCENT * max(1.0, gap_hours):
            self.steps.append((at, rise))

    def note_move(self) -> None:
        """Replicas came or went: what they weigh is no trend either. One entry in ten minutes."""
        at, value = self.close[-1]
        change = value - self.before[1] if self.before else 0.0
        if self.steps and int(self.steps[-1][0] // MOVED_SECONDS) == int(at // MOVED_SECONDS):
            self.steps[-1] = (at, self.steps[-1][1] + change)
        elif change:
            self.steps.append((at, change))

    @property
    def newest_at(self) -> float:
        return self.close[-1][0] if self.close else 0.0


class BrokerHistory:
    """Disk, CPU, traffic, leaders and replicas per broker. `lost` says why it had to begin empty."""

    def __init__(self, *, lost: str = "") -> None:
        self.lost = lost
        self._figures: dict[tuple[str, int], _Figure] = {}
        self._volume_gib: int | None = None
        self._grown_at: float | None = None
        self._moved_at: dict[int, float] = {}

    def add(self, seen: Seen) -> None:
        """Remember one round; what was carried over from an earlier one is not counted twice."""
        now = seen.at.timestamp()
        self._note_volume(seen, now)
        for move in seen.reassignments or ():
            self._moved_at.update(dict.fromkeys((*move.adding, *move.removing), now))
        for name, broker_id, at, value in figures_of(seen):
            figure = self._figures.setdefault((name, broker_id), _Figure())
            unseen_after = max(UNSEEN_SECONDS_MIN, UNSEEN_SCANS * seen.scan_seconds)
            if figure.add(at.timestamp(), value, unseen_after=unseen_after) and name == DISK:
                self._note_jump(figure, broker_id)
        self._figures = {
            key: one for key, one in self._figures.items() if one.newest_at > now - HOURS_MAX * HOUR
        }

    @property
    def newest_at(self) -> float:
        """Seconds since 1970 of the newest figure; what is older is in here already."""
        return max((one.newest_at for one in self._figures.values()), default=0.0)

    def brokers(self) -> tuple[int, ...]:
        """Every broker heard of within 48 hours."""
        return tuple(sorted({broker_id for _, broker_id in self._figures}))

    def figures(self, name: str, broker_id: int) -> Sequence[Point]:
        """The last 40 rounds, oldest first; names are those of `watch.broker_figures`."""
        figure = self._figures.get((name, broker_id))
        return tuple(_points(figure.close)) if figure else ()

    def hourly_peaks(self, name: str, broker_id: int) -> Sequence[Point]:
        """The highest value of each hour and its moment, oldest first, at most 48."""
        figure = self._figures.get((name, broker_id))
        return tuple(_points(sorted(figure.hours.values()))) if figure else ()

    def steps(self, broker_id: int) -> Sequence[Point]:
        """Changes of the disk that are no trend (sudden rises, moved replicas): when, and by how many
        percent."""
        figure = self._figures.get((DISK, broker_id))
        return tuple(_points(figure.steps)) if figure else ()

    def same_since(self, name: str, broker_id: int) -> datetime | None:
        """Since when the figure has the value it has now."""
        figure = self._figures.get((name, broker_id))
        return datetime.fromtimestamp(figure.same_since, UTC) if figure else None

    @property
    def grown_at(self) -> datetime | None:
        """When the storage of the cluster was last seen to have grown."""
        return None if self._grown_at is None else datetime.fromtimestamp(self._grown_at, UTC)

    def _note_volume(self, seen: Seen, now: float) -> None:
        """MSK storage only grows; percentages from before say nothing of the new disks."""
        volume = seen.msk.volume_gib if seen.msk else None
        if volume is None:
            return
        if self._volume_gib is not None and volume > self._volume_gib:
            self._grown_at = now
            for (name, _), figure in self._figures.items():
                if name == DISK and figure.close:
                    figure.start_anew()
        self._volume_gib = volume

    def _note_jump(self, figure: _Figure, broker_id: int) -> None:
        at, value = figure.close[-1]
        grown = self._grown_at
        fell = figure.before is not None and figure.before[1] - value >= STEP_PERCENT
        if fell and grown is not None and abs(at - grown) <= GROWTH_SHOWS_SECONDS:
            figure.start_anew()
        elif abs(at - self._moved_at.get(broker_id, 0.0)) <= MOVED_SECONDS:
            figure.note_move()
        else:
            figure.note_step()

    def pack(self) -> bytes:
        """For the ledger: compressed JSON, whole seconds."""
        figures = [
            (*key, _whole(f.close), _whole(f.hours.values()), _whole(f.steps), int(f.same_since))
            for key, f in self._figures.items()
        ]
        content = {
            "format": FORMAT,
            "volume_gib": self._volume_gib,
            "grown_at": self._grown_at,
            "moved_at": list(self._moved_at.items()),
            "figures": figures,
        }
        return zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 6)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """What `pack` gave. Bytes of another version or damaged ones give an empty history that says
        so in `lost`: two days of figures are not worth a watch that cannot start."""
        try:
            unzip = zlib.decompressobj()
            content = json.loads(unzip.decompress(data, PACKED_BYTES_MAX))
            if content["format"] != FORMAT:
                return cls(lost=f"the kept history has format {content['format']}, not {FORMAT}")
            return cls._from(content)
        except (zlib.error, ValueError, KeyError, TypeError) as error:
            return cls(lost=f"the kept history of brokers cannot be read: {error}")

    @classmethod
    def _from(cls, content: dict[str, Any]) -> Self:
        history = cls()
        history._volume_gib = content["volume_gib"]
        history._grown_at = content["grown_at"]
        # Histories of earlier versions do not say which replicas moved lately.
        history._moved_at = {int(key): float(at) for key, at in content.get("moved_at", ())}
        for name, broker_id, close, hours, steps, same_since in content["figures"]:
            history._figures[str(name), int(broker_id)] = _Figure(
                close=deque(_raw(close), maxlen=CLOSE_MAX),
                hours={int(at // HOUR): (at, value) for at, value in _raw(hours)},
                steps=_raw(steps),
                same_since=float(same_since),
            )
        return history


def _points(raw: Sequence[Raw] | deque[Raw]) -> Iterator[Point]:
    return ((datetime.fromtimestamp(at, UTC), value) for at, value in raw)


def _whole(raw: Iterable[Raw]) -> list[tuple[int, float]]:
    return [(int(at), round(value, 4)) for at, value in raw]


def _raw(pairs: list[list[float]]) -> list[Raw]:
    return [(float(at), float(value)) for at, value in pairs]
