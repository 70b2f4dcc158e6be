"""The supervisor's own door on loopback: brokers' faults, for the command line and tests.

The surprising truth: it wants the token of `lab.json`. A web page in any browser of this machine can post
to loopback, but cannot read a file that only its owner may read.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import asdict
from typing import Any

from aiohttp import web

from lab.addresses import HOST
from lab.broker_faults import FAULTS, BrokerFaults
from lab.children import ChildFailed
from lab.fleet import FleetRefuses

_BODY_BYTES_MAX = 65_536


class Control:
    """Serves `GET /faults` and `POST /faults`."""

    def __init__(self, *, faults: BrokerFaults) -> None:
        self.token = secrets.token_urlsafe(24)
        self.url = ""
        self._faults = faults
        self._runner: web.AppRunner | None = None

    async def serve(self, *, port: int) -> None:
        app = web.Application(client_max_size=_BODY_BYTES_MAX, middlewares=[self._guard])
        app.add_routes([web.get("/faults", self._list), web.post("/faults", self._play)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port).start()
        self.url = f"http://{HOST}:{port}"

    async def close(self) -> None:
        await self._faults.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            return _answer(401, "the token in lab.json's `control` is wanted as a bearer token")
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": [asdict(fault) for fault in FAULTS]})

    async def _play(self, request: web.Request) -> web.Response:
        try:
            given = json.loads(await request.read())
        except ValueError:
            return _answer(400, "the body is not JSON")
        if not isinstance(given, dict) or not isinstance(given.get("name"), str):
            return _answer(400, 'a fault is {"name": …, "broker_id": …, "seconds"?: …}')
        try:
            words = await self._faults.play(
                name=given["name"],
                broker_id=given.get("broker_id"),
                seconds=given.get("seconds", 10.0),
            )
        except (FleetRefuses, ChildFailed) as refusal:
            return _answer(400, str(refusal))
        return _answer(200, words)


def _answer(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
