"""Which replicas are throttled while they move."""

from __future__ import annotations

import pytest

from changes.facts import Partition, ReplicaLists
from changes.moves import ReplicaMove
from changes.throttling import wanted_lists

MOVE = ReplicaMove(topic="orders", partition=0, before=(1, 0), after=(1, 2), size_bytes=10)


@pytest.mark.parametrize(("leader", "source"), [(0, 0), (1, 1), (None, 1)])
def test_the_source_is_whoever_leads_broker_0_too(leader: int | None, source: int) -> None:
    partition = Partition(topic="orders", partition=0, replicas=(1, 0), isr=(1, 0), leader=leader)
    wanted = wanted_lists([MOVE], {"orders-0": partition})
    assert wanted == {"orders": ReplicaLists(leader=(f"0:{source}",), follower=("0:2",))}
