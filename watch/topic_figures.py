"""Partitions in trouble, gathered by topic, with a limit on how many topics are told one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from changes.facts import Partition

TOPICS_MAX = 50
"""Told one by one, in the order of their names; a cluster on fire has thousands."""
NAMED_MAX = 5
OTHERS = "other topics"


def by_topic(partitions: Iterable[Partition]) -> Mapping[str, tuple[Partition, ...]]:
    """Subject → its partitions: `topic orders`, and `other topics` beyond the limit."""
    found: dict[str, list[Partition]] = {}
    for one in partitions:
        found.setdefault(one.topic, []).append(one)
    names = sorted(found)
    grouped = {f"topic {name}": tuple(found[name]) for name in names[:TOPICS_MAX]}
    rest = tuple(one for name in names[TOPICS_MAX:] for one in found[name])
    if rest:
        # The same name however many they are: else each change of their number were another alert.
        grouped[OTHERS] = rest
    return grouped


def named(partitions: Iterable[Partition]) -> str:
    """`orders-3, orders-7 and 12 more`."""
    keys = [one.key for one in partitions]
    more = f" and {len(keys) - NAMED_MAX} more" if len(keys) > NAMED_MAX else ""
    return ", ".join(keys[:NAMED_MAX]) + more


def are(count: int, what: str = "partition") -> str:
    """`1 partition is`, `12 partitions are`."""
    return f"1 {what} is" if count == 1 else f"{count:,} {what}s are"
