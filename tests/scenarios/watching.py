"""A second pair of eyes on Kafka: another client than ours polls leaders and running reassignments.

What a test asks at one moment proves nothing about the moments between; so a thread of its own looks
again and again, and keeps every partition it ever saw without a leader.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

with warnings.catch_warnings():
    # It reads its own schemas with a function of the standard library that is to go.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.admin import KafkaAdminClient

POLL_SECONDS = 0.25
NOBODY = -1
Partition = tuple[str, int]


class Poll(NamedTuple):
    """What one look at the cluster showed."""

    at: float
    leaderless: tuple[Partition, ...]
    moving: frozenset[Partition]


class Watch:
    """Every poll since the watch began."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="witness", daemon=True)
        self.polls: list[Poll] = []
        self.trouble: list[BaseException] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)

    def since(self, moment: float) -> list[Poll]:
        """Polls that began after a moment of the monotonic clock."""
        return [poll for poll in self.polls if poll.at >= moment]

    def moving(self, *, newer_than: float) -> frozenset[Partition] | None:
        """What moves by the newest poll; None = there is none as new as that yet."""
        found = self.since(newer_than)
        return found[-1].moving if found else None

    def _watch(self) -> None:
        client = KafkaAdminClient(bootstrap_servers=self._bootstrap)
        try:
            while not self._stop.is_set():
                self.polls.append(look(client))
                self._stop.wait(POLL_SECONDS)
        except (
            BaseException
        ) as trouble:  # a witness that fell asleep must not pass for a quiet night
            self.trouble.append(trouble)
        finally:
            client.close()


def look(client: Any) -> Poll:
    at = time.monotonic()
    moving = frozenset((p.topic, p.partition) for p in client.list_partition_reassignments())
    leaderless = tuple(
        (topic["name"], p["partition_index"])
        for topic in client.describe_topics()
        for p in topic["partitions"]
        if p["leader_id"] == NOBODY
    )
    return Poll(at, leaderless, moving)


@contextmanager
def watched(bootstrap: str) -> Iterator[Watch]:
    watch = Watch(bootstrap)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def replicas(client: Any) -> dict[Partition, tuple[int, ...]]:
    """Every partition's replica list, preferred leader first."""
    return {
        (topic["name"], p["partition_index"]): tuple(p["replica_nodes"])
        for topic in client.describe_topics()
        for p in topic["partitions"]
    }


def admin(bootstrap: str) -> Any:
    return KafkaAdminClient(bootstrap_servers=bootstrap)
