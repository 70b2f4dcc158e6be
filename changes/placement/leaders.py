"""Every broker leads its fair number of partitions, by reordering lists: not one byte is moved.

The surprising truth: exact balance and few touched partitions exclude each other, since a new leader
is a touched partition. So partitions that move anyway are reordered freely, others only where the
mean would be missed by more than ±2 %.

1. Within each of the largest topics, surplus travels until no broker leads more than the topic's
   fair share, rounded up. This may touch partitions that were not touched before.
2. Over all topics, surplus travels until every broker is within ±2 % of the mean (or one leader).
3. Then on to the exact mean, but only through partitions that are touched already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, inf

from changes.placement.board import Board
from changes.placement.handovers import CROWD, TOUCH, Handover, Handovers

TOLERANCE = 0.02


def balance_leaders(board: Board, *, largest: Mapping[str, Sequence[int]]) -> None:
    """Reorder the board's lists; `largest` are the topics whose own spread is worth extra touches."""
    for topic, partitions in largest.items():
        _spread_topic(Handovers(board, {topic: partitions}), topic)
    handovers = Handovers(board, board.topics)
    mean = sum(handovers.leads) / board.brokers
    loose = (
        min(floor(mean), ceil(mean * (1 - TOLERANCE))),
        max(ceil(mean), floor(mean * (1 + TOLERANCE))),
    )
    _level(handovers, *loose, cost_max=CROWD)
    _level(handovers, *loose, cost_max=inf)
    _level(handovers, floor(mean), ceil(mean), cost_max=TOUCH)


def _spread_topic(handovers: Handovers, topic: str) -> None:
    cap = handovers.topic_cap[topic]
    _level(handovers, 0, cap, cost_max=inf)


def _level(handovers: Handovers, low: int, high: int, *, cost_max: float) -> None:
    """Push surplus along cheapest paths until every broker leads between `low` and `high`.

    A broker that no path leads away from (or to) is left as it is: its replicas allow no better.
    """
    leads = handovers.leads
    stuck: set[int] = set()
    while True:
        off = [b for b, n in enumerate(leads) if not low <= n <= high and b not in stuck]
        if not off:
            return
        worst = max(off, key=lambda b: (max(leads[b] - high, low - leads[b]), -b))
        path = _relieve(handovers, worst, low, high, cost_max=cost_max)
        if path is None:
            stuck.add(worst)
            continue
        for handover in path:
            handovers.hand_over(handover)


def _relieve(
    handovers: Handovers, worst: int, low: int, high: int, *, cost_max: float
) -> list[Handover] | None:
    """A path from or to the worst broker, at its other end a broker on the other side of the mean.

    Where none is reached, one that is better off by two at least, which still evens the two out.
    """
    leads = handovers.leads
    mean = sum(leads) / len(leads)
    brokers = range(len(leads))
    over = leads[worst] > high
    if over:
        far = {b for b in brokers if leads[b] < min(mean, high)}
        near = {b for b in brokers if leads[b] <= leads[worst] - 2}
    else:
        far = {b for b in brokers if leads[b] > max(mean, low)}
        near = {b for b in brokers if leads[b] >= leads[worst] + 2}
    for ends in (far, near):
        path = handovers.cheapest_path(worst, ends, backwards=not over, cost_max=cost_max)
        if path is not None:
            return path
    return None
