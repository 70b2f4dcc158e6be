"""The figures balance is judged by, and what each would be after a plan.

The surprising truth: bytes decide and counts explain. Thirty small leaders on one broker and six large
ones on another may be perfectly fair, so a count is judged only where its bytes are not known or are
uneven too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from watch.broker_figures import sizes
from watch.plan_preview import Preview
from watch.readable import no_metrics, no_sizes
from watch.seen import Seen
from watch.spread_figures import (
    Figures,
    Scope,
    Unevenness,
    excess,
    planned_leaders,
    planned_replicas,
    preferred_leaders,
    unevenness,
)

GB = 1e9
MB = 1e6


class Bars(NamedTuple):
    """What must stand above the mean to be worth a move."""

    trigger_ratio: float
    clear_ratio: float
    count_min: int
    share_min: float
    disk_bytes_min: float
    bytes_in_per_second_min: float
    """Mean traffic per broker below which bytes say nothing."""


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


def figures(seen: Seen, now: datetime, every: Scope, bars: Bars) -> tuple[tuple[Figure, ...], str]:
    """What can be judged, bytes first, and the words why some cannot."""
    blind = no_sizes(seen, now) or no_metrics(seen, now)
    found = []
    disk = Figure("disk bytes", sizes(seen), False, bars.disk_bytes_min, " GB", GB)
    if not no_sizes(seen, now):
        found.append(disk)
    if not any(disk.values.values()):
        found.append(Figure("replicas", planned_replicas(seen), True, bars.count_min))
    rates = {} if no_metrics(seen, now) else bytes_in(seen)
    if not rates:
        blind = blind or "CloudWatch has no traffic figure of some brokers"
    telling = bool(rates) and sum(rates.values()) / len(rates) >= bars.bytes_in_per_second_min
    if telling:
        least = bars.share_min * bars.bytes_in_per_second_min
        found.append(Figure("bytes in", rates, False, least, " MB/s", MB))
    if not (telling and unevenness(rates, every).ratio <= bars.clear_ratio):
        leads = Figure("leaders", planned_leaders(seen), True, bars.count_min)
        if not elected_would_do(leads, seen, every, bars):
            found.append(leads)
    return tuple(found), blind


def bytes_in(seen: Seen) -> Figures:
    """Of every broker, or nothing: a missing one is not zero."""
    known = {one.broker_id: one.bytes_in_per_second for one in seen.loads or ()}
    values = {one.broker_id: known.get(one.broker_id) for one in seen.brokers or ()}
    found = {broker: value for broker, value in values.items() if value is not None}
    return found if len(found) == len(values) else {}


def elected_would_do(leads: Figure, seen: Seen, every: Scope, bars: Bars) -> bool:
    """Led by their first replicas the brokers would be even: electing is cheaper than moving."""
    if leads.values == preferred_leaders(seen):
        return False
    return not worth(leads, unevenness(preferred_leaders(seen), every), bars)


def worth(figure: Figure, one: Unevenness, bars: Bars) -> bool:
    """Is there anything above the mean that could be moved? A smaller bar once it has triggered."""
    if one.ratio <= bars.clear_ratio or len(one.scope.broker_ids) < 2:
        return False
    bar = figure.excess_min
    if one.ratio >= bars.trigger_ratio:
        bar = max(bar, bars.share_min * one.mean)
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
    weights = led_weights(plan, leaders)
    after: dict[int, float] = {}
    for one, replicas in zip(plan.before.partitions, plan.after, strict=True):
        leader = leaders.get((one.topic, one.partition))
        if leader is not None and replicas:
            share = rates.get(leader, 0.0) * (one.size_bytes + 1) / weights[leader]
            after[replicas[0]] = after.get(replicas[0], 0.0) + share
    return after


def led_weights(plan: Preview, leaders: Mapping[tuple[str, int], int | None]) -> Mapping[int, int]:
    """Bytes each broker leads; one more a partition, so that empty ones share alike."""
    led: Counter[int] = Counter()
    for one in plan.before.partitions:
        leader = leaders.get((one.topic, one.partition))
        if leader is not None:
            led[leader] += one.size_bytes + 1
    return led


def preview_lines(figure: Figure, one: Unevenness, plan: Preview, after: float) -> tuple[str, ...]:
    about = "about " if figure.kind == "bytes in" else ""
    return (
        plan.words,
        f"most {figure.kind} {figure.words(one.most)} → {about}{figure.words(after)} "
        f"(mean {figure.words(one.mean)})",
    )
