"""Throttles that an ended change left on a cluster, and exactly those.

A change ends only when its throttles are gone, so there should be none. The surprising truth: an effect
that a slow or cut-off worker had sent already may arrive after another one has finished the work, and
no lease calls it back. So what is left is recognised by what Ottla remembers: which replicas it
listed, which rate it set, and what was set before. Whatever differs from that is somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping

from changes.facts import BrokerRates, ReplicaLists, Throttles
from changes.request import Request
from changes.steps_throttles import ReplicaStep, bound_ids
from changes.tagged import Value
from changes.throttling import BEFORE, leftover_lists, rates_to_restore, remembered


class Leftovers(Value):
    """What is to be taken off topics, and what brokers' rates are to be set back to."""

    lists: Mapping[str, ReplicaLists] = {}
    rates: Mapping[int, BrokerRates] = {}

    @property
    def words(self) -> str:
        """Such as `throttled replicas of topic clicks and the rate of broker 4, 5`; empty = nothing."""
        parts = []
        if self.lists:
            parts.append(f"throttled replicas of topic {', '.join(sorted(self.lists))}")
        if self.rates:
            parts.append(f"the rate of broker {', '.join(str(b) for b in sorted(self.rates))}")
        return " and ".join(parts)


def throttled(request: Request) -> bool:
    """Did it ever set a throttle?"""
    return request.progress is not None and BEFORE in request.progress.memory


def touched(request: Request) -> tuple[frozenset[str], frozenset[int]]:
    """Topics and brokers it may have throttled."""
    moves = [move for step in bound_steps(request) for move in step.moves]
    topics = frozenset(move.topic for move in moves)
    return topics, frozenset(b for move in moves for b in (*move.before, *move.after) if b >= 0)


def left_by(request: Request, present: Throttles) -> Leftovers:
    """What of this request's own is set now and was not set before it; `present` names the brokers
    that can be told."""
    if request.progress is None or not throttled(request):
        return Leftovers()
    before = remembered(request.progress.memory)
    lists: dict[str, ReplicaLists] = {}
    rates: dict[int, BrokerRates] = {}
    for step in bound_steps(request):
        lists |= leftover_lists(step.moves, present, before)
        ours = BrokerRates(
            leader_bytes_per_second=step.throttle_bytes_per_second,
            follower_bytes_per_second=step.throttle_bytes_per_second,
        )
        mine = [
            b for b in present.brokers if b in touched(request)[1] and present.brokers[b] == ours
        ]
        rates |= rates_to_restore(mine, present, before)
    return Leftovers(lists=lists, rates=rates)


def bound_steps(request: Request) -> tuple[ReplicaStep, ...]:
    """The steps that throttle, with brokers' real ids."""
    ids = bound_ids(request.progress.memory) if request.progress else {}
    steps = request.plan.steps if request.plan else ()
    return tuple(
        step.with_(moves=tuple(move.bound(ids) for move in step.moves))
        for step in steps
        if isinstance(step, ReplicaStep)
    )
