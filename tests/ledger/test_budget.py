"""A budget that all processes share: so many in any minute, and not more after a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger import Ledger, connect

MOST = 3
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SECONDS = 60.0


def spend(ledger: Ledger, token: str, now: datetime, *, most: int = MOST) -> float:
    return ledger.spend("slack:C1", token=token, most=most, seconds=SECONDS, now=now)


def test_so_many_and_then_a_wait_until_the_oldest_is_a_minute_old(ledger: Ledger) -> None:
    taken = [spend(ledger, str(at), NOW + timedelta(seconds=at)) for at in range(MOST)]
    assert taken == [0, 0, 0]
    later = NOW + timedelta(seconds=10)
    assert spend(ledger, "more", later) == pytest.approx(50, abs=0.5)
    assert spend(ledger, "more", NOW + timedelta(seconds=60.5)) == 0
    assert spend(ledger, "again", NOW + timedelta(seconds=60.6)) == pytest.approx(0.4, abs=0.5)


def test_the_same_act_tried_again_is_not_paid_for_twice(ledger: Ledger) -> None:
    assert [spend(ledger, "one", NOW) for _ in range(9)] == [0] * 9
    assert [spend(ledger, word, NOW) for word in ("two", "three")] == [0, 0]
    assert spend(ledger, "one", NOW) == 0
    assert spend(ledger, "four", NOW) > 0


def test_whoever_may_spend_less_waits_for_more_to_pass(ledger: Ledger) -> None:
    """The last of three is kept for what is loud."""
    for at in range(2):
        spend(ledger, str(at), NOW + timedelta(seconds=at))
    then = NOW + timedelta(seconds=10)
    assert spend(ledger, "quiet", then, most=2) == pytest.approx(50, abs=0.5)
    assert spend(ledger, "loud", then) == 0
    assert spend(ledger, "quiet", then, most=2) == pytest.approx(51, abs=0.5)


def test_two_processes_share_it_and_other_channels_have_their_own(
    ledger: Ledger, redis_url: str
) -> None:
    other = connect(redis_url)
    taken = [spend(one, str(at), NOW) for at, one in enumerate((ledger, other, ledger))]
    assert taken == [0, 0, 0]
    assert spend(other, "more", NOW) > 0
    assert other.spend("slack:C2", token="more", most=MOST, seconds=SECONDS, now=NOW) == 0
    other.close()
