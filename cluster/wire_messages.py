"""The requests that aiokafka lacks, field by field, as Kafka's own message files name them.

Versions: the newest each description covers, and the oldest that clusters MSK still runs (Kafka 2.8)
and brokers of Kafka 4 share. `tests/cluster` checks every one byte for byte against kafka-python.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.wire_codec import Field, Kind

_THROTTLE = Field("throttle_time_ms", Kind.INT32)
_ERROR = Field("error_code", Kind.INT16)
_MESSAGE = Field("error_message", Kind.STRING)
_PARTITION = Field("partition_index", Kind.INT32)


@dataclass(frozen=True)
class Api:
    """One kind of request and its answer."""

    key: int
    name: str
    version_min: int
    version_max: int
    flexible_from: int
    request: tuple[Field, ...]
    response: tuple[Field, ...]

    def flexible(self, version: int) -> bool:
        return version >= self.flexible_from


API_VERSIONS = Api(
    key=18,
    name="ApiVersions",
    version_min=0,
    version_max=0,
    flexible_from=3,
    request=(),
    response=(
        _ERROR,
        Field(
            "api_keys",
            (
                Field("api_key", Kind.INT16),
                Field("min_version", Kind.INT16),
                Field("max_version", Kind.INT16),
            ),
        ),
    ),
)

DESCRIBE_CONFIGS = Api(
    key=32,
    name="DescribeConfigs",
    version_min=1,
    version_max=4,
    flexible_from=4,
    request=(
        Field(
            "resources",
            (
                Field("resource_type", Kind.INT8),
                Field("resource_name", Kind.STRING),
                Field("configuration_keys", Kind.STRINGS),
            ),
        ),
        Field("include_synonyms", Kind.BOOL),
        Field("include_documentation", Kind.BOOL, since=3),
    ),
    response=(
        _THROTTLE,
        Field(
            "results",
            (
                _ERROR,
                _MESSAGE,
                Field("resource_type", Kind.INT8),
                Field("resource_name", Kind.STRING),
                Field(
                    "configs",
                    (
                        Field("name", Kind.STRING),
                        Field("value", Kind.STRING),
                        Field("read_only", Kind.BOOL),
                        Field("config_source", Kind.INT8),
                        Field("is_sensitive", Kind.BOOL),
                        Field(
                            "synonyms",
                            (
                                Field("name", Kind.STRING),
                                Field("value", Kind.STRING),
                                Field("source", Kind.INT8),
                            ),
                        ),
                        Field("config_type", Kind.INT8, since=3),
                        Field("documentation", Kind.STRING, since=3),
                    ),
                ),
            ),
        ),
    ),
)

DESCRIBE_LOG_DIRS = Api(
    key=35,
    name="DescribeLogDirs",
    version_min=1,
    version_max=4,
    flexible_from=2,
    request=(Field("topics", (Field("topic", Kind.STRING), Field("partitions", Kind.INT32S))),),
    response=(
        _THROTTLE,
        Field("error_code", Kind.INT16, since=3),
        Field(
            "results",
            (
                _ERROR,
                Field("log_dir", Kind.STRING),
                Field(
                    "topics",
                    (
                        Field("name", Kind.STRING),
                        Field(
                            "partitions",
                            (
                                _PARTITION,
                                Field("partition_size", Kind.INT64),
                                Field("offset_lag", Kind.INT64),
                                Field("is_future_key", Kind.BOOL),
                            ),
                        ),
                    ),
                ),
                Field("total_bytes", Kind.INT64, since=4),
                Field("usable_bytes", Kind.INT64, since=4),
            ),
        ),
    ),
)

ELECT_LEADERS = Api(
    key=43,
    name="ElectLeaders",
    version_min=1,
    version_max=2,
    flexible_from=2,
    request=(
        Field("election_type", Kind.INT8),
        Field("topic_partitions", (Field("topic", Kind.STRING), Field("partitions", Kind.INT32S))),
        Field("timeout_ms", Kind.INT32),
    ),
    response=(
        _THROTTLE,
        _ERROR,
        Field(
            "replica_election_results",
            (
                Field("topic", Kind.STRING),
                Field(
                    "partition_result",
                    (Field("partition_id", Kind.INT32), _ERROR, _MESSAGE),
                ),
            ),
        ),
    ),
)

INCREMENTAL_ALTER_CONFIGS = Api(
    key=44,
    name="IncrementalAlterConfigs",
    version_min=0,
    version_max=1,
    flexible_from=1,
    request=(
        Field(
            "resources",
            (
                Field("resource_type", Kind.INT8),
                Field("resource_name", Kind.STRING),
                Field(
                    "configs",
                    (
                        Field("name", Kind.STRING),
                        Field("config_operation", Kind.INT8),
                        Field("value", Kind.STRING),
                    ),
                ),
            ),
        ),
        Field("validate_only", Kind.BOOL),
    ),
    response=(
        _THROTTLE,
        Field(
            "responses",
            (
                _ERROR,
                _MESSAGE,
                Field("resource_type", Kind.INT8),
                Field("resource_name", Kind.STRING),
            ),
        ),
    ),
)

ALTER_PARTITION_REASSIGNMENTS = Api(
    key=45,
    name="AlterPartitionReassignments",
    version_min=0,
    version_max=0,
    flexible_from=0,
    request=(
        Field("timeout_ms", Kind.INT32),
        Field(
            "topics",
            (
                Field("name", Kind.STRING),
                Field("partitions", (_PARTITION, Field("replicas", Kind.INT32S))),
            ),
        ),
    ),
    response=(
        _THROTTLE,
        _ERROR,
        _MESSAGE,
        Field(
            "responses",
            (
                Field("name", Kind.STRING),
                Field("partitions", (_PARTITION, _ERROR, _MESSAGE)),
            ),
        ),
    ),
)

LIST_PARTITION_REASSIGNMENTS = Api(
    key=46,
    name="ListPartitionReassignments",
    version_min=0,
    version_max=0,
    flexible_from=0,
    request=(
        Field("timeout_ms", Kind.INT32),
        Field("topics", (Field("name", Kind.STRING), Field("partition_indexes", Kind.INT32S))),
    ),
    response=(
        _THROTTLE,
        _ERROR,
        _MESSAGE,
        Field(
            "topics",
            (
                Field("name", Kind.STRING),
                Field(
                    "partitions",
                    (
                        _PARTITION,
                        Field("replicas", Kind.INT32S),
                        Field("adding_replicas", Kind.INT32S),
                        Field("removing_replicas", Kind.INT32S),
                    ),
                ),
            ),
        ),
    ),
)

ALL = (
    API_VERSIONS,
    DESCRIBE_CONFIGS,
    DESCRIBE_LOG_DIRS,
    ELECT_LEADERS,
    INCREMENTAL_ALTER_CONFIGS,
    ALTER_PARTITION_REASSIGNMENTS,
    LIST_PARTITION_REASSIGNMENTS,
)
