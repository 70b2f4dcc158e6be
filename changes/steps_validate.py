"""Shared step: after the work, is the cluster as it should be?

It only looks. What is not right yet holds the request with a sentence, because most of it (ISR,
CPU, a first datapoint) mends itself in minutes; what stays wrong past `patience_minutes` is said in
the outcome instead of waiting for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from changes.facts import Broker, BrokerLoad, Partition
from changes.gates import load_gate, partition_gate
from changes.ports import World
from changes.steps import Acted, Broken, Finished, Look, Step, Underway
from changes.steps_throttles import bound_ids


class Validate(Step):
    brokers: int
    """How many brokers there must be; provisional ids are bound by then."""
    new_brokers: tuple[int, ...] = ()
    cpu_percent_max: float
    disk_used_percent_max: float
    share_min: float = 0.5
    """Least share of the mean bytes a new broker must carry to count as used."""
    patience_minutes: float = 15.0
    aws_moves: bool = False
    """Express: AWS moves the data and manages storage; CloudWatch has no figure of how full it is."""

    def title(self) -> str:
        return "Validate every broker"

    async def look(self, world: World) -> Look:
        brokers = await world.kafka.brokers()
        partitions = await world.kafka.partitions()
        loads = await world.metrics.loads(broker_ids=[b.broker_id for b in brokers])
        sizes = await world.kafka.replica_sizes()
        share = self._share(world, sizes, brokers)
        health = partition_gate(partitions, moving=())
        open_points = [
            point
            for point in (
                self._count(brokers),
                health,
                share,
                load_gate(
                    loads,
                    cpu_percent_max=self.cpu_percent_max,
                    disk_used_percent_max=self.disk_used_percent_max,
                ),
                unseen(loads, disks=not self.aws_moves),
            )
            if point
        ]
        if not open_points:
            return Finished(note=self._all_well(partitions, loads))
        if self._patience_ended(world):
            return Finished(note=f"look at this: {'; '.join(open_points)}")
        # While AWS moves the data, new brokers are not full yet and copies are being added: no surprise.
        usual = {share, health} if self.aws_moves and not leaderless(partitions) else set[str]()
        surprises = [point for point in open_points if point not in usual]
        if surprises:
            return Underway(hold=surprises[0])
        return Underway(note=f"AWS moves the data: {open_points[0]}")

    async def act(self, world: World) -> Acted:
        del world
        return Broken(words="validation only looks; it has nothing to act on")

    def _count(self, brokers: Sequence[Broker]) -> str:
        if len(brokers) == self.brokers:
            return ""
        return f"Kafka knows {len(brokers)} brokers, {self.brokers} are expected"

    def _share(
        self,
        world: World,
        sizes: Mapping[tuple[int, str, int], int],
        brokers: Sequence[Broker],
    ) -> str:
        """Do the new brokers carry their share of the bytes?"""
        used: dict[int, int] = {b.broker_id: 0 for b in brokers}
        for (broker_id, _, _), size in sizes.items():
            used[broker_id] = used.get(broker_id, 0) + size
        mean = sum(used.values()) / max(1, len(used))
        ids = bound_ids(world.memory)
        for provisional in self.new_brokers:
            broker_id = ids.get(provisional, provisional)
            if used.get(broker_id, 0) < mean * self.share_min:
                share = 100 * used.get(broker_id, 0) / mean
                return f"new broker {broker_id} carries only {share:.0f} % of the mean"
        return ""

    def _patience_ended(self, world: World) -> bool:
        if world.since is None:
            return False
        return world.now - world.since > timedelta(minutes=self.patience_minutes)

    def _all_well(self, partitions: Sequence[Partition], loads: Sequence[BrokerLoad]) -> str:
        return (
            f"under-replicated 0, offline 0 of {len(partitions)} partitions; "
            f"{loads_in_words(loads)}"
        )


def leaderless(partitions: Sequence[Partition]) -> bool:
    return any(p.leader is None or p.leader < 0 for p in partitions)


def unseen(loads: Sequence[BrokerLoad], *, disks: bool = True) -> str:
    """Missing is never zero: name the brokers CloudWatch has no figures of yet."""
    blind = [
        str(load.broker_id)
        for load in loads
        if None in (load.cpu_percent, load.bytes_in_per_second)
        or (disks and load.disk_used_percent is None)
    ]
    return f"CloudWatch has no figures yet of broker {', '.join(blind)}" if blind else ""


def loads_in_words(loads: Sequence[BrokerLoad]) -> str:
    """One line for a phone: CPU and disk as ranges over brokers, traffic as sum."""
    parts = [f"{len(loads)} brokers"]
    cpu = [load.cpu_percent for load in loads if load.cpu_percent is not None]
    disk = [load.disk_used_percent for load in loads if load.disk_used_percent is not None]
    into = [load.bytes_in_per_second for load in loads if load.bytes_in_per_second is not None]
    if cpu:
        parts.append(f"CPU {min(cpu):.0f}–{max(cpu):.0f} %")
    if disk:
        parts.append(f"disk {min(disk):.0f}–{max(disk):.0f} %")
    if into:
        parts.append(f"in {rate_in_words(sum(into))}")
    return " · ".join(parts)


def rate_in_words(bytes_per_second: float) -> str:
    if bytes_per_second < 1e5:
        return f"{bytes_per_second / 1e3:.1f} kB/s"
    return f"{bytes_per_second / 1e6:.1f} MB/s"
