"""A lag scan against real brokers, counted by proxies between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from bench.kafka_groups import commit, linked, make_topics, produce
from bench.kafka_proxy import Proxies
from changes.facts import TopicSettings
from changes.lag import NO_OFFSET, LagScan
from cluster import lag_scan
from cluster.kafka import KafkaByWire
from cluster.lag_scan import LagScanner
from cluster.wire import Wire
from lab.kafka.brokers import KafkaFleet
from tests.cluster.brokers import idle, real_brokers, until
from tests.cluster.kip848 import join
from tests.cluster.scanning import at_rest, complete, scanning

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]

BROKERS = 4
COLD = 3 * BROKERS + 1
STEADY = 2 * BROKERS + ceil(BROKERS / 5)
GROUPS = {f"group-{n:03d}": {("orders", p): n % 7 for p in range(6)} for n in range(300)}
ODD = "team:überschuss 🚚 <@U123>"
SILENCE_SECONDS_MAX = lag_scan.ANSWER_SECONDS_MAX
CPU_SECONDS_MAX = 0.060


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaFleet]:
    """orders has 6 partitions of 10 records; 301 groups committed on it."""
    async with real_brokers(folder=tmp_path_factory.mktemp("brokers"), brokers=BROKERS) as brokers:
        bootstrap = brokers.bootstrap()
        await make_topics(bootstrap, topics=["orders"], partitions=6, replication=3)
        await produce(bootstrap, topic="orders", partitions=range(6), count=10)
        await commit(bootstrap, GROUPS)
        await commit(bootstrap, {ODD: {("orders", 0): 4}}, metadata="a note")
        yield brokers


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brokers are busy while another lab starts its own; only a silent one is held to the scan's bound."""
    monkeypatch.setattr(lag_scan, "ANSWER_SECONDS_MAX", 15.0)


@pytest_asyncio.fixture(loop_scope="module")
async def proxies(fleet: KafkaFleet) -> AsyncIterator[Proxies]:
    brokers = {b.broker_id: (b.host, b.port) for b in fleet.brokers()}
    async with Proxies(brokers).listening() as standing:
        yield standing


@pytest_asyncio.fixture(loop_scope="module")
async def scanner(proxies: Proxies) -> AsyncIterator[LagScanner]:
    async with scanning(proxies.bootstrap) as (one, _):
        yield one


def committed(scan: LagScan) -> Mapping[str, Mapping[tuple[str, int], int]]:
    return {name: one.committed for name, one in scan.groups.items() if name in GROUPS}


async def test_a_scan_takes_3b_plus_1_requests_and_then_2b_plus_a_fifth(
    proxies: Proxies, scanner: LagScanner
) -> None:
    cold = await scanner.scan()
    assert complete(cold)
    assert committed(cold) == GROUPS
    assert cold.ends == {("orders", p): 10 for p in range(6)}
    counted = proxies.counts()
    assert sum(counted.values()) == cold.requests <= COLD, counted
    assert counted["Metadata"] == 1, "the brokers' addresses come with it"
    for number in range(1, 12):
        proxies.forget()
        scan = await scanner.scan()
        counted = proxies.counts()
        assert complete(scan)
        assert sum(counted.values()) == scan.requests, counted
        starts = BROKERS + 1 if number in (1, 11) else 0
        assert scan.requests <= STEADY + starts, counted
    assert scan.starts == {("orders", p): 0 for p in range(6)}
    assert proxies.in_flight_max <= 2
    assert max(proxies.open.values()) == 1


async def test_reading_uses_two_connections_to_a_broker_at_most(proxies: Proxies) -> None:
    async with scanning(proxies.bootstrap) as (scanner, links):
        kafka = KafkaByWire(wire=Wire(client=links, cluster="real"), cluster="real")
        before = dict(proxies.dialled)
        for _ in range(3):
            await asyncio.gather(scanner.scan(), kafka.replica_sizes(), kafka.partitions())
        assert max(proxies.open.values()) == 2
        assert all(proxies.dialled[one] - before.get(one, 0) <= 3 for one in proxies.addresses)


async def test_names_may_hold_anything_and_metadata_of_commits_is_passed_over(
    scanner: LagScanner,
) -> None:
    scan = await scanner.scan()
    expected = {("orders", p): 4 if p == 0 else NO_OFFSET for p in range(6)}
    assert scan.groups[ODD].committed == expected
    assert await scanner.members(groups=[ODD]) == {ODD: ()}


async def test_brokers_that_know_one_group_at_a_time_tell_the_same(proxies: Proxies) -> None:
    proxies.version_max = {9: 7, 16: 4}
    async with scanning(proxies.bootstrap) as (scanner, _):
        scan = await scanner.scan()
        assert complete(scan)
        assert committed(scan) == GROUPS
        asked = {(one.api_key, one.version) for one in proxies.passed}
        assert {(9, 7), (16, 4)} <= asked
        assert proxies.in_flight_max <= 64


async def test_lag_lies_between_the_truth_before_and_after(
    fleet: KafkaFleet, scanner: LagScanner
) -> None:
    """A consumer and a producer run all the while."""
    await make_topics(fleet.bootstrap(), topics=["busy"], partitions=2, replication=3)
    producer = AIOKafkaProducer(bootstrap_servers=fleet.bootstrap(), acks="all")
    consumer = AIOKafkaConsumer(
        "busy",
        bootstrap_servers=fleet.bootstrap(),
        group_id="busy-readers",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await producer.start()
    await consumer.start()
    truth = {"sent": 0, "sending": 0, "committing": 0, "committed": 0}
    done = asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            truth["sending"] += 1
            await producer.send_and_wait("busy", b"x", partition=truth["sending"] % 2)
            truth["sent"] += 1

    async def read() -> None:
        taken = 0
        while not done.is_set():
            records = await consumer.getmany(timeout_ms=50)
            taken += sum(len(some) for some in records.values())
            truth["committing"] = taken
            await consumer.commit()
            truth["committed"] = taken

    work = asyncio.gather(write(), read())
    try:
        await until(lambda: _is_at_least(truth, "committed", 10))
        for _ in range(10):
            sent, taken = truth["sent"], truth["committed"]
            scan = await scanner.scan()
            offsets = scan.groups.get("busy-readers")
            if offsets is None or len(offsets.committed) < 2 or not complete(scan):
                continue
            reached = sum(max(0, one) for one in offsets.committed.values())
            ends = sum(scan.ends["busy", p] for p in range(2))
            assert taken <= reached <= truth["committing"]
            assert sent <= ends <= truth["sending"]
            for key, offset in offsets.committed.items():
                assert offset <= scan.ends[key], "commits are read before ends"
            await asyncio.sleep(0.05)
        else:
            assert "busy-readers" in scan.groups
        told = (await scanner.members(groups=["busy-readers"]))["busy-readers"]
        assert not isinstance(told, str)
        (member,) = told
        assert member.owns == (("busy", 0), ("busy", 1))
        assert member.host == "127.0.0.1"
    finally:
        done.set()
        await work
        await consumer.stop()
        await producer.stop()


async def _is_at_least(truth: Mapping[str, int], name: str, least: int) -> bool:
    return truth[name] >= least


async def test_a_group_of_the_new_protocol_is_read_with_its_members(
    fleet: KafkaFleet, scanner: LagScanner
) -> None:
    async with linked(fleet.bootstrap()) as links:
        member = await join(links, group="new:style", topic="orders", offsets={0: 3, 1: 5})
    scan = await scanner.scan()
    if "new:style" not in scan.groups:
        scan = await scanner.scan()
    group = scan.groups["new:style"]
    assert group.kind == "consumer"
    assert group.state in ("Stable", "Assigning", "Reconciling")
    assert group.committed["orders", 0] == 3
    assert group.committed["orders", 1] == 5
    told = (await scanner.members(groups=["new:style"]))["new:style"]
    assert not isinstance(told, str)
    assert [one.member_id for one in told] == [member]
    assert set(told[0].owns) <= {("orders", p) for p in range(6)}


async def test_a_moment_is_looked_up(fleet: KafkaFleet, scanner: LagScanner) -> None:
    bootstrap = fleet.bootstrap()
    await make_topics(bootstrap, topics=["old"], partitions=2, replication=3)
    began = datetime.now(UTC) - timedelta(hours=1)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    for minutes in (0, 30, 60):
        stamp = int((began + timedelta(minutes=minutes)).timestamp() * 1000)
        await producer.send_and_wait("old", b"x", partition=0, timestamp_ms=stamp)
    await producer.stop()
    keys = [("old", 0), ("old", 1), ("nowhere", 0)]
    first, last = began + timedelta(minutes=10), began + timedelta(hours=2)
    expected = {("old", 0): 1, ("old", 1): NO_OFFSET}
    assert await scanner.offsets_at(moment=first, partitions=keys) == expected
    assert (await scanner.offsets_at(moment=last, partitions=keys))["old", 0] == NO_OFFSET


async def test_an_open_transaction_holds_the_committed_end(
    fleet: KafkaFleet, scanner: LagScanner
) -> None:
    bootstrap = fleet.bootstrap()
    await make_topics(bootstrap, topics=["paid"], partitions=1, replication=3)
    await commit(bootstrap, {"payers": {("paid", 0): 0}})
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="open-one")
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait("paid", b"x", partition=0)
        await producer.begin_transaction()
        await producer.send_and_wait("paid", b"y", partition=0)
        scan = await scanner.scan()
        assert scan.ends["paid", 0] == 3, "a record, its marker, a record"
        assert await scanner.committed_ends(partitions=[("paid", 0)]) == {("paid", 0): 2}
        await producer.abort_transaction()
    finally:
        await producer.stop()


async def test_a_deleted_topic_and_a_leader_that_moved_are_no_trouble(
    fleet: KafkaFleet, scanner: LagScanner, proxies: Proxies
) -> None:
    bootstrap = fleet.bootstrap()
    await make_topics(bootstrap, topics=["gone", "moving"], partitions=2, replication=1)
    await commit(bootstrap, {"movers": {("gone", 0): 0, ("moving", 0): 0, ("moving", 1): 0}})
    assert complete(await scanner.scan())
    scan = await scanner.scan()
    assert {("moving", 0), ("gone", 1)} <= set(scan.ends)
    async with scanning(bootstrap) as (_, links):
        kafka = KafkaByWire(wire=Wire(client=links, cluster="real"), cluster="real")
        placed = {p.key: p for p in await kafka.partitions() if p.topic == "moving"}
        targets = {(p.topic, p.partition): (p.replicas[0] % BROKERS + 1,) for p in placed.values()}
        assert await kafka.reassign(targets=targets) == {}
        await until(lambda: idle(kafka))
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.delete_topics(["gone"])
    await admin.close()
    await at_rest(bootstrap, without="gone")
    proxies.forget()
    scan = await scanner.scan()
    assert {("moving", 0), ("moving", 1)} <= set(scan.ends)
    assert not {key for key in scan.end_errors if key[0] != "gone"}
    assert proxies.counts()["Metadata"] == 1
    await scanner.scan()
    proxies.forget()
    assert complete(await scanner.scan())
    assert proxies.counts()["Metadata"] == 0


async def test_topic_settings_are_what_holds_wherever_it_was_set(fleet: KafkaFleet) -> None:
    async with scanning(fleet.bootstrap()) as (_, links):
        kafka = KafkaByWire(wire=Wire(client=links, cluster="real"), cluster="real")
        found = await kafka.topic_settings(topics=["orders", "__consumer_offsets", "nowhere"])
    assert set(found) == {"orders", "__consumer_offsets"}
    assert found["__consumer_offsets"].compacted
    plain = found["orders"]
    assert isinstance(plain, TopicSettings)
    assert (plain.compacted, plain.log_append_time) == (False, False)
    assert plain.min_isr is not None
    assert plain.retention_ms is not None


async def test_coordinators_that_moved_are_found_in_the_same_scan(
    fleet: KafkaFleet, scanner: LagScanner, proxies: Proxies
) -> None:
    await scanner.scan()
    before = await scanner.scan()
    async with scanning(fleet.bootstrap()) as (_, links):
        kafka = KafkaByWire(wire=Wire(client=links, cluster="real"), cluster="real")
        parts = [p for p in await kafka.partitions() if p.topic == "__consumer_offsets"]
        targets = {
            (p.topic, p.partition): tuple(sorted(p.replicas, key=lambda one: one == p.leader))
            for p in parts
            if p.leader in (1, 2)
        }
        assert await kafka.reassign(targets=targets) == {}
        refused = await kafka.elect_preferred_leaders(partitions=list(targets))
        assert refused == {}

        async def moved() -> bool:
            leaders = {(p.topic, p.partition): p.leader for p in await kafka.partitions()}
            return all(leaders[key] == target[0] for key, target in targets.items())

        await until(moved)
    await at_rest(fleet.bootstrap())
    proxies.forget()
    scan = await scanner.scan()
    assert complete(scan)
    assert committed(scan) == GROUPS
    at = {name: one.coordinator for name, one in scan.groups.items()}
    assert any(at[name] != before.groups[name].coordinator for name in GROUPS)
    assert scan.requests <= STEADY + 2 * BROKERS, proxies.counts()
    proxies.forget()
    assert complete(await scanner.scan())
    assert sum(proxies.counts().values()) <= STEADY


async def test_a_silent_broker_costs_two_seconds_and_its_own_groups_only(
    scanner: LagScanner, proxies: Proxies, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await scanner.scan()
    before = await scanner.scan()
    its = {name for name, one in before.groups.items() if one.coordinator == 3}
    assert its
    monkeypatch.setattr(lag_scan, "ANSWER_SECONDS_MAX", SILENCE_SECONDS_MAX)
    proxies.silent.add(3)
    began = time.monotonic()
    scan = await scanner.scan()
    assert time.monotonic() - began < SILENCE_SECONDS_MAX + 1.5
    assert scan.missing_groups == its
    assert scan.groups.keys() == before.groups.keys() - its
    assert "no answer within 2 s" in scan.blind_brokers[3]
    dialled = proxies.dialled[3]
    for _ in range(3):
        assert (await scanner.scan()).missing_groups == its
    assert proxies.dialled[3] - dialled <= 3, "no storm"
    proxies.silent.clear()

    async def sees() -> bool:
        return complete(await scanner.scan())

    await until(sees, seconds_max=25)


async def test_groups_of_a_killed_broker_are_missing_until_they_are_found_elsewhere(
    fleet: KafkaFleet, scanner: LagScanner
) -> None:
    await scanner.scan()
    before = await scanner.scan()
    its = {name for name, one in before.groups.items() if one.coordinator == 4}
    await fleet.kill(broker_id=4)
    try:
        scan = await scanner.scan()
        assert scan.missing_groups == its
        assert scan.groups.keys() == before.groups.keys() - its
        assert 4 in scan.blind_brokers

        async def found_again() -> bool:
            last = await scanner.scan()
            return set(GROUPS) <= set(last.groups) and not any(
                one.error for one in last.groups.values()
            )

        await until(found_again, seconds_max=40)
        assert committed(await scanner.scan()) == GROUPS
    finally:
        await fleet.restart(broker_id=4)


async def test_two_thousand_groups_with_twenty_thousand_offsets_cost_little_cpu(
    fleet: KafkaFleet,
) -> None:
    """The least of several scans: what others on this machine take is not ours."""
    await make_topics(fleet.bootstrap(), topics=["many"], partitions=10, replication=1)
    many = {f"many-{n}": {("many", p): 0 for p in range(10)} for n in range(2000 - len(GROUPS))}
    await commit(fleet.bootstrap(), many)
    async with scanning(fleet.bootstrap()) as (scanner, _):
        await scanner.scan()
        taken = []
        for _ in range(6):
            before = time.process_time()
            scan = await scanner.scan()
            taken.append(time.process_time() - before)
            assert complete(scan)
    assert len(scan.groups) >= 2000
    assert sum(len(one.committed) for one in scan.groups.values()) >= 18_000
    assert min(taken) <= CPU_SECONDS_MAX, taken
