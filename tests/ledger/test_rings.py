"""What the watch saw is kept for a day and within its bytes, the oldest leaving first."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from redis import Redis

from ledger import Ledger, keys, rings
from ledger.rings import Frame
from tests.ledger.toys import NOW


def frame(number: int, *, size: int = 10, table: str = "t") -> Frame:
    return Frame(body=f"{number}:".encode().ljust(size, b"."), tables={table: table.encode() * 50})


def keep(ledger: Ledger, *, count: int, since: datetime = NOW, **how: int | str) -> None:
    for number in range(count):
        kept = frame(number, **how)  # type: ignore[arg-type]
        assert ledger.keep_frame("orders", kept, at=since + timedelta(seconds=30 * number))


def numbers(ledger: Ledger, *, since: datetime | None = None) -> list[int]:
    return [int(one.body.split(b":")[0]) for one in ledger.frames("orders", since=since)]


def stored_bytes(redis: Redis) -> int:
    """What really lies in Redis."""
    total = 0
    for key in (keys.frame_bodies("orders"), keys.frame_tables("orders")):
        total += sum(len(value) for value in redis.hvals(key))
    return total


def test_frames_come_back_oldest_first_with_their_tables(ledger: Ledger) -> None:
    keep(ledger, count=120)
    assert numbers(ledger) == list(range(120))
    found = next(ledger.frames("orders"))
    assert found == frame(0)


def test_only_those_since_a_moment(ledger: Ledger) -> None:
    keep(ledger, count=10)
    assert numbers(ledger, since=NOW + timedelta(seconds=60)) == list(range(2, 10))


def test_one_moment_is_kept_once(ledger: Ledger) -> None:
    assert ledger.keep_frame("orders", frame(1), at=NOW)
    assert not ledger.keep_frame("orders", frame(2), at=NOW)
    assert numbers(ledger) == [1]


def test_clusters_do_not_share(ledger: Ledger) -> None:
    ledger.keep_frame("orders", frame(1), at=NOW)
    ledger.keep_frame("billing", frame(2), at=NOW)
    assert numbers(ledger) == [1]


def test_a_table_is_stored_once(ledger: Ledger, redis: Redis) -> None:
    keep(ledger, count=5)
    assert redis.hlen(keys.frame_tables("orders")) == 1
    assert ledger.frames_size_bytes("orders") == stored_bytes(redis) == 5 * 10 + 50


def test_a_table_that_was_lost_is_written_again(ledger: Ledger, redis: Redis) -> None:
    keep(ledger, count=2)
    redis.delete(keys.frame_tables("orders"))
    ledger.keep_frame("orders", frame(7), at=NOW + timedelta(minutes=5))
    assert [one.tables for one in ledger.frames("orders")] == [{"t": b"t" * 50}] * 3


def test_after_a_day_the_oldest_leave_with_their_tables(ledger: Ledger, redis: Redis) -> None:
    keep(ledger, count=3, table="old")
    keep(ledger, count=2, since=NOW + timedelta(hours=1), table="new")
    ledger.keep_frame("orders", frame(9, table="new"), at=NOW + timedelta(hours=24, seconds=45))
    assert numbers(ledger) == [2, 0, 1, 9]
    assert redis.hlen(keys.frame_tables("orders")) == 2
    ledger.keep_frame("orders", frame(10, table="new"), at=NOW + timedelta(hours=24, seconds=90))
    assert numbers(ledger) == [0, 1, 9, 10]
    assert redis.hkeys(keys.frame_tables("orders")) == [b"new"]
    assert ledger.frames_size_bytes("orders") == stored_bytes(redis)


def test_the_bytes_are_bounded_and_the_oldest_leave_first(
    ledger: Ledger, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rings, "FRAME_BYTES_MAX", 5000)
    keep(ledger, count=300, size=100)
    assert numbers(ledger) == list(range(251, 300))
    assert ledger.frames_size_bytes("orders") == stored_bytes(redis) <= 5000
    assert redis.zcard(keys.frames("orders")) == redis.hlen(keys.frame_bodies("orders"))


def test_a_table_in_use_outlives_the_frame_that_brought_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rings, "FRAME_BYTES_MAX", 1000)
    keep(ledger, count=60, size=100, table="t")
    assert all(one.tables["t"] == b"t" * 50 for one in ledger.frames("orders"))


@pytest.mark.parametrize("size", [0, rings.FRAME_BYTES_MAX // 4 + 1])
def test_a_frame_has_a_size(ledger: Ledger, size: int) -> None:
    with pytest.raises(ValueError, match="a frame has 1 to 8,388,608 bytes"):
        ledger.keep_frame("orders", Frame(b"." * size, {}), at=NOW)


def test_frames_of_a_clock_that_was_ahead_leave(ledger: Ledger) -> None:
    keep(ledger, count=3, since=NOW + timedelta(days=2))
    keep(ledger, count=2)
    assert numbers(ledger) == [0, 1]


def test_what_nobody_writes_any_more_expires(ledger: Ledger, redis: Redis) -> None:
    keep(ledger, count=1)
    for key in keys.frames_all("orders"):
        assert 86_000 < int(redis.ttl(key)) <= 86_400
    assert sorted(redis.scan_iter("ottla:frames*")) == sorted(
        key.encode() for key in keys.frames_all("orders")
    )


def test_a_cluster_nobody_looked_at_has_no_frames(ledger: Ledger) -> None:
    assert list(ledger.frames("orders")) == []
    assert ledger.frames_size_bytes("orders") == 0


def test_frames_that_leave_while_one_reads_are_skipped(ledger: Ledger, redis: Redis) -> None:
    keep(ledger, count=120)
    reading = ledger.frames("orders")
    next(reading)
    redis.delete(keys.frame_bodies("orders"))
    assert len(list(reading)) == rings.READ_AT_ONCE - 1


def test_figures_and_memories_are_kept_apart_and_replaced(ledger: Ledger, redis: Redis) -> None:
    assert ledger.broker_history("orders") is None
    assert ledger.lag_memory("orders") is None
    for content in (b"one", b"two"):
        ledger.keep_broker_history("orders", b"broker " + content)
        ledger.keep_lag_memory("orders", b"lag " + content)
    assert ledger.broker_history("orders") == b"broker two"
    assert ledger.lag_memory("orders") == b"lag two"
    assert ledger.broker_history("billing") is None
    assert 0 < int(redis.ttl(keys.lag_memory("orders"))) <= 86_400
    assert 0 < int(redis.ttl(keys.broker_history("orders"))) <= 3 * 86_400


def test_figures_and_memories_have_a_size(ledger: Ledger) -> None:
    for content in (b"", b"." * (rings.BROKER_HISTORY_BYTES_MAX + 1)):
        with pytest.raises(ValueError, match="a broker history has 1 to"):
            ledger.keep_broker_history("orders", content)
        with pytest.raises(ValueError, match="a memory of offsets has 1 to"):
            ledger.keep_lag_memory("orders", content)
