"""What one round says of each broker, by name: the figures that are kept and compared.

The surprising truth: each figure has its own age. CloudWatch's are a minute old or two, sizes up to
five; a figure that was carried over keeps the moment it was read at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from changes.facts import BrokerLoad
from watch.seen import Seen

DISK = "disk_used_percent"
CPU = "cpu_percent"
BYTES_IN = "bytes_in_per_second"
BYTES_OUT = "bytes_out_per_second"
LEADERS = "leaders"
REPLICAS = "replicas"
SIZE = "size_bytes"
FILLING = "filling_replicas"
"""Replicas on their way to a broker that are not in sync yet."""
LOADS = (DISK, CPU, BYTES_IN, BYTES_OUT)


def figures_of(seen: Seen) -> Iterator[tuple[str, int, datetime, float]]:
    """(name, broker, moment it was read at, value); what is missing does not come."""
    for load in seen.loads or ():
        yield from _of_load(load, seen.loads_at or seen.at)
    if seen.partitions is None or seen.brokers is None:
        return
    by_name: list[tuple[str, Mapping[int, int], datetime]] = [
        (LEADERS, leaders(seen), seen.at),
        (REPLICAS, replicas(seen), seen.at),
    ]
    if seen.reassignments is not None:
        by_name.append((FILLING, filling(seen), seen.at))
    if seen.sizes_at is not None:
        by_name.append((SIZE, sizes(seen), seen.sizes_at))
    for name, values, at in by_name:
        for broker in seen.brokers:
            yield name, broker.broker_id, at, float(values.get(broker.broker_id, 0))


def _of_load(load: BrokerLoad, at: datetime) -> Iterator[tuple[str, int, datetime, float]]:
    for name in LOADS:
        value = getattr(load, name)
        if value is not None:
            yield name, load.broker_id, at, value


def leaders(seen: Seen) -> Mapping[int, int]:
    """Partitions each broker leads now."""
    return Counter(
        one.leader for one in seen.partitions or () if one.leader is not None and one.leader >= 0
    )


def replicas(seen: Seen) -> Mapping[int, int]:
    """Leaders and followers together, MSK's canaries included, as MSK's own limit counts them."""
    return Counter(broker for one in seen.partitions or () for broker in one.replicas)


def sizes(seen: Seen) -> Mapping[int, int]:
    """Bytes of all replicas on each broker."""
    found: Counter[int] = Counter()
    for one in seen.partitions or ():
        for broker in one.replicas:
            found[broker] += one.size_bytes
    return found


def filling(seen: Seen) -> Mapping[int, int]:
    """Replicas that running reassignments bring to each broker and that are not in sync yet."""
    in_sync = {(one.topic, one.partition): one.isr for one in seen.partitions or ()}
    return Counter(
        broker
        for move in seen.reassignments or ()
        for broker in move.adding
        if broker not in in_sync.get((move.topic, move.partition), ())
    )
