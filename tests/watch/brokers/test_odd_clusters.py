"""Clusters of a shape nobody has in mind: small, in one zone, without racks, empty. Nothing is wrong there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from changes.facts import Broker, TopicSettings
from tests.watch.brokers.seeing import NOW, Clock, brokers_of, lag_of, msk_of, partition_of
from tests.watch.brokers.test_every_rule import busy, healthy
from watch.runtime import all_rules
from watch.seen import Seen

EVERY = timedelta(minutes=2)


def of_brokers(number: int, **parts: Any) -> dict[str, Any]:
    """Busy and healthy; no topic wants more copies than there can be."""
    shape = {**healthy(number), **parts}
    copies = {one.topic: len(one.replicas) for one in shape["partitions"]}
    shape["topics"] = {name: TopicSettings(min_isr=min(2, n)) for name, n in copies.items()}
    return shape


def in_racks(rack: str | None) -> tuple[Broker, ...]:
    return tuple(one.model_copy(update={"rack": rack}) for one in brokers_of(3))


def unlike(number: int) -> tuple[Broker, ...]:
    """Ids that do not begin at 1 and have holes, as after brokers were removed."""
    return tuple(Broker(broker_id=id_, rack=f"az{n}") for n, id_ in enumerate((2, 7, 31)[:number]))


CLUSTERS: Mapping[str, dict[str, Any]] = {
    "one broker": of_brokers(1),
    "two brokers": of_brokers(2),
    "one zone": of_brokers(3, brokers=in_racks("az1"), msk=msk_of(az_ids=("az1",))),
    "no racks": of_brokers(3, brokers=in_racks(None)),
    "zones of unlike size": of_brokers(4),
    "one partition": of_brokers(3, partitions=(partition_of("orders", 0, (1, 2, 3)),)),
    "no topics": of_brokers(3, partitions=()),
    "one broker without topics": of_brokers(1, partitions=()),
    "ids with holes": of_brokers(
        3,
        brokers=unlike(3),
        partitions=tuple(
            partition_of("orders", n, ((2, 7, 31) * 2)[n % 3 : n % 3 + 3]) for n in range(12)
        ),
    ),
}


def named_right(seen: Seen) -> Seen:
    """Figures of the brokers there are, whatever their ids."""
    pairs = zip(seen.loads or (), seen.brokers or (), strict=True)
    return replace(seen, loads=tuple(a.with_(broker_id=b.broker_id) for a, b in pairs))


@pytest.mark.parametrize("groups", [True, False], ids=["read", "read by nobody"])
@pytest.mark.parametrize("name", CLUSTERS)
def test_forty_minutes_of_it_are_silent_and_break_no_rule(name: str, groups: bool) -> None:
    clocks = [Clock(rule, every=EVERY) for rule in all_rules()]
    for i in range(20):
        seen = named_right(busy(NOW + i * EVERY, CLUSTERS[name]))
        if not groups or not seen.partitions:
            seen = replace(seen, lag=lag_of(seen.at), group_lag={})
        for clock in clocks:
            looked = clock.round(seen)
            assert not [one for one in looked.findings if one.phase == "trigger"], clock.minutes
            assert looked.unseen == () or i < 10, looked.unseen
    assert not [told for clock in clocks for told in clock.fired]
