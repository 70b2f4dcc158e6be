"""Playing a case: an empty day, a process of its own that is killed, a fresh one that goes on."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

from redis import Redis

from ledger import connect
from tests.faults.judging import Ending, Judged, ending, judge
from tests.faults.life import THE_REQUEST, Life, Shop, live, short_leases
from tests.faults.moments import Moments, Passed, When

FORK = multiprocessing.get_context("fork")
"""A fork has everything imported already: a process costs milliseconds, as RQ's own do."""
KILLED = -9


def new_day(shop: Shop) -> None:
    """An empty ledger and a cluster of three brokers."""
    with Redis.from_url(shop.redis_url) as redis:
        redis.flushdb()
    line = shop.line()
    line.reset()
    line.close()


def play_faultless(shop: Shop, *, kind: type[Life] = Life) -> tuple[list[Passed], Ending]:
    new_day(shop)
    moments = Moments()
    with short_leases(60):
        life = kind(shop, moments)
        life.live()
        request = life.request()
        life.close()
    assert request is not None
    ledger = connect(shop.redis_url)
    found = ending(ledger, request)
    ledger.close()
    assert request.id == THE_REQUEST
    new_day(shop)
    return moments.passed, found


def in_a_process(play: Callable[[], object]) -> int:
    """Play in a process of its own; its exit code, -9 when it was killed."""
    process = FORK.Process(target=play)
    process.start()
    process.join(60)
    if process.is_alive():
        process.kill()
        process.join()
        process.close()
        raise AssertionError("the process hangs")
    code = process.exitcode
    process.close()
    assert code is not None
    return code


def killed_once(
    shop: Shop, at: int, when: When, *, faultless: Ending, kind: type[Life] = Life
) -> Judged:
    """Killed at one moment, then carried to the end by a fresh process."""
    new_day(shop)
    assert in_a_process(lambda: live(shop, Moments(at=at, when=when), kind=kind)) == KILLED
    assert in_a_process(lambda: live(shop, kind=kind)) == 0
    return judge(shop, faultless=faultless)


def carried_to_the_end(shop: Shop, *, starts_max: int = 4) -> None:
    """Fresh processes until one reaches the end, as an operator's restart policy does."""
    for _ in range(starts_max):
        if in_a_process(lambda: live(shop)) == 0:
            return
    raise AssertionError(f"{starts_max} fresh processes did not reach the end")


def spread_over(passed: list[Passed], *, points: int) -> list[tuple[int, When]]:
    """So many effects, evenly spread over the job; before and after in turn."""
    count = min(points, len(passed))
    whens: tuple[When, When] = ("before", "after")
    return [(i * len(passed) // count, whens[i % 2]) for i in range(count)]
