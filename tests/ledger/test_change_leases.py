"""What changes explain to the watch: there for a time, renewed, ended, and never in the watch's way."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from redis import Redis

from changes.excuses import ChangeLease, Effect
from ledger import Ledger
from tests.ledger.toys import NOW

KEY = "ottla:change:R-7"


def lease(number: int = 7, cluster: str = "orders") -> ChangeLease:
    return ChangeLease(
        request_id=f"R-{number}",
        cluster=cluster,
        title="scale brokers 6",
        effects=(Effect.MOVES_REPLICAS, Effect.ADDS_BROKERS),
        broker_ids=(0, 1, 2),
        topics=("clicks",),
        started_at=NOW,
    )


class TestHolding:
    def test_is_read_as_it_was_held(self, ledger: Ledger) -> None:
        ledger.hold_change_lease(lease(), seconds=10)
        assert ledger.change_leases("orders") == (lease(),)
        assert ledger.change_leases("payments") == ()

    def test_goes_with_its_time(self, ledger: Ledger) -> None:
        ledger.hold_change_lease(lease(), seconds=0.05)
        time.sleep(0.1)
        assert ledger.change_leases("orders") == ()
        assert not ledger.renew_change_lease("R-7")

    def test_is_renewed_and_never_shortened_by_that(self, ledger: Ledger, redis: Redis) -> None:
        ledger.hold_change_lease(lease(), seconds=1)
        assert ledger.renew_change_lease("R-7", seconds=20)
        assert redis.pttl(KEY) > 15_000
        assert ledger.renew_change_lease("R-7", seconds=1)
        assert redis.pttl(KEY) > 15_000

    @pytest.mark.parametrize("seconds", [0, -1, 100_000, float("nan")])
    def test_has_a_sensible_length(self, ledger: Ledger, seconds: float) -> None:
        with pytest.raises(ValueError, match="a lease lasts"):
            ledger.hold_change_lease(lease(), seconds=seconds)
        assert ledger.change_leases("orders") == ()


class TestEnded:
    def test_is_kept_with_its_end(self, ledger: Ledger, redis: Redis) -> None:
        ended = NOW + timedelta(minutes=20)
        ledger.hold_change_lease(lease(), seconds=10)
        ledger.end_change_lease(lease(), ended, keep_seconds=900)
        assert ledger.change_leases("orders") == (lease().with_(ended_at=ended),)
        assert 890_000 < redis.pttl(KEY) <= 900_000

    def test_a_late_heartbeat_does_not_bring_it_back_to_life(self, ledger: Ledger) -> None:
        ledger.end_change_lease(lease(), NOW)
        ledger.renew_change_lease("R-7")
        (found,) = ledger.change_leases("orders")
        assert found.ended_at == NOW


def test_the_newest_of_a_cluster_comes_first_and_the_list_stays_short(ledger: Ledger) -> None:
    for number in range(1, 31):
        ledger.hold_change_lease(lease(number), seconds=100)
    ids = [one.request_id for one in ledger.change_leases("orders")]
    assert ids == [f"R-{number}" for number in range(30, 10, -1)]


def test_one_of_another_version_is_passed_over(
    ledger: Ledger, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.hold_change_lease(lease(), seconds=10)
    ledger.hold_change_lease(lease(8), seconds=10)
    redis.set(KEY, '{"colour": "blue"}', ex=10)
    assert [one.request_id for one in ledger.change_leases("orders")] == ["R-8"]
    assert "another version" in caplog.text
