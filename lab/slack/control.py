"""`/lab/…`: acting, state, the wire log, faults, the clock, and the stream that keeps pages up to date."""

import asyncio
import html
import json
from typing import Any

from aiohttp import WSMsgType, web

from lab.slack.acting import nearest
from lab.slack.acts import perform
from lab.slack.entities import Json, Person
from lab.slack.faults import ACTIONS, FaultMistake
from lab.slack.snapshot import snapshot
from lab.slack.upsets import mend, upset
from lab.slack.workspace import Workspace, fill_again

AT_ONCE = ("kill_tcp", "disconnect")


class Control:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/lab/act", self.act),
            web.get("/lab/state", self.state),
            web.get("/lab/log", self.log),
            web.get("/lab/faults", self.faults),
            web.post("/lab/faults", self.add_fault),
            web.delete("/lab/faults", self.clear_faults),
            web.get("/lab/clock", self.clock),
            web.post("/lab/clock", self.move_clock),
            web.post("/lab/reset", self.reset),
            web.get("/lab/ui", self.stream),
            web.get("/lab/avatar/{person}.svg", self.avatar),
        ]

    async def act(self, request: web.Request) -> web.Response:
        return web.json_response(await perform(self._workspace, await _object(request)))

    async def state(self, request: web.Request) -> web.Response:
        viewer = self._viewer(request)
        with_ephemerals = request.query.get("ephemerals") == "1"
        return web.json_response(
            snapshot(self._workspace, viewer=viewer, with_ephemerals=with_ephemerals)
        )

    def _viewer(self, request: web.Request) -> Person | None:
        name = request.query.get("as", "")
        if not name:
            return None
        person = self._workspace.person_named(name)
        if person is None:
            near = nearest(name, [p.name for p in self._workspace.people.values()])
            raise _refused(f"there is nobody called {name}{near}")
        return person

    async def log(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isdecimal():
            raise _refused("`since` is the number of the last line already seen")
        lines = self._workspace.log.lines(kind=request.query.get("kind", ""), since=int(since))
        return web.Response(text=lines, content_type="application/x-ndjson")

    async def faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "faults": self._workspace.faults.list()})

    async def add_fault(self, request: web.Request) -> web.Response:
        fault = await _object(request)
        action = str(fault.pop("action", ""))
        settings = {name: fault.pop(name, default) for name, default in _FAULT_DEFAULTS.items()}
        try:
            if action in AT_ONCE or action in ACTIONS["state"]:
                await upset(self._workspace, action, fault)
                self._workspace.log.write("fault", event="done", action=action, params=fault)
                return web.json_response({"ok": True})
            added = self._workspace.faults.add(action=action, params=fault, **settings)
        except FaultMistake as mistake:
            raise _refused(str(mistake)) from mistake
        return web.json_response({"ok": True, "fault": added.shown()})

    async def clear_faults(self, request: web.Request) -> web.Response:
        wanted = request.query.get("id", "")
        if wanted and not wanted.isdecimal():
            raise _refused("`id` is the number that the fault got when it was added")
        cleared = self._workspace.faults.clear(fault_id=int(wanted) if wanted else None)
        await mend(self._workspace)
        return web.json_response({"ok": True, "cleared": cleared})

    async def clock(self, _request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "now": self._workspace.clock.now()})

    async def move_clock(self, request: web.Request) -> web.Response:
        seconds = (await _object(request)).get("advance_seconds")
        if not isinstance(seconds, (int, float)) or seconds < 0:
            raise _refused("`advance_seconds` is a number from 0")
        self._workspace.clock.advance(seconds=float(seconds))
        return web.json_response({"ok": True, "now": self._workspace.clock.now()})

    async def reset(self, _request: web.Request) -> web.Response:
        fill_again(self._workspace)
        self._workspace.feed.publish(kind="reset", content={}, audience=lambda _: True)
        return web.json_response({"ok": True})

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """Pushes to one page; the page sends nothing here but its closing."""
        viewer = self._viewer(request)
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        subscriber = self._workspace.feed.subscribe(user_id=viewer.id if viewer else "")
        pump = asyncio.create_task(self._pump(socket, subscriber.queue))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            pump.cancel()
            self._workspace.feed.unsubscribe(subscriber)
        return socket

    async def _pump(self, socket: web.WebSocketResponse, queue: asyncio.Queue[Json | None]) -> None:
        await socket.send_json({"seq": self._workspace.feed.seq, "kind": "hello"})
        while (push := await queue.get()) is not None:
            await socket.send_json(push)
        await socket.close()

    async def avatar(self, request: web.Request) -> web.Response:
        person = self._workspace.people.get(request.match_info["person"])
        if person is None:
            raise web.HTTPNotFound
        words = person.real_name.split()
        initials = html.escape("".join(word[0] for word in words[:2]).upper())
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" width="72" height="72">'
            f'<rect width="72" height="72" rx="14" fill="#{person.color}"/>'
            '<text x="36" y="47" font-family="sans-serif" font-size="30" font-weight="600" '
            f'fill="#fff" text-anchor="middle">{initials}</text></svg>'
        )
        return web.Response(text=svg, content_type="image/svg+xml")


_FAULT_DEFAULTS: dict[str, Any] = {"match": {}, "times": 1, "after": 0}


def _refused(sentence: str) -> web.HTTPBadRequest:
    body = json.dumps(
        {"ok": False, "error": "bad_request", "sentence": sentence}, ensure_ascii=False
    )
    return web.HTTPBadRequest(text=body, content_type="application/json")


async def _object(request: web.Request) -> Json:
    try:
        content = await request.json()
    except ValueError as problem:
        raise _refused("the body must be a JSON object") from problem
    if not isinstance(content, dict):
        raise _refused(f"the body must be a JSON object, not {type(content).__name__}")
    return content
