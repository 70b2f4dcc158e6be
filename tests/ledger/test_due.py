from __future__ import annotations

from datetime import timedelta

from redis import Redis

from changes.lifecycle import Event
from ledger import Ledger, Work
from ledger.due import RETRY_SECONDS
from ledger.replies import names
from ledger.store import PREPARE_AGAIN
from tests.ledger.conftest import Opens
from tests.ledger.races import at_once
from tests.ledger.toys import NOW, SAID, moved

QUEUE = "rq:queue:ottla"
LATER = NOW + timedelta(hours=1)
RETRY = timedelta(seconds=RETRY_SECONDS)


def queued(redis: Redis) -> list[str]:
    return list(names(redis.lrange(QUEUE, 0, -1)))


class TestDue:
    def test_names_what_should_have_moved_longest_waiting_first(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        for seconds in (30, 10, 20, 90):
            ledger.save(opens(), audit=None, due_at=NOW + timedelta(seconds=seconds))
        minute_later = NOW + timedelta(minutes=1)
        assert ledger.due(minute_later) == ("R-2", "R-3", "R-1")
        assert ledger.due(minute_later, limit=1) == ("R-2",)
        assert ledger.due(NOW) == ()

    def test_keeps_a_due_time_over_saves_that_do_not_name_one(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        request = ledger.save(opens(), audit=None, due_at=NOW)
        ledger.save(request, audit=None)
        assert ledger.due(NOW) == ("R-1",)

    def test_forgets_an_ended_request(self, ledger: Ledger, opens: Opens) -> None:
        moved(ledger, opens(), Event.CANCELLED)
        assert ledger.due(LATER) == ()


class TestEnqueueTick:
    def test_queues_one_tick_however_often_it_is_asked(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        moved(ledger, opens(), Event.PREPARED_ALLOWED)
        redis.delete(QUEUE)
        at_once(lambda: ledger.enqueue_tick("R-1"), times=4)
        ledger.enqueue_tick("R-1")
        assert queued(redis) == ["tick-R-1-1-1"]

    def test_takes_a_second_ticker_s_turn_away(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        request = moved(ledger, opens(), Event.PREPARED_ALLOWED)
        ledger.save(request, audit=None, due_at=NOW)
        redis.delete(QUEUE)
        ledger.enqueue_tick("R-1", now=NOW)
        redis.delete(QUEUE)  # a worker took it at once
        ledger.enqueue_tick("R-1", now=NOW)
        assert queued(redis) == []

    def test_queues_another_attempt_when_the_worker_died(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        request = moved(ledger, opens(), Event.PREPARED_ALLOWED)
        ledger.save(request, audit=None, due_at=NOW)
        ledger.enqueue_tick("R-1", now=NOW)
        redis.delete(QUEUE)  # taken, and never heard of again
        assert queued(redis) == []
        assert ledger.due(NOW + RETRY - timedelta(seconds=1)) == ()
        assert ledger.due(NOW + RETRY) == ("R-1",)
        ledger.enqueue_tick("R-1", now=NOW + RETRY)
        assert queued(redis) == ["tick-R-1-2-2"]

    def test_prepares_again_what_is_still_preparing(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        opens()
        redis.delete(QUEUE)
        assert ledger.due(NOW + PREPARE_AGAIN) == ("R-1",)
        ledger.enqueue_tick("R-1", now=NOW + PREPARE_AGAIN)
        assert queued(redis) == ["prepare-R-1-0-2"]

    def test_does_not_queue_beside_work_that_a_save_queued(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        queued_request = opens().moved(event=Event.PREPARED_ALLOWED, now=NOW)
        ledger.save(queued_request, audit=SAID, due_at=NOW, work=[Work("tick", "R-1")])
        ledger.enqueue_tick("R-1", now=NOW)
        assert queued(redis) == ["prepare-R-1-0-1", "tick-R-1-1-1"]

    def test_drops_the_due_time_of_what_has_ended_or_never_was(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        moved(ledger, opens(), Event.CANCELLED)
        redis.zadd("ottla:due", {"R-1": 0, "R-77": 0})
        for request_id in ledger.due(NOW):
            ledger.enqueue_tick(request_id, now=NOW)
        assert ledger.due(LATER) == ()
        assert queued(redis) == ["prepare-R-1-0-1"]


class TestReconcile:
    def test_derives_every_due_time_again_after_they_were_lost(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        moved(ledger, opens(), Event.PREPARED_ALLOWED)
        waiting = opens().moved(event=Event.PREPARED_NEEDS_APPROVALS, now=NOW)
        ledger.save(waiting.with_(expires_at=LATER), audit=SAID, due_at=LATER)
        moved(ledger, opens(), Event.CANCELLED)
        redis.delete("ottla:due", QUEUE)
        assert ledger.reconcile_due(NOW) == 2
        assert ledger.due(NOW) == ("R-1",)
        assert ledger.due(LATER) == ("R-1", "R-2")

    def test_leaves_due_times_alone_that_are_there(self, ledger: Ledger, opens: Opens) -> None:
        ledger.save(opens(), audit=None, due_at=LATER)
        assert ledger.reconcile_due(NOW) == 0
        assert ledger.due(NOW) == ()

    def test_drops_due_times_of_requests_that_ended(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        moved(ledger, opens(), Event.CANCELLED)
        redis.zadd("ottla:due", {"R-1": 0})
        ledger.reconcile_due(NOW)
        assert ledger.due(LATER) == ()

    def test_goes_on_when_one_entry_cannot_be_read(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        opens()
        opens()
        redis.hset("ottla:request:R-1", "format", "2")
        redis.delete("ottla:due")
        assert ledger.reconcile_due(NOW) == 1
        assert ledger.due(NOW) == ("R-2",)

    def test_brings_work_back_after_every_key_of_rq_was_wiped(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        queued_request = opens().moved(event=Event.PREPARED_ALLOWED, now=NOW)
        ledger.save(queued_request, audit=SAID, due_at=NOW, work=[Work("tick", "R-1")])
        redis.delete(*redis.keys("rq:*"))
        ledger.enqueue_tick("R-1", now=NOW)
        assert queued(redis) == ["tick-R-1-1-2"]
