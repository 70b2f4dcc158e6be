"""Processes on machines whose clocks differ by minutes still take the next tick in time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from changes.lifecycle import Event
from changes.request import Person
from ledger import Audit, Ledger, connect
from tests.ledger.toys import PolishBrokers

MINUTES = timedelta(minutes=7)
ANN = Person(user_id="U1", name="ann")


class Machine:
    """A process with its own clock."""

    def __init__(self, redis_url: str, *, off_by: timedelta) -> None:
        self.off_by = off_by
        self.ledger: Ledger = connect(redis_url, clock=self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off_by


@contextmanager
def machine(redis_url: str, *, off_by: timedelta) -> Iterator[Machine]:
    found = Machine(redis_url, off_by=off_by)
    yield found
    found.ledger.close()


@pytest.mark.parametrize("worker_off", [MINUTES, -MINUTES, timedelta()])
@pytest.mark.parametrize("ticker_off", [MINUTES, -MINUTES, timedelta()])
def test_a_due_time_means_the_same_moment_on_every_machine(
    redis_url: str, worker_off: timedelta, ticker_off: timedelta
) -> None:
    with (
        machine(redis_url, off_by=worker_off) as worker,
        machine(redis_url, off_by=ticker_off) as ticker,
    ):
        asked = worker.ledger.open_request(
            change=PolishBrokers(cluster="c", times=3),
            requester=ANN,
            channel="C1",
            asked_in="C1",
            because="",
            now=worker.now(),
        )
        saved = asked.moved(event=Event.PREPARED_ALLOWED, now=worker.now())
        audit = Audit(actor="worker", event="queued", words="-")
        saved = worker.ledger.save(saved, audit=audit, due_at=worker.now())
        soon = timedelta(seconds=2)
        assert ticker.ledger.due(ticker.now() + soon) == (saved.id,), "due at once"
        later = worker.ledger.save(saved, audit=None, due_at=worker.now() + timedelta(seconds=60))
        assert ticker.ledger.due(ticker.now() + timedelta(seconds=50)) == ()
        assert ticker.ledger.due(ticker.now() + timedelta(seconds=65)) == (later.id,)


@pytest.mark.parametrize(
    ("off_by", "words"), [(MINUTES, "420 s ahead of"), (-MINUTES, "420 s behind")]
)
def test_a_clock_that_is_far_off_is_said_once(
    redis_url: str, off_by: timedelta, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), machine(redis_url, off_by=off_by) as far:
        far.ledger.due(far.now())
        far.ledger.due(far.now())
    said = [r.getMessage() for r in caplog.records if "clock" in r.getMessage()]
    assert [words in text for text in said] == [True]


def test_a_good_clock_is_left_alone(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), machine(redis_url, off_by=timedelta()) as good:
        good.ledger.due(good.now())
        assert good.ledger._skew.seconds == 0.0
    assert "clock" not in caplog.text


def test_a_lease_does_not_ask_any_clock_but_that_of_redis(redis_url: str) -> None:
    with (
        machine(redis_url, off_by=MINUTES) as ahead,
        machine(redis_url, off_by=-MINUTES) as behind,
    ):
        fence = ahead.ledger.claim("request:R-1", seconds=5)
        assert fence is not None
        assert behind.ledger.claim("request:R-1", seconds=5) is None
        assert ahead.ledger.renew(fence)
        assert ahead.ledger.release(fence)
        assert behind.ledger.claim("request:R-1", seconds=5) is not None
