"""What a scanner is asked beside its scans: members, moments, committed ends."""

from __future__ import annotations

import struct

from changes.lag import NO_OFFSET, Member
from tests.cluster.scripted_brokers import NOW, scanner_of, three


def classic_member(name: str, assignment: bytes) -> dict[str, object]:
    return {
        "member_id": f"{name}-1",
        "group_instance_id": None,
        "client_id": name,
        "client_host": "/10.0.0.7",
        "member_metadata": b"",
        "member_assignment": assignment,
    }


def assignment(topic: bytes, *partitions: int) -> bytes:
    head = struct.pack(">hih", 0, 1, len(topic)) + topic
    return head + struct.pack(f">i{len(partitions)}i", len(partitions), *partitions) + b"\xff" * 4


async def test_moments_and_committed_ends_leave_out_what_cannot_be_read() -> None:
    scripted = three()
    scripted.logs["orders", 0].by_time = 40
    scripted.logs["orders", 2].stable_end = 70
    scripted.silent.add(2)
    scanner = scanner_of(scripted)
    keys = [("orders", 0), ("orders", 1), ("orders", 2), ("nowhere", 0), ("orders", 0)]
    found = await scanner.offsets_at(moment=NOW, partitions=keys)
    assert found == {("orders", 0): 40, ("orders", 2): NO_OFFSET}
    assert await scanner.committed_ends(partitions=keys) == {("orders", 0): 100, ("orders", 2): 70}


async def test_members_are_told_with_what_they_own_or_the_words_why_not() -> None:
    scripted = three()
    a = scripted.groups["a"]
    a.members = [
        classic_member("ann", assignment(b"orders", 2, 0)),
        classic_member("connect", b"\x00\x01\x7f\xff\xff\xff not ours"),
        classic_member("idle", b""),
    ]
    owned = {"topic_id": bytes(16), "topic_name": "paid", "partitions": [1, 0]}
    new = scripted.group("new", at=3)
    new.kind = "consumer"
    new.members = [
        {
            "member_id": "n-1",
            "instance_id": None,
            "rack_id": None,
            "member_epoch": 4,
            "client_id": "nia",
            "client_host": "host.local/10.0.0.9",
            "subscribed_topic_names": ["paid"],
            "subscribed_topic_regex": None,
            "assignment": {"topic_partitions": [owned]},
            "target_assignment": {"topic_partitions": []},
        }
    ]
    scripted.group("flow", at=3).kind = "streams"
    scanner = scanner_of(scripted)
    await scanner.scan()
    scripted.silent.add(2)
    told = await scanner.members(groups=["a", "b", "new", "flow", "nobody"])
    assert told["a"] == (
        Member(
            member_id="ann-1", client_id="ann", host="10.0.0.7", owns=(("orders", 0), ("orders", 2))
        ),
        Member(member_id="connect-1", client_id="connect", host="10.0.0.7", owns=()),
        Member(member_id="idle-1", client_id="idle", host="10.0.0.7", owns=()),
    )
    assert told["new"] == (
        Member(member_id="n-1", client_id="nia", host="10.0.0.9", owns=(("paid", 0), ("paid", 1))),
    )
    assert told["b"] == "broker 2 did not tell: no answer within 5 s"
    assert told["flow"] == "members of a group of type streams are not read"
    assert told["nobody"] == "no broker named this group when it was asked last"
    scripted.silent.clear()
    scripted.groups["b"].coordinator = 1
    moved = await scanner.members(groups=["b"])
    assert moved["b"] == "the broker asked does not coordinate it any more"
