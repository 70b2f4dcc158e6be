"""Consumer groups in memory behave as the scanner of real ones was seen to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes.lag import NO_OFFSET, Member, Offsets
from changes.ports import Unreachable
from tests.fakes import FakeOffsets
from tests.fakes.clock import FakeClock


def two_groups(clock: FakeClock) -> FakeOffsets:
    """orders with 3 partitions led by 1, 2, 3; `a` at broker 1, `b` at broker 2."""
    fake = FakeOffsets(clock=clock)
    fake.topic("orders", partitions=3, end=100)
    fake.group("a")
    fake.group("b", state="Empty")
    fake.follow("a", "orders", behind=10)
    fake.commit("b", "orders", 0, 40)
    return fake


async def test_a_scan_tells_groups_ends_and_what_was_never_committed() -> None:
    fake: Offsets = two_groups(FakeClock())
    scan = await fake.scan()
    assert scan.groups["a"].committed == {("orders", p): 90 for p in range(3)}
    assert scan.groups["b"].committed == {
        ("orders", 0): 40,
        ("orders", 1): NO_OFFSET,
        ("orders", 2): NO_OFFSET,
    }
    assert (scan.groups["b"].state, scan.groups["b"].coordinator) == ("Empty", 2)
    assert scan.ends == {("orders", p): 100 for p in range(3)}


async def test_groups_and_ends_of_a_silent_broker_are_missing_not_gone() -> None:
    fake = two_groups(FakeClock())
    await fake.scan()
    fake.silent_brokers[2] = "no answer within 2 s"
    scan = await fake.scan()
    assert set(scan.groups) == {"a"}
    assert scan.missing_groups == {"b"}
    assert ("orders", 1) not in scan.ends
    assert scan.blind_brokers == {2: "no answer within 2 s"}
    fake.groups["b"].coordinator = 3
    assert "b" in (await fake.scan()).groups, "it moved"
    fake.delete_group("b")
    assert not (await fake.scan()).missing_groups


async def test_log_starts_are_as_old_as_the_scanner_reads_them() -> None:
    fake = two_groups(FakeClock())
    assert (await fake.scan()).starts["orders", 0] == 0
    fake.logs["orders", 0].start = 50
    assert [(await fake.scan()).starts["orders", 0] for _ in range(10)] == [0] * 9 + [50]


async def test_a_moment_is_answered_with_the_first_record_that_is_not_older() -> None:
    clock = FakeClock()
    fake = two_groups(clock)
    began = clock()
    for _ in range(3):
        clock.advance(10)
        fake.produce("orders", 0, 5)
    asked = [began, began + timedelta(seconds=11), clock(), clock() + timedelta(seconds=1)]
    key = ("orders", 0)
    answers = [(await fake.offsets_at(moment=m, partitions=[key]))[key] for m in asked]
    assert answers == [100, 105, 110, NO_OFFSET]


async def test_an_open_transaction_holds_the_committed_end() -> None:
    fake = two_groups(FakeClock())
    key = ("orders", 0)
    assert (await fake.committed_ends(partitions=[key])) == {key: 100}
    fake.logs[key].open_transaction_at = 70
    assert (await fake.committed_ends(partitions=[key])) == {key: 70}


async def test_members_or_the_words_why_not() -> None:
    fake = two_groups(FakeClock())
    ann = Member(member_id="m-1", client_id="ann", host="10.0.0.7", owns=(("orders", 0),))
    fake.groups["a"].members.append(ann)
    fake.silent_brokers[2] = "no answer within 2 s"
    told = await fake.members(groups=["a", "b", "c"])
    assert told["a"] == (ann,)
    assert told["b"] == "broker 2 did not tell: no answer within 2 s"
    assert told["c"] == "no broker named this group when it was asked last"


async def test_kafka_that_was_never_reached_raises() -> None:
    fake = FakeOffsets()
    fake.gone = True
    with pytest.raises(Unreachable):
        await fake.scan()
