"""When a disk or a CPU reaches its limit, said only as far as the evidence carries.

The surprising truth: a straight line through a saw is wrong at every hour. So the hourly peaks are
joined to an envelope, and only pairs that lie far enough apart are compared.

Disk: 1. Hourly peaks, sudden rises and moved replicas taken out; of each hour the highest of the last six (`envelope`).
2. Over 6 h and over 24 h Theil-Sen: the median slope of all pairs at least half a window apart.
3. Both slopes at least 0.2 %/h, and the hours left after each within a factor of three; the longer
   counts. After such a change or a growth of storage: not before three hourly points.
CPU breathes with the day, so the same hours of two days are compared, from 30 h on; after 6 h the
slope is shown and named for what it may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations
from statistics import median
from typing import Literal

from changes.view import ForecastLine
from watch.broker_figures import CPU, DISK
from watch.broker_history import BrokerHistory

DISK_LIMIT_PERCENT = 90.0
CPU_LIMIT_PERCENT = 60.0
"""AWS's advice for user and system time together, so that a broker may fail (MSK best practices)."""
SHORT_HOURS, LONG_HOURS = 6.0, 24.0
POINTS_MIN = 3
EVIDENCE_HOURS_MIN = 12.0
"""Half of the long window: below, one tooth may pass for growth."""
AGREE_FACTOR = 3.0
SLOPE_MIN_PER_HOUR = 0.2
STALE_SECONDS = 1800.0
CPU_HOURS_MIN = 6
DAY_HOURS = 24
DAY_PAIRS_MIN = 6
HOURS_SHOWN_MAX = 24 * 30.0
"""A month ahead is as good as never at the pace of one day."""
SECONDS_PER_HOUR = 3600.0

Stage = Literal["unknown", "steady", "unclear", "rising"]
Hourly = Sequence[tuple[float, float]]
"""(hours since some moment, percent)."""


@dataclass(frozen=True)
class Forecast:
    """What is shown of one broker, and what a rule needs beside it."""

    line: ForecastLine
    stage: Stage
    thin: bool = False
    """Less than half a day is known: worth believing only when the limit is near."""
    long_hours_left: float | None = None
    """By the long slope alone: enough to keep an alert, not to open one."""


def forecast(brokers: BrokerHistory, *, now: datetime) -> tuple[ForecastLine, ...]:
    """Disk and CPU of every broker that has such figures."""
    made = [make(brokers, broker_id, now=now) for broker_id in brokers.brokers() for make in MAKERS]
    return tuple(one.line for one in made if one.line.now_percent is not None)


def disk_forecast(brokers: BrokerHistory, broker_id: int, *, now: datetime) -> Forecast:
    """When this broker's disk is 90 % full at the present pace."""
    newest = newest_percent(brokers, DISK, broker_id, now=now)
    if newest is None:
        return _unknown(broker_id, "disk", None, "no figure of the disk just now")
    peaks = unstepped(brokers, broker_id)
    late = _within(envelope(peaks), now, LONG_HOURS)
    fresh = brokers.steps(broker_id)[-1:]
    after = [one for one in late if not fresh or one[0] >= fresh[0][0]]
    if len(late) < POINTS_MIN or len(after) < POINTS_MIN:
        why = (
            "the disk changed at one stroke or by moved replicas"
            if fresh and len(late) >= POINTS_MIN
            else "too few hours seen"
        )
        return _unknown(broker_id, "disk", newest, f"pace not known yet: {why}")
    return _from_slopes(broker_id, newest, late, now=now, grown=brokers.grown_at)


def _from_slopes(
    broker_id: int,
    newest: float,
    late: Sequence[tuple[datetime, float]],
    *,
    now: datetime,
    grown: datetime | None,
) -> Forecast:
    hourly = _hours(late)
    last = hourly[-1][0]
    short = theil_sen([one for one in hourly if one[0] >= last - SHORT_HOURS])
    long = theil_sen(hourly)
    pace = min(short, long)
    room = max(0.0, DISK_LIMIT_PERCENT - hourly[-1][1])
    by_day = room / long if long >= SLOPE_MIN_PER_HOUR else None
    if max(short, long) < SLOPE_MIN_PER_HOUR:
        return _line(broker_id, "disk", newest, long, None, "steady", "not rising to speak of")
    if pace < SLOPE_MIN_PER_HOUR or max(short, long) > AGREE_FACTOR * pace:
        words = f"unclear: {short:+.1f} %/h over 6 h, {long:+.1f} %/h over 24 h"
        unclear = _line(broker_id, "disk", newest, pace, None, "unclear", words)
        return replace(unclear, long_hours_left=by_day)
    left = room / pace
    words = f"{pace:+.2f} %/h: {DISK_LIMIT_PERCENT:.0f} % {duration_words(left)}"
    found = _line(broker_id, "disk", newest, pace, left, "rising", words)
    anew = grown is not None and now - grown < timedelta(hours=LONG_HOURS)
    thin = last - hourly[0][0] < EVIDENCE_HOURS_MIN and not anew
    return replace(found, thin=thin, long_hours_left=by_day)


def cpu_forecast(brokers: BrokerHistory, broker_id: int, *, now: datetime) -> Forecast:
    """When this broker's daily peak reaches 60 % at the pace of the last day."""
    newest = newest_percent(brokers, CPU, broker_id, now=now)
    if newest is None:
        return _unknown(broker_id, "CPU", None, "no figure of the CPU just now")
    peaks = brokers.hourly_peaks(CPU, broker_id)
    by_hour = {int(at.timestamp() // SECONDS_PER_HOUR): value for at, value in peaks}
    hourly, span = _hours(peaks), max(by_hour) - min(by_hour)
    if span < CPU_HOURS_MIN:
        words = f"pace not known yet: {span} h seen, {CPU_HOURS_MIN} needed"
        return _unknown(broker_id, "CPU", newest, words)
    days = [
        (by_hour[hour + DAY_HOURS] - value) / DAY_HOURS
        for hour, value in by_hour.items()
        if hour + DAY_HOURS in by_hour
    ]
    if len(days) < DAY_PAIRS_MIN:
        pace = theil_sen(hourly)
        words = f"{pace:+.1f} %/h over {span} h; too short to tell growth from the time of day"
        return _line(broker_id, "CPU", newest, pace, None, "unknown", words)
    return _day_by_day(broker_id, newest, median(days), hourly)


def _day_by_day(broker_id: int, newest: float, pace: float, hourly: Hourly) -> Forecast:
    day = [value for at, value in hourly if at >= hourly[-1][0] - LONG_HOURS]
    peak = max(day)
    per_day = pace * DAY_HOURS
    if per_day < 1.0:
        words = f"daily peak {peak:.0f} %, not rising to speak of"
        return _line(broker_id, "CPU", newest, pace, None, "steady", words)
    left = max(0.0, CPU_LIMIT_PERCENT - peak) / pace
    words = f"daily peak {peak:.0f} %, {per_day:+.0f} % a day: "
    words += f"{CPU_LIMIT_PERCENT:.0f} % {duration_words(left)}"
    return _line(broker_id, "CPU", newest, pace, left, "rising", words)


MAKERS = (disk_forecast, cpu_forecast)


def theil_sen(hourly: Hourly) -> float:
    """Median slope per hour of pairs at least half the span apart; 0 where there is no pair.

    Nearer pairs would mostly lie on one and the same tooth of a saw, which only ever rises.
    """
    if len(hourly) < 2:
        return 0.0
    apart = (hourly[-1][0] - hourly[0][0]) / 2
    slopes = [
        (b - a) / (t - s) for (s, a), (t, b) in combinations(hourly, 2) if t - s >= apart and t > s
    ]
    return median(slopes) if slopes else 0.0


def unstepped(brokers: BrokerHistory, broker_id: int) -> Sequence[tuple[datetime, float]]:
    """Hourly peaks of a disk as if its sudden changes had been there from the beginning."""
    steps = brokers.steps(broker_id)
    return tuple(
        (at, value + sum(rise for when, rise in steps if at < when))
        for at, value in brokers.hourly_peaks(DISK, broker_id)
    )


def envelope(points: Sequence[tuple[datetime, float]]) -> Sequence[tuple[datetime, float]]:
    """Each point raised to the highest of the six hours before it: the tips of the teeth, joined."""
    width = timedelta(hours=SHORT_HOURS)
    return tuple(
        (at, max(value for when, value in points if at - width < when <= at)) for at, _ in points
    )


def newest_percent(
    brokers: BrokerHistory, name: str, broker_id: int, *, now: datetime
) -> float | None:
    """The newest figure unless it is older than half an hour."""
    figures = brokers.figures(name, broker_id)
    if not figures or (now - figures[-1][0]).total_seconds() > STALE_SECONDS:
        return None
    return figures[-1][1]


def duration_words(hours: float) -> str:
    """`within the hour`, `in about 40 h`, `in about 5 days`, `not within a month`."""
    if hours < 1:
        return "within the hour"
    if hours <= 72:
        return f"in about {hours:.0f} h"
    if hours <= HOURS_SHOWN_MAX:
        return f"in about {hours / 24:.0f} days"
    return "not within a month"


def _within(
    points: Sequence[tuple[datetime, float]], now: datetime, hours: float
) -> Sequence[tuple[datetime, float]]:
    return [one for one in points if now - one[0] <= timedelta(hours=hours)]


def _hours(points: Sequence[tuple[datetime, float]]) -> Hourly:
    return [((at - points[0][0]).total_seconds() / SECONDS_PER_HOUR, value) for at, value in points]


def _unknown(broker_id: int, what: str, now_percent: float | None, words: str) -> Forecast:
    return _line(broker_id, what, now_percent, None, None, "unknown", words)


def _line(
    broker_id: int,
    what: str,
    now_percent: float | None,
    pace: float | None,
    left: float | None,
    stage: Stage,
    words: str,
) -> Forecast:
    line = ForecastLine(
        broker_id=broker_id,
        what=what,
        now_percent=now_percent,
        percent_per_hour=pace,
        hours_left=left,
        words=words,
    )
    return Forecast(line=line, stage=stage)
