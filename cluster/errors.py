"""What goes wrong between us and a cluster, in words for people.

Everything here is an `Unreachable`: the call had no answer that can be used. What a person can act on
and asked for (an update that was refused, a partition that was refused) is a value instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, TypeVar

from changes.ports import Unreachable

T = TypeVar("T")


class KafkaRefuses(Unreachable):
    """Kafka answered a whole request with no."""


class AwsRefuses(Unreachable):
    """AWS answered a reading call with no."""


_KAFKA_WORDS = {
    3: "no such topic or partition",
    5: "it has no leader just now",
    6: "the broker asked does not lead it any more",
    7: "Kafka gave up waiting for it (request timed out)",
    14: "its coordinator is still loading its offsets",
    15: "no broker coordinates it just now",
    16: "the broker asked does not coordinate it any more",
    17: "the topic's name is not allowed",
    29: "our Kafka user may not do this to the topic",
    30: "our Kafka user may not read this group",
    31: "our Kafka user may not do this to the cluster",
    35: "the broker does not speak this version of the request",
    37: "the number of partitions is not allowed",
    38: "the replication factor is not allowed",
    39: "these replicas are not allowed",
    40: "the setting is not allowed",
    41: "no controller is known just now",
    42: "the request is not allowed",
    44: "a policy of the brokers forbids it",
    56: "the disk of the replica has failed",
    60: "a reassignment is already running",
    69: "no such group",
    74: "the broker asked has a newer leader for it in mind",
    75: "the broker asked has not heard of its leader yet",
    78: "its offsets are not available while a leader takes over",
    80: "its preferred leader is not in sync",
    83: "no replica in sync could lead",
    84: "its preferred leader leads already",
    85: "nothing to cancel: no reassignment is running",
    89: "Kafka asks us to slow down (quota)",
}


def kafka_words(code: int, message: str | None = None) -> str:
    """One clause for an error code; Kafka's own message after it when it adds something."""
    words = _KAFKA_WORDS.get(code, f"Kafka's error {code}")
    return f"{words}: {message}" if message else words


def must(doing: str, answer: Mapping[str, Any]) -> None:
    """Raise what a whole answer, or a part that stands for it, says is wrong."""
    code = answer.get("error_code", 0)
    if code:
        raise KafkaRefuses(f"{doing}: {kafka_words(code, answer.get('error_message'))}")


async def all_of(awaitables: Iterable[Awaitable[T]]) -> list[T]:
    """All of them to their end, then every failure at once: one silent broker stops no other."""
    results = await asyncio.gather(*awaitables, return_exceptions=True)
    for one in results:
        if isinstance(one, BaseException) and not isinstance(one, Unreachable):
            raise one
    silent = [str(one) for one in results if isinstance(one, Unreachable)]
    if silent:
        raise Unreachable("; ".join(silent))
    return [one for one in results if not isinstance(one, BaseException)]
