"""Partitions per broker against the numbers in AWS's guide."""

from __future__ import annotations

import pytest

from changes.incident import Severity
from tests.watch.brokers.seeing import led, look, msk_of, only, seen_of
from watch.rules.partitions_limit import PartitionsLimit
from watch.seen import Seen

RULE = PartitionsLimit()


def holding(*counts: int, instance_type: str = "kafka.m5.large") -> Seen:
    by_broker = {i + 1: many for i, many in enumerate(counts)}
    return seen_of(partitions=led(by_broker, copies=1), msk=msk_of(instance_type=instance_type))


@pytest.mark.parametrize(
    ("count", "found"),
    [
        (1000, []),
        (1001, [("over the advice", Severity.INFO, "trigger")]),
        (1274, [("over the advice", Severity.INFO, "trigger")]),
        (
            1275,
            [
                ("partitions_limit", Severity.WARN, "between"),
                ("over the advice", Severity.INFO, "trigger"),
            ],
        ),
        (1350, [("partitions_limit", Severity.WARN, "trigger")]),
    ],
)
def test_advice_and_limit_on_either_side(
    count: int, found: list[tuple[str, Severity, str]]
) -> None:
    looked = look(RULE, holding(count, 10, 10))
    assert [(one.kind, one.severity, one.phase) for one in looked.findings] == found


def test_brokers_that_are_all_full_call_for_more() -> None:
    told = only(look(RULE, holding(1400, 1400, 1400)))
    assert told.proposal == "scale brokers 6"
    assert told.words == (
        "broker 1 holds 1,400 partitions; kafka.m5.large is advised 1,000 and takes updates "
        "up to 1,500"
    )


def test_one_full_broker_calls_for_spreading() -> None:
    told = only(look(RULE, holding(1400, 100, 100)))
    assert not told.proposal
    assert "spreading is enough" in told.why_not


def test_express_has_limits_of_its_own() -> None:
    assert look(RULE, holding(1400, 10, 10, instance_type="express.m7g.2xlarge")).findings == ()
    assert only(look(RULE, holding(1400, 10, 10, instance_type="express.m7g.large"))).severity == 2


def test_a_type_nobody_knows_is_not_judged() -> None:
    looked = look(RULE, holding(5000, 10, 10, instance_type="kafka.m9x.giga"))
    assert looked.findings == ()
    assert looked.unseen[0].words == "the limit of kafka.m9x.giga is not known"


def test_without_msk_or_placement_it_says_so() -> None:
    assert "MSK could not be asked" in look(RULE, seen_of(msk=None)).unseen[0].words
    assert "metadata" in look(RULE, seen_of(partitions=None)).unseen[0].words
    assert "names no brokers" in look(RULE, seen_of(brokers=())).unseen[0].words
