"""The one place that sends what aiokafka cannot, and the only user of its client.

The surprising truth: aiokafka's connection does not care whose request it sends, as long as that can
spell itself in a version the broker speaks (`wire_requests`). So a described request (`wire_messages`)
travels over aiokafka's connections, with its TLS, SASL and version negotiation.

Each request is bounded in time. Reads go to any broker that answers. What only the controller may do
goes to the broker that metadata names; on KRaft that broker forwards it. NOT_CONTROLLER, or no
connection to it, means fresh metadata and another try; a request that may have been received is
never sent a second time from here.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, Protocol

from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, NodeNotReadyError
from aiokafka.protocol.metadata import MetadataRequest

from changes.ports import Unreachable
from cluster.errors import KafkaRefuses
from cluster.wire_codec import BadFrame, Row
from cluster.wire_messages import API_VERSIONS, Api
from cluster.wire_requests import Ask

NOT_CONTROLLER = 41
DESCRIBE_QUORUM = 55
CONTROLLER_TRIES_MAX = 4
CONTROLLER_WAIT_SECONDS = 0.3
"""Doubled each time: an election takes a second or two."""
BROKERS_ASKED_MAX = 3
REQUEST_SECONDS_MAX = 15.0


class Client(Protocol):
    """What is used of aiokafka's client, or of `Links` in its place."""

    cluster: ClusterMetadata

    async def bootstrap(self) -> Any: ...

    async def send(self, node_id: int, request: Any, /) -> Any: ...


class _NotSent(Unreachable):
    """No connection: the request never left, so it may be sent elsewhere."""


class Wire:
    """Sends requests to one cluster; `client` is bootstrapped and closed by who made it."""

    def __init__(
        self,
        *,
        client: Client,
        cluster: str,
        request_seconds_max: float = REQUEST_SECONDS_MAX,
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._seconds_max = request_seconds_max
        self._kraft: bool | None = None

    async def metadata(self) -> Any:
        """Every broker, topic and partition; aiokafka's own structure, its view is refreshed too."""
        answer = await self._from_any("Metadata", MetadataRequest(None))
        self._client.cluster.update_metadata(answer)
        return answer

    def broker_ids(self) -> tuple[int, ...]:
        """Brokers of the newest metadata."""
        return tuple(sorted(broker.nodeId for broker in self._client.cluster.brokers()))

    async def kraft(self) -> bool:
        """Does the cluster run without ZooKeeper? Only such brokers describe their quorum."""
        if self._kraft is None:
            answer = await self.ask_any(API_VERSIONS, {})
            self._kraft = any(one["api_key"] == DESCRIBE_QUORUM for one in answer["api_keys"])
        return self._kraft

    async def ask_any(self, api: Api, row: Row) -> Row:
        """For what every broker can answer."""
        answer: Row = await self._from_any(api.name, Ask(api, row))
        return answer

    async def ask_broker(self, broker_id: int, api: Api, row: Row) -> Row:
        """For what only that broker knows or may change."""
        answer: Row = await self._send(broker_id, api.name, Ask(api, row))
        return answer

    async def ask_controller(
        self, api: Api, row: Row, *, code_of: Callable[[Row], int] = lambda row: row["error_code"]
    ) -> Row:
        """For what changes the cluster; `code_of` finds NOT_CONTROLLER in the answer."""
        trouble = Unreachable(f"{self._doing(api.name)}: it names no controller")
        for attempt in range(CONTROLLER_TRIES_MAX):
            if attempt:
                await asyncio.sleep(CONTROLLER_WAIT_SECONDS * 2 ** (attempt - 1))
                await self.metadata()
            controller = self._client.cluster.controller
            if controller is None:
                continue
            try:
                answer: Row = await self._send(controller.nodeId, api.name, Ask(api, row))
            except _NotSent as error:
                trouble = error
                continue
            if code_of(answer) != NOT_CONTROLLER:
                return answer
            trouble = KafkaRefuses(f"{self._doing(api.name)}: no broker is the controller just now")
        raise trouble

    async def _from_any(self, name: str, request: object) -> Any:
        if not self.broker_ids():
            await self._client.bootstrap()
        ids = list(self.broker_ids())
        random.shuffle(ids)
        trouble = Unreachable(f"{self._doing(name)}: no broker is known")
        for broker_id in ids[:BROKERS_ASKED_MAX]:
            try:
                return await self._send(broker_id, name, request)
            except KafkaRefuses:
                raise
            except Unreachable as error:
                trouble = error
        raise trouble

    async def _send(self, broker_id: int, name: str, request: object) -> Any:
        doing = self._doing(name, broker_id)
        try:
            async with asyncio.timeout(self._seconds_max):
                answer = await self._client.send(broker_id, request)
        except NodeNotReadyError as error:
            raise _NotSent(f"{doing}: no connection to it") from error
        except TimeoutError as error:
            raise Unreachable(f"{doing}: no answer in {self._seconds_max:g} s") from error
        except IncompatibleBrokerVersion as error:
            raise KafkaRefuses(f"{doing}: {error.args[0]}") from error
        except KafkaError as error:
            raise Unreachable(f"{doing}: {_said(error)}") from error
        if isinstance(answer, BadFrame):
            raise Unreachable(f"{doing}: its answer cannot be read, {answer}") from answer
        return answer

    def _doing(self, name: str, broker_id: int | None = None) -> str:
        who = f"broker {broker_id} of " if broker_id is not None else ""
        return f"asking {who}{self._cluster} for {name}"


def _said(error: KafkaError) -> str:
    """aiokafka's errors carry text, a class description, or nothing but their name."""
    text = ", ".join(str(part) for part in error.args if part)
    return text or getattr(error, "description", "") or type(error).__name__
