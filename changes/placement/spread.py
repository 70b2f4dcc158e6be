"""Where every replica should be: the planner's front door.

The surprising truth: the plan moves the fewest bytes any plan could, and still spreads topics,
counts and leaders, because there are countless ways to move the same bytes and it picks a good one.

1. Bytes: over-full brokers give to under-full ones (`relief`), the largest topics first.
2. What that leaves over moves replica by replica (`remainder`).
3. Light topics, which bytes cannot see, are spread by count where counts are off by more than 5 %.
4. Leaders are balanced by reordering lists (`leaders`).

A partition that lists an unknown broker comes back as it was, for the judge to refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from changes.placement.board import Allowance, Board
from changes.placement.bounds import lower_bound_bytes
from changes.placement.leaders import balance_leaders
from changes.placement.model import Placement
from changes.placement.relief import Relief
from changes.placement.remainder import settle_remainder
from changes.placement.targets import broker_targets, replica_weights

LARGEST_TOPICS = 10  # spread before all others, and their leaders exactly
ALIKE_RATIO = 30.0  # far beyond the usual scatter within a topic, so that only mixtures are parted
GROUP_PARTITIONS_MAX = 1000  # a group's cost grows with its square
COUNT_TOLERANCE = 0.05
BOUND_SLACK = 0.01  # bytes beyond the lower bound that rounding may cost
LIGHT_SHARE = 0.005  # of the lower bound: bytes that may move for counts' sake alone
LIGHT_REPLICA_SHARE = 0.1  # of the largest replica, where the bound itself is next to nothing


def spread(placement: Placement) -> tuple[tuple[int, ...], ...]:
    """New replica lists, one per partition in the order given, preferred leader first.

    The same cluster gets the same plan however its brokers and partitions happen to be listed.
    """
    partitions = placement.partitions
    order = sorted(
        range(len(partitions)), key=lambda i: (partitions[i].topic, partitions[i].partition)
    )
    canonical = Placement(
        brokers=tuple(sorted(placement.brokers, key=lambda b: b.broker_id)),
        partitions=tuple(partitions[i] for i in order),
    )
    lists: list[tuple[int, ...]] = [()] * len(order)
    for index, replicas in zip(order, _spread(canonical), strict=True):
        lists[index] = replicas
    return tuple(lists)


def _spread(placement: Placement) -> list[tuple[int, ...]]:
    if len(placement.brokers) < 2:
        return [p.replicas for p in placement.partitions]
    board = Board(placement)
    weights = replica_weights(placement)
    heaviest = sorted(
        board.topics,
        key=lambda t: -sum(weights[p] * len(board.replicas[p]) for p in board.topics[t]),
    )[:LARGEST_TOPICS]
    _level_weights(board, placement, weights, first=set(heaviest))
    if any(p.size_bytes for p in placement.partitions):
        _level_counts(board, placement)
    balance_leaders(board, largest={t: board.topics[t] for t in sorted(heaviest)})
    return [
        tuple(board.ids[b] for b in board.replicas[i]) if board.movable[i] else p.replicas
        for i, p in enumerate(placement.partitions)
    ]


def _level_weights(
    board: Board, placement: Placement, weights: Sequence[float], *, first: set[str]
) -> None:
    targets = broker_targets(placement, weights=weights)

    def coarse_first(group: tuple[str, list[int]]) -> tuple[bool, float]:
        topic, partitions = group
        return topic not in first, -sum(weights[p] for p in partitions) / len(partitions)

    groups = [(t, g) for t, ps in board.topics.items() for g in _alike(ps, weights)]
    groups.sort(key=coarse_first)
    allowance = _allowance(board, weights, targets)
    Relief(board, weights=weights, targets=targets, allowance=allowance).run(g for _, g in groups)
    settle_remainder(
        board,
        partitions=range(len(weights)),
        weights=weights,
        targets=targets,
        allowance=allowance,
    )


def _alike(partitions: Sequence[int], weights: Sequence[float]) -> list[list[int]]:
    """A topic's partitions in groups of like size: beside a giant, a dwarf's count says nothing."""
    groups: list[list[int]] = []
    for p in sorted(partitions, key=lambda p: -weights[p]):
        group = groups[-1] if groups else None
        if (
            group is None
            or weights[group[0]] > ALIKE_RATIO * weights[p]
            or len(group) >= GROUP_PARTITIONS_MAX
        ):
            groups.append([p])
        else:
            group.append(p)
    return [sorted(group) for group in groups]


def _allowance(board: Board, weights: Sequence[float], targets: Sequence[float]) -> Allowance:
    bound = sum(max(0.0, e) for e in board.excess(weights=weights, targets=targets))
    largest = max(weights, default=0.0)
    return Allowance(max((1 + BOUND_SLACK) * bound, bound + (1 - LIGHT_REPLICA_SHARE) * largest))


def _level_counts(board: Board, placement: Placement) -> None:
    """Spread the topics too light to matter by bytes, if counts need it."""
    ones = [1.0] * len(board.sizes)
    targets = broker_targets(placement, weights=ones)
    excess = board.excess(weights=ones, targets=targets)
    if all(abs(e) <= max(1.0, COUNT_TOLERANCE * t) for e, t in zip(excess, targets, strict=True)):
        return
    light = _light_topics(board, lower_bound_bytes(placement))
    counts = Relief(board, weights=ones, targets=targets, allowance=Allowance(inf))
    counts.run(sorted(light, key=lambda ps: -len(ps)))


def _light_topics(board: Board, bound_bytes: int) -> list[list[int]]:
    """The lightest topics that together stay within the bytes counts may cost."""
    left = max(LIGHT_SHARE * bound_bytes, LIGHT_REPLICA_SHARE * max(board.sizes))
    weigh = {
        topic: sum(board.sizes[p] * len(board.replicas[p]) for p in partitions)
        for topic, partitions in board.topics.items()
    }
    light = []
    for topic in sorted(weigh, key=lambda t: weigh[t]):
        left -= weigh[topic]
        if left < 0:
            break
        light.append(board.topics[topic])
    return light
