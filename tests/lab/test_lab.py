"""The lab for real: brokers that register with their rack, records that are all read back, and an
end that leaves nothing behind, however it comes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from lab.addresses import LabFolder, Ports, read_json
from lab.children import ChildFailed, Children
from lab.fleet import Fleet, FleetRefuses
from lab.kafka import jars, java, properties
from lab.kafka.brokers import AZ_IDS, KafkaFleet
from lab.kafka.canaries import create_canaries
from lab.kafka.command import KafkaPrograms
from lab.kafka.locked import DEFAULT_VERSION
from lab.kafka.membership import members

pytestmark = pytest.mark.lab

READY_SECONDS_MAX = 240.0
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[KafkaFleet]:
    """Three brokers on the wheel's Java, so that both Javas are tried in this file."""
    children = Children(logs=tmp_path / "logs", tell=lambda _: None, changed=lambda: None)
    wheel = java.find_java(search_path=str(tmp_path))
    programs = KafkaPrograms(java=wheel, jars=jars.provide(version=DEFAULT_VERSION))
    fleet = KafkaFleet(
        children=children, programs=programs, folder=tmp_path / "kafka", ports=Ports()
    )
    try:
        await fleet.start(brokers=3)
        yield fleet
    finally:
        await fleet.stop()
        await children.close()


async def racks(fleet: Fleet) -> dict[int, str | None]:
    """What the first broker says of all, not what the fleet believes."""
    address = fleet.bootstrap().split(",")[0]
    return {one.broker_id: one.rack for one in await members(address=address)}


async def test_brokers_come_and_go_as_kafka_itself_sees_it(
    fleet: KafkaFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await racks(fleet) == dict(zip((1, 2, 3), AZ_IDS, strict=True))
    await create_canaries(bootstrap=fleet.bootstrap())

    added = await fleet.add(az_id="use1-az2")
    assert (added.broker_id, added.alive) == (4, True)
    assert (await racks(fleet))[4] == "use1-az2"
    assert fleet.bootstrap().count(",") == 2, "one broker of each AZ, not all four"

    await fleet.kill(broker_id=2)
    assert [one.broker_id for one in fleet.brokers() if not one.alive] == [2]
    assert str(added.port) in fleet.bootstrap(), "the AZ's other broker stands in for the dead one"
    assert (await fleet.restart(broker_id=2)).alive
    assert 2 in await racks(fleet)

    with monkeypatch.context() as patch:
        patch.setattr(properties, "meta", lambda **_: "version=1\ncluster.id=another\nnode.id=5\n")
        with pytest.raises(ChildFailed, match=r"broker 5 ended while starting \(exit status 1\)"):
            await fleet.add(az_id="use1-az3")
    assert [one.broker_id for one in fleet.brokers()] == [1, 2, 3, 4]
    with pytest.raises(FleetRefuses, match="no AZ 'mars'; its AZs are use1-az1, use1-az2"):
        await fleet.add(az_id="mars")
    with pytest.raises(FleetRefuses, match="no broker 7; the brokers are 1, 2, 3, 4"):
        await fleet.kill(broker_id=7)

    await fleet.remove(broker_id=4)
    assert sorted(await racks(fleet)) == [1, 2, 3]
    assert not added.log_dir.exists()
    admin = AIOKafkaAdminClient(bootstrap_servers=fleet.bootstrap())
    await admin.start()
    assert sorted(await admin.list_topics()) == ["__amazon_msk_canary", "__amazon_msk_canary_state"]
    await admin.close()


def lab(*arguments: str, folder: LabFolder) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "lab", *arguments, "--dir", str(folder.root)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def numbers(folder: LabFolder) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lab("load", "status", "--json", folder=folder).stdout)
    return found


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[LabFolder, "subprocess.Popen[bytes]"]]:
    folder = LabFolder(tmp_path / "lab")
    command = [sys.executable, "-m", "lab", "up", "--bare", "--dir", str(folder.root)]
    with (tmp_path / "output").open("wb") as output:
        supervisor = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not folder.addresses.exists():
            assert supervisor.poll() is None, (tmp_path / "output").read_text()
            assert time.monotonic() < deadline, (tmp_path / "output").read_text()
            time.sleep(0.2)
        yield folder, supervisor
    finally:
        supervisor.kill()
        supervisor.wait()


def test_a_lab_loses_no_record_through_a_dead_broker_and_leaves_nothing_when_killed(
    running: tuple[LabFolder, "subprocess.Popen[bytes]"],
) -> None:
    folder, supervisor = running
    addresses = read_json(folder.addresses)
    assert addresses is not None
    assert addresses["ready"] is True
    assert addresses["pids"]["supervisor"] == supervisor.pid

    second = lab("up", "--bare", folder=folder)
    assert second.returncode == 2
    assert f"already up in {folder.root} (process {supervisor.pid})" in second.stderr

    before = numbers(folder)["totals"]
    assert before["acknowledged"] > 500, "the pre-loaded records count too"
    killed = lab("fault", "broker-kill", "2", folder=folder)
    assert killed.stdout == "broker 2 was killed\n"
    status = json.loads(lab("status", "--json", folder=folder).stdout)
    assert [one["state"] for one in status["children"] if one["name"] == "broker-2"] == ["stopped"]
    assert lab("fault", "broker-restart", "2", folder=folder).returncode == 0

    drained = lab("load", "stop", "--wait", "90", folder=folder)
    assert drained.returncode == 0, drained.stdout + drained.stderr
    after = numbers(folder)
    assert after["phase"] == "drained"
    assert after["totals"]["missing"] == 0
    assert after["totals"]["acknowledged"] > before["acknowledged"]
    assert all(counts["read_back"] > 0 for counts in after["topics"].values())

    children = [psutil.Process(pid) for pid in after_pids(folder)]
    assert len(children) == 6, "controller, three brokers, Redis and load"
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert json.loads(lab("status", "--json", folder=folder).stdout)["phase"] == "killed"


def after_pids(folder: LabFolder) -> list[int]:
    addresses = read_json(folder.addresses)
    assert addresses is not None
    return [pid for name, pid in addresses["pids"].items() if name != "supervisor"]
