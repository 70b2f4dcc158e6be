"""Asks the planner what it would make of the cluster as it stands, before anybody is told to act.

The surprising truth: most uneven clusters cannot be made more even (one partition holds half of the
bytes, one topic has three partitions). An alert that nobody can act on is noise, so the planner is
asked first. It costs seconds on a large cluster (5 s for 20,000 partitions badly skewed): only a cheap
test that holds may ask, and the last four answers are kept. One holds as long as no replica moved and
no broker's bytes changed by more than 5 % of the mean, so that growing data does not plan for ever.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from changes.facts import ClusterFacts
from changes.placement.bounds import broker_use_bytes
from changes.placement.measure import Metrics, measure
from changes.placement.model import Placement
from changes.placement.spread import spread
from changes.replica_plan import placement_of
from watch.seen import Seen

KEPT_MAX = 4
ALIKE_SHARE = 0.05
GB = 1e9


@dataclass(frozen=True)
class Preview:
    """The placement as it is and as the planner would leave it."""

    before: Placement
    after: tuple[tuple[int, ...], ...]
    metrics: Metrics

    def leaders_after(self) -> Mapping[int, int]:
        return Counter(replicas[0] for replicas in self.after if replicas)

    def replicas_after(self) -> Mapping[int, int]:
        return Counter(broker for replicas in self.after for broker in replicas)

    def bytes_after(self) -> Mapping[int, int]:
        found: Counter[int] = Counter()
        for partition, replicas in zip(self.before.partitions, self.after, strict=True):
            for broker in replicas:
                found[broker] += partition.size_bytes
        return found

    @property
    def words(self) -> str:
        """`a plan moves 12.3 GB in 40 replicas and changes 25 preferred leaders`."""
        made = self.metrics
        least = ""
        if made.moved_bytes >= made.lower_bound_bytes > 0:
            least = f" (no plan can move less than {made.lower_bound_bytes / GB:,.1f} GB)"
        return (
            f"a plan moves {made.moved_bytes / GB:,.1f} GB in {made.replicas_moved:,} replicas "
            f"and changes {made.leader_changes:,} preferred leaders{least}"
        )


_kept: OrderedDict[int, Preview] = OrderedDict()
_one_at_a_time = Lock()
"""Clusters are judged in threads of their own."""


def preview(seen: Seen, *, partitions_max: int) -> Preview | str:
    """The planner's answer, or the words why it cannot be asked."""
    facts = facts_of(seen)
    if isinstance(facts, str):
        return facts
    if len(facts.partitions) > partitions_max:
        return f"{len(facts.partitions):,} partitions are more than the {partitions_max:,} planned here"
    before = placement_of(facts, {})
    key = hash((before.brokers, tuple(p.replicas for p in before.partitions)))
    with _one_at_a_time:
        if key not in _kept or not alike(_kept[key].before, before):
            after = spread(before)
            _kept[key] = Preview(before=before, after=after, metrics=measure(before, after))
            while len(_kept) > KEPT_MAX:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key]


def alike(one: Placement, other: Placement) -> bool:
    """Does every broker still hold about the bytes it held, partition for partition the same?"""
    names = [(p.topic, p.partition) for p in one.partitions]
    if names != [(p.topic, p.partition) for p in other.partitions]:
        return False
    before, now = broker_use_bytes(one), broker_use_bytes(other)
    bar = ALIKE_SHARE * sum(before) / max(1, len(before))
    return all(abs(a - b) <= bar for a, b in zip(before, now, strict=True))


def facts_of(seen: Seen) -> ClusterFacts | str:
    """What a planner needs, out of what was seen; or what is missing."""
    if seen.msk is None:
        return "MSK does not answer, and without the size of its disks nothing can be planned"
    if seen.brokers is None or seen.partitions is None:
        return "Kafka's placement could not be read"
    return ClusterFacts(
        taken_at=seen.at,
        cluster=seen.cluster,
        msk=seen.msk,
        nodes=(),
        brokers=seen.brokers,
        partitions=seen.partitions,
    )
