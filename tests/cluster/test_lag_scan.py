"""A lag scan over scripted brokers: what it asks, how often, and errors that are data."""

from __future__ import annotations

from itertools import count
from math import ceil

import pytest

from changes.lag import NO_OFFSET
from tests.cluster.scanning import complete
from tests.cluster.scripted_brokers import NOW, ScriptedBrokers, past_the_second, scanner_of, three


async def test_a_cold_scan_tells_groups_offsets_and_ends() -> None:
    scripted = three()
    scan = await scanner_of(scripted).scan()
    assert complete(scan)
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
        assert complete(scan)
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


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [(50, 1_000, 600), (0, 700, 0), (600, 900, 600)],
    ids=["nobody asks again", "made anew", "a new leader knows less of its end"],
)
async def test_a_log_that_ends_earlier_is_asked_for_its_start_in_the_same_scan(
    start: int, end: int, told: int
) -> None:
    scripted = three()
    log = scripted.logs["orders", 1]
    log.start, log.end = 600, 1_000
    scanner = await past_the_second(scripted)
    log.start, log.end = start, end
    scan = await scanner.scan()
    assert scan.starts["orders", 1] == told
    assert scripted.counts()["ListOffsets"] == 3 + (end < 1_000)


async def test_a_start_beyond_the_end_is_forgotten_when_its_leader_does_not_say_another() -> None:
    scripted = three()
    log = scripted.logs["orders", 1]
    log.start, log.end = 600, 1_000
    scanner = await past_the_second(scripted)
    log.start, log.end = 0, 100
    answers = count()

    def silent_after_the_ends() -> None:
        if next(answers) == 3:
            scripted.silent.add(2)
        else:
            scripted.after["ListOffsets"] = silent_after_the_ends

    silent_after_the_ends()
    scan = await scanner.scan()
    assert set(scan.blind_brokers) == {2}
    assert scan.ends["orders", 1] == 100
    assert ("orders", 1) not in scan.starts


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


async def test_old_brokers_are_asked_for_each_group_until_they_are_upgraded() -> None:
    scripted = three()
    scripted.versions[2] = {9: (0, 7), 16: (0, 4)}
    scanner = scanner_of(scripted)
    scan = await scanner.scan()
    assert complete(scan)
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
