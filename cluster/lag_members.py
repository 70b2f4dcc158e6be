"""Who is in a group and owns what: asked of its coordinator, only for groups in trouble.

The surprising truth: for a classic group Kafka keeps each member's assignment as bytes that only the
group's clients understand. Consumers spell it in their own format, which is read here; what other
kinds of clients keep there is theirs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from changes.lag import Member, TopicPartition
from cluster.errors import kafka_words
from cluster.wire_codec import Row
from cluster.wire_offsets import CONSUMER_GROUP_DESCRIBE, DESCRIBE_GROUPS
from cluster.wire_requests import Ask

GROUPS_PER_REQUEST_MAX = 100
"""A member may carry kilobytes of its own."""
CLASSIC, CONSUMER = "classic", "consumer"
KINDS = (CLASSIC, CONSUMER)

Told = Mapping[str, tuple[Member, ...] | str]


def questions(kind: str, groups: Sequence[str]) -> Iterable[Ask]:
    """`kind` is one of `KINDS`."""
    for start in range(0, len(groups), GROUPS_PER_REQUEST_MAX):
        part = list(groups[start : start + GROUPS_PER_REQUEST_MAX])
        if kind == CONSUMER:
            row = {"group_ids": part, "include_authorized_operations": False}
            yield Ask(CONSUMER_GROUP_DESCRIBE, row)
        else:
            yield Ask(DESCRIBE_GROUPS, {"groups": part, "include_authorized_operations": False})


def told(kind: str, answer: Row) -> Told:
    """Members by group, or the words why not."""
    read = _consumer_member if kind == CONSUMER else _classic_member
    return {
        group["group_id"]: kafka_words(group["error_code"], group.get("error_message"))
        if group["error_code"]
        else tuple(read(member) for member in group["members"])
        for group in answer["groups"]
    }


def _consumer_member(row: Row) -> Member:
    owned = (
        (topic["topic_name"], partition)
        for topic in row["assignment"]["topic_partitions"]
        for partition in topic["partitions"]
    )
    return _member(row, owned)


def _classic_member(row: Row) -> Member:
    return _member(row, assigned(row["member_assignment"] or b""))


def _member(row: Row, owned: Iterable[TopicPartition]) -> Member:
    """Kafka writes hosts as Java does: `/10.0.0.7`, or with a name before the slash."""
    host = str(row["client_host"])
    return Member(
        member_id=str(row["member_id"]),
        client_id=str(row["client_id"]),
        host=host.split("/")[-1] or host,
        owns=tuple(sorted(owned)),
    )


def assigned(raw: bytes) -> tuple[TopicPartition, ...]:
    """A consumer's assignment: version, topics with partitions, user data. Nothing when it is not."""
    try:
        return tuple(_assigned(raw))
    except (struct.error, UnicodeDecodeError):
        return ()


def _assigned(raw: bytes) -> Iterable[TopicPartition]:
    at = 2
    (topics,) = struct.unpack_from(">i", raw, at)
    at += 4
    for _ in range(topics):
        (length,) = struct.unpack_from(">h", raw, at)
        topic = raw[at + 2 : at + 2 + length].decode()
        at += 2 + length
        (count,) = struct.unpack_from(">i", raw, at)
        partitions = struct.unpack_from(f">{count}i", raw, at + 4) if count > 0 else ()
        at += 4 + 4 * max(count, 0)
        yield from ((topic, partition) for partition in partitions)
