"""A round as bytes and back: nothing of it is lost, and spoilt bytes are told, never a crash."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changes.excuses import ChangeLease, Effect
from changes.facts import (
    Broker,
    BrokerLoad,
    MskCluster,
    MskOperation,
    Partition,
    Reassignment,
    TopicSettings,
)
from changes.lag import NO_OFFSET, GroupRead, LagScan, Member, TopicPartition
from ledger.rings import Frame
from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.world import CLUSTER, World
from watch import frames
from watch.columns import packed, unpacked
from watch.frames import Skipped, pack, unpack
from watch.seen import Rung, Seen

AT = datetime(2026, 3, 2, 12, 0, 0, 123_456, tzinfo=UTC)


def everything() -> Seen:
    """A round with every part and every oddity of it."""
    return Seen(
        at=AT,
        cluster=CLUSTER,
        scan_seconds=30.0,
        lag=LagScan(
            at=AT - timedelta(seconds=1),
            groups={
                "payments": GroupRead(
                    state="Stable",
                    kind="consumer",
                    coordinator=2,
                    committed={("orders", 1): 999_950, ("orders", 0): 0, ("gone", 7): 12},
                    errors={("secret", 0): "not authorised"},
                ),
                "a:b <@U1> `🦊`": GroupRead(
                    state="Empty",
                    kind="classic",
                    coordinator=1,
                    committed={("orders", 1): NO_OFFSET, ("orders", 0): 2**62},
                ),
                "torn": GroupRead(
                    state="", kind="classic", coordinator=3, committed={}, error="moved"
                ),
                "none": GroupRead(state="Dead", kind="classic", coordinator=1, committed={}),
            },
            ends={("orders", 1): 1_000_000, ("orders", 0): 5},
            end_errors={("gone", 7): "unknown topic"},
            starts={("orders", 1): 100},
            blind_brokers={3: "does not answer"},
            missing_groups=frozenset({"far", "away"}),
            requests=17,
        ),
        rungs=(
            Rung(300.0, AT, {("orders", 1): 999_990}),
            Rung(86_400.0, AT - timedelta(seconds=30), {("orders", 0): -1}),
        ),
        members={"payments": (Member("m-1", "client", "/10.0.0.1", (("orders", 1),)),)},
        stable_ends={("orders", 1): 999_951},
        group_lag={("payments", "orders"): (AT, 1234.0)},
        brokers=(Broker(broker_id=1, rack="use1-az1", host="b-1", port=9098),),
        partitions=(
            Partition(topic="orders", partition=0, replicas=(1, 2), isr=(1,), leader=None),
            Partition(
                topic="orders", partition=1, replicas=(2, 1), isr=(2, 1), leader=2, size_bytes=2**40
            ),
        ),
        sizes_at=AT - timedelta(minutes=4),
        reassignments=(
            Reassignment(
                topic="orders", partition=0, replicas=(1, 2, 3), adding=(3,), removing=(2,)
            ),
        ),
        topics={"orders": TopicSettings(min_isr=2, compacted=False, retention_ms=-1)},
        msk=MskCluster(
            arn="arn",
            name="orders-prod",
            cluster_type="PROVISIONED",
            state="ACTIVE",
            current_version="K1",
            instance_type="kafka.m5.large",
            broker_count=3,
            az_ids=("use1-az1", "use1-az2", "use1-az3"),
            volume_gib=100,
            kafka_version="3.8.x",
        ),
        operations=(
            MskOperation(arn="op", kind="INCREASE_BROKER_COUNT", state="DONE", created_at=AT),
        ),
        loads=(BrokerLoad(broker_id=1, cpu_percent=12.5),),
        loads_at=AT - timedelta(seconds=70),
        leases=(
            ChangeLease(
                request_id="R-1",
                cluster="orders-prod",
                title="scale brokers 6",
                effects=(Effect.MOVES_LEADERS,),
                started_at=AT,
            ),
        ),
        blind={"metrics": "throttled"},
    )


def test_everything_a_round_saw_comes_back() -> None:
    assert unpack(pack(everything())) == everything()


def test_the_order_of_partitions_and_groups_comes_back() -> None:
    seen = unpack(pack(everything()))
    assert isinstance(seen, Seen)
    assert seen.lag is not None
    assert list(seen.lag.groups) == ["payments", "a:b <@U1> `🦊`", "torn", "none"]
    assert list(seen.lag.groups["payments"].committed) == [
        ("orders", 1),
        ("orders", 0),
        ("gone", 7),
    ]


@pytest.mark.parametrize(
    "seen",
    [
        Seen(at=AT, cluster=CLUSTER, scan_seconds=10.0, blind={"lag": "away", "msk": "away"}),
        replace(everything(), lag=None),
        replace(everything(), lag=replace(everything().lag, groups={}, ends={}, starts={})),  # type: ignore[type-var]
        replace(everything(), partitions=()),
        replace(everything(), partitions=None, brokers=None, reassignments=None),
        replace(everything(), rungs=(), stable_ends={}, members={}, leases=(), topics={}),
    ],
)
def test_rounds_with_missing_parts_come_back(seen: Seen) -> None:
    assert unpack(pack(seen)) == seen


offsets = st.dictionaries(
    st.tuples(st.text(max_size=6), st.integers(0, 9999)),
    st.integers(-1, 2**62),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(committed=offsets, ends=offsets, starts=offsets, rung=offsets, name=st.text(max_size=9))
def test_any_offsets_and_names_come_back(
    committed: dict[TopicPartition, int],
    ends: dict[TopicPartition, int],
    starts: dict[TopicPartition, int],
    rung: dict[TopicPartition, int],
    name: str,
) -> None:
    group = GroupRead(state=name, kind="classic", coordinator=1, committed=committed)
    scan = LagScan(at=AT, groups={name: group}, ends=ends, starts=starts)
    seen = Seen(at=AT, cluster=CLUSTER, scan_seconds=30.0, lag=scan, rungs=(Rung(60.0, AT, rung),))
    assert unpack(pack(seen)) == seen


def test_rounds_of_the_same_cluster_share_their_tables() -> None:
    world = World()
    world.topic("orders", partitions=50)
    for number in range(20):
        world.group(f"group-{number}", reads={"orders": 50})
    kept = [pack(seen) for seen in world.scans(until=5)]
    assert len({digest for frame in kept for digest in frame.tables}) == len(kept[0].tables)
    assert max(len(frame.body) for frame in kept) < 1000
    world.group("new", reads={"orders": 50})
    assert pack(world.seen()).tables.keys() != kept[0].tables.keys()


def test_a_history_from_frames_judges_like_the_one_it_was_made_from() -> None:
    world = World()
    world.topic("orders")
    world.group("payments", reads={"orders": 4})
    world.at(10, lambda: world.stop("payments"))
    before, again = Lookout(), Lookout()
    for seen in world.scans(until=20):
        before.look(seen)
        read = unpack(pack(seen))
        assert isinstance(read, Seen)
        again.look(read)
    assert again.said == before.said
    assert list(again.said) == ["consumer_lag/stopped/group payments"]


# Spoilt frames.


def _truncated(frame: Frame) -> Frame:
    return frame._replace(body=frame.body[:-7])


def _flipped(frame: Frame) -> Frame:
    middle = len(frame.body) // 2
    spoilt = frame.body[:middle] + bytes([frame.body[middle] ^ 255]) + frame.body[middle + 1 :]
    return frame._replace(body=spoilt)


def _other_format(frame: Frame) -> Frame:
    return frame._replace(body=frame.body.replace(b"frame 1", b"frame 9"))


def _without_tables(frame: Frame) -> Frame:
    return frame._replace(tables={})


def _with_wrong_tables(frame: Frame) -> Frame:
    spoilt: Mapping[str, bytes] = dict.fromkeys(frame.tables, zlib.compress(b"[[],[]]"))
    return frame._replace(tables=spoilt)


def _with_spoilt_tables(frame: Frame) -> Frame:
    return frame._replace(tables={name: table[:-3] for name, table in frame.tables.items()})


def _nonsense(frame: Frame) -> Frame:
    return frame._replace(body=frames.FORMAT + zlib.compress(b"nonsense"))


def _bomb(frame: Frame) -> Frame:
    return frame._replace(body=frames.FORMAT + zlib.compress(b"\0" * 2**20, 9))


@pytest.mark.parametrize(
    "spoil",
    [
        _truncated,
        _flipped,
        _other_format,
        _without_tables,
        _with_wrong_tables,
        _with_spoilt_tables,
        _nonsense,
        _bomb,
        lambda _: Frame(b"", {}),
    ],
)
def test_spoilt_frames_are_skipped_with_a_sentence(spoil: Callable[[Frame], Frame]) -> None:
    found = unpack(spoil(pack(everything())))
    assert isinstance(found, Skipped)
    assert found.words.startswith("a frame was skipped: ")


def test_a_frame_of_another_version_is_named_as_such() -> None:
    found = unpack(_other_format(pack(everything())))
    assert found == Skipped(
        "a frame was skipped: another version of Ottla wrote it (b'ottla frame 9')"
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_is_a_crash(data: st.DataObject) -> None:
    """Whatever a byte becomes: the frame is skipped, or (never seen) read as it was written."""
    frame = pack(everything())
    place = data.draw(st.integers(0, len(frame.body) - 1))
    byte = data.draw(st.integers(0, 255))
    spoilt = frame.body[:place] + bytes([byte]) + frame.body[place + 1 :]
    found = unpack(frame._replace(body=spoilt))
    assert isinstance(found, Skipped) or found == everything()


@given(numbers=st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_columns_come_back(numbers: list[int]) -> None:
    assert list(unpacked(packed(numbers))) == numbers


def test_a_torn_column_is_refused() -> None:
    with pytest.raises(ValueError, match="no multiple of 8"):
        unpacked(b"1234567")
