from __future__ import annotations

import pytest
from redis import Redis

from changes.lifecycle import Event
from ledger import Ledger, UnreadableEntry
from tests.ledger.conftest import Opens
from tests.ledger.toys import NOW, SAID, moved, plan_for

MEMORY_BYTES_MAX = 20 * 1024 * 1024


class TestRequests:
    def test_are_listed_newest_first(self, ledger: Ledger, opens: Opens) -> None:
        for cluster in ("orders", "payments", "orders"):
            opens(cluster=cluster)
        assert [one.id for one in ledger.requests()] == ["R-3", "R-2", "R-1"]
        assert [one.id for one in ledger.requests(limit=1)] == ["R-3"]
        assert [one.id for one in ledger.requests(cluster="orders")] == ["R-3", "R-1"]
        assert ledger.requests(cluster="nowhere") == ()

    def test_leave_the_ended_ones_out_when_asked_for_the_open(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        moved(ledger, opens(), Event.CANCELLED)
        opens()
        assert [one.id for one in ledger.requests(open_only=True)] == ["R-2"]
        assert [one.id for one in ledger.requests(cluster="orders", open_only=True)] == ["R-2"]
        assert len(ledger.requests(cluster="orders")) == 2

    def test_leave_out_what_cannot_be_read_and_log_it(
        self, ledger: Ledger, redis: Redis, opens: Opens, caplog: pytest.LogCaptureFixture
    ) -> None:
        opens()
        opens()
        redis.hset("ottla:request:R-1", "format", "2")
        assert [one.id for one in ledger.requests()] == ["R-2"]
        assert "R-1 was written by another version" in caplog.text
        with pytest.raises(UnreadableEntry):
            ledger.load("R-1")

    @pytest.mark.parametrize("limit", [0, -1, 1_001])
    def test_have_a_limit(self, ledger: Ledger, limit: int) -> None:
        with pytest.raises(ValueError, match="1 to 1000"):
            ledger.requests(limit=limit)


class TestLine:
    def test_keeps_the_order_in_which_requests_were_queued(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        first, second, third = opens(), opens(), opens()
        other = opens(cluster="payments")
        for request in (second, other, third, first):
            moved(ledger, request, Event.PREPARED_ALLOWED)
        assert ledger.line("orders") == ("R-2", "R-3", "R-1")
        assert ledger.line("payments") == ("R-4",)

    def test_keeps_a_place_while_running_and_rolling_back(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        first = moved(ledger, opens(), Event.PREPARED_ALLOWED)
        moved(ledger, opens(), Event.PREPARED_ALLOWED)
        for event in (Event.STARTED, Event.STEP_BROKE):
            first = moved(ledger, first, event)
            assert ledger.line("orders") == ("R-1", "R-2")
        moved(ledger, first, Event.CLEANED_UP)
        assert ledger.line("orders") == ("R-2",)

    def test_sends_a_drifted_request_to_the_end(self, ledger: Ledger, opens: Opens) -> None:
        first = moved(ledger, opens(), Event.PREPARED_ALLOWED)
        moved(ledger, opens(), Event.PREPARED_ALLOWED)
        moved(ledger, first, Event.DRIFTED, Event.QUORUM_REACHED)
        assert ledger.line("orders") == ("R-2", "R-1")


@pytest.mark.slow
class TestThousandFinishedRequests:
    def test_cost_little_memory_and_nothing_when_the_open_are_listed(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        before = memory_bytes(redis)
        for _ in range(1_000):
            finish(ledger, opens)
        used = memory_bytes(redis) - before
        open_one = opens()

        reads = commands(redis)
        assert ledger.requests(open_only=True) == (open_one,)
        assert ledger.reconcile_due(NOW) == 0
        assert commands(redis) - reads <= 10
        assert used <= MEMORY_BYTES_MAX, f"{used / 1e6:.1f} MB"


def finish(ledger: Ledger, opens: Opens) -> None:
    request = opens()
    request = request.with_(plan=plan_for(request))
    for number in range(20):
        request = request.said(now=NOW, text=f"{number} of 20 partitions are on their new brokers")
    for event in (Event.PREPARED_ALLOWED, Event.STARTED, Event.STEPS_FINISHED):
        request = ledger.save(request.moved(event=event, now=NOW), audit=SAID)


def memory_bytes(redis: Redis) -> int:
    return int(redis.info("memory")["used_memory_dataset"])


def commands(redis: Redis) -> int:
    return int(redis.info("stats")["total_commands_processed"])
