"""How old the oldest unread record of an entry is: what is known of it, and never more.

Two witnesses: the ring (when the end passed the committed offset, exact to one scan) and the ladder
(timestamp probes: at the moment of the probe, was the record older than so much?). The surprising truth:
an age is a bracket. Outside the ring nothing is drawn on: it is "over 30 min, under 6 h" or unknown.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from changes.lag import NO_OFFSET, TopicPartition
from watch.seen import Rung

PAUSE_SCANS = 5
"""Across a longer pause between two scans nothing is interpolated: the pause is the bracket."""


class Age(NamedTuple):
    """At least `low_seconds`, at most `high_seconds` (infinite = no upper bound is known)."""

    low_seconds: float = 0.0
    high_seconds: float = math.inf
    trusted: bool = True
    """False = timestamps contradict each other, so that probes say nothing."""

    @property
    def known(self) -> bool:
        return self.low_seconds > 0 or self.high_seconds < math.inf

    @property
    def figure(self) -> float | None:
        """One number where the bracket is narrow enough; None = it is not."""
        width = self.high_seconds - self.low_seconds
        return (
            (self.low_seconds + self.high_seconds) / 2
            if width <= max(60.0, 0.2 * self.low_seconds)
            else None
        )

    @property
    def words(self) -> str:
        """Such as `4 min`, `over 30 min`, `over 30 min, under 6 h`, `unknown`."""
        if not self.known:
            return "unknown" if self.trusted else "untrusted: its timestamps are not in order"
        figure = self.figure
        if figure is not None:
            return span(figure)
        over = f"over {span(self.low_seconds)}" if self.low_seconds > 0 else ""
        under = f"under {span(self.high_seconds)}" if self.high_seconds < math.inf else ""
        return ", ".join(filter(None, (over, under)))


NONE_UNREAD = Age(0.0, 0.0)


class EndLine(NamedTuple):
    """A partition's ends in the scans that read them, oldest first, since they last went back."""

    times: Sequence[float]
    ends: Sequence[int]


def end_line(samples: Sequence[tuple[float, int]]) -> EndLine:
    """Where the end went back the topic was made anew: older scans say nothing of it."""
    times, ends = [at for at, _ in samples], [end for _, end in samples]
    first = 0
    for place in range(len(ends) - 1, 0, -1):
        if ends[place] < ends[place - 1]:
            first = place
            break
    return EndLine(times[first:], ends[first:])


def span(seconds: float) -> str:
    """A length of time for people: `45 s`, `6 min`, `2.5 h`, `3 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        hours = round(seconds / 3600, 1)
        return f"{hours:g} h"
    return f"{seconds / 86_400:.0f} days"


def age_of(
    *,
    offset: int,
    end: int,
    line: EndLine,
    now: float,
    scan_seconds: float,
    rungs: Iterable[tuple[Rung, int, int]] = (),
) -> Age:
    """Age of the record at `offset` (the caller has raised it to the log start).

    `rungs` are probes with their answer for its partition and the end known then (see `rungs_of`).
    """
    if offset >= end:
        return NONE_UNREAD
    low, high = in_ring(offset, line, now=now, scan_seconds=scan_seconds)
    over, under, trusted = in_ladder(offset, rungs, now)
    if not trusted:
        return Age(low, high, False)
    if max(low, over) > min(high, under):
        # The ring saw the end pass; producers' clocks did not. The ring decides.
        return Age(low, high, False)
    return Age(max(low, over), min(high, under))


def in_ring(offset: int, line: EndLine, *, now: float, scan_seconds: float) -> tuple[float, float]:
    """The record came after the newest scan whose end was not beyond it, and before the next."""
    times, ends = line
    place = bisect_right(ends, offset) - 1
    if place < 0:
        return (max(0.0, now - times[0]) if times else 0.0, math.inf)
    if place + 1 >= len(times):
        return 0.0, max(0.0, now - times[place])
    before, after = times[place], times[place + 1]
    if after - before > PAUSE_SCANS * scan_seconds:
        return max(0.0, now - after), max(0.0, now - before)
    came = before + (after - before) * (offset - ends[place]) / (ends[place + 1] - ends[place])
    age = max(0.0, now - came)
    return age, age


def in_ladder(
    offset: int, rungs: Iterable[tuple[Rung, int, int]], now: float
) -> tuple[float, float, bool]:
    """(older than, younger than, whether the probes agree with each other)."""
    over, under = 0.0, math.inf
    for rung, answer, end_then in rungs:
        seconds = now - (rung.at.timestamp() - rung.age_seconds)
        if answer != NO_OFFSET:
            if offset < answer:
                over = max(over, seconds)
            else:
                under = min(under, seconds)
        elif offset < end_then:
            over = max(over, seconds)
    trusted = over < under
    return (over, under, True) if trusted else (0.0, math.inf, False)


def rungs_of(
    partition: TopicPartition, rungs: Sequence[Rung], line: EndLine
) -> tuple[tuple[Rung, int, int], ...]:
    """The probes that answered for a partition, each with the last end known before it."""
    found = []
    for rung in rungs:
        answer = rung.offsets.get(partition)
        if answer is not None:
            place = bisect_right(line.times, rung.at.timestamp()) - 1
            found.append((rung, answer, line.ends[place] if place >= 0 else NO_OFFSET))
    return tuple(found)


def oldest(ages: Iterable[Age]) -> Age:
    """Of several entries: as old as the oldest. The unknown are counted elsewhere, not guessed."""
    low, high, trusted = 0.0, 0.0, True
    for age in ages:
        low, high = max(low, age.low_seconds), max(high, age.high_seconds)
        trusted = trusted and age.trusted
    return Age(low, high, trusted)
