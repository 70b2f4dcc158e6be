"""A broker's CPU is above AWS's advice, or its daily peak will be.

AWS advises to keep user and system time together below 60 %, so that the others can carry a broker
that fails or is patched. Told when the middle of the last 15 minutes is at or above that, critical
from 85 %, and when the daily peak reaches it within 48 hours at the pace of the last day. A forecast
needs 30 hours of figures, since a morning looks like growth. It does not see what burns the CPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from watch.broker_figures import CPU
from watch.forecast import CPU_LIMIT_PERCENT, cpu_forecast
from watch.history import History
from watch.readable import no_metrics, unseen
from watch.remedies import Remedy, left_behind, more_brokers, room_for
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.trends import Points, percent_trend, recent

POINTS_ENOUGH = 5
"""Or as many as there can be, where CloudWatch is asked less often than that."""
COMFORTABLE_PERCENT = 40.0
FRESH_MINUTES = 5.0
"""What the middle of so many minutes has left by now is no reason for a change."""


class CpuForecastSettings(RuleSettings):
    rising = (("clear_percent", "warn_percent", "crit_percent"),)

    warn_percent: float = Field(default=60, gt=0, le=100)
    """User and system time together; MSK advises to stay below 60, so that a broker may fail."""
    crit_percent: float = Field(default=85, gt=0, le=100)
    """Busier than this is critical."""
    clear_percent: float = Field(default=55, gt=0, le=100)
    """Below this it is over."""
    over_minutes: float = Field(default=15, gt=0, le=40)
    """The middle value of so many minutes counts."""
    warn_hours: float = Field(default=48, gt=0)
    """Until the daily peak is at 60 %."""
    hold_minutes: float = Field(default=5, ge=0)
    clear_minutes: float = Field(default=15, ge=0)


class CpuForecast(Rule[CpuForecastSettings]):
    name = "cpu_forecast"
    title = "CPUs are busy"
    family = Family.CAPACITY
    excused_by: ClassVar[Mapping[Effect, str]] = {Effect.LOADS_BROKERS: "copying costs CPU"}
    Settings = CpuForecastSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[CpuForecastSettings]
    ) -> Looked:
        why = no_metrics(seen, now)
        if why:
            return Looked(unseen=unseen(self.name, why))
        busy: dict[int, float | None] = {}
        for load in seen.loads or ():
            minutes = settings.of(str(load.broker_id)).over_minutes
            values = recent(history.brokers, CPU, load.broker_id, now=now, minutes=minutes)
            least = points_min(history.brokers.figures(CPU, load.broker_id), minutes)
            enough = load.cpu_percent is not None and len(values) >= least
            busy[load.broker_id] = median(values) if enough else None
        found = [
            self._judged(broker, value, busy, history, seen, now, settings.of(str(broker)))
            for broker, value in sorted(busy.items())
            if value is not None
        ]
        blind = [f"broker {broker}" for broker, value in sorted(busy.items()) if value is None]
        few = "CloudWatch has too few recent figures of this CPU"
        measures = tuple(
            (f"{self.name}/{self.name}/broker {broker}", round(value, 1))
            for broker, value in busy.items()
            if value is not None
        )
        return Looked(tuple(one for one in found if one), unseen(self.name, few, blind), measures)

    def _judged(
        self,
        broker: int,
        middle: float,
        busy: Mapping[int, float | None],
        history: History,
        seen: Seen,
        now: datetime,
        of: CpuForecastSettings,
    ) -> Finding | None:
        ahead = cpu_forecast(history.brokers, broker, now=now)
        left = ahead.line.hours_left
        soon = left is not None and left < of.warn_hours
        if middle < of.clear_percent and not soon:
            return None
        severity = Severity.CRIT if middle >= of.crit_percent else Severity.WARN
        late = recent(history.brokers, CPU, broker, now=now, minutes=FRESH_MINUTES)
        fresh = median(late or [history.brokers.figures(CPU, broker)[-1][1]])
        why_not = room_for(busy, broker, comfortable=COMFORTABLE_PERCENT, what="CPU")
        remedy = Remedy(why_not=why_not) if why_not else more_brokers(seen.msk)
        if fresh < of.clear_percent and not soon:
            remedy = left_behind(middle, fresh, minutes=of.over_minutes)
        return Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject=f"broker {broker}",
            severity=severity,
            phase="trigger" if soon or middle >= of.warn_percent else "between",
            words=f"CPU of broker {broker} is at {middle:.0f} %; "
            f"AWS advises less than {CPU_LIMIT_PERCENT:.0f} %",
            lines=(ahead.line.words,),
            for_seconds=of.hold_minutes * 60,
            keep_seconds=of.clear_minutes * 60,
            measure=round(middle, 1),
            measure_words=f"percent of broker {broker}'s CPU in use",
            trend=percent_trend(
                history.brokers,
                CPU,
                broker,
                title=f"CPU of broker {broker}",
                limit=CPU_LIMIT_PERCENT,
            ),
            proposal=remedy.proposal,
            why_not=remedy.why_not,
            broker_ids=(broker,),
        )


def points_min(figures: Points, minutes: float) -> int:
    """How many figures the last minutes need: not more than come in that time."""
    gaps = [(later - at).total_seconds() for (at, _), (later, _) in pairwise(figures)]
    come = int(minutes * 60 / median(gaps)) if gaps else POINTS_ENOUGH
    return max(1, min(POINTS_ENOUGH, come))
