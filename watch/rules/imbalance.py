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

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from watch.broker_figures import sizes
from watch.history import History
from watch.plan_preview import Preview, preview
from watch.readable import no_metrics, no_placement, no_sizes, unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.settled import unsettled
from watch.spread_figures import (
    Figures,
    Scope,
    Unevenness,
    excess,
    idle_brokers,
    most_within,
    planned_leaders,
    planned_replicas,
    preferred_leaders,
    scopes,
    unevenness,
)

GB = 1e9
MB = 1e6


class ImbalanceSettings(RuleSettings):
    trigger_ratio: float = Field(default=1.25, gt=1)
    """Most over mean from which somebody is told."""
    clear_ratio: float = Field(default=1.10, ge=1)
    """Most over mean at which it is over."""
    hold_minutes: float = Field(default=15, ge=0)
    clear_minutes: float = Field(default=10, ge=0)
    excess_count_min: int = Field(default=2, ge=1)
    excess_share_min: float = Field(default=0.10, ge=0)
    """Of the mean: less above it is not worth a move."""
    disk_excess_gb_min: float = Field(default=10, ge=0)
    bytes_in_mb_per_second_min: float = Field(default=1, ge=0)
    """Mean traffic per broker below which bytes say nothing."""
    plan_partitions_max: int = Field(default=50_000, ge=1)
    """The planner is asked of clusters up to this size; larger ones are told without a preview."""


class Figure(NamedTuple):
    """One figure of every broker, and how it is judged."""

    kind: str
    values: Figures
    whole: bool
    excess_min: float
    unit: str = ""
    scale: float = 1.0

    def words(self, value: float) -> str:
        return f"{value / self.scale:,.{0 if self.whole else 1}f}{self.unit}"


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
        if why:
            return Looked(unseen=unseen(self.name, why))
        found = [self._judged(one, seen, of) for one in figures(seen, now, of)]
        blind = [one for one in found if isinstance(one, str)]
        return Looked(
            tuple(one for one in found if isinstance(one, Finding)),
            unseen(self.name, blind[0]) if blind else (),
        )

    def _judged(self, figure: Figure, seen: Seen, of: ImbalanceSettings) -> Finding | str | None:
        """The nearest scope a plan would help; else one that is not yet good enough."""
        judged = [
            unevenness(figure.values, scope)
            for scope in scopes(seen.brokers or (), without=idle_brokers(seen))
            if scope.broker_ids
        ]
        judged = [one for one in judged if worth(figure, one, of)]
        for one in (one for one in judged if one.ratio >= of.trigger_ratio):
            plan = preview(seen, partitions_max=of.plan_partitions_max)
            if isinstance(plan, str) and seen.msk is None:
                return plan
            if isinstance(plan, str):
                return self._finding(figure, one, of, lines=(f"no preview: {plan}",))
            after = most_within(values_after(figure, plan, seen), one.scope)
            if one.most - after >= excess(one, whole=figure.whole) / 2:
                return self._finding(figure, one, of, lines=preview_lines(figure, one, plan, after))
        between = [one for one in judged if of.clear_ratio < one.ratio < of.trigger_ratio]
        return self._finding(figure, between[0], of, phase="between") if between else None

    def _finding(
        self,
        figure: Figure,
        one: Unevenness,
        of: ImbalanceSettings,
        *,
        lines: tuple[str, ...] = (),
        phase: str = "trigger",
    ) -> Finding:
        where = f" {one.scope.words}" if one.scope.words else ""
        return Finding(
            rule=self.name,
            kind=figure.kind,
            family=self.family,
            subject="cluster",
            severity=Severity.WARN,
            phase="between" if phase == "between" else "trigger",
            words=f"broker {one.worst} carries {one.ratio:.2f} × the mean of {figure.kind}{where}: "
            f"{figure.words(one.most)} of {figure.words(one.mean)}",
            lines=lines,
            for_seconds=of.hold_minutes * 60,
            keep_seconds=of.clear_minutes * 60,
            measure=round(one.ratio, 3),
            measure_words=f"most {figure.kind} over the mean",
            why_not="the brokers there are have room: spreading what they hold is enough",
        )


def figures(seen: Seen, now: datetime, of: ImbalanceSettings) -> Sequence[Figure]:
    """What can be judged, bytes first; a count is left out where its bytes are known and even."""
    whole = float(of.excess_count_min)
    found = []
    disk = Figure("disk bytes", sizes(seen), False, of.disk_excess_gb_min * GB, " GB", GB)
    if not no_sizes(seen, now):
        found.append(disk)
    if not any(disk.values.values()):
        found.append(Figure("replicas", planned_replicas(seen), True, whole))
    rates = {} if no_metrics(seen, now) else bytes_in(seen)
    floor = of.bytes_in_mb_per_second_min * MB
    telling = bool(rates) and sum(rates.values()) / len(rates) >= floor
    if telling:
        found.append(Figure("bytes in", rates, False, of.excess_share_min * floor, " MB/s", MB))
    every = scopes(seen.brokers or (), without=idle_brokers(seen))[-1]
    if not (telling and unevenness(rates, every).ratio <= of.clear_ratio):
        leads = Figure("leaders", planned_leaders(seen), True, whole)
        if not elected_would_do(leads, seen, every, of):
            found.append(leads)
    return found


def bytes_in(seen: Seen) -> Figures:
    """Of every broker, or nothing: a missing one is not zero."""
    known = {one.broker_id: one.bytes_in_per_second for one in seen.loads or ()}
    values = {one.broker_id: known.get(one.broker_id) for one in seen.brokers or ()}
    return {b: v for b, v in values.items() if v is not None} if None not in values.values() else {}


def elected_would_do(leads: Figure, seen: Seen, every: Scope, of: ImbalanceSettings) -> bool:
    """Led by their first replicas the brokers would be even: electing is cheaper than moving."""
    if leads.values == preferred_leaders(seen):
        return False
    return not worth(leads, unevenness(preferred_leaders(seen), every), of)


def worth(figure: Figure, one: Unevenness, of: ImbalanceSettings) -> bool:
    """Is there anything above the mean that could be moved? A smaller bar once it has triggered."""
    if one.ratio <= of.clear_ratio or len(one.scope.broker_ids) < 2:
        return False
    bar = figure.excess_min
    if one.ratio >= of.trigger_ratio:
        bar = max(bar, of.excess_share_min * one.mean)
    return excess(one, whole=figure.whole) >= bar


def values_after(figure: Figure, plan: Preview, seen: Seen) -> Figures:
    if figure.kind == "leaders":
        return plan.leaders_after()
    if figure.kind == "replicas":
        return plan.replicas_after()
    if figure.kind == "disk bytes":
        return plan.bytes_after()
    return traffic_after(figure.values, plan, seen)


def traffic_after(rates: Figures, plan: Preview, seen: Seen) -> Figures:
    """An estimate: each broker's traffic is shared among what it leads by size, and moves with it."""
    leaders = {(one.topic, one.partition): one.leader for one in seen.partitions or ()}
    led: Counter[int] = Counter()
    for one in plan.before.partitions:
        leader = leaders.get((one.topic, one.partition))
        if leader is not None:
            led[leader] += one.size_bytes + 1
    after: dict[int, float] = {}
    for one, replicas in zip(plan.before.partitions, plan.after, strict=True):
        leader = leaders.get((one.topic, one.partition))
        if leader is not None and replicas:
            share = rates.get(leader, 0.0) * (one.size_bytes + 1) / led[leader]
            after[replicas[0]] = after.get(replicas[0], 0.0) + share
    return after


def preview_lines(figure: Figure, one: Unevenness, plan: Preview, after: float) -> tuple[str, ...]:
    about = "about " if figure.kind == "bytes in" else ""
    return (
        f"{plan.words}",
        f"most {figure.kind} {figure.words(one.most)} → {about}{figure.words(after)} "
        f"(mean {figure.words(one.mean)})",
    )
