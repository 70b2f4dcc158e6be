"""`/api/<method>`: faults, token, scopes, rates, the method itself, then Slack's envelope and headers.

Refusals are HTTP 200 with `ok: false`; only rate limits (429) and injected faults use other codes.
"""

import json
from dataclasses import dataclass

from aiohttp import web

from lab.slack import methods  # noqa: F401 - importing it registers the methods
from lab.slack.arguments import Arguments, read_arguments
from lab.slack.entities import Identity, Json
from lab.slack.errors import ApiError, missing_scope
from lab.slack.faults import Fault
from lab.slack.misbehaviour import InjectedAnswer, after, before
from lab.slack.registry import METHODS, Call, Method, slack_has
from lab.slack.workspace import Workspace

NOBODY = Identity(token="", kind="none", user_id="", scopes=())


@dataclass
class Exchange:
    """One call as far as it has come; what is missing at a refusal stays empty."""

    name: str
    http: str
    args: Arguments
    identity: Identity = NOBODY
    fault: Fault | None = None
    status: int = 200
    retry_after: int = 0


async def answer(workspace: Workspace, request: web.Request) -> web.StreamResponse:
    exchange = Exchange(request.match_info["method"], request.method, Arguments({}))
    started = workspace.clock.now()
    try:
        body = await _answered(workspace, exchange, request)
    except ApiError as refusal:
        body, exchange.retry_after = refusal.body(), refusal.retry_after
        exchange.status = 429 if refusal.retry_after else 200
    except InjectedAnswer as injected:
        body, exchange.status = {"ok": False, "error": "injected"}, injected.status
    _warn(body, exchange.args)
    _log(workspace, exchange, body, seconds=workspace.clock.now() - started)
    if exchange.status >= 500:
        return web.Response(status=exchange.status, text="<html>broken by the lab</html>")
    text = await after(exchange.fault, request, json.dumps(body, ensure_ascii=False))
    return web.Response(status=exchange.status, text=text, headers=_headers(workspace, exchange))


async def _answered(workspace: Workspace, exchange: Exchange, request: web.Request) -> Json:
    exchange.args = await read_arguments(request)
    channel = str(exchange.args.values.get("channel", ""))
    exchange.fault = workspace.faults.take("api", method=exchange.name, channel=channel)
    await before(exchange.fault, request)
    exchange.identity = _identity(workspace, exchange)
    return {"ok": True, **await _run(workspace, exchange)}


def _log(workspace: Workspace, exchange: Exchange, body: Json, *, seconds: float) -> None:
    workspace.log.write(
        "api",
        method=exchange.name,
        http=exchange.http,
        arguments=exchange.args.values,
        status=exchange.status,
        ok=body["ok"],
        error=body.get("error"),
        seconds=round(seconds, 3),
    )
    if body.get("error") == "lab_not_implemented":
        text = f"The app called {exchange.name}, which Slack has and this lab does not build yet."
        workspace.feed.publish(kind="notice", content={"text": text}, audience=lambda _: True)


def _identity(workspace: Workspace, exchange: Exchange) -> Identity:
    method = METHODS.get(exchange.name)
    if method is not None and method.token_kind == "none":
        return NOBODY
    args = exchange.args
    header_only = exchange.name == "apps.connections.open"
    token = args.header_token or ("" if header_only else args.text("token"))
    if not token:
        raise ApiError("not_authed")
    if token in workspace.revoked_tokens:
        raise ApiError("token_revoked")
    identity = workspace.identities.get(token)
    if identity is None:
        raise ApiError("invalid_auth")
    return identity


async def _run(workspace: Workspace, exchange: Exchange) -> Json:
    name = exchange.name
    method = METHODS.get(name)
    if method is None:
        code = "lab_not_implemented" if slack_has(name) else "unknown_method"
        raise ApiError(code, req_method=name)
    if name == "apps.connections.open" and exchange.http != "POST":
        raise ApiError("insecure_request")
    _check_token(method, exchange.identity)
    wait_seconds = workspace.rates.take_call(method=name, tier=method.tier)
    if wait_seconds:
        raise ApiError("ratelimited", retry_after=wait_seconds)
    missing = [argument for argument in method.required if not exchange.args.has(argument)]
    if missing:
        raise _missing(name, missing)
    return await method.handler(Call(workspace, exchange.identity, exchange.args))


def _missing(name: str, missing: list[str]) -> ApiError:
    if name.startswith("chat.") and missing[0] == "channel":
        return ApiError("channel_not_found")
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


def _headers(workspace: Workspace, exchange: Exchange) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "x-slack-req-id": workspace.mint.hex(),
    }
    if exchange.identity.kind != "none":
        headers["x-oauth-scopes"] = ",".join(exchange.identity.scopes)
    method = METHODS.get(exchange.name)
    if method is not None and method.scopes:
        headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
    if exchange.retry_after:
        headers["Retry-After"] = str(exchange.retry_after)
    return headers
