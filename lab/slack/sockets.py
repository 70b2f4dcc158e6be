"""Socket Mode: the connections of the app, and each payload to exactly one of them.

The surprise is in the choice: it is random, not round robin, and a dead connection still takes its share.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from lab.slack.clock import Clock
from lab.slack.entities import Json
from lab.slack.faults import Fault, Faults
from lab.slack.ids import Minter
from lab.slack.quirks import Quirks
from lab.slack.wirelog import WireLog


@dataclass(frozen=True)
class Outcome:
    """What became of a payload: acked (with what payload), timeout, or no_connection."""

    status: str
    payload: Json | None = None

    @property
    def acked(self) -> bool:
        return self.status == "acked"


@dataclass(eq=False)
class Connection:
    id: str
    socket: web.WebSocketResponse
    request: web.Request
    opened_at: float
    answers_pings: bool = True
    delivered: int = 0

    def kill(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()


class SocketHub:
    def __init__(
        self,
        *,
        app_id: str,
        clock: Clock,
        mint: Minter,
        log: WireLog,
        faults: Faults,
        quirks: Quirks,
    ) -> None:
        self.connections: list[Connection] = []
        self._app_id = app_id
        self._clock, self._mint, self._log = clock, mint, log
        self._faults, self._quirks = faults, quirks
        self._waiting: dict[str, asyncio.Future[Json | None]] = {}
        self._held: list[tuple[str, Json]] = []
        self.on_change: Callable[[int], None] = lambda _count: None

    async def serve(self, request: web.Request, *, seconds: float) -> web.WebSocketResponse:
        # autoping off: a pong must carry the same bytes, and a fault may withhold it.
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if len(self.connections) >= self._quirks.sockets_max:
            await socket.send_json(self._disconnect("too_many_websockets"))
            await socket.close()
            return socket
        connection = Connection(self._mint.hex(8), socket, request, self._clock.now())
        connection.answers_pings = (
            self._faults.take("socket", actions=("half_open", "no_pong")) is None
        )
        self.connections.append(connection)
        self._counted("open", connection)
        try:
            await self._run(connection, seconds=seconds)
        finally:
            self.connections.remove(connection)
            self._counted("closed", connection)
        return socket

    def _counted(self, event: str, connection: Connection) -> None:
        count = len(self.connections)
        self._log.write("socket", event=event, connection=connection.id, count=count)
        self.on_change(count)

    async def _run(self, connection: Connection, *, seconds: float) -> None:
        if self._faults.take("socket", actions=("no_hello",)) is None:
            await connection.socket.send_json(self._hello(seconds))
        keeper = asyncio.create_task(self._keep(connection, seconds=seconds))
        try:
            async for message in connection.socket:
                await self._received(connection, message.type, message.data)
        except ConnectionError:
            # The peer vanished without a close frame: the same end as any other.
            return
        finally:
            keeper.cancel()

    async def _keep(self, connection: Connection, *, seconds: float) -> None:
        """Pings now and then, and asks the client to move on when the connection is old."""
        while not connection.socket.closed:
            await asyncio.sleep(self._quirks.server_ping_seconds)
            if self._clock.now() - connection.opened_at > seconds:
                await self.disconnect(connection, reason="refresh_requested")
                return
            try:
                await connection.socket.ping(f"Ping from lab {connection.id}".encode())
            except (ConnectionError, RuntimeError):
                return

    async def _received(self, connection: Connection, kind: WSMsgType, content: Any) -> None:
        if kind is WSMsgType.PING and connection.answers_pings:
            await connection.socket.pong(content)
        if kind is WSMsgType.TEXT:
            self._acked(connection, content)

    def _acked(self, connection: Connection, text: str) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            ack = None
        if not isinstance(ack, dict) or "envelope_id" not in ack:
            self._log.write("ack", connection=connection.id, problem="not an ack", text=text[:200])
            return
        envelope_id, payload = ack["envelope_id"], ack.get("payload") or None
        waiting = self._waiting.get(envelope_id)
        late = waiting is None or waiting.done()
        self._log.write(
            "ack", connection=connection.id, envelope_id=envelope_id, payload=payload, late=late
        )
        if waiting is not None and not waiting.done():
            waiting.set_result(payload if isinstance(payload, dict) else None)

    async def send(
        self,
        *,
        kind: str,
        payload: Json,
        accepts_response_payload: bool,
        retry: tuple[int, str] | None = None,
        envelope_id: str = "",
    ) -> Outcome:
        """One payload to one connection; waits for its ack as long as Slack would."""
        envelope: Json = {
            "envelope_id": envelope_id or self._mint.uuid(),
            "type": kind,
            "accepts_response_payload": accepts_response_payload,
            "payload": payload,
        }
        if retry is not None:
            envelope |= {"retry_attempt": retry[0], "retry_reason": retry[1]}
        started = self._clock.now()
        outcome = await self._deliver(envelope)
        self._log.write(
            "delivery",
            type=kind,
            envelope_id=envelope["envelope_id"],
            retry_attempt=retry[0] if retry else None,
            status=outcome.status,
            seconds=round(self._clock.now() - started, 3),
            payload=payload,
        )
        return outcome

    async def _deliver(self, envelope: Json) -> Outcome:
        fault = self._faults.take("delivery", **_facts(envelope))
        if not self.connections and not self._ghosts():
            return Outcome("no_connection")
        waiting: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = waiting
        try:
            await self._transmit(envelope, fault)
            payload = await asyncio.wait_for(waiting, timeout=self._quirks.ack_seconds)
        except TimeoutError:
            return Outcome("timeout")
        finally:
            self._waiting.pop(envelope["envelope_id"], None)
        if fault is not None and fault.action == "ignore_ack":
            return Outcome("timeout")
        return Outcome("acked", payload)

    async def _transmit(self, envelope: Json, fault: Fault | None) -> None:
        action = fault.action if fault else ""
        if action == "drop":
            return
        if action == "delay" and fault is not None:
            await asyncio.sleep(float(fault.params.get("s", 1)))
        if action == "reorder":
            self._held.append(("held", envelope))
            return
        copies = int(fault.params.get("n", 2)) if fault is not None and action == "duplicate" else 1
        for _ in range(copies):
            await self._write(envelope)
        while self._held:
            await self._write(self._held.pop(0)[1])

    async def _write(self, envelope: Json) -> None:
        place = self._mint.choice(len(self.connections) + self._ghosts())
        if place >= len(self.connections):
            self._log.write("fault", event="swallowed", envelope_id=envelope["envelope_id"])
            return
        connection = self.connections[place]
        connection.delivered += 1
        try:
            await connection.socket.send_json(envelope)
        except (ConnectionError, RuntimeError) as problem:
            # A socket that died a moment ago: Slack loses the payload here too.
            self._log.write(
                "socket", event="write failed", connection=connection.id, problem=str(problem)
            )

    async def disconnect(self, connection: Connection, *, reason: str) -> None:
        try:
            await connection.socket.send_json(self._disconnect(reason))
            await asyncio.sleep(1.0)
            await connection.socket.close()
        except (ConnectionError, RuntimeError):
            return

    async def close(self) -> None:
        for connection in list(self.connections):
            try:
                await asyncio.wait_for(connection.socket.close(), timeout=1.0)
            except (ConnectionError, RuntimeError, TimeoutError):
                connection.kill()

    def _ghosts(self) -> int:
        ghost = self._faults.standing("ghost_connections")
        return int(ghost.params.get("n", 1)) if ghost else 0

    def _hello(self, seconds: float) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections) + self._ghosts(),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {
                "host": "applink-lab",
                "build_number": 10,
                "approximate_connection_time": int(seconds),
            },
        }

    def _disconnect(self, reason: str) -> Json:
        return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-lab"}}


def _facts(envelope: Json) -> Json:
    """What a delivery fault can match on."""
    payload = envelope["payload"]
    actions = payload.get("actions") or [{}]
    event = payload.get("event") or {}
    kind = payload.get("type") if envelope["type"] == "interactive" else envelope["type"]
    channel = (
        payload.get("channel_id")
        or event.get("channel")
        or (payload.get("channel") or {}).get("id")
    )
    return {
        "type": kind,
        "event": event.get("type", ""),
        "action_id": actions[0].get("action_id", ""),
        "channel": channel or "",
    }
