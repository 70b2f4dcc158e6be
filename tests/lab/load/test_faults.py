"""Faults of the load: what is ordered is what the load reads, and nothing unknown is ordered."""

from pathlib import Path

import pytest

from lab.load.faults import (
    NO_FAULTS,
    LoadRefuses,
    Mode,
    read_faults,
    records_per_second,
    write_faults,
)
from lab.load.topics import TOPICS


def test_what_is_ordered_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    assert read_faults(file) == NO_FAULTS
    ordered = NO_FAULTS.with_group("analytics", Mode.STOPS).with_group("warehouse", Mode.SLOW)
    write_faults(file, ordered.with_hot("orders"))
    found = read_faults(file)
    assert (found.of("analytics"), found.of("warehouse")) == (Mode.STOPS, Mode.SLOW)
    assert (found.of("messaging"), found.hot_topic) == (Mode.FINE, "orders")
    write_faults(file, found.with_group("analytics", Mode.FINE).with_hot(""))
    assert read_faults(file) == NO_FAULTS.with_group("warehouse", Mode.SLOW)


def test_an_unknown_group_or_topic_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LoadRefuses, match="no group 'analytic'; there are analytics, auditing"):
        NO_FAULTS.with_group("analytic", Mode.STOPS)
    with pytest.raises(LoadRefuses, match="no topic 'order'; there are orders, payments"):
        NO_FAULTS.with_hot("order")


@pytest.mark.parametrize("content", ["", "[]", '{"groups": {"analytics": "explodes"}}'])
def test_a_broken_order_breaks_nothing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "faults.json"
    file.write_text(content)
    assert read_faults(file) == NO_FAULTS


def test_slow_is_slower_than_written_and_catching_up_is_faster() -> None:
    written = sum(topic.records_per_second for topic in TOPICS if topic.group == "analytics")
    slow = records_per_second("analytics", Mode.SLOW)
    fast = records_per_second("analytics", Mode.CATCHES_UP)
    assert slow is not None
    assert fast is not None
    assert slow < written < fast
    assert records_per_second("analytics", Mode.FINE) is None
