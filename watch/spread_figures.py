"""How unevenly a figure lies over brokers, and whether that is worth anybody's time.

The surprising truth: a ratio alone lies. Seven leaders on one broker and six on another are as good
as whole numbers allow, and three brokers that just joined make any cluster look terrible. So a figure
is judged among the brokers that carry something, by what stands above the mean rounded up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

from changes.facts import CANARY_TOPICS, Broker
from watch.seen import Seen

Figures = Mapping[int, float]
"""By broker id."""


class Scope(NamedTuple):
    """Brokers that are compared with each other: those of one zone, or all."""

    words: str
    broker_ids: tuple[int, ...]


class Unevenness(NamedTuple):
    """One figure within one scope."""

    scope: Scope
    worst: int
    """The broker that carries most."""
    most: float
    mean: float

    @property
    def ratio(self) -> float:
        return self.most / self.mean if self.mean else 1.0


def planned_leaders(seen: Seen) -> Figures:
    """Partitions each broker leads now, MSK's canaries left out."""
    return Counter(
        one.leader
        for one in seen.partitions or ()
        if one.topic not in CANARY_TOPICS and one.leader is not None and one.leader >= 0
    )


def planned_replicas(seen: Seen) -> Figures:
    return Counter(
        broker
        for one in seen.partitions or ()
        if one.topic not in CANARY_TOPICS
        for broker in one.replicas
    )


def preferred_leaders(seen: Seen) -> Figures:
    """Partitions each broker would lead if every partition were led by its first replica."""
    return Counter(
        one.replicas[0]
        for one in seen.partitions or ()
        if one.topic not in CANARY_TOPICS and one.replicas
    )


def idle_brokers(seen: Seen) -> tuple[int, ...]:
    """Brokers that hold nothing but MSK's canaries."""
    held = planned_replicas(seen)
    return tuple(sorted(b.broker_id for b in seen.brokers or () if not held.get(b.broker_id)))


def scopes(brokers: Sequence[Broker], *, without: Sequence[int] = ()) -> tuple[Scope, ...]:
    """Each zone with two brokers or more, then all of them: nearer remedies first."""
    used = [one for one in brokers if one.broker_id not in without]
    racks = sorted({one.rack for one in used if one.rack})
    zones = [
        Scope(f"in {rack}", tuple(sorted(b.broker_id for b in used if b.rack == rack)))
        for rack in racks
    ]
    every = Scope("", tuple(sorted(b.broker_id for b in used)))
    several = [one for one in zones if len(one.broker_ids) >= 2] if len(racks) > 1 else []
    return (*several, every)


def unevenness(figures: Figures, scope: Scope) -> Unevenness:
    values = {broker: float(figures.get(broker, 0)) for broker in scope.broker_ids}
    worst = max(values, key=lambda broker: (values[broker], -broker))
    return Unevenness(scope, worst, values[worst], sum(values.values()) / len(values))


def excess(one: Unevenness, *, whole: bool) -> float:
    """What stands above the mean; of things that come in whole numbers, above the mean rounded up."""
    return one.most - (ceil(round(one.mean, 6)) if whole else one.mean)


def most_within(figures: Figures, scope: Scope) -> float:
    return max((figures.get(broker, 0) for broker in scope.broker_ids), default=0.0)
