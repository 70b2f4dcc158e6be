"""One member of a KIP-848 group, by hand: no Python client speaks that protocol."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Mapping
from dataclasses import replace

from bench.kafka_groups import OFFSET_COMMIT, coordinators
from cluster.links import Links
from cluster.wire_codec import Field, Kind
from cluster.wire_messages import Api
from cluster.wire_requests import Ask, Ready

HEARTBEAT = Api(
    key=68,
    name="ConsumerGroupHeartbeat",
    version_min=0,
    version_max=0,
    flexible_from=0,
    request=(
        Field("group_id", Kind.STRING),
        Field("member_id", Kind.STRING),
        Field("member_epoch", Kind.INT32),
        Field("instance_id", Kind.STRING),
        Field("rack_id", Kind.STRING),
        Field("rebalance_timeout_ms", Kind.INT32),
        Field("subscribed_topic_names", Kind.STRINGS),
        Field("server_assignor", Kind.STRING),
        Field(
            "topic_partitions",
            (Field("topic_id", Kind.UUID), Field("partitions", Kind.INT32S)),
        ),
    ),
    response=(),
)


async def join(links: Links, *, group: str, topic: str, offsets: Mapping[int, int]) -> str:
    """The member's id; it is forgotten by Kafka after 45 s without another word."""
    home = (await coordinators(links, [group]))[group]
    row = {
        "group_id": group,
        "member_id": str(uuid.uuid4()),
        "member_epoch": 0,
        "instance_id": None,
        "rack_id": None,
        "rebalance_timeout_ms": 60_000,
        "subscribed_topic_names": [topic],
        "server_assignor": None,
        "topic_partitions": [],
    }
    code, member, epoch = await links.send(home, _Heartbeat(row))
    assert code == 0, f"the coordinator refused the member with error {code}"
    rows = [
        {
            "partition_index": partition,
            "committed_offset": offset,
            "committed_leader_epoch": -1,
            "committed_metadata": "",
        }
        for partition, offset in offsets.items()
    ]
    commit = {
        "group_id": group,
        "generation_id_or_member_epoch": epoch,
        "member_id": member,
        "group_instance_id": None,
        "topics": [{"name": topic, "partitions": rows}],
    }
    versioned = replace(OFFSET_COMMIT, version_min=9, version_max=9)
    answer = await links.send(home, Ask(versioned, commit))
    assert not any(one["error_code"] for t in answer["topics"] for one in t["partitions"]), answer
    return str(member)


class _Heartbeat(Ready):
    """Written from its description, its answer read as far as needed."""

    def __init__(self, row: Mapping[str, object]) -> None:
        spelled = Ask(HEARTBEAT, row).prepare({HEARTBEAT.key: (0, 0)})
        super().__init__(HEARTBEAT, spelled.encode(), _read)


def _read(buffer: bytes, at: int) -> tuple[int, str, int]:
    """Throttle, error, message (null), member id, epoch; what follows is not needed."""
    (code,) = struct.unpack_from(">h", buffer, at + 4)
    at += 6
    at += max(buffer[at], 1)
    length = buffer[at] - 1
    member = buffer[at + 1 : at + 1 + length].decode()
    (epoch,) = struct.unpack_from(">i", buffer, at + 1 + length)
    return code, member, epoch
