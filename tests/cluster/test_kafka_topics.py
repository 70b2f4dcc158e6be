"""A topic's settings: the value that holds, and None for what cannot be read."""

from __future__ import annotations

import pytest

from changes.facts import TopicSettings
from cluster.kafka_topics import effective, settings_from

DAY_MS = 86_400_000


def test_defaults_count_as_much_as_what_was_set_on_the_topic() -> None:
    configs = [
        {"name": "min.insync.replicas", "value": "2", "config_source": 4},
        {"name": "cleanup.policy", "value": "delete", "config_source": 5},
        {"name": "retention.ms", "value": str(DAY_MS), "config_source": 1},
        {"name": "message.timestamp.type", "value": "LogAppendTime", "config_source": 1},
    ]
    assert settings_from(effective({"configs": configs})) == TopicSettings(
        min_isr=2, compacted=False, retention_ms=DAY_MS, log_append_time=True
    )


@pytest.mark.parametrize(
    ("policy", "compacted"),
    [("compact", True), ("delete", False), ("compact,delete", True), ("delete, compact", True)],
)
def test_a_topic_is_compacted_when_its_policy_says_so_at_all(policy: str, compacted: bool) -> None:
    assert settings_from({"cleanup.policy": policy}).compacted is compacted


def test_what_is_missing_or_no_number_is_not_read() -> None:
    assert settings_from({}) == TopicSettings()
    assert settings_from({"retention.ms": "for ever"}).retention_ms is None
    assert effective({"configs": [{"name": "retention.ms", "value": None}]}) == {}
