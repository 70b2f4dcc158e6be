"""A Jolokia agent that answers from a table, in the shapes the real one has."""

from __future__ import annotations

from typing import Any

from aiohttp import web


class FakeJolokia:
    """Counters grow by what the test says; unknown beans answer 404 as the agent does."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.asked = 0
        self.silent = False
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/jolokia/", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.silent:
            raise web.HTTPServiceUnavailable
        return web.json_response([self._one(question) for question in await request.json()])

    def _one(self, question: dict[str, str]) -> dict[str, Any]:
        name = question["mbean"]
        if name not in self.values:
            return {"request": question, "status": 404, "error": "InstanceNotFoundException"}
        return {"request": question, "status": 200, "value": self.values[name]}
