from __future__ import annotations

import time

import pytest
from redis import Redis

from changes.lifecycle import Event, State
from ledger import Conflict, Ledger, Work
from tests.ledger.conftest import Opens
from tests.ledger.races import at_once
from tests.ledger.toys import NOW, SAID


class TestLease:
    def test_has_one_holder_at_a_time(self, ledger: Ledger) -> None:
        found = at_once(lambda: ledger.claim("request:R-1", seconds=10), times=8)
        assert len([fence for fence in found if fence]) == 1

    def test_passes_on_when_released_with_a_higher_number(self, ledger: Ledger) -> None:
        first = ledger.claim("orders", seconds=10)
        assert first is not None
        assert ledger.release(first)
        second = ledger.claim("orders", seconds=10)
        assert second is not None
        assert second.number > first.number

    def test_ends_by_itself(self, ledger: Ledger) -> None:
        assert ledger.claim("orders", seconds=0.05)
        time.sleep(0.1)
        assert ledger.claim("orders", seconds=10)

    def test_is_held_on_to_by_renewing(self, ledger: Ledger, redis: Redis) -> None:
        fence = ledger.claim("orders", seconds=10)
        assert fence is not None
        redis.pexpire("ottla:lease:orders", 2_000)
        assert ledger.renew(fence)
        assert redis.pttl("ottla:lease:orders") > 5_000

    def test_is_neither_renewed_nor_released_by_who_lost_it(
        self, ledger: Ledger, redis: Redis
    ) -> None:
        late = ledger.claim("orders", seconds=10)
        assert late is not None
        redis.delete("ottla:lease:orders")
        holder = ledger.claim("orders", seconds=10)
        assert holder is not None
        assert not ledger.renew(late)
        assert not ledger.release(late)
        assert ledger.renew(holder)

    @pytest.mark.parametrize("seconds", [0, -1, 100_000, float("nan")])
    def test_has_a_sensible_length(self, ledger: Ledger, seconds: float) -> None:
        with pytest.raises(ValueError, match="a lease lasts"):
            ledger.claim("orders", seconds=seconds)


class TestFence:
    def test_lets_the_holder_save(self, ledger: Ledger, opens: Opens) -> None:
        request = opens()
        fence = ledger.claim("request:R-1", seconds=10)
        assert ledger.save(request, audit=None, fence=fence).version == 1

    def test_refuses_a_late_commit_whole(self, ledger: Ledger, redis: Redis, opens: Opens) -> None:
        request = opens()
        late = ledger.claim("request:R-1", seconds=10)
        redis.delete("ottla:lease:request:R-1")
        ledger.claim("request:R-1", seconds=10)
        with pytest.raises(Conflict, match="passed on"):
            ledger.save(
                request.moved(event=Event.PREPARED_ALLOWED, now=NOW),
                audit=SAID,
                work=[Work("tick", "R-1")],
                fence=late,
            )
        stored = ledger.load("R-1")
        assert stored is not None
        assert stored.state is State.PREPARING
        assert len(list(ledger.audit_lines())) == 1
        assert redis.llen("rq:queue:ottla") == 1

    def test_refuses_a_commit_whose_lease_ended_while_it_was_written(
        self, ledger: Ledger, opens: Opens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lease was ours when it was checked, and was over before the transaction arrived."""
        request = opens()
        fence = ledger.claim("request:R-1", seconds=0.2)
        next_line = ledger._next_line

        def slow_next_line(*arguments: object) -> object:
            time.sleep(0.3)
            return next_line(*arguments)  # type: ignore[arg-type]  # handed through as it came

        monkeypatch.setattr(ledger, "_next_line", slow_next_line)
        with pytest.raises(Conflict, match="passed on"):
            ledger.save(request, audit=SAID, fence=fence)
        assert ledger.load("R-1") == request
