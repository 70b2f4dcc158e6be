"""The questions of one scan: counted, bounded, and each broker's silence noted once.

The surprising truth: a broker that was silent once is not asked again in the same scan. Its groups and
ends are missing either way, and the others' are not to wait for it twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any

from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
)

from cluster.links import Lane, Links
from cluster.wire_codec import BadFrame
from cluster.wire_requests import Request

SECONDS_MAX = 2.0
"""For one answer of one broker, the connection included."""
IN_FLIGHT_MAX = 2
"""Requests that wait on one connection: the broker works on one, the other is on its way."""


class Round:
    """One scan's (or one question's) asking."""

    def __init__(self, links: Links, *, seconds_max: float = SECONDS_MAX) -> None:
        self._links = links
        self._seconds_max = seconds_max
        self.requests = 0
        self.blind: dict[int, str] = {}
        """Brokers that did not answer, with the reason."""
        self._room: dict[int, asyncio.Semaphore] = {}

    async def ask(self, broker_id: int, request: Request) -> Any:
        """The answer; None when the broker is silent or answers nonsense.

        Raises `IncompatibleBrokerVersion`, nothing sent, when the broker does not speak it.
        """
        room = self._room.setdefault(broker_id, asyncio.Semaphore(IN_FLIGHT_MAX))
        async with room:
            return await self._ask(broker_id, request)

    async def _ask(self, broker_id: int, request: Request) -> Any:
        if broker_id in self.blind:
            return None
        try:
            answer = await self._asked(broker_id, request)
        except IncompatibleBrokerVersion:
            raise
        except (KafkaError, TimeoutError) as error:
            self.blind.setdefault(broker_id, _words(error))
            return None
        if isinstance(answer, BadFrame):
            self.blind.setdefault(broker_id, f"its answer cannot be read: {answer}")
            return None
        return answer

    async def ask_all(
        self, broker_id: int, requests: Iterable[Request], *, in_flight: int = IN_FLIGHT_MAX
    ) -> list[Any]:
        """Answers to many requests, a few of them on their way at a time; silence is left out."""
        waiting, answers = iter(requests), []
        if in_flight > IN_FLIGHT_MAX:
            self._room[broker_id] = asyncio.Semaphore(in_flight)

        async def one_lane() -> None:
            for request in waiting:
                answer = await self.ask(broker_id, request)
                if answer is not None:
                    answers.append(answer)

        await everything(one_lane() for _ in range(in_flight))
        return answers

    async def _asked(self, broker_id: int, request: Request) -> Any:
        """Reads may be asked twice: a connection may have been closed while nobody used it."""
        try:
            return await self._sent(broker_id, request)
        except NodeNotReadyError:
            raise
        except KafkaConnectionError:
            return await self._sent(broker_id, request)

    async def _sent(self, broker_id: int, request: Request) -> Any:
        try:
            answer = await self._links.send(
                broker_id, request, lane=Lane.COORDINATOR, seconds_max=self._seconds_max
            )
        except (NodeNotReadyError, IncompatibleBrokerVersion):
            raise
        except (KafkaError, TimeoutError):
            self.requests += 1
            raise
        self.requests += 1
        return answer


async def everything(awaitables: Iterable[Awaitable[Any]]) -> Sequence[Any]:
    """All at once, all to their end; what was not planned for is raised then."""
    results = await asyncio.gather(*awaitables, return_exceptions=True)
    for one in results:
        if isinstance(one, BaseException):
            raise one
    return results


def _words(error: BaseException) -> str:
    """aiokafka's errors carry text, a class description, or nothing but their name."""
    text = ", ".join(str(part) for part in getattr(error, "args", ()) if part)
    return text or getattr(error, "description", "") or type(error).__name__
