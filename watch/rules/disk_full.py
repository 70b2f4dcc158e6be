"""A broker's disk is nearly full, or will be soon at its present pace.

Full means 85 % (warning) and 90 % (critical; no running change excuses what is critical). The forecast draws the
envelope of hourly peaks on, over 6 h and over 24 h: a warning below 48 h until 90 %, critical below
12 h. A single jump, moved replicas and a growth of storage are no trend. With less than half a day of
figures the forecast only speaks when the limit is within 12 h.

It does not see what will be written tomorrow, nor which topic grows. Express brokers have no disks of
their own, so there it does not apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from watch.broker_figures import DISK
from watch.forecast import DISK_LIMIT_PERCENT, Forecast, disk_forecast
from watch.history import History
from watch.readable import no_metrics, unseen
from watch.remedies import (
    Remedy,
    left_behind,
    more_brokers,
    one_giant,
    room_for,
    storage_words,
)
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.trends import percent_trend, recent

LEVEL_MINUTES = 10.0
"""The highest of so many minutes counts, so that a level is not left and reached again and again."""
COMFORTABLE_PERCENT = 60.0


class DiskFullSettings(RuleSettings):
    rising = (
        ("clear_percent", "warn_percent", "crit_percent"),
        ("crit_hours", "warn_hours", "clear_hours"),
    )

    warn_percent: float = Field(default=85, gt=0, le=100)
    """Full to this much."""
    crit_percent: float = Field(default=90, gt=0, le=100)
    """Full to this much is critical, whatever runs."""
    clear_percent: float = Field(default=83, gt=0, le=100)
    """Below this it is over."""
    warn_hours: float = Field(default=48, gt=0)
    """Until the disk is 90 % full."""
    crit_hours: float = Field(default=12, gt=0)
    """Full within this time is critical."""
    clear_hours: float = Field(default=60, gt=0)
    """Not full within this time is over."""
    hold_minutes: float = Field(default=10, ge=0)
    """For the forecast; a level is told at the second look."""
    clear_minutes: float = Field(default=30, ge=0)


class DiskFull(Rule[DiskFullSettings]):
    name = "disk_full"
    title = "Disks fill up"
    family = Family.CAPACITY
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.MOVES_REPLICAS: "copies come before old replicas are deleted",
        Effect.LOADS_BROKERS: "copies come before old replicas are deleted",
    }
    Settings = DiskFullSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[DiskFullSettings]
    ) -> Looked:
        if seen.msk is not None and seen.msk.express:
            why = "does not apply: AWS manages the storage of Express brokers"
            return Looked(unseen=unseen(self.name, why))
        why = no_metrics(seen, now)
        if why:
            return Looked(unseen=unseen(self.name, why))
        used = {one.broker_id: one.disk_used_percent for one in seen.loads or ()}
        blind = [broker for broker, value in used.items() if value is None]
        found = [
            self._judged(broker, value, used, history, seen, now, settings.of(str(broker)))
            for broker, value in sorted(used.items())
            if value is not None
        ]
        return Looked(
            tuple(one for one in found if one),
            unseen(
                self.name,
                "CloudWatch has no figure of this disk",
                (f"broker {broker}" for broker in blind),
            ),
            tuple(
                (f"{self.name}/{self.name}/broker {broker}", round(value, 1))
                for broker, value in used.items()
                if value is not None
            ),
        )

    def _judged(
        self,
        broker: int,
        used: float,
        all_used: Mapping[int, float | None],
        history: History,
        seen: Seen,
        now: datetime,
        of: DiskFullSettings,
    ) -> Finding | None:
        ahead = disk_forecast(history.brokers, broker, now=now)
        top = max([used, *recent(history.brokers, DISK, broker, now=now, minutes=LEVEL_MINUTES)])
        by_level, by_time = level(top, of), pace(ahead, of)
        severity = max((one for one in (by_level, by_time) if one), default=None)
        if severity is None and not nearly(top, ahead, of):
            return None
        left = by_level is not None and by_time is None and used < of.clear_percent
        remedy = (
            left_behind(top, used, minutes=LEVEL_MINUTES)
            if left
            else self._remedy(broker, all_used, seen)
        )
        return Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject=f"broker {broker}",
            severity=severity or Severity.WARN,
            phase="trigger" if severity else "between",
            words=f"disk of broker {broker} is {used:.0f} % full; {ahead.line.words}",
            lines=(storage_words(history, seen, now),),
            for_seconds=seen.scan_seconds if by_level else of.hold_minutes * 60,
            keep_seconds=of.clear_minutes * 60,
            measure=round(used, 1),
            measure_words=f"percent of broker {broker}'s disk in use",
            trend=percent_trend(
                history.brokers,
                DISK,
                broker,
                title=f"Disk of broker {broker}",
                limit=DISK_LIMIT_PERCENT,
            ),
            proposal=remedy.proposal,
            why_not=remedy.why_not,
            never_excused=severity is Severity.CRIT,
            broker_ids=(broker,),
        )

    def _remedy(self, broker: int, used: Mapping[int, float | None], seen: Seen) -> Remedy:
        why_not = one_giant(seen, broker) or room_for(
            used, broker, comfortable=COMFORTABLE_PERCENT, what="disk"
        )
        return Remedy(why_not=why_not) if why_not else more_brokers(seen.msk)


def level(percent: float, of: DiskFullSettings) -> Severity | None:
    if percent >= of.crit_percent:
        return Severity.CRIT
    return Severity.WARN if percent >= of.warn_percent else None


def pace(ahead: Forecast, of: DiskFullSettings) -> Severity | None:
    left = ahead.line.hours_left
    if left is None:
        return None
    if left < of.crit_hours:
        return Severity.WARN if ahead.thin else Severity.CRIT
    return Severity.WARN if left < of.warn_hours and not ahead.thin else None


def nearly(percent: float, ahead: Forecast, of: DiskFullSettings) -> bool:
    """Not bad enough to open an alert, not yet good enough to end one."""
    lefts = [one for one in (ahead.line.hours_left, ahead.long_hours_left) if one is not None]
    return percent >= of.clear_percent or min(lefts, default=of.clear_hours) < of.clear_hours
