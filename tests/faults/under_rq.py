"""One tick of the job under the real RQ worker, whose child or parent is killed in the middle of it.

The ticks before are carried out directly, since nothing dies in them. Killing the parent must end the
child too (it is tied to it); a child that lives on says so in Redis, and the case fails.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Literal

from redis import Redis

from ledger.connect import connection_for_worker
from tests.faults.life import Life, Shop, short_leases
from tests.faults.moments import Moments, Passed, When, die
from workers import jobs
from workers.queue_worker import worker

Victim = Literal["child", "parent"]
ORPHAN = "test:orphan"
ORPHAN_SECONDS = 2.0


class UnderRq(Life):
    """A life in which one tick is given to RQ."""

    def __init__(self, shop: Shop, moments: Moments, passed: list[Passed]) -> None:
        super().__init__(shop, moments)
        self._shop = shop
        self._passed = passed

    def work(self) -> None:
        if not self._next_tick_is_struck():
            super().work()
            return
        vars(jobs)["runtime"] = lambda: self.runtime  # what is real is wired there
        worker(connection_for_worker(self._shop.redis_url)).work(
            burst=True, logging_level="CRITICAL"
        )
        # Whoever is still here lost a child; what the child counted is not known to us.
        self.moments.at = -1

    def _next_tick_is_struck(self) -> bool:
        """Does the struck effect lie between the coming claim and its release?"""
        start, at = len(self.moments.passed), self.moments.at
        ahead = [one.name for one in self._passed[start : at + 1]]
        releases = [name for name in ahead[:-1] if name.startswith("releasing")]
        return start <= at and not releases


def kill_parent_from(shop_url: str, *, parent: int) -> None:
    os.kill(parent, signal.SIGKILL)
    time.sleep(ORPHAN_SECONDS)
    with Redis.from_url(shop_url) as redis:
        redis.set(ORPHAN, os.getpid())


def live_under_rq(shop: Shop, passed: list[Passed], at: int, when: When, victim: Victim) -> None:
    # By its own number: were the struck effect not in RQ's child, nobody else may be hit.
    parent = os.getpid()
    strike = die if victim == "child" else lambda: kill_parent_from(shop.redis_url, parent=parent)
    with short_leases():
        UnderRq(shop, Moments(at=at, when=when, strike=strike), passed).live()


def orphans(shop: Shop) -> int:
    with Redis.from_url(shop.redis_url) as redis:
        return int(redis.exists(ORPHAN))
