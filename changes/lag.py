"""What one scan knows of consumer groups: offsets as Kafka told them, and what it would not tell.

Plain tuples and dataclasses, since a scan may hold half a million entries. The surprising truth: what
could not be read is part of the scan. A group or partition with an error has no offset here, and
nobody may take that for zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

TopicPartition = tuple[str, int]
NO_OFFSET = -1
"""Kafka's own word for "this group never committed here"."""
REBALANCING = frozenset({"PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling"})
"""Kafka's words for a group whose members change just now, classic and KIP-848."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a group as its coordinator names it."""

    member_id: str
    client_id: str
    host: str
    owns: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True)
class GroupRead:
    """One group in one scan; `committed` holds `NO_OFFSET` where it never committed."""

    state: str
    """Kafka's word: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance, Assigning, …"""
    kind: str
    """`classic` or `consumer` (KIP-848); share groups are left out of lag."""
    coordinator: int
    committed: Mapping[TopicPartition, int]
    error: str = ""
    """Why the whole group could not be read, in words; empty = it was."""
    errors: Mapping[TopicPartition, str] = field(default_factory=dict)
    """Partitions of this group that could not be read, in words."""


@dataclass(frozen=True, slots=True)
class LagScan:
    """All groups of one cluster at one moment; commits were read before ends, so lag is never
    negative and at worst overstated by the time between the two waves."""

    at: datetime
    groups: Mapping[str, GroupRead]
    ends: Mapping[TopicPartition, int]
    """High watermarks of every partition that any group committed on."""
    end_errors: Mapping[TopicPartition, str] = field(default_factory=dict)
    starts: Mapping[TopicPartition, int] = field(default_factory=dict)
    """Log starts, as of the last time they were read (every 10th scan)."""
    blind_brokers: Mapping[int, str] = field(default_factory=dict)
    """Brokers that did not answer, with the reason; their groups and ends are missing here."""
    missing_groups: frozenset[str] = frozenset()
    """Groups known from earlier scans whose coordinator did not answer: NO_DATA, not gone."""
    requests: int = 0


class Offsets(Protocol):
    """The port: what may be asked of consumer groups. Reads only."""

    async def scan(self) -> LagScan: ...

    async def members(self, *, groups: Sequence[str]) -> Mapping[str, tuple[Member, ...] | str]:
        """Members of each group, or the words why they cannot be told."""
        ...

    async def offsets_at(
        self, *, moment: datetime, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """The first offset at or after a moment, `NO_OFFSET` when no record is that young; what
        could not be read is missing (ListOffsets by timestamp)."""
        ...

    async def committed_ends(
        self, *, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Last stable offsets (READ_COMMITTED ends): below the end while a transaction is open."""
        ...
