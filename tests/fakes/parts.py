"""What a fake cluster is made of: brokers, partitions, running moves, MSK operations. All mutable."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from changes.facts import MskOperation


@dataclass
class FakeBroker:
    broker_id: int
    rack: str
    alive: bool = True
    disk_fails: bool = False
    """It takes part and answers, and no copy to it gets further."""

    @property
    def copies(self) -> bool:
        return self.alive and not self.disk_fails


@dataclass
class FakeMove:
    """A reassignment under way; `copied` holds bytes so far per broker that is being added."""

    original: tuple[int, ...]
    target: tuple[int, ...]
    copied: dict[int, float] = field(default_factory=dict)

    @property
    def adding(self) -> tuple[int, ...]:
        return tuple(b for b in self.target if b not in self.original)

    @property
    def removing(self) -> tuple[int, ...]:
        return tuple(b for b in self.original if b not in self.target)


@dataclass
class FakePartition:
    topic: str
    partition: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    leader: int | None
    size_bytes: int
    move: FakeMove | None = None

    @property
    def key(self) -> tuple[str, int]:
        return (self.topic, self.partition)

    def bytes_on(self, broker_id: int) -> int:
        """A broker being added holds what was copied so far; every other replica holds it all."""
        if self.move and broker_id in self.move.adding and broker_id not in self.isr:
            return int(self.move.copied.get(broker_id, 0))
        return self.size_bytes


@dataclass
class FakeOperation:
    arn: str
    created_at: datetime
    target_broker_count: int
    created_broker_ids: tuple[int, ...]
    state: str = "PENDING"
    error: str = ""

    def as_fact(self) -> MskOperation:
        return MskOperation(
            arn=self.arn,
            kind="INCREASE_BROKER_COUNT",
            state=self.state,
            created_at=self.created_at,
            error=self.error,
            target_broker_count=self.target_broker_count,
            created_broker_ids=self.created_broker_ids,
        )
