"""One broker carries more than its share, and a plan exists that would mend it.

Compared are disk bytes, replicas, bytes in and leaders, within each zone first and then over all
brokers. Bytes decide where they are known, counts explain. A broker that carries at least 1.25 times
the mean for 15 minutes is told of, until the most is within 1.10 times the mean for 10 minutes.

Whole numbers are allowed for (7, 6, 7 is balanced), brokers that hold nothing yet are another rule's
business, and the planner is asked first: unless a plan takes away at least half of what is too much,
nobody is told. It does not see who causes the traffic, nor why; and while replicas move, a broker is
away or AWS balances by itself (Express), it does not judge at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from watch.balance_figures import GB, MB, Bars, Figure, figures, preview_lines, values_after, worth
from watch.history import History
from watch.plan_preview import preview
from watch.readable import no_placement, unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.settled import unsettled
from watch.spread_figures import (
    Scope,
    Unevenness,
    excess,
    idle_brokers,
    most_within,
    scopes,
    unevenness,
)

COUNTS = ("replicas", "leaders")


class ImbalanceSettings(RuleSettings):
    rising = (("clear_ratio", "trigger_ratio"),)

    trigger_ratio: float = Field(default=1.25, gt=1)
    """Most over mean from which somebody is told."""
    clear_ratio: float = Field(default=1.10, ge=1)
    """Most over mean at which it is over."""
    hold_minutes: float = Field(default=15, ge=0)
    clear_minutes: float = Field(default=10, ge=0)
    excess_count_min: int = Field(default=2, ge=1)
    """Leaders or replicas above the mean that are worth a move."""
    excess_share_min: float = Field(default=0.10, ge=0)
    """Of the mean: less above it is not worth a move."""
    disk_excess_gb_min: float = Field(default=10, ge=0)
    """Disk above the mean that is worth a move."""
    bytes_in_mb_per_second_min: float = Field(default=1, ge=0)
    """Mean traffic per broker below which bytes say nothing."""
    plan_partitions_max: int = Field(default=30_000, ge=1)
    """The planner is asked of clusters up to this size; larger ones are told without a preview."""


class Imbalance(Rule[ImbalanceSettings]):
    name = "imbalance"
    title = "Brokers carry unequal shares"
    family = Family.BALANCE
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.MOVES_REPLICAS: "replicas are being moved",
        Effect.MOVES_LEADERS: "leadership is being handed over",
        Effect.ADDS_BROKERS: "new brokers are empty at first",
    }
    Settings = ImbalanceSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[ImbalanceSettings]
    ) -> Looked:
        of = settings.base
        why = no_placement(seen) or unsettled(seen)
        compared = [
            one
            for one in scopes(seen.brokers or (), without=idle_brokers(seen))
            if len(one.broker_ids) > 1
        ]
        if why or not compared:
            return Looked(unseen=unseen(self.name, why) if why else ())
        judged, why = figures(seen, now, compared[-1], bars(of))
        answers = [self._judged(one, compared, seen, of) for one in judged]
        blind = [why, *(one for one in answers if isinstance(one, str))]
        return Looked(
            explained([one for one in answers if isinstance(one, Finding)]),
            tuple(one for words in blind if words for one in unseen(self.name, words))[:1],
            tuple(
                (f"{self.name}/{one.kind}/cluster", round(ratio(one, compared), 3))
                for one in judged
            ),
        )

    def _judged(
        self, figure: Figure, compared: list[Scope], seen: Seen, of: ImbalanceSettings
    ) -> Finding | str | None:
        """The nearest scope a plan would help; else one that is not yet good enough."""
        uneven = [unevenness(figure.values, scope) for scope in compared]
        uneven = [one for one in uneven if worth(figure, one, bars(of))]
        for one in (one for one in uneven if one.ratio >= of.trigger_ratio):
            plan = preview(seen, partitions_max=of.plan_partitions_max)
            if isinstance(plan, str) and seen.msk is None:
                return plan
            if isinstance(plan, str):
                return self._finding(figure, one, of, lines=(f"no preview: {plan}",))
            after = most_within(values_after(figure, plan, seen), one.scope)
            if one.most - after >= excess(one, whole=figure.whole) / 2:
                return self._finding(figure, one, of, lines=preview_lines(figure, one, plan, after))
        between = [one for one in uneven if one.ratio < of.trigger_ratio]
        return self._finding(figure, between[0], of, phase="between") if between else None

    def _finding(
        self,
        figure: Figure,
        one: Unevenness,
        of: ImbalanceSettings,
        *,
        lines: tuple[str, ...] = (),
        phase: Literal["trigger", "between"] = "trigger",
    ) -> Finding:
        where = f" {one.scope.words}" if one.scope.words else ""
        return Finding(
            rule=self.name,
            kind=figure.kind,
            family=self.family,
            subject="cluster",
            severity=Severity.WARN,
            phase=phase,
            words=f"broker {one.worst} carries {one.ratio:.2f} × the mean of {figure.kind}{where}: "
            f"{figure.words(one.most)} of {figure.words(one.mean)}",
            lines=lines,
            for_seconds=of.hold_minutes * 60,
            keep_seconds=of.clear_minutes * 60,
            measure=round(one.ratio, 3),
            measure_words=f"most {figure.kind} over the mean",
            why_not="the brokers there are have room: spreading what they hold is enough",
        )


def bars(of: ImbalanceSettings) -> Bars:
    return Bars(
        trigger_ratio=of.trigger_ratio,
        clear_ratio=of.clear_ratio,
        count_min=of.excess_count_min,
        share_min=of.excess_share_min,
        disk_bytes_min=of.disk_excess_gb_min * GB,
        bytes_in_per_second_min=of.bytes_in_mb_per_second_min * MB,
    )


def ratio(figure: Figure, compared: list[Scope]) -> float:
    return max(unevenness(figure.values, scope).ratio for scope in compared)


def explained(found: list[Finding]) -> tuple[Finding, ...]:
    """Where bytes are told, the counts that go with them are lines of the same alert."""
    told = [one for one in found if one.phase == "trigger"]
    counts = [one for one in told if one.kind in COUNTS]
    if not counts or len(counts) == len(told):
        return tuple(found)
    first = next(one for one in told if one.kind not in COUNTS)
    more = tuple(one.words for one in counts)
    return tuple(
        one.with_(lines=(*one.lines, *more))
        if one is first
        else one.with_(phase="between")
        if one in counts
        else one
        for one in found
    )
