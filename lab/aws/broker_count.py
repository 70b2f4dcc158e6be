"""MSK's rules for a change of the broker count; arithmetic, no client, no clock.

The texts are the lab's own where AWS's are unknown; all are BadRequestException, as on AWS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from lab.aws.refusals import Refused, bad_request

QUOTA_KRAFT = 60
QUOTA_ZOOKEEPER = 30
REMOVAL_CLASSES = ("kafka.m5.", "kafka.m7g.")
_PARAMETER = "targetNumberOfBrokerNodes"


def quota(kafka_version: str) -> int:
    """Brokers a cluster may have by default."""
    return QUOTA_KRAFT if kafka_version.endswith(".kraft") else QUOTA_ZOOKEEPER


def refuse_count(*, target: int, current: int, zones: int, kafka_version: str) -> Refused | None:
    """Why this count cannot be, or None."""
    most = quota(kafka_version)
    if target == current:
        return _refused(f"The cluster already has {current} broker nodes; the target is the same.")
    if target % zones:
        return _refused(
            f"The number of broker nodes must be a multiple of the number of Availability Zones "
            f"({zones}); {target} is not."
        )
    if target > most:
        return _refused(
            f"The number of broker nodes, {target}, exceeds the quota of {most} brokers per cluster."
        )
    return None


def refuse_removal(*, target: int, current: int, zones: int, instance_type: str) -> Refused | None:
    """Why this many brokers cannot leave in one operation, or None."""
    if not instance_type.startswith(REMOVAL_CLASSES):
        return _refused(
            f"Brokers can be removed from kafka.m5 and kafka.m7g clusters only, not {instance_type}."
        )
    if current - target != zones:
        return _refused(
            f"One operation removes one broker per Availability Zone: from {current} brokers the "
            f"next lower count is {current - zones}, not {target}."
        )
    return None


def zones_to_grow(*, present: Iterable[str], zones: Sequence[str], added: int) -> tuple[str, ...]:
    """Where each new broker goes: always to the zone that has the fewest, in the zones' order."""
    counts = Counter(present)
    chosen = []
    for _ in range(added):
        zone = min(zones, key=lambda name: (counts[name], zones.index(name)))
        counts[zone] += 1
        chosen.append(zone)
    return tuple(chosen)


def brokers_to_remove(
    *, empty: Iterable[tuple[int, str]], zones: Sequence[str]
) -> tuple[int, ...] | Refused:
    """One empty broker of each zone, or the refusal that names the zones without one."""
    by_zone: dict[str, int] = {}
    for broker_id, zone in empty:
        by_zone[zone] = max(broker_id, by_zone.get(zone, broker_id))
    missing = [zone for zone in zones if zone not in by_zone]
    if missing:
        return _refused(
            "Every Availability Zone needs one broker without user partitions to remove; there is "
            f"none in {', '.join(missing)}."
        )
    return tuple(by_zone[zone] for zone in zones)


def _refused(message: str) -> Refused:
    return bad_request(message, parameter=_PARAMETER)
