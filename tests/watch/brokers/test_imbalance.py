"""Uneven brokers: what is told, and above all what is not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from changes.facts import Partition
from changes.placement.model import Placement
from changes.placement.spread import spread
from tests.watch.brokers.seeing import (
    GIB,
    Clock,
    brokers_of,
    led,
    loads_of,
    look,
    move_of,
    msk_of,
    only,
    partition_of,
    seen_of,
)
from watch import plan_preview
from watch.rules.imbalance import Imbalance
from watch.seen import Seen

RULE = Imbalance()


def leaders(*counts: int, **fields: Any) -> Seen:
    """A round with so many leaders on brokers 1, 2, 3 …"""
    by_broker = {i + 1: many for i, many in enumerate(counts)}
    return seen_of(number=len(counts), partitions=led(by_broker, among=list(by_broker)), **fields)


# Scenario 15: imbalance and integers.


@pytest.mark.parametrize("counts", [(7, 6, 7), (34, 33, 33), (2, 1, 1), (110, 100, 90)])
def test_what_whole_numbers_allow_stays_silent_for_days(counts: tuple[int, ...]) -> None:
    clock = Clock(RULE, every=timedelta(hours=4))
    for _ in range(18):
        looked = clock.round(leaders(*counts, at=clock.at))
        assert looked.findings == ()
        assert looked.unseen == ()


def test_a_hot_broker_is_told_after_15_minutes_with_what_a_plan_would_do() -> None:
    clock = Clock(RULE, every=timedelta(seconds=30))
    hot = leaders(400, 100, 100).partitions
    while clock.minutes < 20:
        clock.round(seen_of(clock.at, partitions=hot))
    ((minute, told),) = clock.fired
    assert minute == 15, "and with the round it is posted in, minute 16"
    assert told.kind == "leaders"
    assert told.words == "broker 1 carries 2.00 × the mean of leaders: 400 of 200"
    assert told.measure == 2.0
    assert any("most leaders 400 → 200 (mean 200)" in line for line in told.lines)
    assert "moves 0.0 GB in 0 replicas and changes" in told.lines[0]
    assert not told.proposal
    assert "spreading" in told.why_not


def test_it_fires_on_at_1_12_and_is_over_10_minutes_after_1_10() -> None:
    clock = Clock(RULE, every=timedelta(minutes=1))
    counts = {0: (400, 100, 100), 20: (224, 188, 188), 60: (220, 190, 190)}
    shapes = {minute: leaders(*one).partitions for minute, one in counts.items()}
    while clock.minutes < 90:
        since = max(one for one in shapes if one <= clock.minutes)
        clock.round(seen_of(clock.at, partitions=shapes[since]))
        if clock.minutes == 59:
            assert len(clock.firing) == 1, "1.12 × the mean is not good enough"
    assert clock.ended == [(70.0, "imbalance/leaders/cluster")]
    assert len(clock.fired) == 1


@pytest.mark.parametrize(
    ("counts", "phase"),
    [
        ((250, 175, 175), "trigger"),
        ((249, 176, 175), "between"),
        ((221, 190, 189), "between"),
        ((220, 190, 190), None),
        ((5, 2, 2), "trigger"),
        ((4, 2, 3), None),
        ((1, 0, 0), None),
    ],
)
def test_thresholds_on_either_side(counts: tuple[int, ...], phase: str | None) -> None:
    found = look(RULE, leaders(*counts)).findings
    assert [one.phase for one in found] == ([phase] if phase else [])


def test_brokers_that_just_joined_and_hold_nothing_are_not_an_imbalance() -> None:
    old = led({1: 200, 2: 200, 3: 200}, size_bytes=GIB)
    seen = seen_of(number=6, partitions=old)
    assert look(RULE, seen).findings == ()


@pytest.mark.parametrize("brokers", [3, 6, 9])
def test_a_fairly_spread_cluster_of_three_zones_stays_silent(brokers: int) -> None:
    ids = list(range(1, brokers + 1))
    partitions = led(dict.fromkeys(ids, 40), among=ids, size_bytes=3 * GIB)
    seen = seen_of(
        number=brokers,
        partitions=partitions,
        loads=loads_of(bytes_in_per_second={i: 5e6 + 1e5 * i for i in ids}),
    )
    assert look(RULE, seen) == look(RULE, seen)
    assert look(RULE, seen).findings == ()


def test_topics_of_one_partition_cannot_be_spread_any_better() -> None:
    one_each = (partition_of("a", 0, (1,)), partition_of("b", 0, (2,)), partition_of("c", 0, (3,)))
    assert look(RULE, seen_of(partitions=one_each)).findings == ()


def test_msk_canaries_do_not_count() -> None:
    canaries = led({1: 50}, topic="__amazon_msk_canary", among=[1, 2, 3])
    seen = seen_of(partitions=(*led({1: 4, 2: 4, 3: 4}), *canaries))
    assert look(RULE, seen).findings == ()


# Only what a plan would mend.


def giants(sizes_gib: Mapping[int, tuple[int, ...]]) -> tuple[Partition, ...]:
    """Partitions of one copy, each of so many GiB on its broker."""
    return tuple(
        partition_of(f"t{broker}", i, (broker,), gib * GIB)
        for broker, sizes in sizes_gib.items()
        for i, gib in enumerate(sizes)
    )


def test_one_giant_partition_cannot_be_made_smaller_by_moving_it() -> None:
    seen = seen_of(partitions=giants({1: (600,), 2: (100,), 3: (100,)}))
    assert look(RULE, seen).findings == ()


def test_the_same_bytes_in_small_partitions_are_told_with_the_gigabytes_to_move() -> None:
    parts = giants({1: (20,) * 30, 2: (20,) * 5, 3: (20,) * 5})
    told, counts = look(RULE, seen_of(partitions=parts)).findings
    assert told.kind == "disk bytes"
    assert "moves 3" in told.lines[0], told.lines[0]
    assert "GB in 1" in told.lines[0]
    assert (counts.kind, counts.phase) == ("leaders", "between"), "one alert, not two"


def test_a_zone_is_compared_within_itself_first() -> None:
    parts = giants(
        {1: (20,) * 20, 4: (20,) * 4, 2: (20,) * 12, 5: (20,) * 12, 3: (20,) * 12, 6: (20,) * 12}
    )
    told, _ = look(RULE, seen_of(number=6, partitions=parts)).findings
    assert "in az1" in told.words
    assert "broker 1" in told.words


def test_uneven_traffic_is_told_with_an_estimate() -> None:
    seen = seen_of(
        partitions=led({1: 30, 2: 6, 3: 6}, size_bytes=GIB),
        loads=loads_of(bytes_in_per_second={1: 30e6, 2: 6e6, 3: 6e6}),
    )
    traffic, counts = look(RULE, seen).findings
    assert (traffic.kind, traffic.phase) == ("bytes in", "trigger")
    assert "30.0 MB/s → about 14" in traffic.lines[1]
    assert traffic.lines[2] == "broker 1 carries 2.14 × the mean of leaders: 30 of 14"
    assert (counts.kind, counts.phase) == ("leaders", "between"), "one alert, not two"


def test_even_bytes_explain_uneven_counts_away() -> None:
    seen = seen_of(
        partitions=led({1: 30, 2: 6, 3: 6}, size_bytes=GIB),
        loads=loads_of(bytes_in_per_second={1: 10e6, 2: 10e6, 3: 10e6}),
    )
    assert look(RULE, seen).findings == ()


def test_leaders_an_election_would_bring_back_are_another_rules_business() -> None:
    home = led({1: 20, 2: 20, 3: 20})
    gone = tuple(one.with_(leader=1 if one.leader == 2 else one.leader) for one in home)
    assert look(RULE, seen_of(partitions=gone)).findings == ()


# What cannot be judged is not fine.


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"partitions": None, "blind": {"placement": "no broker answers"}}, "no broker answers"),
        ({"brokers": None}, "Kafka's metadata could not be read"),
        ({"reassignments": None}, "whether replicas are moving could not be read"),
        ({"reassignments": (move_of("orders", 0, to=[4]),)}, "1 partitions are being moved"),
        ({"brokers": brokers_of(2)}, "broker 3 is away"),
        (
            {"msk": msk_of(instance_type="express.m7g.large", rebalancing="ACTIVE")},
            "does not apply: AWS balances",
        ),
    ],
)
def test_without_its_input_it_says_so(parts: dict[str, Any], words: str) -> None:
    base: dict[str, Any] = {"partitions": led({1: 400, 2: 100, 3: 100}), **parts}
    looked = look(RULE, seen_of(**base))
    assert looked.findings == ()
    assert [one.subject for one in looked.unseen] == ["*"]
    assert words in looked.unseen[0].words


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"loads": None, "blind": {"metrics": "CloudWatch throttles"}}, "CloudWatch throttles"),
        ({"loads": loads_of(bytes_in_per_second={1: 1e6})}, "no traffic figure of some brokers"),
        ({"loads_at": seen_of().at - timedelta(minutes=11)}, "last read at 08:49 UTC"),
        ({"sizes_at": None}, "sizes on disk were last read never"),
        ({"blind": {"sizes": "broker 3 is silent"}}, "broker 3 is silent"),
    ],
)
def test_a_missing_figure_is_said_and_the_others_are_judged(
    parts: dict[str, Any], words: str
) -> None:
    looked = look(RULE, leaders(400, 100, 100, **parts))
    assert only(looked).kind == "leaders"
    assert words in looked.unseen[0].words


def test_what_is_fine_is_measured_too() -> None:
    measures = dict(look(RULE, leaders(7, 6, 7)).measures)
    assert measures["imbalance/leaders/cluster"] == 1.05


def test_without_msk_nobody_knows_whether_a_plan_helps() -> None:
    looked = look(RULE, leaders(400, 100, 100, msk=None))
    assert looked.findings == ()
    assert "MSK does not answer" in looked.unseen[0].words


def test_a_cluster_too_large_to_plan_is_told_without_a_preview() -> None:
    told = only(look(RULE, leaders(400, 100, 100), plan_partitions_max=100))
    assert told.lines == ("no preview: 600 partitions are more than the 100 planned here",)


def test_a_plan_is_kept_while_nothing_moved_and_data_only_grows_a_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def counted(placement: Placement) -> tuple[tuple[int, ...], ...]:
        asked.append(placement)
        return spread(placement)

    monkeypatch.setattr(plan_preview, "spread", counted)
    monkeypatch.setattr(plan_preview, "_kept", OrderedDict())
    for gib in (100, 101, 102, 110, 111, 112):
        skewed = led({1: 30, 2: 6, 3: 6}, copies=1, size_bytes=gib * GIB)
        assert look(RULE, seen_of(partitions=skewed)).findings
    assert len(asked) == 2, "at first, and again once a broker held 5 % more"
    for first in range(1, 9):
        skewed = led({1: 30 + first, 2: 6, 3: 6}, copies=1, size_bytes=GIB)
        look(RULE, seen_of(partitions=skewed))
    assert len(plan_preview._kept) == plan_preview.KEPT_MAX
