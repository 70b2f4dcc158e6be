"""What a plan does and how good its end state is, in the numbers people and policies ask for.

The surprising truth: a plan can look balanced by bytes and still put one busy topic on one broker.
So the ten largest topics are measured by themselves, replicas and leaders apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from changes.placement.bounds import lower_bound_bytes
from changes.placement.model import Placement, ReplicaLists
from changes.placement.targets import broker_targets, usable_capacities

LARGEST_TOPICS = 10


@dataclass(frozen=True, slots=True)
class TopicShares:
    """Worst broker's replicas (or leaders) of one topic over the topic's fair share per broker."""

    worst: float
    median: float  # the upper one of an even number


@dataclass(frozen=True, slots=True)
class Metrics:
    """One line of the benchmark's table, and what a card shows of a plan."""

    moved_bytes: int
    lower_bound_bytes: int
    replicas_moved: int
    partitions_touched: int
    leader_changes: int
    disk_max_over_mean: float  # by utilisation, so that unequal brokers compare
    disk_min_over_mean: float
    disk_max_over_target: float  # the same against what rack spread lets a broker reach
    leaders_max_over_mean: float
    leaders_min_over_mean: float
    replicas_max_over_mean: float
    top_replicas: TopicShares
    top_leaders: TopicShares
    in_bytes: dict[int, int]  # by broker id, new replicas it receives
    out_bytes: dict[int, int]  # by broker id, replicas it gives up
    rack_violations: int
    duplicates: int
    factor_changes: int

    @property
    def bytes_over_bound(self) -> float | None:
        """None where nothing has to move, so that no ratio exists."""
        return self.moved_bytes / self.lower_bound_bytes if self.lower_bound_bytes else None


def measure(before: Placement, after: ReplicaLists) -> Metrics:
    """The metrics of moving from `before` to the replica lists `after`, partition by partition."""
    pairs = list(zip(before.partitions, after, strict=True))
    ids = [b.broker_id for b in before.brokers]
    incoming, outgoing = _traffic(before, after)
    use: Counter[int] = Counter()
    leaders: Counter[int] = Counter()
    replicas: Counter[int] = Counter()
    for partition, new in pairs:
        leaders.update(new[:1])
        replicas.update(new)
        for broker in new:
            use[broker] += partition.size_bytes
    capacities = usable_capacities(before)
    filled = [use[b] / c for b, c in zip(ids, capacities, strict=True)]
    mean_filled = _ratio(sum(use[b] for b in ids), sum(capacities))
    sizes = [float(p.size_bytes) for p in before.partitions]
    targets = broker_targets(before, weights=sizes)
    top_replicas, top_leaders = _largest_topics(before, after)
    return Metrics(
        moved_bytes=sum(incoming.values()),
        lower_bound_bytes=lower_bound_bytes(before),
        replicas_moved=sum(len(set(new) - set(old.replicas)) for old, new in pairs),
        partitions_touched=sum(old.replicas != new for old, new in pairs),
        leader_changes=sum(old.replicas[:1] != new[:1] for old, new in pairs),
        disk_max_over_mean=_over(max(filled, default=0), mean_filled),
        disk_min_over_mean=_over(min(filled, default=0), mean_filled),
        disk_max_over_target=max(
            (_over(use[b], t) for b, t in zip(ids, targets, strict=True)), default=1.0
        ),
        leaders_max_over_mean=_over(*_max_and_mean(leaders, ids)),
        leaders_min_over_mean=_over(min((leaders[b] for b in ids), default=0), _mean(leaders, ids)),
        replicas_max_over_mean=_over(*_max_and_mean(replicas, ids)),
        top_replicas=top_replicas,
        top_leaders=top_leaders,
        in_bytes={b: incoming[b] for b in ids},
        out_bytes={b: outgoing[b] for b in ids},
        rack_violations=_rack_violations(before, after),
        duplicates=sum(len(set(new)) != len(new) for _, new in pairs),
        factor_changes=sum(len(old.replicas) != len(new) for old, new in pairs),
    )


def _traffic(before: Placement, after: ReplicaLists) -> tuple[Counter[int], Counter[int]]:
    incoming: Counter[int] = Counter()
    outgoing: Counter[int] = Counter()
    for partition, new in zip(before.partitions, after, strict=True):
        if partition.replicas == new:
            continue
        for broker in set(new) - set(partition.replicas):
            incoming[broker] += partition.size_bytes
        for broker in set(partition.replicas) - set(new):
            outgoing[broker] += partition.size_bytes
    return incoming, outgoing


def _largest_topics(before: Placement, after: ReplicaLists) -> tuple[TopicShares, TopicShares]:
    sizes: Counter[str] = Counter()
    replicas: dict[str, Counter[int]] = {}
    leaders: dict[str, Counter[int]] = {}
    for partition, new in zip(before.partitions, after, strict=True):
        sizes[partition.topic] += partition.size_bytes * len(new)
        replicas.setdefault(partition.topic, Counter()).update(new)
        leaders.setdefault(partition.topic, Counter()).update(new[:1])
    largest = [topic for topic, _ in sizes.most_common(LARGEST_TOPICS)]
    brokers = len(before.brokers)
    return (
        _shares([replicas[topic] for topic in largest], brokers),
        _shares([leaders[topic] for topic in largest], brokers),
    )


def _shares(counts: Sequence[Counter[int]], brokers: int) -> TopicShares:
    shares = sorted(max(c.values()) * brokers / sum(c.values()) for c in counts if c)
    if not shares:
        return TopicShares(worst=1.0, median=1.0)
    return TopicShares(worst=shares[-1], median=shares[len(shares) // 2])


def _rack_violations(before: Placement, after: ReplicaLists) -> int:
    rack_of = {b.broker_id: b.rack for b in before.brokers}
    racks = len(set(rack_of.values()))
    return sum(
        len({rack_of[b] for b in new if b in rack_of}) < min(len(set(new)), racks) for new in after
    )


def _max_and_mean(counts: Counter[int], ids: Sequence[int]) -> tuple[float, float]:
    return max((counts[b] for b in ids), default=0), _mean(counts, ids)


def _mean(counts: Counter[int], ids: Sequence[int]) -> float:
    return _ratio(sum(counts[b] for b in ids), len(ids))


def _over(value: float, mean: float) -> float:
    """Nothing anywhere is perfect balance, not a division by zero."""
    return value / mean if mean else 1.0


def _ratio(value: float, by: float) -> float:
    return value / by if by else 0.0
