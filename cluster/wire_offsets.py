"""The requests of a lag scan, field by field, as Kafka's own message files name them.

The surprising truth: only from version 8 on does one OffsetFetch ask for many groups. Before (Kafka
below 3.0) it is another message with the same key, so it stands here twice.
"""

from __future__ import annotations

from cluster.wire_codec import Field, Kind, One
from cluster.wire_messages import Api

_THROTTLE = Field("throttle_time_ms", Kind.INT32)
_ERROR = Field("error_code", Kind.INT16)
_MESSAGE = Field("error_message", Kind.STRING)
_GROUP = Field("group_id", Kind.STRING)
_NAME = Field("name", Kind.STRING)
_PARTITION = Field("partition_index", Kind.INT32)

LIST_GROUPS = Api(
    key=16,
    name="ListGroups",
    version_min=4,
    version_max=5,
    flexible_from=3,
    request=(Field("states_filter", Kind.STRINGS), Field("types_filter", Kind.STRINGS, since=5)),
    response=(
        _THROTTLE,
        _ERROR,
        Field(
            "groups",
            (
                _GROUP,
                Field("protocol_type", Kind.STRING),
                Field("group_state", Kind.STRING),
                Field("group_type", Kind.STRING, since=5),
            ),
        ),
    ),
)
"""Each broker names the groups that it coordinates, with their state; from version 5 their type."""

_ASKED_TOPICS = Field("topics", (_NAME, Field("partition_indexes", Kind.INT32S)))
_COMMITTED_TOPICS = Field(
    "topics",
    (
        _NAME,
        Field(
            "partitions",
            (
                _PARTITION,
                Field("committed_offset", Kind.INT64),
                Field("committed_leader_epoch", Kind.INT32),
                Field("metadata", Kind.STRING),
                _ERROR,
            ),
        ),
    ),
)

OFFSET_FETCH = Api(
    key=9,
    name="OffsetFetch",
    version_min=8,
    version_max=8,
    flexible_from=6,
    request=(Field("groups", (_GROUP, _ASKED_TOPICS)), Field("require_stable", Kind.BOOL)),
    response=(_THROTTLE, Field("groups", (_GROUP, _COMMITTED_TOPICS, _ERROR))),
)
"""Committed offsets of many groups; no topics = every partition a group ever committed on."""

OFFSET_FETCH_ONE = Api(
    key=9,
    name="OffsetFetch",
    version_min=7,
    version_max=7,
    flexible_from=6,
    request=(_GROUP, _ASKED_TOPICS, Field("require_stable", Kind.BOOL)),
    response=(_THROTTLE, _COMMITTED_TOPICS, _ERROR),
)

LIST_OFFSETS = Api(
    key=2,
    name="ListOffsets",
    version_min=6,
    version_max=7,
    flexible_from=6,
    request=(
        Field("replica_id", Kind.INT32),
        Field("isolation_level", Kind.INT8),
        Field(
            "topics",
            (
                _NAME,
                Field(
                    "partitions",
                    (
                        _PARTITION,
                        Field("current_leader_epoch", Kind.INT32),
                        Field("timestamp", Kind.INT64),
                    ),
                ),
            ),
        ),
    ),
    response=(
        _THROTTLE,
        Field(
            "topics",
            (
                _NAME,
                Field(
                    "partitions",
                    (
                        _PARTITION,
                        _ERROR,
                        Field("timestamp", Kind.INT64),
                        Field("offset", Kind.INT64),
                        Field("leader_epoch", Kind.INT32),
                    ),
                ),
            ),
        ),
    ),
)
"""A partition may stand in a request once; timestamp -1 asks for the end, -2 for the start."""

DESCRIBE_GROUPS = Api(
    key=15,
    name="DescribeGroups",
    version_min=5,
    version_max=5,
    flexible_from=5,
    request=(
        Field("groups", Kind.STRINGS),
        Field("include_authorized_operations", Kind.BOOL),
    ),
    response=(
        _THROTTLE,
        Field(
            "groups",
            (
                _ERROR,
                _GROUP,
                Field("group_state", Kind.STRING),
                Field("protocol_type", Kind.STRING),
                Field("protocol_data", Kind.STRING),
                Field(
                    "members",
                    (
                        Field("member_id", Kind.STRING),
                        Field("group_instance_id", Kind.STRING),
                        Field("client_id", Kind.STRING),
                        Field("client_host", Kind.STRING),
                        Field("member_metadata", Kind.BYTES),
                        Field("member_assignment", Kind.BYTES),
                    ),
                ),
                Field("authorized_operations", Kind.INT32),
            ),
        ),
    ),
)
"""Classic groups only: it calls a KIP-848 group Dead."""

_ASSIGNMENT = One(
    (
        Field(
            "topic_partitions",
            (
                Field("topic_id", Kind.UUID),
                Field("topic_name", Kind.STRING),
                Field("partitions", Kind.INT32S),
            ),
        ),
    )
)

CONSUMER_GROUP_DESCRIBE = Api(
    key=69,
    name="ConsumerGroupDescribe",
    version_min=0,
    version_max=0,
    flexible_from=0,
    request=(
        Field("group_ids", Kind.STRINGS),
        Field("include_authorized_operations", Kind.BOOL),
    ),
    response=(
        _THROTTLE,
        Field(
            "groups",
            (
                _ERROR,
                _MESSAGE,
                _GROUP,
                Field("group_state", Kind.STRING),
                Field("group_epoch", Kind.INT32),
                Field("assignment_epoch", Kind.INT32),
                Field("assignor_name", Kind.STRING),
                Field(
                    "members",
                    (
                        Field("member_id", Kind.STRING),
                        Field("instance_id", Kind.STRING),
                        Field("rack_id", Kind.STRING),
                        Field("member_epoch", Kind.INT32),
                        Field("client_id", Kind.STRING),
                        Field("client_host", Kind.STRING),
                        Field("subscribed_topic_names", Kind.STRINGS),
                        Field("subscribed_topic_regex", Kind.STRING),
                        Field("assignment", _ASSIGNMENT),
                        Field("target_assignment", _ASSIGNMENT),
                    ),
                ),
                Field("authorized_operations", Kind.INT32),
            ),
        ),
    ),
)
"""KIP-848 groups (Kafka 3.7 and above)."""

FIND_COORDINATOR = Api(
    key=10,
    name="FindCoordinator",
    version_min=4,
    version_max=4,
    flexible_from=3,
    request=(Field("key_type", Kind.INT8), Field("coordinator_keys", Kind.STRINGS)),
    response=(
        _THROTTLE,
        Field(
            "coordinators",
            (
                Field("key", Kind.STRING),
                Field("node_id", Kind.INT32),
                Field("host", Kind.STRING),
                Field("port", Kind.INT32),
                _ERROR,
                _MESSAGE,
            ),
        ),
    ),
)

ALL = (
    LIST_GROUPS,
    OFFSET_FETCH,
    OFFSET_FETCH_ONE,
    LIST_OFFSETS,
    DESCRIBE_GROUPS,
    CONSUMER_GROUP_DESCRIBE,
    FIND_COORDINATOR,
)
