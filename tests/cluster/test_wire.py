"""The adapter: whom it asks, when it asks again, and what it says when nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError

from changes.ports import Unreachable
from cluster import wire
from cluster.errors import KafkaRefuses
from cluster.wire import Wire
from cluster.wire_codec import BadFrame, Row
from cluster.wire_messages import DESCRIBE_LOG_DIRS, LIST_PARTITION_REASSIGNMENTS
from cluster.wire_requests import Ask

ROW = {"timeout_ms": 1, "topics": None}
FINE = {"error_code": 0, "topics": []}
ELSEWHERE = {"error_code": 41}
Answer = Callable[[int], Any]


class FakeClient:
    """aiokafka's client as far as the wire uses it; the controller moves with fresh metadata."""

    def __init__(self, *, answer: Answer, controllers: tuple[int | None, ...] = (1, 2, 3)) -> None:
        self.asked: list[int] = []
        self._answer = answer
        self._controllers = list(controllers)
        self.cluster = self

    def brokers(self) -> list[Any]:
        return [SimpleNamespace(nodeId=i) for i in (1, 2, 3)]

    @property
    def controller(self) -> Any:
        first = self._controllers[0]
        return None if first is None else SimpleNamespace(nodeId=first)

    def update_metadata(self, metadata: object) -> None:
        assert metadata == "metadata"
        if len(self._controllers) > 1:
            self._controllers.pop(0)

    async def bootstrap(self) -> None:
        raise AssertionError("brokers are known")

    async def send(self, broker_id: int, request: object) -> Any:
        if not isinstance(request, Ask):
            return "metadata"
        self.asked.append(broker_id)
        answer = self._answer(broker_id)
        if isinstance(answer, Exception) and not isinstance(answer, BadFrame):
            raise answer
        return await answer if asyncio.iscoroutine(answer) else answer


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "CONTROLLER_WAIT_SECONDS", 0.001)


def over(client: FakeClient) -> Wire:
    return Wire(client=client, cluster="orders-prod", request_seconds_max=0.05)


async def controller_says(client: FakeClient) -> Any:
    return await over(client).ask_controller(LIST_PARTITION_REASSIGNMENTS, ROW)


async def test_the_controller_that_moved_is_found_by_fresh_metadata() -> None:
    client = FakeClient(answer=lambda broker: FINE if broker == 3 else ELSEWHERE)
    assert await controller_says(client) == FINE
    assert client.asked == [1, 2, 3]


async def test_a_controller_without_a_connection_is_looked_for_again() -> None:
    client = FakeClient(answer=lambda broker: FINE if broker == 2 else NodeNotReadyError())
    assert await controller_says(client) == FINE
    assert client.asked == [1, 2]


async def test_no_controller_at_all_is_said_after_a_few_tries() -> None:
    client = FakeClient(answer=lambda _: ELSEWHERE)
    with pytest.raises(
        KafkaRefuses, match=r"orders-prod for ListPart.*no broker is the controller"
    ):
        await controller_says(client)
    assert len(client.asked) == wire.CONTROLLER_TRIES_MAX
    with pytest.raises(Unreachable, match="it names no controller"):
        await controller_says(FakeClient(answer=lambda _: FINE, controllers=(None,)))


async def test_a_request_that_may_have_arrived_is_not_sent_again() -> None:
    client = FakeClient(answer=lambda _: KafkaConnectionError("connection closed"))
    with pytest.raises(Unreachable, match=r"broker 1 of orders-prod .*: connection closed"):
        await controller_says(client)
    assert client.asked == [1]


async def test_a_silent_broker_is_bounded_in_time() -> None:
    client = FakeClient(answer=lambda _: asyncio.sleep(60))
    with pytest.raises(Unreachable, match=r"broker 2 of orders-prod .*: no answer in 0\.05 s"):
        await over(client).ask_broker(2, DESCRIBE_LOG_DIRS, {"topics": None})


async def test_reads_go_to_the_next_broker_when_one_is_silent() -> None:
    silent: list[int] = []

    def first_is_silent(broker_id: int) -> Any:
        silent.append(broker_id)
        return KafkaConnectionError() if len(silent) == 1 else FINE

    client = FakeClient(answer=first_is_silent)
    assert await over(client).ask_any(LIST_PARTITION_REASSIGNMENTS, ROW) == FINE
    assert len(set(client.asked)) == 2


async def test_an_answer_that_cannot_be_read_says_why() -> None:
    client = FakeClient(answer=lambda _: BadFrame("it ends 3 bytes early"))
    with pytest.raises(Unreachable, match="cannot be read, it ends 3 bytes early"):
        await over(client).ask_broker(1, DESCRIBE_LOG_DIRS, {"topics": None})


@pytest.mark.parametrize(("spoken", "chosen"), [((0, 1), 1), ((1, 2), 2), ((1, 4), 4), ((2, 9), 4)])
def test_the_newest_version_both_sides_speak_is_chosen(
    spoken: tuple[int, int], chosen: int
) -> None:
    spelled = Ask(DESCRIBE_LOG_DIRS, {"topics": None}).prepare({35: spoken})
    assert spelled.version == chosen


@pytest.mark.parametrize("versions", [{}, {35: (0, 0)}, {35: (5, 9)}])
async def test_a_broker_that_speaks_no_common_version_is_refused(
    versions: dict[int, tuple[int, int]],
) -> None:
    def negotiates(_: int) -> Any:
        return Ask(DESCRIBE_LOG_DIRS, {"topics": None}).prepare(versions)

    client = FakeClient(answer=lambda _: asyncio.to_thread(negotiates, 0))
    with pytest.raises(KafkaRefuses, match=r"it speaks versions .*, we 1–4"):
        await over(client).ask_any(DESCRIBE_LOG_DIRS, {"topics": None})
    assert len(client.asked) == 1, "the others speak no better"


def test_an_answer_is_decoded_in_the_version_it_was_asked_in() -> None:
    asked = Ask(LIST_PARTITION_REASSIGNMENTS, ROW).prepare({46: (0, 0)})
    body = b"\x00\x00\x00\x00" + b"\x00\x00" + b"\x00" + b"\x01" + b"\x00"
    framed = BytesIO(b"\x00\x00\x00\x4d" + b"\x00" + body)
    assert asked.parse_response_header(framed).correlation_id == 77
    row: Row = {"throttle_time_ms": 0, "error_code": 0, "error_message": None, "topics": []}
    assert asked.RESPONSE_TYPE.decode(framed) == row
    assert isinstance(asked.RESPONSE_TYPE.decode(BytesIO(body[:-2])), BadFrame)
