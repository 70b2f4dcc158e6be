"""Over-full brokers give replicas to under-full ones, topic by topic, and no byte moves twice.

The surprising truth: whole partitions are moved, all their givers at once. A partition is one thing
to touch however many of its replicas move, and a new leader comes along for nothing.

1. Fix the roles: a broker above its target only gives, one below it only takes. So the bytes moved
   are the lower bound by construction, up to the last replica.
2. Walk the topics. For each, add to every broker's account what the topic has there beyond the
   broker's fair share of it: over all topics the accounts add up to excess and deficit.
3. A partition fires when its givers' accounts ask, on average, for half a replica or more. Those
   asked most go first; among equals those whose leader's broker leads too much.
4. Each replica goes to the taker whose account is deepest in debt, counted in replicas of this
   topic, and never beyond the topic's fair share there, rounded up.
5. What rounding leaves over stays in the accounts and is settled with the next, smaller topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from math import ceil, floor

from changes.placement.board import Allowance, Board

ROUNDING = 1e-9
LEADER_PULL = (
    0.5  # a leader too many beside a replica too many; from 30 → 36 brokers, 20,000 partitions
)
AHEAD_MAX = 4.0  # a broker this many replicas ahead of its account sits the partition out
CARRY_MAX = 5.0  # replicas one topic may owe for the topics before it
SLACK = (
    0.1  # replicas; a strict order would look at every partition of a huge topic again and again
)
NO_URGE = -1e9


class Relief:
    """One run over topics with one notion of weight: bytes, or one for every replica."""

    def __init__(
        self,
        board: Board,
        *,
        weights: Sequence[float],
        targets: Sequence[float],
        allowance: Allowance,
    ) -> None:
        self.board = board
        self.allowance = allowance
        self.weights = weights
        whole = sum(targets)
        self.share = [target / whole if whole else 0.0 for target in targets]
        self.room = board.excess(weights=weights, targets=targets)
        self.giver = [excess > 0 for excess in self.room]
        self.takers = [b for b, excess in enumerate(self.room) if excess < 0]
        self.account = [0.0] * board.brokers
        self.lead_account = [0.0] * board.brokers
        self.rack_excess = [0.0] * board.racks  # what a rack still has to hand to other racks
        for broker, excess in enumerate(self.room):
            self.rack_excess[board.rack[broker]] += excess

    def run(self, topics: Iterable[Sequence[int]]) -> None:
        for topic in topics:
            if self._open(topic):
                self._fire(topic)

    def _open(self, topic: Sequence[int]) -> bool:
        """Book the topic's over- and under-share on the accounts; False where it weighs nothing."""
        brokers = range(self.board.brokers)
        held, total = self._tally(topic)
        replicas = sum(self.counts)
        if not total:
            return False
        self.mean = total / replicas
        lead_fair = len(topic) / len(brokers)
        self.lead_cap = ceil(lead_fair - ROUNDING)
        self.cap = [ceil(replicas * share - ROUNDING) for share in self.share]
        self.free = [0] * len(brokers)
        for b in brokers:
            self.account[b] += held[b] - total * self.share[b]
            self.lead_account[b] += self.leads[b] - lead_fair
            if self.giver[b]:
                self.free[b] = self.counts[b] - floor(replicas * self.share[b] + ROUNDING)
        return True

    def _tally(self, topic: Sequence[int]) -> tuple[list[float], float]:
        brokers = self.board.brokers
        counts, leads, held, total = [0] * brokers, [0] * brokers, [0.0] * brokers, 0.0
        for p in topic:
            replicas, weight = self.board.replicas[p], self.weights[p]
            for b in replicas:
                counts[b] += 1
                held[b] += weight
            if replicas:
                leads[replicas[0]] += 1
            total += weight * len(replicas)
        self.counts, self.leads = counts, leads
        return held, total

    def _fire(self, topic: Sequence[int]) -> None:
        """Most wanted first. Wants only shrink, so an entry still on top after a fresh look is due."""
        heap = [(-urge, p) for p in topic if (urge := self._urge(p)) > NO_URGE]
        heapify(heap)
        while heap:
            _, p = heappop(heap)
            urge = self._urge(p)
            if urge == NO_URGE:
                continue
            if heap and -urge > heap[0][0] + SLACK:
                heappush(heap, (-urge, p))
                continue
            givers, pull = self._givers(p)
            if givers and pull >= len(givers) / 2:
                self._move(p, givers)

    def _pull(self, b: int) -> float:
        """How many replicas of this topic the broker's account asks it to give."""
        pull = self.account[b] / self.mean
        return min(max(pull, -CARRY_MAX), CARRY_MAX)

    def _urge(self, p: int) -> float:
        replicas = self.board.replicas[p]
        givers = [b for b in replicas if self.free[b] > 0]
        if not givers or not self.board.movable[p]:
            return NO_URGE
        return sum(map(self._pull, givers)) + LEADER_PULL * self.lead_account[replicas[0]]

    def _givers(self, p: int) -> tuple[list[int], float]:
        givers, pulls, half = [], 0.0, self.weights[p] / 2
        for b in self.board.replicas[p]:
            if self.free[b] > 0 and self.room[b] >= half:
                pull = self._pull(b)
                if pull >= -AHEAD_MAX:
                    givers.append(b)
                    pulls += pull
        return givers, pulls

    def _move(self, p: int, givers: Sequence[int]) -> None:
        leader = self.board.replicas[p][0]
        moved = False
        for giver in givers:
            taker = self._taker(p, giver) if self.weights[p] <= self.allowance.left else None
            if taker is not None:
                self.allowance.spend(self.weights[p])
                self.board.swap_in(p, giver, taker)
                self._book(giver, -self.weights[p], -1)
                self._book(taker, self.weights[p], 1)
                self.free[giver] -= 1
                moved = True
        if moved:
            self._choose_leader(p, leader)

    def _book(self, b: int, weight: float, count: int) -> None:
        self.account[b] += weight
        self.room[b] += weight
        self.counts[b] += count
        self.rack_excess[self.board.rack[b]] += weight

    def _taker(self, p: int, giver: int) -> int | None:
        room, account = self.room, self.account
        half = self.weights[p] / 2
        enough = self.weights[p] * (1 + ROUNDING)  # else giver and taker merely change places
        best, deepest = None, 0.0
        for b in self.takers:
            if room[b] > -half or self.counts[b] >= self.cap[b]:
                continue
            if room[giver] - room[b] < enough or account[b] > AHEAD_MAX * self.mean:
                continue
            if (best is None or account[b] < deepest) and self._lawful(p, giver, b):
                best, deepest = b, account[b]
        return best

    def _lawful(self, p: int, giver: int, taker: int) -> bool:
        """Rack spread is kept, and bytes cross racks only from a rack with too many to one with too few."""
        board = self.board
        if not board.keeps_spread(p, giver, taker):
            return False
        home, away = board.rack[giver], board.rack[taker]
        half = self.weights[p] / 2
        return home == away or (self.rack_excess[home] >= half and self.rack_excess[away] <= -half)

    def _choose_leader(self, p: int, old: int) -> None:
        """The list changes anyway, so its order is free: the broker that leads least, leads."""
        board = self.board
        best = min(board.replicas[p], key=self._lead_key)
        board.put_leader(p, best)
        if best != old:
            for b, count in ((old, -1), (best, 1)):
                self.leads[b] += count
                self.lead_account[b] += count

    def _lead_key(self, b: int) -> tuple[bool, float]:
        return self.leads[b] >= self.lead_cap, self.lead_account[b]
