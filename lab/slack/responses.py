"""Answers through an ack or a response_url: five uses, half an hour, no `ts` in return.

A command has no original message: `replace_original` then simply posts another one.
"""

import json

from aiohttp import web

from lab.slack.arguments import Arguments
from lab.slack.entities import Channel, Identity, Json
from lab.slack.errors import ApiError
from lab.slack.messages import (
    bot_message,
    changed,
    delete,
    post,
    post_ephemeral,
    publish_ephemeral,
    remove_ephemeral,
    shown,
)
from lab.slack.methods.chat import content_of, replace_content, thread_root
from lab.slack.registry import Call
from lab.slack.workspace import ResponseUrl, Workspace

FIELDS = frozenset(
    {
        "text",
        "blocks",
        "attachments",
        "response_type",
        "replace_original",
        "delete_original",
        "thread_ts",
        "metadata",
        "mrkdwn",
        "unfurl_links",
        "unfurl_media",
    }
)


async def use_response_url(workspace: Workspace, request: web.Request) -> web.Response:
    record = workspace.response_urls.get(request.path)
    refusal = _refusal(workspace, record)
    body = await request.text()
    if record is None or refusal:
        workspace.log.write("response_url", path=request.path, status=404, problem=refusal)
        return web.Response(status=404, text=refusal)
    wait_seconds = workspace.rates.take_post(channel_id=f"response {request.path}")
    if wait_seconds:
        return web.Response(
            status=429, text="ratelimited", headers={"Retry-After": str(wait_seconds)}
        )
    try:
        content = _parsed(body)
        record.uses_left -= 1
        respond(workspace, record, content)
    except ApiError as problem:
        workspace.log.write(
            "response_url", path=request.path, status=400, problem=problem.code, body=body[:2000]
        )
        return web.Response(status=400, text=problem.code)
    workspace.log.write("response_url", path=request.path, status=200, body=content)
    return web.Response(text="ok")


def _refusal(workspace: Workspace, record: ResponseUrl | None) -> str:
    if record is None:
        return "no_such_url"
    if record.uses_left < 1:
        return "used_url"
    return "expired_url" if workspace.clock.now() > record.expires_at else ""


def _parsed(body: str) -> Json:
    try:
        content = json.loads(body)
    except ValueError as problem:
        raise ApiError("invalid_payload") from problem
    if not isinstance(content, dict):
        raise ApiError("invalid_payload")
    return content


def respond(workspace: Workspace, record: ResponseUrl, body: Json) -> Json | None:
    """Does what the body asks; the new message, or None when it changed or deleted the source."""
    identity = Identity("", "bot", workspace.bot.id, workspace.manifest.scopes)
    call = Call(workspace, identity, Arguments(body))
    channel = workspace.channels[record.channel_id]
    if call.args.flag("delete_original") and record.source_ts:
        _delete(workspace, channel, record)
        return None
    default = bool(record.source_ts) and workspace.quirks.click_response_replaces_original
    if call.args.flag("replace_original", default=default) and record.source_ts:
        _replace(call, channel, record)
        return None
    return _post(call, channel, record)


def _delete(workspace: Workspace, channel: Channel, record: ResponseUrl) -> None:
    if record.source_is_ephemeral:
        if record.source_ts in workspace.ephemerals:
            remove_ephemeral(workspace, record.source_ts)
    elif record.source_ts in channel.messages:
        delete(workspace, channel, record.source_ts)


def _replace(call: Call, channel: Channel, record: ResponseUrl) -> None:
    workspace = call.workspace
    if record.source_is_ephemeral:
        entry = workspace.ephemerals.get(record.source_ts)
        if entry is None:
            raise ApiError("message_not_found")
        replace_content(call, entry["message"])
        entry["message"].pop("edited", None)
        publish_ephemeral(workspace, record.source_ts)
        return
    message = channel.messages.get(record.source_ts)
    if message is None:
        raise ApiError("message_not_found")
    before = shown(message)
    replace_content(call, message)
    changed(workspace, channel, message, before=before)


def _post(call: Call, channel: Channel, record: ResponseUrl) -> Json:
    workspace = call.workspace
    if record.source_ts and not {"replace_original", "delete_original"} & set(call.args.values):
        workspace.log.write(
            "lint", text="a response to a click should say replace_original or delete_original"
        )
    text, blocks, attachments = content_of(call)
    message = bot_message(workspace, text=text, blocks=blocks, attachments=attachments)
    in_channel = call.args.text("response_type") == "in_channel"
    thread_ts = thread_root(workspace, channel, call.args.text("thread_ts"))
    if in_channel:
        return post(workspace, channel, message, thread_ts=thread_ts)
    thread_ts = thread_ts or record.thread_ts
    return post_ephemeral(workspace, channel, message, user_id=record.user_id, thread_ts=thread_ts)
