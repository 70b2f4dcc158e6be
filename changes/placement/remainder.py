"""What the topic-by-topic walk left over: single replicas moved wherever a broker is still off.

The surprising truth: this is where small clusters are decided. With a handful of partitions every
replica is a large part of a broker, and fair shares by topic mean little beside a full disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from changes.placement.board import Allowance, Board

ROUNDING = 1e-9
TOLERANCE = 0.005  # of a broker's target; nearer is not worth a touched partition


def settle_remainder(
    board: Board,
    *,
    partitions: Iterable[int],
    weights: Sequence[float],
    targets: Sequence[float],
    allowance: Allowance,
) -> None:
    """Move replicas from brokers above their target to those below, the largest that fit first.

    A replica fits where at least half of it is asked for on both sides, so every move brings the
    cluster nearer to its targets. Partitions that have moved already go first: they cost no touch.
    """
    room = board.excess(weights=weights, targets=targets)
    if all(abs(r) <= TOLERANCE * t for r, t in zip(room, targets, strict=True)):
        return
    by_weight = sorted((p for p in partitions if board.movable[p]), key=lambda p: -weights[p])
    for touched in (True, False):
        for p in by_weight:
            if board.touched(p) is touched and weights[p] > 0:
                _settle(board, p, weights[p], room, targets, allowance)


def _settle(
    board: Board,
    p: int,
    weight: float,
    room: list[float],
    targets: Sequence[float],
    allowance: Allowance,
) -> None:
    for giver in tuple(board.replicas[p]):
        if (
            weight > allowance.left
            or room[giver] < weight / 2
            or room[giver] <= TOLERANCE * targets[giver]
        ):
            continue
        takers = [
            b
            for b, r in enumerate(room)
            if r <= -weight / 2
            and room[giver] - r > weight * (1 + ROUNDING)
            and board.keeps_spread(p, giver, b)
        ]
        if takers:
            taker = min(takers, key=lambda b: (room[b], b))
            allowance.spend(weight)
            board.swap_in(p, giver, taker)
            room[giver] -= weight
            room[taker] += weight
