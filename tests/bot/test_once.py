"""Copies of one delivery: passed over when it was done, waited for while it is, taken over when it died."""

from __future__ import annotations

import asyncio

import pytest

from bot.once import named, once
from ledger import Ledger, LedgerUnavailable
from tests.bot.conftest import ledger
from tests.redis_server import redis_server, redis_url

__all__ = ["ledger", "redis_server", "redis_url"]


class Work:
    """Counts how often it was done."""

    def __init__(self, *, seconds: float = 0.0, fails: int = 0) -> None:
        self.done = 0
        self._seconds = seconds
        self._fails = fails

    async def __call__(self) -> None:
        await asyncio.sleep(self._seconds)
        if self._fails:
            self._fails -= 1
            raise RuntimeError("it died")
        self.done += 1


async def test_a_copy_of_what_was_done_is_passed_over(ledger: Ledger) -> None:
    work = Work()
    for _ in range(3):
        await once(ledger, "one", work)
    await once(ledger, "another", work)
    assert work.done == 2


async def test_copies_in_the_same_moment_are_one(ledger: Ledger) -> None:
    work = Work(seconds=0.3)
    await asyncio.gather(*(once(ledger, "one", work) for _ in range(5)))
    assert work.done == 1


async def test_what_has_no_name_is_always_done(ledger: Ledger) -> None:
    work = Work()
    for _ in range(2):
        await once(ledger, named({}), work)
    assert work.done == 2


async def test_a_copy_takes_over_from_a_bot_that_died_amid_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.once.PATIENCE_SECONDS", 0.3)
    work = Work(fails=1)
    with pytest.raises(RuntimeError):
        await once(ledger, "one", work)
    await once(ledger, "one", work)
    await once(ledger, "one", work)
    assert work.done == 1


@pytest.mark.parametrize("away", ["take_delivery", "delivered"])
async def test_without_the_ledger_the_work_speaks_for_itself(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    def unavailable(_name: str) -> None:
        raise LedgerUnavailable("Redis is away.")

    monkeypatch.setattr(ledger, away, unavailable)
    work = Work()
    await once(ledger, "one", work)
    assert work.done == 1
