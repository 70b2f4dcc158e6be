"""The web application and its start and end. One port serves API, sockets, files, control and the page.

It binds loopback only and checks Host and Origin, so that a page of the open web cannot act in it.
"""

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from lab.slack import api, filestore, responses
from lab.slack.control import Control
from lab.slack.quirks import Quirks
from lab.slack.seed import DEFAULT_SEED
from lab.slack.workspace import Workspace, build_workspace

DEFAULT_MANIFEST = Path(__file__).parents[2] / "deploy" / "slack-manifest.yaml"
PAGE = Path(__file__).with_name("page")
BODY_BYTES_MAX = 80 * 1024 * 1024
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: https:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'"
)
DEFAULT_QUIRKS = Quirks()


class NotLoopback(Exception):
    """The lab has well-known tokens: it may not be reached from other machines."""


@dataclass(frozen=True)
class SeenPerson:
    id: str
    name: str
    role: str


@dataclass(frozen=True)
class SeenChannel:
    id: str
    name: str


@dataclass(frozen=True)
class Running:
    """A workspace that listens; `close` ends everything it started."""

    workspace: Workspace
    runner: web.AppRunner

    @property
    def page_url(self) -> str:
        return f"{self.workspace.public_url}/"

    @property
    def api_url(self) -> str:
        return f"{self.workspace.public_url}/api/"

    @property
    def bot_token(self) -> str:
        return self.workspace.bot_token

    @property
    def app_token(self) -> str:
        return self.workspace.app_token

    @property
    def people(self) -> tuple[SeenPerson, ...]:
        people = self.workspace.people.values()
        return tuple(SeenPerson(p.id, p.name, p.role) for p in people if not p.is_bot)

    @property
    def channels(self) -> tuple[SeenChannel, ...]:
        channels = self.workspace.channels.values()
        return tuple(SeenChannel(c.id, c.name) for c in channels if not c.is_im)

    async def close(self) -> None:
        await self.workspace.close()
        await self.runner.cleanup()


def create_workspace(
    *,
    manifest: Path = DEFAULT_MANIFEST,
    seed: Path = DEFAULT_SEED,
    public_url: str,
    rate_mode: str = "real",
    random_seed: int = 0,
    quirks: Quirks = DEFAULT_QUIRKS,
) -> Workspace:
    return build_workspace(
        manifest_path=manifest,
        seed_path=seed,
        public_url=public_url,
        rate_mode=rate_mode,
        random_seed=random_seed,
        quirks=quirks,
    )


def make_app(workspace: Workspace) -> web.Application:
    site = Site(workspace)
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[site.guard])
    app.add_routes(
        [
            web.route("*", "/api/{method:[A-Za-z.]+}", site.api),
            web.get("/link/", site.link),
            web.post("/upload/v1/{key}", site.upload),
            web.get("/files-pri/{file}/{name}", site.file),
            web.post("/commands/{tail:.+}", site.respond),
            web.post("/actions/{tail:.+}", site.respond),
            web.post("/app/{tail:.+}", site.respond),
            web.get("/", site.page),
            web.get("/archives/{tail:.+}", site.page),
            *Control(workspace).routes(),
            web.static("/page", PAGE),
        ]
    )
    return app


class Site:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        own = urlsplit(self._workspace.public_url)
        host = urlsplit(f"//{request.host}").hostname or ""
        if host not in LOOPBACK_NAMES | {own.hostname}:
            return web.Response(
                status=403, text=f"{host} is not a name of this machine's loopback\n"
            )
        origin = request.headers.get("Origin", "")
        # Socket clients may send an Origin of their own; only the control door trusts the browser.
        if (
            request.path.startswith("/lab/")
            and origin
            and origin != f"{own.scheme}://{request.host}"
        ):
            return web.Response(
                status=403, text=f"the page {origin} may not act in this workspace\n"
            )
        response = await handler(request)
        if request.path.startswith("/page/"):
            response.headers["Cache-Control"] = "no-cache"
        return response

    async def api(self, request: web.Request) -> web.StreamResponse:
        return await api.answer(self._workspace, request)

    async def link(self, request: web.Request) -> web.StreamResponse:
        workspace = self._workspace
        expires_at, seconds = workspace.tickets.pop(request.query.get("ticket", ""), (0.0, 0.0))
        if workspace.clock.now() > expires_at:
            return web.Response(
                status=403, text="this socket address was used already or is too old\n"
            )
        return await workspace.sockets.serve(request, seconds=seconds)

    async def upload(self, request: web.Request) -> web.Response:
        return await filestore.receive(self._workspace, request)

    async def file(self, request: web.Request) -> web.Response:
        return filestore.send(self._workspace, request)

    async def respond(self, request: web.Request) -> web.Response:
        return await responses.use_response_url(self._workspace, request)

    async def page(self, _request: web.Request) -> web.FileResponse:
        headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
        return web.FileResponse(PAGE / "index.html", headers=headers)


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    manifest_path: Path = DEFAULT_MANIFEST,
    seed_path: Path = DEFAULT_SEED,
    rate_mode: str = "real",
    random_seed: int = 0,
    quirks: Quirks = DEFAULT_QUIRKS,
) -> Running:
    """Listens and returns; the caller's loop does the work. Port 0 takes a free one."""
    listener = _listen(host=host, port=port)
    bound = listener.getsockname()[1]
    workspace = create_workspace(
        manifest=manifest_path,
        seed=seed_path,
        public_url=f"http://{host}:{bound}",
        rate_mode=rate_mode,
        random_seed=random_seed,
        quirks=quirks,
    )
    runner = web.AppRunner(make_app(workspace), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return Running(workspace, runner)


def _listen(*, host: str, port: int) -> socket.socket:
    if host not in LOOPBACK_NAMES:
        raise NotLoopback(f"the lab workspace listens on loopback only, not on {host}")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # SO_REUSEADDR lets two bind the same port while neither listens: only listening makes it ours.
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
