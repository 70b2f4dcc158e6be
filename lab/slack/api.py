"""`/api/<method>`: faults, token, scopes, rates, the method itself, then Slack's envelope and headers.

Refusals are HTTP 200 with `ok: false`; only rate limits (429) and injected faults use other codes.
"""

import asyncio
import json

from aiohttp import web

from lab.slack import methods  # noqa: F401 - importing it registers the methods
from lab.slack.arguments import Arguments, read_arguments
from lab.slack.entities import Identity, Json
from lab.slack.errors import ApiError, missing_scope
from lab.slack.faults import Fault
from lab.slack.registry import METHODS, Call, Method, slack_has
from lab.slack.workspace import Workspace

NOBODY = Identity(token="", kind="none", user_id="", scopes=())
HANG_SECONDS = 120.0


async def answer(workspace: Workspace, request: web.Request) -> web.StreamResponse:
    name = request.match_info["method"]
    started = workspace.clock.now()
    args, identity = Arguments({}), NOBODY
    fault: Fault | None = None
    try:
        args = await read_arguments(request)
        fault = workspace.faults.take(
            "api", method=name, channel=str(args.values.get("channel", ""))
        )
        await _before(fault, request)
        identity = _identity(workspace, args, name=name)
        body = await _run(workspace, name=name, args=args, identity=identity, http=request.method)
        status, retry_after = 200, 0
    except ApiError as refusal:
        body, retry_after = refusal.body(), refusal.retry_after
        status = 429 if retry_after else 200
    except InjectedAnswer as injected:
        workspace.log.write("api", method=name, arguments=args.values, status=injected.status)
        return web.Response(
            status=injected.status,
            text="<html>injected by the lab</html>",
            content_type="text/html",
        )
    _warn(body, args)
    workspace.log.write(
        "api",
        method=name,
        http=request.method,
        arguments=args.values,
        status=status,
        ok=body["ok"],
        error=body.get("error"),
        seconds=round(workspace.clock.now() - started, 3),
    )
    if body.get("error") == "lab_not_implemented":
        _say_loudly(workspace, name)
    if fault is not None and fault.action == "reset_after_commit":
        _cut(request)
    text = json.dumps(body, ensure_ascii=False)
    if fault is not None and fault.action == "truncate_json":
        text = text[: len(text) // 2]
    headers = _headers(workspace, identity=identity, name=name, retry_after=retry_after)
    return web.Response(status=status, text=text, headers=headers)


class InjectedAnswer(Exception):
    """A fault answers with a bare HTTP status instead of Slack's envelope."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


async def _before(fault: Fault | None, request: web.Request) -> None:
    if fault is None:
        return
    params = fault.params
    if fault.action == "ratelimit":
        raise ApiError("ratelimited", retry_after=int(params.get("retry_after", 1)))
    if fault.action == "error":
        raise ApiError(str(params.get("code", "internal_error")))
    if fault.action == "http":
        raise InjectedAnswer(int(params.get("status", 500)))
    if fault.action == "slow":
        await asyncio.sleep(float(params.get("s", 1)))
    if fault.action == "hang":
        await asyncio.sleep(HANG_SECONDS)
    if fault.action == "reset_before_commit":
        _cut(request)


def _cut(request: web.Request) -> None:
    """Drops the connection without an answer, as a broken network would."""
    if request.transport is not None:
        request.transport.abort()
    raise web.HTTPServiceUnavailable(text="connection cut by the lab")


def _identity(workspace: Workspace, args: Arguments, *, name: str) -> Identity:
    method = METHODS.get(name)
    if method is not None and method.token_kind == "none":
        return NOBODY
    may_use_argument = name != "apps.connections.open"
    token = args.header_token or (args.text("token") if may_use_argument else "")
    if not token:
        raise ApiError("not_authed")
    if token in workspace.revoked_tokens:
        raise ApiError("token_revoked")
    identity = workspace.identities.get(token)
    if identity is None:
        raise ApiError("invalid_auth")
    return identity


async def _run(
    workspace: Workspace, *, name: str, args: Arguments, identity: Identity, http: str
) -> Json:
    method = METHODS.get(name)
    if method is None:
        raise ApiError(
            "lab_not_implemented" if slack_has(name) else "unknown_method", req_method=name
        )
    if name == "apps.connections.open" and http != "POST":
        raise ApiError("insecure_request")
    _check_token(method, identity)
    wait_seconds = workspace.rates.take_call(method=name, tier=method.tier)
    if wait_seconds:
        raise ApiError("ratelimited", retry_after=wait_seconds)
    missing = [argument for argument in method.required if not args.has(argument)]
    if missing:
        raise _missing(name, missing)
    return {"ok": True, **await method.handler(Call(workspace, identity, args))}


def _missing(name: str, missing: list[str]) -> ApiError:
    if name.startswith(("chat.", "conversations.", "reactions.")) and missing[0] == "channel":
        return (
            ApiError("channel_not_found")
            if name.startswith("chat.")
            else ApiError("invalid_arguments", messages=["missing required field: channel"])
        )
    messages = [f"missing required field: {argument}" for argument in missing]
    return ApiError("invalid_arguments", messages=messages)


def _check_token(method: Method, identity: Identity) -> None:
    if method.token_kind in ("bot", "app") and identity.kind != method.token_kind:
        raise ApiError("not_allowed_token_type")
    if method.scopes and not set(method.scopes) & set(identity.scopes):
        raise missing_scope(needed=",".join(method.scopes), provided=identity.scopes)


def _warn(body: Json, args: Arguments) -> None:
    if args.warnings:
        body["warning"] = ",".join(args.warnings)
        body.setdefault("response_metadata", {})["warnings"] = list(args.warnings)


def _headers(
    workspace: Workspace, *, identity: Identity, name: str, retry_after: int
) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "x-slack-req-id": workspace.mint.hex(),
    }
    if identity.kind != "none":
        headers["x-oauth-scopes"] = ",".join(identity.scopes)
    if name in METHODS and METHODS[name].scopes:
        headers["x-accepted-oauth-scopes"] = ",".join(METHODS[name].scopes)
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    return headers


def _say_loudly(workspace: Workspace, name: str) -> None:
    text = f"The app called {name}, which Slack has and this lab does not build yet."
    workspace.feed.publish(kind="notice", content={"text": text}, audience=lambda _: True)
