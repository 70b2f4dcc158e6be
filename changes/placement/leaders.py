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
from changes.placement.handovers import CROWD, TOUCH, Handovers

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
    """Push surplus along cheapest paths until every broker leads between `low` and `high`."""
    leads = handovers.leads
    mean = sum(leads) / len(leads)
    while True:
        over = {b for b, n in enumerate(leads) if n > high}
        under = {b for b, n in enumerate(leads) if n < low}
        if not over and not under:
            return
        givers = over or {b for b, n in enumerate(leads) if n > mean and n > low}
        takers = under or {b for b, n in enumerate(leads) if n < mean and n < high}
        path = handovers.cheapest_path(givers, takers, cost_max=cost_max)
        if path is None and over and under:
            # over and under may lie apart: let each side meet the middle by itself
            givers = over
            takers = {b for b, n in enumerate(leads) if n < mean and n < high}
            path = handovers.cheapest_path(givers, takers, cost_max=cost_max)
        if path is None:
            return
        for handover in path:
            handovers.hand_over(handover)
