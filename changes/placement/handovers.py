"""Which leaderships can pass from one broker to another, at what cost, and the cheapest way there.

The surprising truth: a surplus can rarely be handed straight to a broker that lacks leaders, but it
can travel. If a leads a partition that b follows, and b one that c follows, then a hands b one
leadership and b hands c another: b is where it was, and one unit went from a to c.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import ceil

from changes.placement.board import Board

LOOKS_MAX = 32  # candidates tried for one pair of brokers before the best so far is taken
STEP = 0.01  # among equals the shorter path wins
TOUCH = 1.0  # reordering a list that nothing has changed yet
CROWD = 100.0  # more leaders of one topic than its fair share: worse than any path without


@dataclass(frozen=True, slots=True)
class Handover:
    """The leadership of one partition passes to one of its followers."""

    partition: int
    taker: int
    cost: float


class Handovers:
    """All handovers among the partitions of some topics, kept true while leaders change."""

    def __init__(self, board: Board, topics: Mapping[str, Sequence[int]]) -> None:
        self.board = board
        self.leads = [0] * board.brokers
        self.topic_of: dict[int, str] = {}
        self.topic_leads: dict[str, list[int]] = {}
        self.topic_cap: dict[str, int] = {}
        self.touched: dict[tuple[int, int], list[int]] = {}
        self.fresh: dict[tuple[int, int], list[int]] = {}
        for topic, partitions in topics.items():
            self._add(topic, partitions)

    def _add(self, topic: str, partitions: Sequence[int]) -> None:
        counts = [0] * self.board.brokers
        self.topic_leads[topic] = counts
        self.topic_cap[topic] = ceil(len(partitions) / self.board.brokers)
        for p in partitions:
            replicas = self.board.replicas[p]
            if self.board.movable[p]:
                counts[replicas[0]] += 1
                self.leads[replicas[0]] += 1
                self.topic_of[p] = topic
                self._offer(p)

    def _offer(self, p: int) -> None:
        leader, *followers = self.board.replicas[p]
        shelf = self.touched if self.board.touched(p) else self.fresh
        for follower in followers:
            shelf.setdefault((leader, follower), []).append(p)

    def hand_over(self, handover: Handover) -> None:
        p, taker = handover.partition, handover.taker
        giver = self.board.replicas[p][0]
        self.board.put_leader(p, taker)
        counts = self.topic_leads[self.topic_of[p]]
        for counter in (counts, self.leads):
            counter[giver] -= 1
            counter[taker] += 1
        self._offer(p)

    def giver(self, handover: Handover) -> int:
        """Who leads the partition now."""
        return self.board.replicas[handover.partition][0]

    def push(self, path: Sequence[Handover], *, units: int) -> None:
        """Send up to `units` along the path's brokers, as long as that gets no dearer."""
        hops = [(self.giver(handover), handover.taker) for handover in path]
        cost = sum(handover.cost for handover in path)
        for _ in range(units):
            for handover in path:
                self.hand_over(handover)
            found = [self.best(giver, taker) for giver, taker in hops]
            path = [handover for handover in found if handover is not None]
            if len(path) < len(hops) or sum(handover.cost for handover in path) > cost:
                return

    def best(self, giver: int, taker: int) -> Handover | None:
        """The cheapest handover from one broker straight to another."""
        found: Handover | None = None
        for shelf, cost in ((self.touched, 0.0), (self.fresh, TOUCH)):
            offers = shelf.get((giver, taker))
            if not offers:
                continue
            self._drop_stale(offers, giver, fresh=shelf is self.fresh)
            for p in offers[: -LOOKS_MAX - 1 : -1]:
                if self.board.replicas[p][0] != giver:
                    continue
                crowds = self.crowds(p, taker)
                if found is None or cost + crowds < found.cost:
                    found = Handover(p, taker, cost + crowds)
                if not crowds:
                    return found
        return found

    def _drop_stale(self, offers: list[int], giver: int, *, fresh: bool) -> None:
        replicas, touched = self.board.replicas, self.board.touched
        while offers and (replicas[offers[-1]][0] != giver or (fresh and touched(offers[-1]))):
            offers.pop()

    def crowds(self, p: int, taker: int) -> float:
        topic = self.topic_of[p]
        return CROWD if self.topic_leads[topic][taker] >= self.topic_cap[topic] else 0.0

    def cheapest_path(
        self, start: int, ends: Collection[int], *, backwards: bool, cost_max: float
    ) -> list[Handover] | None:
        """Dijkstra over brokers from `start` to any of `ends`, or backwards from them to `start`.

        None where all ways cost `cost_max` or more. An end reached by a free handover is taken at
        once: whatever is still open costs at least as much.
        """
        cost = {start: 0.0}
        came: dict[int, tuple[int, Handover]] = {}
        heap = [(0.0, start)]
        done: set[int] = set()
        while heap:
            so_far, here = heappop(heap)
            if here in ends:
                return _trace(came, here, backwards=backwards)
            if here in done:
                continue
            done.add(here)
            for there in range(self.board.brokers):
                if there in done or cost.get(there, cost_max) <= so_far + STEP:
                    continue
                handover = self.best(there, here) if backwards else self.best(here, there)
                if handover is None or so_far + handover.cost + STEP >= cost.get(there, cost_max):
                    continue
                cost[there] = so_far + handover.cost + STEP
                came[there] = (here, handover)
                if handover.cost == 0 and there in ends:
                    return _trace(came, there, backwards=backwards)
                heappush(heap, (cost[there], there))
        return None


def _trace(
    came: Mapping[int, tuple[int, Handover]], end: int, *, backwards: bool
) -> list[Handover]:
    path = []
    while end in came:
        end, handover = came[end]
        path.append(handover)
    return path if backwards else path[::-1]
