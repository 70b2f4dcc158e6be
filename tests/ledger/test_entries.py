"""How a request is packed: for speed while it is open, for good once it has ended."""

from __future__ import annotations

import zlib

import pytest

from changes.lifecycle import State
from changes.request import Request
from ledger.entries import FORMAT, UnreadableEntry, packed, read, unpacked
from tests.ledger.conftest import Opens
from tests.ledger.toys import Polish, plan_for

STEPS = tuple(Polish(broker=broker) for broker in range(5_000))


def ended(request: Request) -> Request:
    """With a plan that names the same things again further apart than zlib looks back."""
    plan = plan_for(request).with_(steps=(*STEPS, *STEPS))
    return request.with_(plan=plan, state=State.CANCELLED)


def stored(body: bytes) -> dict[bytes, bytes]:
    return {b"format": FORMAT.encode(), b"body": body}


def test_an_ended_request_is_packed_smaller_and_read_back(opens: Opens) -> None:
    request = ended(opens())
    body = packed(request)
    assert len(body) < 0.75 * len(zlib.compress(unpacked(body)))
    assert read(request.id, stored(body)) == request


def test_one_that_was_packed_before_is_still_read(opens: Opens) -> None:
    request = ended(opens())
    body = zlib.compress(request.model_dump_json().encode())
    assert read(request.id, stored(body)) == request


@pytest.mark.parametrize("kept", [10, -10])
def test_half_a_body_is_a_sentence(opens: Opens, kept: int) -> None:
    request = ended(opens())
    with pytest.raises(UnreadableEntry, match=request.id):
        read(request.id, stored(packed(request)[:kept]))
