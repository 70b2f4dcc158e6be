"""What Kafka keeps of a topic's settings, as far as rules need it.

The surprising truth: a topic shows the value that holds for it wherever it was set (on the topic, on
brokers, nowhere), so nothing has to be known here of Kafka's defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from changes.facts import TopicSettings
from cluster.kafka_configs import TOPIC, Configs, description, resource
from cluster.kafka_throttles import chunks
from cluster.wire import Wire
from cluster.wire_codec import Row
from cluster.wire_messages import DESCRIBE_CONFIGS

MIN_ISR = "min.insync.replicas"
CLEANUP = "cleanup.policy"
RETENTION = "retention.ms"
TIMESTAMPS = "message.timestamp.type"
KEYS = (MIN_ISR, CLEANUP, RETENTION, TIMESTAMPS)


async def topic_settings(*, wire: Wire, topics: Sequence[str]) -> Mapping[str, TopicSettings]:
    """Effective settings; a topic that is gone, or that we may not describe, is missing."""
    found: dict[str, TopicSettings] = {}
    for part in chunks(topics):
        asked = description([resource(TOPIC, topic, KEYS) for topic in part])
        answer = await wire.ask_any(DESCRIBE_CONFIGS, asked)
        for result in answer["results"]:
            if not result["error_code"]:
                found[result["resource_name"]] = settings_from(effective(result))
    return found


def effective(result: Row) -> Configs:
    """Of one described resource, every value that holds, defaults and inherited ones included."""
    return {one["name"]: one["value"] for one in result["configs"] if one["value"] is not None}


def settings_from(configs: Configs) -> TopicSettings:
    """What is not there, or no number where one belongs, is None: not read."""
    cleanup, timestamps = configs.get(CLEANUP), configs.get(TIMESTAMPS)
    return TopicSettings(
        min_isr=_number(configs.get(MIN_ISR)),
        compacted=None if cleanup is None else "compact" in cleanup.replace(" ", "").split(","),
        retention_ms=_number(configs.get(RETENTION)),
        log_append_time=None if timestamps is None else timestamps == "LogAppendTime",
    )


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
