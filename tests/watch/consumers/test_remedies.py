"""Would more brokers help? Only broad lag on brokers that are all busy says so; else why not."""

from __future__ import annotations

import pytest

from changes.facts import Broker, BrokerLoad, MskCluster
from changes.incident import Finding
from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.world import World

MSK = MskCluster(
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
)


def behind(
    cpus: tuple[float | None, ...] | None,
    *,
    groups: int = 3,
    leaders: tuple[int, ...] = (1, 2, 3),
    msk: MskCluster | None = MSK,
) -> Finding:
    """What is said of the first of some groups that fall behind together."""
    world = World()
    world.topic("orders", partitions=6, brokers=leaders)
    world.brokers = tuple(Broker(broker_id=one, rack=f"az{one}") for one in (1, 2, 3))
    world.msk = msk
    if cpus is not None:
        world.loads = tuple(
            BrokerLoad(broker_id=one, cpu_percent=cpu) for one, cpu in enumerate(cpus, start=1)
        )
    for number in range(groups):
        world.group(f"group-{number}", reads={"orders": 6})
        world.slow(f"group-{number}", 60)
    lookout = Lookout().watch(world.scans(until=20))
    return lookout.said["consumer_lag/falling behind/group group-0"]


def test_broad_lag_on_busy_brokers_proposes_the_next_allowed_count() -> None:
    found = behind((72, 64, 81))
    assert (found.proposal, found.why_not) == ("scale brokers 6", "")


@pytest.mark.parametrize(
    ("cpus", "words"),
    [
        ((12, 9, 11), "the consumer is the bottleneck: brokers idle at 12 % CPU at most"),
        (
            (90, 20, 21),
            "brokers are unevenly busy (20 to 90 % CPU): spread the load first",
        ),
    ],
)
def test_brokers_that_are_not_all_busy_are_no_reason_for_more(
    cpus: tuple[float, ...], words: str
) -> None:
    found = behind(cpus)
    assert (found.proposal, found.why_not) == ("", words)


def test_one_group_alone_is_no_reason_for_more_brokers() -> None:
    found = behind((72, 64, 81), groups=1)
    assert found.proposal == ""
    assert found.why_not == "only few readers are behind: look at them first (brokers at 64 % CPU)"


def test_lag_on_one_broker_is_no_reason_for_more_brokers() -> None:
    assert behind((72, 64, 81), leaders=(2,)).proposal == ""


@pytest.mark.parametrize("cpus", [None, (), (None, None, None), (72, 81, None), (72, 81)])
def test_without_every_figure_nothing_is_proposed_or_denied(
    cpus: tuple[float | None, ...] | None,
) -> None:
    found = behind(cpus)
    assert (found.proposal, found.why_not) == ("", "")


def test_at_the_quota_it_says_so() -> None:
    found = behind((72, 64, 81), msk=MSK.with_(broker_count=30))
    assert found.proposal == ""
    assert "quota is 30 brokers" in found.why_not


def test_a_group_that_falls_behind_says_its_pace() -> None:
    found = behind((12, 9, 11))
    assert found.words.startswith("group-0 is falling behind: 288,300 behind, oldest unread 8 min")
    assert found.words.endswith(", reads 360 of 600 messages/s")
    assert found.measure == 288_300
    assert found.trend is not None
    assert found.trend.unit == "messages"
    assert len(found.trend.lines) == 6
    assert all(len(line.points) <= 20 for line in found.trend.lines)
    assert found.trend.lines[0].points[-1][1] == 288_300
    assert found.trend.lines[1].points[-1][1] == 48_050
