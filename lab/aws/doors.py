"""The endpoint's own doors, beside AWS's: faults to switch on, and the log of what was asked.

They live under `/lab/`, a path no AWS service uses, and answer plain JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from aiohttp import web

from lab.aws.faults import BadFault, Faults, fault_from_json
from lab.aws.wire_log import WireLog


class Doors:
    """`/lab/faults` and `/lab/log`."""

    def __init__(self, *, faults: Faults, wire_log: WireLog) -> None:
        self._faults = faults
        self._wire_log = wire_log

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/lab/faults", self.list_faults),
            web.post("/lab/faults", self.change_faults),
            web.get("/lab/log", self.show_log),
        ]

    async def list_faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": [asdict(fault) for fault in self._faults.active]})

    async def change_faults(self, request: web.Request) -> web.Response:
        """`{"action": "list"}`, `{"action": "clear", "name"?}`, or `{"action": "add", "name", …}`."""
        try:
            given = json.loads(await request.read())
            self._change(given)
        except (ValueError, BadFault) as mistake:
            return web.json_response({"message": str(mistake)}, status=400)
        return await self.list_faults(request)

    def _change(self, given: object) -> None:
        if not isinstance(given, dict):
            raise BadFault("A JSON object is wanted, with an action: add, clear or list")
        action = given.pop("action", "add")
        if action == "add":
            self._faults.add(fault_from_json(given))
        elif action == "clear":
            self._faults.clear(name=given.get("name"))
        elif action != "list":
            raise BadFault(f"There is no action {action!r}; there are add, clear and list")

    async def show_log(self, request: web.Request) -> web.Response:
        lines = self._wire_log.lines(operation=request.query.get("operation"))
        body = "".join(f"{line}\n" for line in lines)
        return web.Response(text=body, content_type="application/jsonl")
