"""Our requests and answers are, byte for byte, what kafka-python makes of the same values."""

from __future__ import annotations

import contextlib
import warnings
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cluster import wire_messages, wire_offsets
from cluster.wire_codec import BadFrame, Field, Kind, One, Row, decode, encode
from cluster.wire_messages import ALTER_PARTITION_REASSIGNMENTS, Api
from cluster.wire_requests import Ask

pytestmark = pytest.mark.slow

with warnings.catch_warnings():
    # It reads its own message files in a manner that Python 3.11 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.protocol import admin, consumer, metadata

DESCRIBED = (*wire_messages.ALL, *wire_offsets.ALL)
ALL = tuple(api for api in DESCRIBED if api is not wire_offsets.CONSUMER_GROUP_DESCRIBE)
"""kafka-python does not know ConsumerGroupDescribe; real brokers are its oracle."""

NULLABLE: dict[str, set[str]] = {
    "ApiVersionsRequest": set(),
    "ApiVersionsResponse": set(),
    "DescribeConfigsRequest": {"configuration_keys"},
    "DescribeConfigsResponse": {"error_message", "value", "documentation"},
    "DescribeLogDirsRequest": {"topics"},
    "DescribeLogDirsResponse": set(),
    "ElectLeadersRequest": {"topic_partitions"},
    "ElectLeadersResponse": {"error_message"},
    "IncrementalAlterConfigsRequest": {"value"},
    "IncrementalAlterConfigsResponse": {"error_message"},
    "AlterPartitionReassignmentsRequest": {"replicas"},
    "AlterPartitionReassignmentsResponse": {"error_message"},
    "ListPartitionReassignmentsRequest": {"topics"},
    "ListPartitionReassignmentsResponse": {"error_message"},
    "ListGroupsRequest": set(),
    "ListGroupsResponse": set(),
    "OffsetFetchRequest": {"topics"},
    "OffsetFetchResponse": {"metadata"},
    "ListOffsetsRequest": set(),
    "ListOffsetsResponse": set(),
    "DescribeGroupsRequest": set(),
    "DescribeGroupsResponse": {"group_instance_id"},
    "ConsumerGroupDescribeResponse": {"error_message", "instance_id", "rack_id"},
    "FindCoordinatorRequest": set(),
    "FindCoordinatorResponse": {"error_message"},
}
BITS = {Kind.INT8: 8, Kind.INT16: 16, Kind.INT32: 32, Kind.INT64: 64}
BITS_BY_NUMBER = "authorized_operations"
TEXTS = some.text(max_size=12)

EVERY = [
    pytest.param(api, version, side, id=f"{api.name}-v{version}-{side}")
    for api in ALL
    for version in range(api.version_min, api.version_max + 1)
    for side in ("Request", "Response")
]


def oracle(api: Api, side: str) -> Any:
    rooms = (admin, consumer, metadata)
    return next(getattr(room, api.name + side) for room in rooms if hasattr(room, api.name + side))


def values(kind: Kind | tuple[Field, ...] | One, version: int, nullable: set[str]) -> Any:
    if isinstance(kind, One):
        return rows(kind.fields, version, nullable)
    if isinstance(kind, tuple):
        return some.lists(rows(kind, version, nullable), max_size=3)
    if kind in BITS:
        return integers(BITS[kind])
    return {
        Kind.BOOL: some.booleans(),
        Kind.STRING: TEXTS,
        Kind.INT32S: some.lists(integers(32), max_size=6),
        Kind.STRINGS: some.lists(TEXTS, max_size=3),
        Kind.BYTES: some.binary(max_size=12),
        Kind.UUID: some.binary(min_size=16, max_size=16),
    }[kind]


def integers(bits: int) -> Any:
    return some.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def rows(fields: tuple[Field, ...], version: int, nullable: set[str]) -> Any:
    return some.fixed_dictionaries(
        {
            field.name: some.none() | values(field.kind, version, nullable)
            if field.name in nullable
            else values(field.kind, version, nullable)
            for field in fields
            if field.since <= version
        }
    )


def theirs(cls: Any, fields: tuple[Field, ...], row: Row, version: int) -> Any:
    """The same values in kafka-python's classes."""
    arguments = {}
    for field in fields:
        if field.since > version:
            continue
        value = row[field.name]
        if isinstance(field.kind, tuple) and value is not None:
            inner = cls.fields[field.name].data_class
            value = [theirs(inner, field.kind, one, version) for one in value]
        if field.name == BITS_BY_NUMBER:
            value = bits(value)
        arguments[field.name] = value
    return cls(version=version, **arguments)


def bits(number: int) -> set[int] | None:
    """kafka-python keeps this one number as the set of its bits, and Kafka's "not asked" as None."""
    found = {bit for bit in range(32) if number >> bit & 1}
    return None if found == {31} else found


@pytest.mark.parametrize(("api", "version", "side"), EVERY)
@settings(max_examples=15, deadline=None)
@given(data=some.data())
def test_bytes_are_the_same_both_ways(
    api: Api, version: int, side: str, data: some.DataObject
) -> None:
    cls = oracle(api, side)
    fields = api.request if side == "Request" else api.response
    row = data.draw(rows(fields, version, NULLABLE[api.name + side]))
    flexible = api.flexible(version)
    ours = encode(fields, row, version=version, flexible=flexible)
    assert ours == theirs(cls, fields, row, version).encode()
    back = BytesIO(ours)
    assert decode(fields, back, version=version, flexible=flexible) == row
    assert back.read() == b"", "nothing is left over"
    assert cls.decode(ours, version=version).encode() == ours


@pytest.mark.parametrize(
    ("api", "version"),
    [(api, v) for api in ALL for v in range(api.version_min, api.version_max + 1)],
    ids=lambda one: getattr(one, "name", one),
)
@settings(max_examples=8, deadline=None)
@given(data=some.data())
def test_an_answer_cut_short_is_said_to_be_bad(
    api: Api, version: int, data: some.DataObject
) -> None:
    flexible = api.flexible(version)
    row = data.draw(rows(api.response, version, NULLABLE[api.name + "Response"]))
    whole = encode(api.response, row, version=version, flexible=flexible)
    short = whole[: data.draw(some.integers(0, len(whole) - 1))]
    with pytest.raises(BadFrame):
        decode(api.response, BytesIO(short), version=version, flexible=flexible)


@settings(max_examples=20, deadline=None)
@given(data=some.data())
def test_a_structure_in_a_structure_and_bytes_return_as_they_left(data: some.DataObject) -> None:
    api = wire_offsets.CONSUMER_GROUP_DESCRIBE
    row = data.draw(rows(api.response, 0, NULLABLE["ConsumerGroupDescribeResponse"]))
    ours = BytesIO(encode(api.response, row, version=0, flexible=True))
    assert decode(api.response, ours, version=0, flexible=True) == row
    assert ours.read() == b""


@settings(max_examples=60, deadline=None)
@given(noise=some.binary(max_size=60), api=some.sampled_from(DESCRIBED))
def test_noise_is_an_answer_or_bad_but_never_a_crash(noise: bytes, api: Api) -> None:
    with contextlib.suppress(BadFrame):
        decode(api.response, BytesIO(noise), version=api.version_max, flexible=True)


@pytest.mark.parametrize("api", ALL, ids=lambda api: api.name)
def test_the_flexible_versions_and_keys_are_kafkas(api: Api) -> None:
    cls = oracle(api, "Request")
    assert api.key == cls.API_KEY
    for version in range(api.version_min, api.version_max + 1):
        assert api.flexible(version) == cls.flexible_version_q(version)


@pytest.mark.parametrize("length", [0, 126, 127, 128, 16_382, 16_383, 16_384])
def test_lengths_are_spelled_alike_on_both_sides_of_a_varints_edges(length: int) -> None:
    partition = {"partition_index": 0, "replicas": [7] * length}
    count = length if length < 130 else 1
    topic = {"name": "t" * length, "partitions": [partition] * count}
    row = {"timeout_ms": 1, "topics": [topic]}
    api = ALTER_PARTITION_REASSIGNMENTS
    ours = encode(api.request, row, version=0, flexible=True)
    assert ours == theirs(oracle(api, "Request"), api.request, row, 0).encode()
    assert decode(api.request, BytesIO(ours), version=0, flexible=True) == row


def header_of(api: Api, version: int) -> bytes:
    spelled = Ask(api, {}).prepare({api.key: (version, version)})
    return spelled.build_request_header(correlation_id=77, client_id="ottla").encode()


@pytest.mark.parametrize("api", ALL, ids=lambda api: api.name)
def test_request_headers_are_the_same(api: Api) -> None:
    for version in range(api.version_min, api.version_max + 1):
        request = oracle(api, "Request")(version=version)
        request.with_header(correlation_id=77, client_id="ottla")
        theirs = request.encode_header(flexible=api.flexible(version))
        assert header_of(api, version) == theirs
