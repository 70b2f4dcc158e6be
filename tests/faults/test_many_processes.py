"""Two workers and two tickers at once, and the same four killed at random moments and replaced."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkProcess

import pytest

from tests.faults.judging import Ending, judge, row
from tests.faults.life import SECONDS_PER_BEAT, Life, Shop, short_leases
from tests.faults.moments import Moments, Passed
from tests.faults.playing import FORK, new_day

pytestmark = pytest.mark.fault
KILLS = 100
JOBS_AT_ONCE = 10
JOB_SECONDS_MAX = 60
BEAT_SECONDS = 0.03


def worker(shop: Shop) -> None:
    with short_leases():
        life = Life(shop, Moments())
        while True:
            life.work()
            time.sleep(0.005)


def ticker(shop: Shop) -> None:
    life = Life(shop, Moments())
    number = 0
    while True:
        life.tick(reconcile=number % 20 == 0)
        number += 1
        time.sleep(0.01)


class Staff:
    """Processes by place; whoever is missing is replaced."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._places: list[Callable[[Shop], None]] = [worker, worker, ticker, ticker]
        self._hired: list[ForkProcess] = [self._hire(place) for place in self._places]

    def _hire(self, place: Callable[[Shop], None]) -> ForkProcess:
        process = FORK.Process(target=place, args=(self._shop,))
        process.start()
        return process

    def kill_one(self, dice: random.Random) -> None:
        at = dice.randrange(len(self._places))
        self._dismiss(self._hired[at])
        self._hired[at] = self._hire(self._places[at])

    def fallen(self) -> list[str]:
        """Who ended by himself: nobody should."""
        return [
            place.__name__ for place, p in zip(self._places, self._hired, strict=True) if p.exitcode
        ]

    def close(self) -> None:
        for process in self._hired:
            self._dismiss(process)

    def _dismiss(self, process: ForkProcess) -> None:
        process.kill()
        process.join()
        process.close()


@contextmanager
def staff(shop: Shop) -> Iterator[Staff]:
    found = Staff(shop)
    try:
        yield found
    finally:
        found.close()


def conduct(shop: Shop, between: Callable[[Staff], None]) -> None:
    """People ask and vote, time passes, until the request has ended."""
    new_day(shop)
    life = Life(shop, Moments())
    deadline = time.monotonic() + JOB_SECONDS_MAX
    try:
        with staff(shop) as found:
            while life.people():
                assert time.monotonic() < deadline, f"it never ends: {life.request()}"
                assert not found.fallen()
                between(found)
                life.line.advance(SECONDS_PER_BEAT / 5)
                time.sleep(BEAT_SECONDS)
    finally:
        life.close()


def test_two_of_each(shop: Shop, faultless: tuple[list[Passed], Ending]) -> None:
    _, end = faultless
    with row("two workers and two tickers at once") as told:
        for number in range(JOBS_AT_ONCE):
            conduct(shop, lambda _: None)
            told.note(f"job {number}", judge(shop, faultless=end))


def test_random_moments(shop: Shop, faultless: tuple[list[Passed], Ending]) -> None:
    """Seeded, so that a failure's kills can be tried again; the machine's own timing cannot."""
    _, end = faultless
    dice = random.Random(20261123)
    with row("workers and tickers killed at random moments") as told:
        while told.cases < KILLS:
            kills = 0

            def maybe(found: Staff) -> None:
                nonlocal kills
                if dice.random() < 0.25:
                    found.kill_one(dice)
                    kills += 1

            conduct(shop, maybe)
            found = judge(shop, faultless=end)
            for _ in range(kills):
                told.note(f"a job of {kills} kills", found)
