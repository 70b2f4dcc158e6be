"""What is measured of one entry before it is judged: lag, age, pace, slopes, how long retention leaves.

Everything is worked out only when a row of the table asks for it: of twenty thousand entries nearly all
are decided without a slope. The surprising truth: slopes are medians of pairs half a window apart (Theil's
incomplete method), so one odd scan moves nothing, and none is drawn across a pause of the watch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from statistics import median

from pydantic import Field

from changes.lag import Member, TopicPartition
from watch.age import Age, EndLine, age_of, in_ring, rungs_of
from watch.lag_history import GAP, GONE_STATES, UNKNOWN, LagHistory, Sample
from watch.pace import Cycle, Fall
from watch.rule import RuleSettings
from watch.seen import Rung

POINTS_MAX = 20
"""Scans a slope is drawn through."""
POINTS_MIN = 3
MARKER_MESSAGES = 2
"""A transaction's marker takes an offset that nobody ever reads."""
COMMITS_MIN = 3
"""From so many on a newcomer's own pace is known."""
YOUNG_SECONDS = 60.0
"""A reader whose oldest unread record is younger is at the head of the log: retention cannot reach it."""
DELETIONS_MIN = 2
"""Retention deletes whole segments: one deletion in sight is a step, and no pace can be read from it."""
CYCLE_JITTERS = 3.0
FLAT = 0.05
"""Seconds of age per second; a smaller slope is flat."""


class LagSettings(RuleSettings):
    """When a consumer group is in trouble; the defaults suit most."""

    slo_seconds: float = Field(300.0, gt=0)
    """Age of the oldest unread record that is still fine."""
    floor_messages: int = Field(1, ge=1)
    """Lag up to this is no lag."""
    silent_seconds: float = Field(120.0, gt=0)
    """Something to read and no commit for at least this long is a standstill …"""
    silent_gaps: float = Field(3.0, ge=1)
    """… and for at least so many of the group's own gaps between commits."""
    rising_seconds_per_second: float = Field(0.2, gt=0)
    """How fast the age must grow, over both windows, to be falling behind."""
    long_window_seconds: float = Field(600.0, gt=0)
    """Slopes are drawn over this long …"""
    short_window_seconds: float = Field(120.0, gt=0)
    """… and over this short: both must agree before anybody is told."""
    rebalance_seconds: float = Field(180.0, ge=0)
    """A rebalance may take this long before its group is judged."""
    at_risk_hours: float = Field(2.0, gt=0)
    """Retention reaches the reader within this time: at risk."""
    rewind_messages: int = Field(100, ge=1)
    """Going back by more than this …"""
    rewind_percent: float = Field(1.0, ge=0)
    """… and by more than this share of the progress that was watched is a rewind."""
    critical_after_slos: float = Field(0.0, ge=0)
    """From so many times the SLO on it also calls somebody; 0 = never."""


class Figures:
    """One entry as of one scan. `state` is Kafka's word for its group."""

    def __init__(
        self,
        *,
        history: LagHistory,
        slot: int,
        place: TopicPartition,
        line: EndLine,
        state: str,
        rebalancing_seconds: float | None,
        owner: Member | None,
        owned: bool | None,
        compacted: bool,
        start_moves: bool,
        retention_seconds: float,
        stable_end: int | None,
        rungs: Sequence[Rung],
        now: float,
        scan_seconds: float,
        settings: LagSettings,
        error: str = "",
    ) -> None:
        self.history, self.slot, self.place, self.line = history, slot, place, line
        self.state, self.rebalancing_seconds = state, rebalancing_seconds
        self.owner, self.owned = owner, owned
        self.compacted, self.start_moves, self.stable_end = compacted, start_moves, stable_end
        self.retention_seconds = retention_seconds
        self.rungs, self.now, self.scan_seconds = rungs, now, scan_seconds
        self.settings, self.error = settings, error
        committed, ends, starts = history.newest()
        partition = history.partition_slots[slot]
        self.committed: int = committed[slot] if slot < len(committed) else GAP
        self.end: int = ends[partition] if partition < len(ends) else UNKNOWN
        self.start: int = starts[partition] if partition < len(starts) else UNKNOWN

    @property
    def lag(self) -> int:
        """Messages that can still be read: from the log start, where that is further."""
        return max(0, self.end - max(self.committed, self.start, 0))

    @property
    def lost(self) -> int:
        """Records that retention took before they were read."""
        return max(0, self.start - self.committed) if self.committed >= 0 else 0

    @cached_property
    def young(self) -> bool:
        """Seen in too few scans for any slope."""
        return self.history.scans_of(self.slot, most=POINTS_MIN) < POINTS_MIN

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """Of this entry since the last pause of the watch."""
        since = self.history.unbroken_from
        return tuple(one for one in self.history.samples_at(self.slot) if one.at >= since)

    @cached_property
    def age(self) -> Age:
        return age_of(
            offset=max(self.committed, self.start, 0),
            end=self.end,
            line=self.line,
            now=self.now,
            scan_seconds=self.scan_seconds,
            rungs=rungs_of(self.place, self.rungs, self.line) if self.rungs else (),
        )

    @property
    def stuck_seconds(self) -> float:
        """How long there has been something to read and nothing was committed."""
        return self.history.pace.stuck_seconds(self.slot, self.now)

    @cached_property
    def cycle(self) -> Cycle | None:
        return self.history.pace.cycle(self.slot, self.scan_seconds)

    @property
    def fall(self) -> Fall | None:
        """It went back so far that it is a rewind, and has not regained it."""
        fall = self.history.pace.falls.get(self.slot)
        if fall is None:
            return None
        bound = max(
            self.settings.rewind_messages, fall.progress * self.settings.rewind_percent / 100
        )
        return fall if fall.messages > bound else None

    @property
    def late(self) -> bool:
        """A consumer that works in batches has missed its time."""
        cycle = self.cycle
        if cycle is None:
            return False
        due = cycle.began_at + cycle.gap_seconds + CYCLE_JITTERS * cycle.jitter_seconds
        return self.now > due

    @property
    def leaves_more(self) -> bool:
        """It keeps its rhythm, and yet a whole round and more than the SLO is left unread."""
        if self.cycle is None:
            return False
        return self.age.low_seconds > 2 * self.cycle.gap_seconds + self.settings.slo_seconds

    @property
    def silent(self) -> bool:
        """Nothing was committed for longer than its own pace explains."""
        if self.cycle is not None:  # late, and not just longer at work than usual
            return self.late and self.stuck_seconds >= self.settings.silent_seconds
        own = self.own_seconds
        if self.newcomer:
            own = max(own, min(self.settings.slo_seconds, self.settings.long_window_seconds))
        return self.stuck_seconds >= max(self.settings.silent_seconds, own)

    @property
    def own_seconds(self) -> float:
        """What its own gaps between commits explain."""
        return self.settings.silent_gaps * self.history.pace.gap_seconds[self.slot]

    @property
    def newcomer(self) -> bool:
        """Known for less than the long window, and seen to commit twice at most: whether it commits every
        minute or every four cannot be told yet. Of one that nobody runs nothing more will come."""
        if self.now - self.history.pace.entered_at[self.slot] >= self.settings.long_window_seconds:
            return False
        offsets = [one.committed for one in self.history.samples_at(self.slot)]
        commits = sum(one != later for one, later in pairwise(offsets))
        return commits < COMMITS_MIN and (commits > 0 or self.state not in GONE_STATES)

    @cached_property
    def still(self) -> bool:
        """Neither the end nor the commit moved in any scan that is kept."""
        return len({(one.committed, one.end) for one in self.samples}) <= 1

    @cached_property
    def resumed(self) -> bool:
        """It commits again since one or two scans, after it had stood still."""
        offsets = [one.committed for one in self.samples]
        for moves in range(1, POINTS_MIN):
            last = len(offsets) - 1 - moves
            if last < 1 or offsets[last + 1] <= offsets[last]:
                return False
            first = offsets.index(offsets[last])
            if self.samples[last].at - self.samples[first].at >= self.settings.silent_seconds:
                return True
        return False

    @cached_property
    def ages(self) -> tuple[tuple[float, float], ...]:
        """(seconds, age then) for the scans whose age the ring knows exactly."""
        found = []
        for one in self.samples[-POINTS_MAX:]:
            if one.committed >= one.end >= 0:
                found.append((one.at, 0.0))
                continue
            low, high = in_ring(
                max(one.committed, one.start, 0),
                self.line,
                now=one.at,
                scan_seconds=self.scan_seconds,
            )
            if low == high:
                found.append((one.at, low))
        return tuple(found)

    def slope(self, window_seconds: float) -> float | None:
        """Seconds of age per second; beyond the ring, the sign and share by which lag grows."""
        since = self.now - window_seconds - self.scan_seconds / 2
        exact = slope_of([one for one in self.ages if one[0] >= since])
        return exact if exact is not None else self._slope_of_lag(since)

    @cached_property
    def slope_long(self) -> float | None:
        return self.slope(self.settings.long_window_seconds)

    @cached_property
    def slope_short(self) -> float | None:
        return self.slope(max(self.settings.short_window_seconds, 2 * self.scan_seconds))

    @property
    def gets_younger(self) -> bool:
        """Or it reads again after a standstill, too lately for a slope."""
        return self.resumed or (self.slope_short is not None and self.slope_short < -FLAT)

    @cached_property
    def rates(self) -> tuple[float, float] | None:
        """Messages per second in and out over the long window; None = not known."""
        return self._rates(self.now - self.settings.long_window_seconds)

    @property
    def gains(self) -> bool:
        """It reads faster than messages come."""
        rates = self._short_rates
        return rates is not None and rates[1] > rates[0]

    @property
    def eta_seconds(self) -> float | None:
        """Until it has caught up, at the present pace."""
        slope, figure = self.slope_short, self.age.figure
        if figure is not None and slope is not None and slope < 0:
            return figure / -slope
        rates = self._short_rates
        if rates is None or rates[1] <= rates[0]:
            return None
        return self.lag / (rates[1] - rates[0])

    @cached_property
    def _short_rates(self) -> tuple[float, float] | None:
        return self._rates(
            self.now - max(self.settings.short_window_seconds, 2 * self.scan_seconds)
        )

    @cached_property
    def retention_left_seconds(self) -> float:
        """Until retention reaches the commit, by its time or by its pace; infinite = it does not, or
        neither is known."""
        return min(self._left_by_time, self._left_by_pace)

    @property
    def _left_by_time(self) -> float:
        """A record is deleted when it is as old as retention says, not before. Who is within its SLO
        or gets younger is not reached; of a short retention half must be over."""
        retention, slo = self.retention_seconds, self.settings.slo_seconds
        if math.isinf(retention) or self.age.high_seconds <= slo:
            return math.inf
        left = max(0.0, retention - max(self.age.low_seconds, self.stuck_seconds))
        # Slopes cost most, so they are asked for last.
        return math.inf if left > retention / 2 or self.gets_younger else left

    @property
    def _left_by_pace(self) -> float:
        """At the pace of log start and commits."""
        if not self.start_moves:
            return math.inf
        known = [one for one in self.samples if one.start >= 0 and one.committed >= 0]
        deleted = [later for one, later in pairwise(known) if later.start > one.start]
        if len(deleted) < DELETIONS_MIN or self.committed < 0 or self.start < 0:
            return math.inf
        first, last = deleted[0], deleted[-1]
        seconds = last.at - first.at
        closing = (last.start - first.start) - max(0, last.committed - first.committed)
        if closing <= 0 or seconds <= 0:
            return math.inf
        return max(0, self.committed - self.start) / (closing / seconds)

    def _slope_of_lag(self, since: float) -> float | None:
        rates = self._rates(since)
        if rates is None:
            return None
        fastest = max(rates)
        return (rates[0] - rates[1]) / fastest if fastest > 0 else 0.0

    def _rates(self, since: float) -> tuple[float, float] | None:
        recent = [
            one
            for one in self.samples[-POINTS_MAX:]
            if one.at >= since and one.committed >= 0 and one.end >= 0
        ]
        came = slope_of([(one.at, float(one.end)) for one in recent])
        went = slope_of([(one.at, float(one.committed)) for one in recent])
        return None if came is None or went is None else (max(0.0, came), max(0.0, went))


def slope_of(points: Sequence[tuple[float, float]]) -> float | None:
    """Median of the slopes of pairs half the row apart; None with fewer than three points."""
    if len(points) < POINTS_MIN:
        return None
    half = len(points) // 2
    return median(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for earlier, later in zip(points, points[half:], strict=False)
    )
