"""The planner's working table: which broker position holds what, while replicas are being moved.

The surprising truth: a partition that lists an unknown broker, or one broker twice, is frozen. No
arithmetic can tell what such a list ought to be, so it is handed back as it came; the judge refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from changes.placement.model import Placement


@dataclass(slots=True)
class Allowance:
    """How much weight may still move; rounding up on many small brokers would add up without it."""

    left: float

    def spend(self, weight: float) -> None:
        self.left -= weight


class Board:
    """Mutable on purpose and private to the planners; brokers are positions, not ids."""

    __slots__ = (
        "brokers",
        "ids",
        "leads",
        "movable",
        "original",
        "rack",
        "racks",
        "replicas",
        "sizes",
        "topics",
    )

    def __init__(self, placement: Placement) -> None:
        position = {b.broker_id: i for i, b in enumerate(placement.brokers)}
        rack_ids: dict[str, int] = {}
        self.ids = [b.broker_id for b in placement.brokers]
        self.brokers = len(self.ids)
        self.rack = [rack_ids.setdefault(b.rack, len(rack_ids)) for b in placement.brokers]
        self.racks = len(rack_ids)
        self.sizes = [p.size_bytes for p in placement.partitions]
        self.topics: dict[str, list[int]] = {}
        self.replicas: list[list[int]] = []
        self.movable: list[bool] = []
        self.leads = [0] * self.brokers
        for index, partition in enumerate(placement.partitions):
            found = [position[b] for b in partition.replicas if b in position]
            whole = len(found) == len(set(found)) == len(partition.replicas) > 0
            self.movable.append(whole)
            self.replicas.append(found)
            self.topics.setdefault(partition.topic, []).append(index)
            if partition.replicas and partition.replicas[0] in position:
                self.leads[found[0]] += 1
        self.original = [list(r) for r in self.replicas]

    def excess(self, *, weights: Sequence[float], targets: Sequence[float]) -> list[float]:
        """What every broker holds beyond its target, by these weights; below zero: what it lacks."""
        excess = [-target for target in targets]
        for replicas, weight in zip(self.replicas, weights, strict=True):
            for broker in replicas:
                excess[broker] += weight
        return excess

    def touched(self, partition: int) -> bool:
        return self.replicas[partition] != self.original[partition]

    def put_leader(self, partition: int, broker: int) -> None:
        """Reorder so that `broker` leads; the others keep their order."""
        replicas = self.replicas[partition]
        self.leads[replicas[0]] -= 1
        self.leads[broker] += 1
        replicas.remove(broker)
        replicas.insert(0, broker)

    def swap_in(self, partition: int, giver: int, taker: int) -> None:
        """`taker` gets the giver's place in the list, and with it the leadership if it had that."""
        replicas = self.replicas[partition]
        place = replicas.index(giver)
        replicas[place] = taker
        if place == 0:
            self.leads[giver] -= 1
            self.leads[taker] += 1

    def keeps_spread(self, partition: int, giver: int, taker: int) -> bool:
        """Whether the move leaves the partition on as many racks as it has now."""
        rack = self.rack
        replicas = self.replicas[partition]
        if taker in replicas:
            return False
        if rack[giver] == rack[taker]:
            return True
        others = [rack[b] for b in replicas if b != giver]
        return rack[giver] in others or rack[taker] not in others
