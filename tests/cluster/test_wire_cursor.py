"""What is read and written by position is what the descriptions say, byte for byte."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from changes.lag import NO_OFFSET
from cluster.lag_groups import LIST
from cluster.wire_codec import BadFrame, Row, encode
from cluster.wire_cursor import (
    END,
    Topics,
    read_list_groups,
    read_list_groups_untyped,
    read_list_offsets,
    read_offset_fetch,
    read_offset_fetch_one,
    write_list_offsets,
    write_offset_fetch,
    write_offset_fetch_one,
)
from cluster.wire_messages import Api
from cluster.wire_offsets import LIST_GROUPS, LIST_OFFSETS, OFFSET_FETCH, OFFSET_FETCH_ONE
from cluster.wire_requests import FirstSpoken, Ready

pytestmark = pytest.mark.slow

NAMES = some.text(min_size=1, max_size=140)
"""Some longer than a length of one byte can say."""
OFFSETS = some.integers(-1, 2**62)
CODES = some.sampled_from([0, 0, 0, 3, 16, 29])


def spelled(api: Api, row: Row, *, version: int, side: str = "response") -> bytes:
    return encode(getattr(api, side), row, version=version, flexible=True)


def header(body: bytes) -> bytes:
    """What stands before a body: here nothing but bytes to be passed over."""
    return b"head!" + body


AT = len(b"head!")

committed_topics: Any = some.lists(
    some.fixed_dictionaries(
        {
            "name": NAMES,
            "partitions": some.lists(
                some.fixed_dictionaries(
                    {
                        "partition_index": some.integers(0, 2**31 - 1),
                        "committed_offset": OFFSETS,
                        "committed_leader_epoch": some.integers(-1, 9),
                        "metadata": some.none() | some.text(max_size=200),
                        "error_code": CODES,
                    }
                ),
                max_size=5,
                unique_by=lambda one: one["partition_index"],
            ),
        }
    ),
    max_size=3,
    unique_by=lambda one: one["name"],
)
committed_groups: Any = some.lists(
    some.fixed_dictionaries({"group_id": NAMES, "topics": committed_topics, "error_code": CODES}),
    max_size=4,
)


def split(topics: list[Row]) -> tuple[dict[Any, int], dict[Any, int]]:
    rows = [(t["name"], p["partition_index"], p) for t in topics for p in t["partitions"]]
    offsets = {(t, p): one["committed_offset"] for t, p, one in rows if not one["error_code"]}
    return offsets, {(t, p): one["error_code"] for t, p, one in rows if one["error_code"]}


@settings(max_examples=150, deadline=None)
@given(groups=committed_groups)
def test_committed_offsets_of_many_groups(groups: list[Row]) -> None:
    raw = header(spelled(OFFSET_FETCH, {"throttle_time_ms": 1, "groups": groups}, version=8))
    answer = read_offset_fetch(raw, AT, topics=Topics())
    assert answer.size_bytes == len(raw)
    assert [(one.group, one.code) for one in answer.groups] == [
        (one["group_id"], one["error_code"]) for one in groups
    ]
    for group, one in zip(groups, answer.groups, strict=True):
        assert (one.committed, one.codes) == split(group["topics"])


@settings(max_examples=50, deadline=None)
@given(topics=committed_topics, code=CODES)
def test_committed_offsets_of_one_group(topics: list[Row], code: int) -> None:
    row = {"throttle_time_ms": 1, "topics": topics, "error_code": code}
    raw = header(spelled(OFFSET_FETCH_ONE, row, version=7))
    (one,) = read_offset_fetch_one(raw, AT, group="g", topics=Topics()).groups
    assert (one.group, one.code) == ("g", code)
    assert (one.committed, one.codes) == split(topics)


def test_what_a_group_forgot_of_a_topic_it_commits_on_has_no_offset() -> None:
    def partition(number: int, offset: int, code: int) -> Row:
        return {
            "partition_index": number,
            "committed_offset": offset,
            "committed_leader_epoch": -1,
            "metadata": "",
            "error_code": code,
        }

    topics = [
        {"name": "a", "partitions": [partition(1, 7, 0), partition(2, 0, 29)]},
        {"name": "b", "partitions": [partition(0, 9, 0)]},
    ]
    group = {"group_id": "g", "topics": topics, "error_code": 0}
    raw = spelled(OFFSET_FETCH, {"throttle_time_ms": 0, "groups": [group]}, version=8)
    (one,) = read_offset_fetch(raw, 0, topics=Topics(lambda _: range(3))).groups
    assert one.codes == {("a", 2): 29}
    assert one.committed == {
        ("a", 0): NO_OFFSET,
        ("a", 1): 7,
        ("b", 0): 9,
        ("b", 1): NO_OFFSET,
        ("b", 2): NO_OFFSET,
    }


@settings(max_examples=60, deadline=None)
@given(data=some.data(), code=CODES)
def test_lists_of_groups(data: some.DataObject, code: int) -> None:
    texts = some.text(max_size=9)
    named = ("protocol_type", "group_state", "group_type")
    row: Any = some.fixed_dictionaries({"group_id": NAMES, **dict.fromkeys(named, texts)})
    groups = data.draw(some.lists(row, max_size=4))
    whole = {"throttle_time_ms": 0, "error_code": code, "groups": groups}
    expected = [tuple(one[name] for name in ("group_id", *named)) for one in groups]
    typed = read_list_groups(header(spelled(LIST_GROUPS, whole, version=5)), AT)
    assert typed == (code, expected)
    untyped = read_list_groups_untyped(header(spelled(LIST_GROUPS, whole, version=4)), AT)
    assert untyped == (code, [(*one[:3], "") for one in expected])


@settings(max_examples=60, deadline=None)
@given(data=some.data())
def test_offsets_of_logs(data: some.DataObject) -> None:
    partition: Any = some.fixed_dictionaries(
        {
            "partition_index": some.integers(0, 2**31 - 1),
            "error_code": CODES,
            "timestamp": OFFSETS,
            "offset": OFFSETS,
            "leader_epoch": some.integers(-1, 9),
        }
    )
    partitions = some.lists(partition, max_size=5, unique_by=lambda one: one["partition_index"])
    topic: Any = some.fixed_dictionaries({"name": NAMES, "partitions": partitions})
    topics = data.draw(some.lists(topic, max_size=3, unique_by=lambda one: one["name"]))
    for version in (6, 7):
        whole = spelled(LIST_OFFSETS, {"throttle_time_ms": 0, "topics": topics}, version=version)
        found = read_list_offsets(header(whole), AT, topics=Topics())
        rows = [((t["name"], p["partition_index"]), p) for t in topics for p in t["partitions"]]
        assert found.offsets == {k: one["offset"] for k, one in rows if not one["error_code"]}
        assert found.codes == {k: one["error_code"] for k, one in rows if one["error_code"]}


def test_tags_that_nobody_knows_are_passed_over() -> None:
    """A later Kafka may add to any structure: here to the entry and to the whole."""
    tagged = b"\x01\x05\x03abc"
    entry = bytes.fromhex("00000001 0000000000000007 ffffffff 01 0000".replace(" ", "")) + tagged
    group = b"\x02g" + b"\x02" + b"\x02t" + b"\x02" + entry + b"\x00" + b"\x00\x00" + b"\x00"
    raw = b"\x00\x00\x00\x00" + b"\x02" + group + tagged
    (one,) = read_offset_fetch(raw, 0, topics=Topics()).groups
    assert one.committed == {("t", 1): 7}


@given(groups=some.lists(NAMES, max_size=200))
@settings(max_examples=20, deadline=None)
def test_questions_for_committed_offsets(groups: list[str]) -> None:
    rows = [{"group_id": group, "topics": None} for group in groups]
    row = {"groups": rows, "require_stable": False}
    assert write_offset_fetch(groups) == spelled(OFFSET_FETCH, row, version=8, side="request")
    for group in groups[:3]:
        one = {"group_id": group, "topics": None, "require_stable": False}
        ours = write_offset_fetch_one(group)
        assert ours == spelled(OFFSET_FETCH_ONE, one, version=7, side="request")


@given(
    wanted=some.dictionaries(NAMES, some.lists(some.integers(0, 2**31 - 1), max_size=4), max_size=3)
)
@settings(max_examples=30, deadline=None)
def test_questions_for_offsets_of_logs(wanted: dict[str, list[int]]) -> None:
    partition = {"current_leader_epoch": -1, "timestamp": END}
    rows = [
        {"name": name, "partitions": [{"partition_index": one, **partition} for one in some_]}
        for name, some_ in wanted.items()
    ]
    row = {"replica_id": -1, "isolation_level": 1, "topics": rows}
    ours = write_list_offsets(wanted, timestamp=END, isolation=1)
    for version in (6, 7):
        assert ours == spelled(LIST_OFFSETS, row, version=version, side="request")


def test_the_question_for_groups_depends_on_the_version() -> None:
    nothing: dict[str, list[str]] = {"states_filter": [], "types_filter": []}
    for version in (4, 5):
        sent = LIST.prepare({LIST_GROUPS.key: (0, version)})
        assert sent.version == version
        assert sent.encode() == spelled(LIST_GROUPS, nothing, version=version, side="request")


READERS = [
    pytest.param(lambda raw, at: read_offset_fetch(raw, at, topics=Topics()), id="OffsetFetch"),
    pytest.param(lambda raw, at: read_list_offsets(raw, at, topics=Topics()), id="ListOffsets"),
    pytest.param(read_list_groups, id="ListGroups"),
]


@pytest.mark.parametrize("read", READERS)
@settings(max_examples=150, deadline=None)
@given(noise=some.binary(max_size=80))
def test_noise_is_an_answer_or_bad_but_never_a_crash(read: Any, noise: bytes) -> None:
    answer = Ready(LIST_OFFSETS, b"", read).prepare({2: (0, 7)}).RESPONSE_TYPE.decode
    answer(BytesIO(noise))


@settings(max_examples=60, deadline=None)
@given(groups=committed_groups.filter(bool), data=some.data())
def test_an_answer_cut_short_is_said_to_be_bad(groups: list[Row], data: some.DataObject) -> None:
    whole = spelled(OFFSET_FETCH, {"throttle_time_ms": 1, "groups": groups}, version=8)
    short = whole[: data.draw(some.integers(0, len(whole) - 1))]
    way = Ready(OFFSET_FETCH, b"", lambda raw, at: read_offset_fetch(raw, at, topics=Topics()))
    sent = FirstSpoken((way,)).prepare({9: (8, 8)})
    assert isinstance(sent.RESPONSE_TYPE.decode(BytesIO(short)), BadFrame)
