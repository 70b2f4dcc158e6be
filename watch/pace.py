"""How each entry commits: when last, at what pace, in which cycle, and whether it went back.

An entry is one group on one partition. The surprising truth: a gap between commits only counts while
there was something to read. A topic with one message in twenty minutes does not make its consumer slow.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

SMOOTHING = 0.3
"""Weight of the newest gap in the running mean of gaps."""
CYCLES_KEPT = 5
CYCLES_NEEDED = 3
REGULAR = 0.25
"""A cycle is regular while its gaps differ from their middle by at most this share of it."""
CYCLE_SECONDS_MIN = 120.0
CYCLE_SCANS_MIN = 4
"""A commit after a longer silence than both of these begins a cycle."""
OUTAGE_GAPS = 3.0
"""A gap longer than so many usual ones is no pace of its own: the next outage must not be excused by it."""
FIRST_GAP_SECONDS_MAX = 600.0
"""The first gap that is seen may be an outage; only a short one is learnt as the pace …"""
STANDING_SHARE = 0.8
"""… or one that follows another like it: who stands still for so much of the time works in batches."""
GONE = -2


class Cycle(NamedTuple):
    """The regular rhythm of a consumer that works in batches."""

    began_at: float
    gap_seconds: float
    jitter_seconds: float


class Fall(NamedTuple):
    """An offset that went back and has not been regained."""

    at: float
    before: int
    after: int
    progress: int = 0
    """How far it had come within the scans kept before."""

    @property
    def messages(self) -> int:
        return self.before - self.after


class Memory(NamedTuple):
    """Of one entry, what the scans that are kept may not know any more."""

    committed: int
    entered_at: float
    changed_at: float
    waiting_since: float
    gap_seconds: float
    cycle_began_at: float = 0.0
    gaps: tuple[float, ...] = ()
    crossed: float | None = None
    fall: Fall | None = None

    def moved(self, seconds: float) -> Memory:
        """The same after the clock was set: how long things have lasted stays what it was."""

        def at(moment: float) -> float:
            return moment + seconds if moment else moment

        fall = self.fall and self.fall._replace(at=at(self.fall.at))
        return self._replace(
            entered_at=at(self.entered_at),
            changed_at=at(self.changed_at),
            waiting_since=at(self.waiting_since),
            cycle_began_at=at(self.cycle_began_at),
            crossed=None if self.crossed is None else at(self.crossed),
            fall=fall,
        )

    @property
    def worth(self) -> tuple[bool, bool, float]:
        """More is worth more: rewinds and losses, rhythms, the longest standstill."""
        return (
            self.fall is not None or self.crossed is not None,
            bool(self.cycle_began_at),
            -self.changed_at,
        )


class Pace:
    """By entry's place; the places are the history's."""

    def __init__(self) -> None:
        self.committed = array("q")
        """The last offset that was read, whatever the newest scan could see."""
        self.entered_at = array("d")
        self.changed_at = array("d")
        """When the offset was last seen to move; `entered_at` when it never was."""
        self.waiting_since = array("d")
        """Since when there is something to read; 0 = nothing."""
        self.gap_seconds = array("d")
        self.falls: dict[int, Fall] = {}
        self.crossed: dict[int, float] = {}
        """Entries behind their log start, and when it was seen to pass them; 0 = not seen."""
        self._cycles: dict[int, tuple[float, tuple[float, ...]]] = {}

    def enter(self, slot: int) -> None:
        if slot == len(self.committed):
            self.committed.append(GONE)
            for times in (self.entered_at, self.changed_at, self.waiting_since, self.gap_seconds):
                times.append(0.0)

    def leave(self, slot: int) -> None:
        self.committed[slot] = GONE
        for times in (self.entered_at, self.changed_at, self.waiting_since, self.gap_seconds):
            times[slot] = 0.0
        for kept in (self.falls, self.crossed, self._cycles):
            kept.pop(slot, None)

    def memory(self, slot: int, *, at: float, standing_seconds: float) -> Memory | None:
        """What is worth remembering of an entry; None = nothing that the scans do not know."""
        began_at, gaps = self._cycles.get(slot, (0.0, ()))
        fall, crossed = self.falls.get(slot), self.crossed.get(slot)
        stands = self.waiting_since[slot] and at - self.changed_at[slot] > standing_seconds
        if not (began_at or fall or crossed is not None or stands):
            return None
        return Memory(
            committed=self.committed[slot],
            entered_at=self.entered_at[slot],
            changed_at=self.changed_at[slot],
            waiting_since=self.waiting_since[slot],
            gap_seconds=self.gap_seconds[slot],
            cycle_began_at=began_at,
            gaps=gaps,
            crossed=crossed,
            fall=fall,
        )

    def merge(self, slot: int, memory: Memory) -> None:
        """What an entry did before the scans that are kept, added to what they know."""
        if slot not in self._cycles and memory.cycle_began_at:
            self._cycles[slot] = (memory.cycle_began_at, memory.gaps)
        if memory.fall is not None and self.committed[slot] < memory.fall.before:
            self.falls[slot] = memory.fall
        if slot in self.crossed and memory.crossed is not None:
            self.crossed[slot] = memory.crossed
        unmoved = self.changed_at[slot] == self.entered_at[slot]
        if unmoved and self.committed[slot] == memory.committed:
            self.entered_at[slot] = memory.entered_at
            self.changed_at[slot] = memory.changed_at
            self.gap_seconds[slot] = memory.gap_seconds
            if self.waiting_since[slot] and memory.waiting_since:
                self.waiting_since[slot] = memory.waiting_since

    def recall(self, slot: int, memory: Memory) -> None:
        """An entry goes on as it was remembered: it is met again for the first time."""
        self.committed[slot] = memory.committed
        self.entered_at[slot] = memory.entered_at
        self.changed_at[slot] = memory.changed_at
        self.waiting_since[slot] = memory.waiting_since
        self.gap_seconds[slot] = memory.gap_seconds
        if memory.cycle_began_at:
            self._cycles[slot] = (memory.cycle_began_at, memory.gaps)
        if memory.fall is not None:
            self.falls[slot] = memory.fall
        if memory.crossed is not None:
            self.crossed[slot] = memory.crossed

    def look(
        self,
        column: Sequence[int],
        partition_of: Sequence[int],
        *,
        ends: Sequence[int],
        starts: Sequence[int],
        starts_before: Sequence[int],
        at: float,
        scan_seconds: float,
    ) -> None:
        """One scan. This loop runs for every entry, hence its plainness: what is common stands here,
        what is rare in a method of its own."""
        last, changed, waiting, gaps = (
            self.committed,
            self.changed_at,
            self.waiting_since,
            self.gap_seconds,
        )
        falls, crossed = self.falls, self.crossed
        pause = max(CYCLE_SECONDS_MIN, CYCLE_SCANS_MIN * scan_seconds)
        for slot, (committed, was, place) in enumerate(
            zip(column, last, partition_of, strict=True)
        ):
            if committed == GONE:
                continue
            end = ends[place]
            if committed != was:
                if was == GONE:
                    self.entered_at[slot] = at
                elif committed > was:
                    since = waiting[slot]
                    if since:
                        gap = at - (since if since > changed[slot] else changed[slot])
                        mean = gaps[slot]
                        if mean:
                            gap_learnt = gap if gap < OUTAGE_GAPS * mean else OUTAGE_GAPS * mean
                            gaps[slot] = mean + SMOOTHING * (gap_learnt - mean)
                        elif gap <= FIRST_GAP_SECONDS_MAX or self._mostly_stood(slot, gap, at):
                            gaps[slot] = gap
                        if gap > pause:
                            self._began_a_cycle(slot, at)
                    if falls and slot in falls and committed >= falls[slot].before:
                        del falls[slot]
                elif 0 <= end < was:  # the log was made anew: there is nothing to regain
                    falls.pop(slot, None)
                else:
                    self._fell(slot, was, committed, at)
                last[slot] = committed
                changed[slot] = at
                waiting[slot] = at if committed < end else 0.0
            elif committed < end:
                if not waiting[slot]:
                    waiting[slot] = at
            elif end >= 0:
                waiting[slot] = 0.0
            if 0 <= committed < starts[place]:
                if slot not in crossed:
                    self._lost(slot, committed, place, starts_before, at)
            elif crossed and slot in crossed:
                del crossed[slot]

    def stuck_seconds(self, slot: int, now: float) -> float:
        """How long there has been something to read and nothing was committed."""
        waiting = self.waiting_since[slot]
        return max(0.0, now - max(waiting, self.changed_at[slot])) if waiting else 0.0

    def cycle(self, slot: int, scan_seconds: float) -> Cycle | None:
        """The rhythm it has kept three times; None = it has none."""
        began_at, gaps = self._cycles.get(slot, (0.0, ()))
        if len(gaps) < CYCLES_NEEDED:
            return None
        middle = sorted(gaps)[len(gaps) // 2]
        jitter = max(abs(gap - middle) for gap in gaps)
        if jitter > REGULAR * middle:
            return None
        return Cycle(began_at, middle, max(jitter, scan_seconds))

    def _mostly_stood(self, slot: int, gap: float, at: float) -> bool:
        """Nearly all the time since the last long standstill was this one."""
        began_at, _ = self._cycles.get(slot, (0.0, ()))
        return began_at > 0 and gap >= STANDING_SHARE * (at - began_at)

    def _began_a_cycle(self, slot: int, at: float) -> None:
        began_at, gaps = self._cycles.get(slot, (0.0, ()))
        gaps = (*gaps, at - began_at)[-CYCLES_KEPT:] if began_at else ()
        self._cycles[slot] = (at, gaps)

    def _lost(
        self, slot: int, committed: int, place: int, starts_before: Sequence[int], at: float
    ) -> None:
        """Only where the start was below one scan ago was the loss seen as it came."""
        was = starts_before[place] if place < len(starts_before) else -1
        self.crossed[slot] = at if 0 <= was <= committed else 0.0

    def _fell(self, slot: int, was: int, committed: int, at: float) -> None:
        """The first fall counts until it is regained; a deeper one only moves its bottom."""
        before = self.falls.get(slot)
        if before is not None:
            self.falls[slot] = before._replace(after=min(before.after, committed))
        elif committed >= 0:
            self.falls[slot] = Fall(at, was, committed)
