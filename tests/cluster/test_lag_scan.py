"""A lag scan over scripted brokers: counts, moves, silence, and errors that are data."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from math import ceil
from typing import Any

import pytest

from changes.lag import NO_OFFSET, LagScan, Member
from changes.ports import Unreachable
from cluster.lag_scan import LagScanner
from tests.cluster.scripted_brokers import ScriptedBrokers

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def scanner_of(brokers: Any, **more: Any) -> LagScanner:
    return LagScanner(links=brokers, cluster="orders-prod", clock=lambda: NOW, **more)


def three(*, brokers: int = 3) -> ScriptedBrokers:
    """orders and paid with 3 partitions; a at broker 1, b at 2, c at 3."""
    scripted = ScriptedBrokers(brokers=brokers)
    scripted.topic("orders")
    scripted.topic("paid")
    scripted.group("a", at=1, orders=10)
    scripted.group("b", at=2, orders=20, paid=5)
    scripted.group("c", at=3, paid=30)
    return scripted


def clean(scan: LagScan) -> bool:
    return not (scan.missing_groups or scan.blind_brokers or scan.end_errors) and not any(
        one.error or one.errors for one in scan.groups.values()
    )


async def past_the_second(scripted: ScriptedBrokers, **more: Any) -> LagScanner:
    """A scanner that reads metadata by itself no more for a while: the second scan does."""
    scanner = scanner_of(scripted, **more)
    for _ in range(2):
        await scanner.scan()
    scripted.asked.clear()
    return scanner


async def test_a_cold_scan_tells_groups_offsets_and_ends() -> None:
    scripted = three()
    scan = await scanner_of(scripted).scan()
    assert clean(scan)
    assert scan.at == NOW
    assert scan.groups["b"].committed == {
        ("orders", 0): 20,
        ("orders", 1): NO_OFFSET,
        ("orders", 2): NO_OFFSET,
        ("paid", 0): 5,
        ("paid", 1): NO_OFFSET,
        ("paid", 2): NO_OFFSET,
    }
    assert (scan.groups["b"].state, scan.groups["b"].kind) == ("Stable", "classic")
    assert scan.groups["b"].coordinator == 2
    assert scan.ends == {(t, p): 100 for t in ("orders", "paid") for p in range(3)}


@pytest.mark.parametrize("brokers", [1, 3, 6, 12])
async def test_a_cold_scan_takes_3b_plus_1_and_a_steady_one_2b_plus_a_fifth(brokers: int) -> None:
    scripted = ScriptedBrokers(brokers=brokers)
    scripted.topic("orders", partitions=brokers)
    for number in range(4 * brokers):
        scripted.group(f"g{number}", at=number % brokers + 1, orders=number)
    scanner = scanner_of(scripted)
    for number in range(23):
        scripted.asked.clear()
        scan = await scanner.scan()
        asked = scripted.counts()
        assert clean(scan)
        assert len(scan.groups) == 4 * brokers
        assert scan.requests == sum(asked.values())
        if number == 0:
            assert scan.requests == 3 * brokers + 1
        elif number % 10 == 1:
            assert asked["ListOffsets"] == 2 * brokers
            assert asked["Metadata"] == 1
        else:
            assert scan.requests == 2 * brokers + ceil(brokers / 5), asked


async def test_every_broker_lists_its_groups_once_in_five_scans() -> None:
    scripted = three(brokers=7)
    scanner = scanner_of(scripted)
    await scanner.scan()
    scripted.asked.clear()
    for _ in range(5):
        await scanner.scan()
    assert {one for name, one in scripted.asked if name == "ListGroups"} == set(range(1, 8))


async def test_commits_are_read_before_ends() -> None:
    scripted = three()
    scanner = scanner_of(scripted)
    for _ in range(2):
        scripted.asked.clear()
        await scanner.scan()
        names = [name for name, _ in scripted.asked]
        last_commit = max(i for i, name in enumerate(names) if name == "OffsetFetch")
        assert last_commit < names.index("ListOffsets")


async def test_five_hundred_groups_at_most_stand_in_a_question() -> None:
    scripted = ScriptedBrokers(brokers=1)
    scripted.topic("orders")
    for number in range(1201):
        scripted.group(f"g{number:04d}", at=1, orders=number)
    scan = await scanner_of(scripted).scan()
    assert len(scan.groups) == 1201
    assert sorted(size for _, size in scripted.sizes) == [201, 500, 500]


@pytest.mark.slow
async def test_answers_that_outgrow_a_mebibyte_are_cut_smaller() -> None:
    scripted = ScriptedBrokers(brokers=1)
    scripted.topic("wide", partitions=2000)
    for number in range(40):
        group = scripted.group(f"g{number}", at=1)
        group.committed = {("wide", p): 7 for p in range(2000)}
    scanner = scanner_of(scripted)
    await scanner.scan()
    assert [size for _, size in scripted.sizes] == [40]
    scripted.sizes.clear()
    scan = await scanner.scan()
    assert len(scan.groups) == 40
    assert max(size for _, size in scripted.sizes) <= 21
    scripted.sizes.clear()
    await scanner.scan()
    assert len(scripted.sizes) == 2, "and not cut again"


async def test_log_starts_are_read_every_tenth_scan_and_carried() -> None:
    scripted = three()
    scanner = scanner_of(scripted)
    assert (await scanner.scan()).starts == {}
    for number in range(1, 12):
        for log in scripted.logs.values():
            log.start = number
        starts = set((await scanner.scan()).starts.values())
        assert starts == ({11} if number == 11 else {1})


async def test_a_coordinator_that_moved_is_found_in_the_same_scan() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.groups["a"].coordinator = 3
    scripted.groups["b"].coordinator = 1
    scripted.asked.clear()
    scan = await scanner.scan()
    assert clean(scan)
    assert {name: one.coordinator for name, one in scan.groups.items()} == {"a": 3, "b": 1, "c": 3}
    extra = scan.requests - (2 * 3 + 1)
    assert extra <= 2 * 3
    assert scripted.counts()["FindCoordinator"] == 0
    scripted.asked.clear()
    assert (await scanner.scan()).requests <= 2 * 3 + 1


async def test_a_new_broker_takes_over_groups_and_partitions() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.brokers.append(4)
    scripted.groups["a"].coordinator = 4
    scripted.logs["orders", 0].leader = 4
    scan = await scanner.scan()
    assert clean(scan)
    assert scan.groups["a"].coordinator == 4
    assert scan.ends["orders", 0] == 100


async def test_a_coordinator_that_loads_is_an_error_of_its_group() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.groups["a"].error = 14
    scripted.groups["b"].error = 30
    scan = await scanner.scan()
    assert scan.groups["a"].error == "its coordinator is still loading its offsets"
    assert scan.groups["b"].error == "our Kafka user may not read this group"
    assert scan.groups["a"].committed == {}
    assert scan.groups["c"].committed["paid", 0] == 30
    assert not scan.missing_groups


async def test_a_partition_that_was_refused_has_words_and_no_offset() -> None:
    scripted = three()
    scripted.groups["b"].partition_errors = {("orders", 0): 29}
    scan = await scanner_of(scripted).scan()
    assert scan.groups["b"].errors == {("orders", 0): "our Kafka user may not do this to the topic"}
    assert ("orders", 0) not in scan.groups["b"].committed
    assert scan.groups["b"].committed["paid", 0] == 5


async def test_a_silent_broker_hides_its_own_groups_and_ends_only() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.silent.add(2)
    for _ in range(3):
        scripted.asked.clear()
        scan = await scanner.scan()
        assert set(scan.groups) == {"a", "c"}
        assert scan.missing_groups == {"b"}
        assert scan.blind_brokers == {2: "no answer within 2 s"}
        assert set(scan.ends) == {(t, p) for t in ("orders", "paid") for p in (0, 2)}
        assert not scan.end_errors
        assert scripted.asked.count(("ListOffsets", 2)) == 0, "not waited for twice"
    scripted.silent.clear()
    assert clean(await scanner.scan())


async def test_ends_are_read_on_while_the_groups_that_need_them_are_out_of_sight() -> None:
    scripted = three()
    scripted.topic("solo")
    scripted.group("only", at=2, solo=1)
    scanner = await past_the_second(scripted)
    scripted.silent.add(2)
    for _ in range(2):
        assert (await scanner.scan()).ends["solo", 0] == 100


async def test_groups_of_a_silent_broker_are_found_where_they_went() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.silent.add(2)
    await scanner.scan()
    scripted.groups["b"].coordinator = 1
    scan = await scanner.scan()
    assert set(scan.groups) == {"a", "b", "c"}
    assert not scan.missing_groups


async def test_groups_of_a_broker_that_is_gone_stay_missing_until_somebody_has_them() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.brokers.remove(2)
    for _ in range(3):
        scan = await scanner.scan()
        assert scan.missing_groups == {"b"}
    scripted.groups["b"].coordinator = 1
    scan = await scanner.scan()
    assert scan.groups["b"].committed["orders", 0] == 20


async def test_a_list_that_fails_is_told_and_hides_nothing_that_is_known() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.list_errors = {1: 14, 2: 14, 3: 14}
    scan = await scanner.scan()
    assert set(scan.groups) == {"a", "b", "c"}
    (words,) = set(scan.blind_brokers.values())
    assert words == "it does not list its groups: its coordinator is still loading its offsets"
    scripted.list_errors.clear()
    assert clean(await scanner.scan())


async def test_a_deleted_group_is_gone_and_a_new_one_comes() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    del scripted.groups["a"]
    scripted.group("d", at=1, orders=1)
    seen = [await scanner.scan() for _ in range(7)]
    assert set(seen[-1].groups) == {"b", "c", "d"}
    assert not any(one.missing_groups for one in seen)


async def test_a_topic_deleted_between_the_waves_is_an_error_of_its_ends() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)

    def delete() -> None:
        for key in [key for key in scripted.logs if key[0] == "paid"]:
            del scripted.logs[key]

    scripted.after["OffsetFetch"] = delete
    scripted.asked.clear()
    scan = await scanner.scan()
    assert {key for key, words in scan.end_errors.items()} == {("paid", p) for p in range(3)}
    assert set(scan.end_errors.values()) == {"no such topic or partition"}
    assert scan.groups["c"].committed["paid", 0] == 30
    assert scan.ends["orders", 0] == 100
    scripted.groups["b"].committed.pop(("paid", 0))
    scripted.groups["c"].committed.clear()
    assert clean(await scanner.scan())


async def test_what_metadata_cannot_mend_does_not_ask_for_it_each_time() -> None:
    scripted = three()
    scripted.group("lost", at=1, nowhere=3)
    scanner = scanner_of(scripted)
    for _ in range(3):
        await scanner.scan()
    scripted.asked.clear()
    scan = await scanner.scan()
    assert scan.end_errors == {("nowhere", 0): "no such topic or partition"}
    assert scan.groups["lost"].committed == {("nowhere", 0): 3}
    assert scripted.counts()["Metadata"] == 0


async def test_a_leader_that_moved_is_asked_in_the_same_scan() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.logs["orders", 0].leader = 3
    scan = await scanner.scan()
    assert clean(scan)
    assert scan.ends["orders", 0] == 100


async def test_a_partition_without_leader_is_told_until_it_has_one() -> None:
    scripted = three()
    scripted.logs["orders", 1].leader = -1
    scanner = scanner_of(scripted)
    for _ in range(3):
        scan = await scanner.scan()
        assert scan.end_errors == {("orders", 1): "it has no leader just now"}
        assert ("orders", 1) not in scan.ends
    scripted.logs["orders", 1].leader = 2
    await scanner.scan()
    assert clean(await scanner.scan())


async def test_a_topic_that_grows_is_noticed_at_once_when_somebody_commits_there() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.topic("orders", partitions=5)
    scripted.groups["a"].committed["orders", 4] = 6
    scan = await scanner.scan()
    assert scan.ends["orders", 4] == 100
    assert clean(scan)


async def test_a_connection_closed_meanwhile_is_tried_once_more() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.broken.update({1: 1, 2: 1})
    assert clean(await scanner.scan())
    scripted.broken[2] = 99
    assert set((await scanner.scan()).blind_brokers) == {2}


async def test_an_answer_that_cannot_be_read_is_a_broker_that_cannot_be_seen() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.nonsense.add(3)
    scan = await scanner.scan()
    assert scan.blind_brokers[3].startswith("its answer cannot be read: ")
    assert scan.missing_groups == {"c"}


async def test_old_brokers_are_asked_for_each_group_until_they_are_upgraded() -> None:
    scripted = three()
    scripted.versions[2] = {9: (0, 7), 16: (0, 4)}
    scanner = scanner_of(scripted)
    scan = await scanner.scan()
    assert clean(scan)
    assert scan.groups["b"].committed["orders", 0] == 20
    assert ("one", 1) in scripted.sizes
    scripted.versions.clear()
    await scanner.scan()
    scripted.sizes.clear()
    await scanner.scan()
    assert {kind for kind, _ in scripted.sizes} == {"many"}


async def test_brokers_too_old_for_this_are_said_so() -> None:
    scripted = three()
    scripted.versions[2] = {9: (0, 5), 16: (0, 3)}
    scan = await scanner_of(scripted).scan()
    assert "it cannot list its groups with their states" in scan.blind_brokers[2]
    assert set(scan.groups) == {"a", "c"}


async def test_unwanted_and_share_groups_are_not_asked_for() -> None:
    scripted = three()
    scripted.group("console-consumer-1", at=1, orders=1)
    scripted.group("workers", at=1).kind = "share"
    scripted.group("old-workers", at=2).protocol = "share"
    scripted.group("new", at=3, orders=3).kind = "consumer"
    unwanted = {"console-consumer-1"}
    scanner = scanner_of(scripted, wanted=lambda name: name not in unwanted)
    scan = await scanner.scan()
    assert set(scan.groups) == {"a", "b", "c", "new"}
    assert scan.groups["new"].kind == "consumer"
    assert sum(size for _, size in scripted.sizes) == 4
    unwanted.add("a")
    seen = [await scanner.scan() for _ in range(5)]
    assert set(seen[-1].groups) == {"b", "c", "new"}
    assert not any(one.missing_groups for one in seen)


async def test_kafka_that_was_never_reached_raises_and_one_that_went_away_is_blind() -> None:
    scripted = three()
    scripted.bootstrap_error = Unreachable("nobody there")
    scanner = scanner_of(scripted)
    with pytest.raises(Unreachable, match="nobody there"):
        await scanner.scan()
    scripted.bootstrap_error = None
    assert clean(await scanner.scan())
    scripted.silent = {1, 2, 3}
    before = scripted.bootstraps
    for _ in range(2):
        scan = await scanner.scan()
        assert scan.missing_groups == {"a", "b", "c"}
        assert set(scan.blind_brokers) == {1, 2, 3}
    assert scripted.bootstraps > before, "addresses may have changed"
    scripted.bootstrap_error = Unreachable("nobody there")
    assert (await scanner.scan()).missing_groups == {"a", "b", "c"}
    scripted.silent.clear()
    assert clean(await scanner.scan())


async def test_brokers_that_others_learnt_of_are_asked_for_metadata() -> None:
    scripted = three()
    await scripted.bootstrap()
    scripted.silent = {1, 2, 3}
    scanner = scanner_of(scripted)
    with pytest.raises(Unreachable, match="reading metadata of orders-prod: broker"):
        await scanner.scan()
    scripted.silent = {1}
    assert set((await scanner.scan()).groups) == {"b", "c"}


async def test_moments_and_committed_ends_leave_out_what_cannot_be_read() -> None:
    scripted = three()
    scripted.logs["orders", 0].by_time = 40
    scripted.logs["orders", 2].stable_end = 70
    scripted.silent.add(2)
    scanner = scanner_of(scripted)
    keys = [("orders", 0), ("orders", 1), ("orders", 2), ("nowhere", 0), ("orders", 0)]
    found = await scanner.offsets_at(moment=NOW, partitions=keys)
    assert found == {("orders", 0): 40, ("orders", 2): NO_OFFSET}
    assert await scanner.committed_ends(partitions=keys) == {("orders", 0): 100, ("orders", 2): 70}


def classic_member(name: str, assignment: bytes) -> dict[str, object]:
    return {
        "member_id": f"{name}-1",
        "group_instance_id": None,
        "client_id": name,
        "client_host": "/10.0.0.7",
        "member_metadata": b"",
        "member_assignment": assignment,
    }


def assignment(topic: bytes, *partitions: int) -> bytes:
    head = struct.pack(">hih", 0, 1, len(topic)) + topic
    return head + struct.pack(f">i{len(partitions)}i", len(partitions), *partitions) + b"\xff" * 4


async def test_members_are_told_with_what_they_own_or_the_words_why_not() -> None:
    scripted = three()
    a = scripted.groups["a"]
    a.members = [
        classic_member("ann", assignment(b"orders", 2, 0)),
        classic_member("connect", b"\x00\x01\x7f\xff\xff\xff not ours"),
        classic_member("idle", b""),
    ]
    owned = {"topic_id": bytes(16), "topic_name": "paid", "partitions": [1, 0]}
    new = scripted.group("new", at=3)
    new.kind = "consumer"
    new.members = [
        {
            "member_id": "n-1",
            "instance_id": None,
            "rack_id": None,
            "member_epoch": 4,
            "client_id": "nia",
            "client_host": "host.local/10.0.0.9",
            "subscribed_topic_names": ["paid"],
            "subscribed_topic_regex": None,
            "assignment": {"topic_partitions": [owned]},
            "target_assignment": {"topic_partitions": []},
        }
    ]
    scripted.group("flow", at=3).kind = "streams"
    scanner = scanner_of(scripted)
    await scanner.scan()
    scripted.silent.add(2)
    told = await scanner.members(groups=["a", "b", "new", "flow", "nobody"])
    assert told["a"] == (
        Member(
            member_id="ann-1", client_id="ann", host="10.0.0.7", owns=(("orders", 0), ("orders", 2))
        ),
        Member(member_id="connect-1", client_id="connect", host="10.0.0.7", owns=()),
        Member(member_id="idle-1", client_id="idle", host="10.0.0.7", owns=()),
    )
    assert told["new"] == (
        Member(member_id="n-1", client_id="nia", host="10.0.0.9", owns=(("paid", 0), ("paid", 1))),
    )
    assert told["b"] == "broker 2 did not tell: no answer within 5 s"
    assert told["flow"] == "members of a group of type streams are not read"
    assert told["nobody"] == "no broker named this group when it was asked last"
    scripted.silent.clear()
    scripted.groups["b"].coordinator = 1
    moved = await scanner.members(groups=["b"])
    assert moved["b"] == "the broker asked does not coordinate it any more"


@pytest.mark.slow
async def test_fifty_thousand_groups_are_read_in_small_questions() -> None:
    scripted = ScriptedBrokers(brokers=3)
    scripted.topic("orders")
    for number in range(50_000):
        scripted.group(f"g{number}", at=number % 3 + 1, orders=number)
    scan = await scanner_of(scripted).scan()
    assert len(scan.groups) == 50_000
    assert max(size for _, size in scripted.sizes) == 500
    assert scan.requests == 1 + 3 + 3 * 34 + 3
