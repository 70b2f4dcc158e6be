"""What is measured, and what is left out when it could not be."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from lab.aws.disk import used_bytes, user_partition_exists
from lab.aws.processes import CpuMeter
from lab.aws.sampler import Rates, Sampler
from lab.aws.series import SeriesStore, metric
from tests.lab.aws.fake_fleet import FakeFleet
from tests.lab.aws.fake_jolokia import FakeJolokia

BYTES_IN = "kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec"
PARTITIONS = "kafka.server:type=ReplicaManager,name=PartitionCount"
ACTIVE = "kafka.controller:type=KafkaController,name=ActiveControllerCount"


@pytest.fixture
async def jolokia() -> AsyncIterator[FakeJolokia]:
    agent = FakeJolokia()
    await agent.start()
    yield agent
    await agent.close()


class Rig:
    """A sampler over a fake fleet, stepped by hand."""

    def __init__(self, jolokia: FakeJolokia, folder: Path) -> None:
        self.fleet = FakeFleet(folder=folder, jolokia_port=jolokia.port)
        self.series = SeriesStore()
        self.sampler = Sampler(
            fleet=self.fleet,
            series=self.series,
            cluster_name="orders",
            period_seconds=5,
            volume_bytes=10_000_000,
            controller_jolokia_port=jolokia.port,
        )

    async def sample(self, *stamps: float) -> None:
        async with aiohttp.ClientSession() as session:
            for stamp in stamps:
                await self.sampler.sample(session, stamp=stamp)

    def values(self, name: str, broker_id: int | None = None) -> dict[float, list[float]]:
        dimensions = {"Cluster Name": "orders"}
        if broker_id is not None:
            dimensions["Broker ID"] = str(broker_id)
        found = self.series.between(metric("AWS/Kafka", name, dimensions), start=0, end=1e12)
        by_stamp: dict[float, list[float]] = {}
        for at, value in zip(*found, strict=True):
            by_stamp.setdefault(at, []).append(value)
        return by_stamp


@pytest.fixture
def rig(jolokia: FakeJolokia, tmp_path: Path) -> Rig:
    return Rig(jolokia, tmp_path)


async def test_a_broker_is_asked_once_for_all_its_beans(rig: Rig, jolokia: FakeJolokia) -> None:
    await rig.sample(100.0)
    assert jolokia.asked == 3 + 1  # three brokers and the controller


async def test_gauges_are_written_as_read_and_counters_need_two_readings(
    rig: Rig, jolokia: FakeJolokia
) -> None:
    jolokia.values = {PARTITIONS: 12, BYTES_IN: 1_000}
    await rig.sample(100.0)
    assert rig.values("PartitionCount", 2) == {100.0: [12.0]}
    assert rig.values("BytesInPerSec", 2) == {}
    jolokia.values[BYTES_IN] = 5_000
    await rig.sample(105.0)
    assert list(rig.values("BytesInPerSec", 2)) == [105.0]
    assert rig.values("BytesInPerSec", 2)[105.0][0] > 0


def test_a_rate_is_the_growth_per_second() -> None:
    rates = Rates()
    assert rates.of(broker_id=1, pid=7, at=10.0, counters={"BytesInPerSec": 100.0}) == {}
    assert rates.of(broker_id=1, pid=7, at=15.0, counters={"BytesInPerSec": 600.0}) == {
        "BytesInPerSec": 100.0
    }


def test_a_restarted_process_begins_its_counters_anew() -> None:
    rates = Rates()
    rates.of(broker_id=1, pid=7, at=10.0, counters={"BytesInPerSec": 100.0})
    assert rates.of(broker_id=1, pid=8, at=15.0, counters={"BytesInPerSec": 600.0}) == {}
    assert rates.of(broker_id=1, pid=8, at=20.0, counters={"BytesInPerSec": 599.0}) == {}


async def test_a_dead_broker_leaves_a_gap(rig: Rig, jolokia: FakeJolokia) -> None:
    jolokia.values = {PARTITIONS: 12}
    await rig.sample(100.0)
    await rig.fleet.kill(broker_id=2)
    await rig.sample(105.0)
    await rig.fleet.restart(broker_id=2)
    await rig.sample(110.0)
    assert list(rig.values("PartitionCount", 2)) == [100.0, 110.0]
    assert list(rig.values("PartitionCount", 1)) == [100.0, 105.0, 110.0]


async def test_a_silent_agent_costs_kafkas_metrics_but_not_the_disks(
    rig: Rig, jolokia: FakeJolokia
) -> None:
    jolokia.silent = True
    await rig.sample(100.0)
    assert rig.values("PartitionCount", 1) == {}
    assert rig.values("ActiveControllerCount") == {}
    assert list(rig.values("KafkaDataLogsDiskUsed", 1)) == [100.0]


async def test_every_broker_adds_a_zero_to_the_controllers_metrics(
    rig: Rig, jolokia: FakeJolokia
) -> None:
    jolokia.values = {ACTIVE: 1}
    await rig.sample(100.0)
    assert sorted(rig.values("ActiveControllerCount")[100.0]) == [0.0, 0.0, 0.0, 1.0]


async def test_disk_is_the_share_of_the_volume_that_the_folder_takes(rig: Rig) -> None:
    rig.fleet.put_partition(1, "orders-0", bytes_written=1_000_000)
    await rig.sample(100.0)
    (used,) = rig.values("KafkaDataLogsDiskUsed", 1)[100.0]
    assert 10.0 <= used < 11.0
    assert rig.values("KafkaDataLogsDiskUsed", 2)[100.0] == [0.0]
    assert rig.values("UserPartitionExists", 1)[100.0] == [1.0]
    assert rig.values("UserPartitionExists", 2)[100.0] == [0.0]


def test_cpu_is_measured_from_the_process() -> None:
    meter = CpuMeter()
    assert meter.percentages(pid=os.getpid(), at=time.monotonic()) == {}
    burnt_until = time.process_time() + 0.1  # the kernel counts in steps of 10 ms
    while time.process_time() < burnt_until:
        pass
    found = meter.percentages(pid=os.getpid(), at=time.monotonic())
    assert 0 < found["CpuUser"] + found["CpuSystem"] <= 100
    assert sum(found.values()) == pytest.approx(100)


def test_a_process_that_is_gone_has_no_cpu() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert CpuMeter().percentages(pid=gone.pid, at=time.monotonic()) == {}


async def test_heap_after_collection_is_absent_until_the_old_space_was_collected(
    rig: Rig, jolokia: FakeJolokia
) -> None:
    pools = {
        "java.lang:name=Tenured Gen,type=MemoryPool": {"CollectionUsage": {"used": 0}},
        "java.lang:name=Metaspace,type=MemoryPool": {"CollectionUsage": None},
    }
    jolokia.values = {
        "java.lang:type=Memory": {"used": 9, "max": 200},
        "java.lang:type=MemoryPool,name=*": pools,
    }
    await rig.sample(100.0)
    pools["java.lang:name=Tenured Gen,type=MemoryPool"] = {"CollectionUsage": {"used": 50}}
    await rig.sample(105.0)
    assert rig.values("HeapMemoryAfterGC", 1) == {105.0: [25.0]}


def test_sparse_files_count_by_blocks(tmp_path: Path) -> None:
    with (tmp_path / "00000000000000000000.index").open("wb") as index:
        os.truncate(index.fileno(), 10 * 2**20)
    assert used_bytes(tmp_path) < 2**20
    assert used_bytes(tmp_path / "gone") == 0


@pytest.mark.parametrize(
    ("folder", "users"),
    [
        ("orders-0", True),
        ("__consumer_offsets-11", True),
        ("__amazon_msk_canary-0", False),
        ("__amazon_msk_canary_state-3", False),
        ("__cluster_metadata-0", False),
        ("checkpoint", False),
    ],
)
def test_only_partitions_msk_would_not_move_count_as_users(
    tmp_path: Path, folder: str, users: bool
) -> None:
    (tmp_path / folder).mkdir()
    assert user_partition_exists(tmp_path) is users
