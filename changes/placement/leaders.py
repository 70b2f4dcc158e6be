"""Every broker leads its fair number of partitions, by reordering lists: not one byte is moved.

The surprising truth: exact balance and few touched partitions exclude each other, since a new leader
is a touched partition. So partitions that move anyway are reordered freely, others only where the
mean would be missed by more than ±2 %.

1. Within each of the largest topics, surplus travels until no broker leads more than the topic's
   fair share, rounded up. This may touch partitions that were not touched before.
2. Over all topics, a leader far above the mean hands over to followers below it (`_sweep`). Then
   surplus travels until every broker is within ±2 % of the mean (or one leader).
3. Then on to the exact mean, but only through partitions that are touched already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, inf

from changes.placement.board import Board
from changes.placement.handovers import CROWD, TOUCH, Handover, Handovers

TOLERANCE = 0.02
SWEEP_FROM = 0.05  # beyond the mean; after moves that carry leaders along, none is so far out


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
    _sweep(handovers, mean)
    _level(handovers, *loose, cost_max=CROWD)
    _level(handovers, *loose, cost_max=inf)
    _level(handovers, floor(mean), ceil(mean), cost_max=TOUCH)


def _spread_topic(handovers: Handovers, topic: str) -> None:
    cap = handovers.topic_cap[topic]
    _level(handovers, 0, cap, cost_max=inf)


def _sweep(handovers: Handovers, mean: float) -> None:
    """One pass for clusters far out of balance, where a search for every unit would take too long."""
    leads = handovers.leads
    if max(leads) <= mean * (1 + SWEEP_FROM) + 1:
        return
    board = handovers.board
    for p in sorted(handovers.topic_of, key=lambda p: not board.touched(p)):
        leader, *followers = board.replicas[p]
        if leads[leader] <= mean * (1 + TOLERANCE):
            continue
        takers = [b for b in followers if leads[b] < mean and not handovers.crowds(p, b)]
        if takers:
            taker = min(takers, key=lambda b: (leads[b], b))
            handovers.hand_over(Handover(p, taker, cost=0.0))


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
        if not _relieve(handovers, worst, low, high, cost_max=cost_max):
            stuck.add(worst)


def _relieve(handovers: Handovers, worst: int, low: int, high: int, *, cost_max: float) -> bool:
    """Bring the worst broker nearer to its band; False where no path can.

    The other end of the path is a broker on the other side of the mean. Where none is reached, one
    that is better off by two at least, which still evens the two out.
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
            units = _units(handovers, path, low, high)
            handovers.push(path, units=units)
            return True
    return False


def _units(handovers: Handovers, path: Sequence[Handover], low: int, high: int) -> int:
    """How much may travel one way before its ends should look for other ways: a quarter of the need.

    One at least. Searching once for every unit would take minutes where all leaders sit together.
    """
    leads = handovers.leads
    first = leads[handovers.giver(path[0])]
    last = leads[path[-1].taker]
    need = min(max(first - high, low - last), (first - last) // 2)
    return max(1, need // 4)
