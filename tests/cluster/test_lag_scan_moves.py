"""A lag scan while the cluster changes under it: moves, silence, deletions, and recovery."""

from __future__ import annotations

import pytest

from changes.ports import Unreachable
from tests.cluster.scanning import complete
from tests.cluster.scripted_brokers import past_the_second, scanner_of, three


async def test_a_coordinator_that_moved_is_found_in_the_same_scan() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.groups["a"].coordinator = 3
    scripted.groups["b"].coordinator = 1
    scripted.asked.clear()
    scan = await scanner.scan()
    assert complete(scan)
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
    assert complete(scan)
    assert scan.groups["a"].coordinator == 4
    assert scan.ends["orders", 0] == 100


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
    assert complete(await scanner.scan())


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
    assert complete(await scanner.scan())


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
    assert complete(await scanner.scan())


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
    assert complete(scan)
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
    assert complete(await scanner.scan())


async def test_a_topic_that_grows_is_noticed_at_once_when_somebody_commits_there() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.topic("orders", partitions=5)
    scripted.groups["a"].committed["orders", 4] = 6
    scan = await scanner.scan()
    assert scan.ends["orders", 4] == 100
    assert complete(scan)


async def test_a_connection_closed_meanwhile_is_tried_once_more() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.broken.update({1: 1, 2: 1})
    assert complete(await scanner.scan())
    scripted.broken[2] = 99
    assert set((await scanner.scan()).blind_brokers) == {2}


async def test_an_answer_that_cannot_be_read_is_a_broker_that_cannot_be_seen() -> None:
    scripted = three()
    scanner = await past_the_second(scripted)
    scripted.nonsense.add(3)
    scan = await scanner.scan()
    assert scan.blind_brokers[3].startswith("its answer cannot be read: ")
    assert scan.missing_groups == {"c"}


async def test_kafka_that_was_never_reached_raises_and_one_that_went_away_is_blind() -> None:
    scripted = three()
    scripted.bootstrap_error = Unreachable("nobody there")
    scanner = scanner_of(scripted)
    with pytest.raises(Unreachable, match="nobody there"):
        await scanner.scan()
    scripted.bootstrap_error = None
    assert complete(await scanner.scan())
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
    assert complete(await scanner.scan())


async def test_brokers_that_others_learnt_of_are_asked_for_metadata() -> None:
    scripted = three()
    await scripted.bootstrap()
    scripted.silent = {1, 2, 3}
    scanner = scanner_of(scripted)
    with pytest.raises(Unreachable, match="reading metadata of orders-prod: broker"):
        await scanner.scan()
    scripted.silent = {1}
    assert set((await scanner.scan()).groups) == {"b", "c"}
