"""chat.*: posting, updating, deleting, ephemerals, permalinks."""

import json
from typing import Any

from lab.slack.entities import Channel, Json
from lab.slack.errors import ApiError
from lab.slack.messages import (
    bot_message,
    changed,
    decorate_blocks,
    delete,
    post,
    post_ephemeral,
    shown,
)
from lab.slack.registry import Call, method
from lab.slack.text import from_bot
from lab.slack.validate import characters, validate_attachments, validate_blocks
from lab.slack.workspace import Workspace

UPDATE_CHARACTERS_MAX = 4000
ATTACHMENTS_MAX = 100


def checked_blocks(workspace: Workspace, blocks: Any) -> list[Json]:
    """Validated as Slack does it, then decorated; None and [] are no blocks."""
    if blocks is None or blocks == []:
        return []
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")
    problems = validate_blocks(blocks)
    if problems:
        words = [problem.worded() for problem in problems]
        raise ApiError("invalid_blocks", errors=words, messages=words)
    if characters(blocks) > workspace.quirks.blocks_characters_max:
        raise ApiError("msg_blocks_too_long")
    return decorate_blocks(workspace, blocks)


def checked_attachments(workspace: Workspace, attachments: Any) -> list[Json]:
    if not attachments:
        return []
    if not isinstance(attachments, list):
        raise ApiError("invalid_attachments")
    if len(attachments) > ATTACHMENTS_MAX:
        raise ApiError("too_many_attachments")
    problems = validate_attachments(attachments)
    if problems:
        words = [problem.worded() for problem in problems]
        raise ApiError("invalid_attachments", errors=words, messages=words)
    return [_attachment(workspace, place, a) for place, a in enumerate(attachments, start=1)]


def _attachment(workspace: Workspace, place: int, attachment: Json) -> Json:
    decorated = {"id": place, **attachment}
    decorated.setdefault("fallback", attachment.get("text") or "[no preview available]")
    if "blocks" in attachment:
        decorated["blocks"] = decorate_blocks(workspace, attachment["blocks"])
    return decorated


def content_of(call: Call) -> tuple[str, list[Json], list[Json]]:
    """Text, blocks and attachments of a message to post; nothing at all is `no_text`."""
    args = call.args
    raw_text = args.text("text")
    raw_blocks = args.structure("blocks", error="invalid_blocks_format")
    if args.has("markdown_text"):
        if raw_text or raw_blocks:
            raise ApiError("markdown_text_conflict")
        raw_blocks = [{"type": "markdown", "text": args.text("markdown_text")}]
    blocks = checked_blocks(call.workspace, raw_blocks)
    attachments = checked_attachments(
        call.workspace, args.structure("attachments", error="invalid_attachments")
    )
    if not raw_text.strip() and not blocks and not attachments:
        raise ApiError("no_text")
    return from_bot(raw_text), blocks, attachments


def metadata_of(call: Call) -> Json | None:
    metadata = call.args.structure("metadata", error="invalid_metadata_format")
    if metadata is None:
        return None
    valid = (
        isinstance(metadata, dict)
        and set(metadata) <= {"event_type", "event_payload", "entities"}
        and isinstance(metadata.get("event_type"), str)
        and isinstance(metadata.get("event_payload"), dict)
    )
    if not valid:
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > call.workspace.quirks.metadata_bytes_max:
        raise ApiError("metadata_too_large")
    kept: Json = metadata
    return kept


def target_channel(call: Call, name: str) -> Channel:
    """Where the app may post: an id, a name, or a person whose direct message it opens."""
    workspace = call.workspace
    if name in workspace.people:
        return direct_channel(workspace, name)
    channel = call.seen_channel(name)
    if channel.is_archived:
        raise ApiError("is_archived")
    outside = call.identity.user_id not in channel.members
    if outside and "chat:write.public" not in call.identity.scopes:
        raise ApiError("not_in_channel")
    return channel


def direct_channel(workspace: Workspace, user_id: str) -> Channel:
    for channel in workspace.channels.values():
        if channel.is_im and set(channel.members) == {workspace.bot.id, user_id}:
            return channel
    now = int(workspace.clock.now())
    members = [workspace.bot.id, user_id]
    channel = Channel(
        workspace.mint.id("D"), "", workspace.bot.id, now, is_im=True, members=members
    )
    workspace.channels[channel.id] = channel
    workspace.feed.publish(
        kind="refresh", content={}, audience=lambda viewer: viewer in channel.members
    )
    return channel


def thread_root(workspace: Workspace, channel: Channel, thread_ts: str) -> str:
    if not thread_ts:
        return ""
    parent = channel.messages.get(thread_ts)
    if parent is None:
        if workspace.quirks.unknown_thread_is_refused:
            raise ApiError("thread_not_found")
        return ""
    root = str(parent.get("thread_ts", thread_ts))
    return root if workspace.quirks.reply_ts_is_rerooted else thread_ts


def _cut(workspace: Workspace, text: str) -> str:
    return text[: workspace.quirks.text_characters_max]


@method("chat.postMessage", scopes=("chat:write",), required=("channel",))
async def post_message(call: Call) -> Json:
    workspace, args = call.workspace, call.args
    channel = target_channel(call, args.text("channel"))
    text, blocks, attachments = content_of(call)
    wait_seconds = workspace.rates.take_post(channel_id=channel.id)
    if wait_seconds:
        raise ApiError("ratelimited", retry_after=wait_seconds)
    thread_ts = thread_root(workspace, channel, args.text("thread_ts"))
    message = bot_message(
        workspace,
        text=_cut(workspace, text),
        blocks=blocks,
        attachments=attachments,
        metadata=metadata_of(call),
    )
    _customise(call, message)
    if thread_ts and args.flag("reply_broadcast"):
        message |= {"subtype": "thread_broadcast", "root": shown(channel.messages[thread_ts])}
    stored = post(workspace, channel, message, thread_ts=thread_ts)
    return {"channel": channel.id, "ts": stored["ts"], "message": shown(stored, with_metadata=True)}


def _customise(call: Call, message: Json) -> None:
    names = [n for n in ("username", "icon_emoji", "icon_url") if call.args.has(n)]
    if not names:
        return
    call.need_scope("chat:write.customize")
    message.pop("user")
    message |= {
        "subtype": "bot_message",
        "username": call.args.text("username", call.workspace.bot.name),
    }


def own_message(call: Call, *, refusal: str) -> tuple[Channel, Json]:
    channel = call.seen_channel(call.args.text("channel"))
    message = channel.messages.get(call.args.text("ts"))
    if message is None:
        raise ApiError("message_not_found")
    if message.get("bot_id") != call.workspace.seed.bot_id:
        raise ApiError(refusal)
    return channel, message


@method("chat.update", scopes=("chat:write",), tier=3, required=("channel", "ts"))
async def update(call: Call) -> Json:
    workspace, args = call.workspace, call.args
    channel, message = own_message(call, refusal="cant_update_message")
    if channel.is_archived:
        raise ApiError("is_inactive")
    if len(args.text("text")) > UPDATE_CHARACTERS_MAX:
        raise ApiError("msg_too_long")
    before = shown(message)
    replace_content(call, message)
    metadata = metadata_of(call)
    if metadata is not None:
        message["metadata"] = metadata
    changed(workspace, channel, message, before=before)
    return {
        "channel": channel.id,
        "ts": message["ts"],
        "text": message["text"],
        "message": shown(message, with_metadata=True),
    }


def replace_content(call: Call, message: Json) -> None:
    """Text without blocks wipes the blocks; a change of blocks alone shows no "edited" mark."""
    text, blocks, attachments = content_of(call)
    if not text and blocks:
        text = message["text"] if not call.args.has("text") else ""
    fresh = bot_message(call.workspace, text=text, blocks=blocks, attachments=attachments)
    for key in ("blocks", "attachments"):
        message.pop(key, None)
    message |= {k: v for k, v in fresh.items() if k in ("text", "blocks", "attachments")}
    if not blocks:
        message["edited"] = {"user": message["user"], "ts": call.workspace.mint.ts()}


@method("chat.delete", scopes=("chat:write",), tier=3, required=("channel", "ts"))
async def remove(call: Call) -> Json:
    channel, message = own_message(call, refusal="cant_delete_message")
    delete(call.workspace, channel, message["ts"])
    return {"channel": channel.id, "ts": message["ts"]}


@method("chat.postEphemeral", scopes=("chat:write",), tier=4, required=("channel", "user"))
async def ephemeral(call: Call) -> Json:
    workspace, args = call.workspace, call.args
    channel = target_channel(call, args.text("channel"))
    user_id = args.text("user")
    if user_id not in channel.members:
        raise ApiError("user_not_in_channel")
    text, blocks, attachments = content_of(call)
    if len(text) > workspace.quirks.text_characters_max:
        raise ApiError("msg_too_long")
    thread_ts = thread_root(workspace, channel, args.text("thread_ts"))
    message = bot_message(workspace, text=text, blocks=blocks, attachments=attachments)
    stored = post_ephemeral(workspace, channel, message, user_id=user_id, thread_ts=thread_ts)
    return {"message_ts": stored["ts"]}


@method("chat.getPermalink", required=("channel", "message_ts"))
async def permalink(call: Call) -> Json:
    channel = call.seen_channel(call.args.text("channel"))
    message = channel.messages.get(call.args.text("message_ts"))
    if message is None:
        raise ApiError("message_not_found")
    return {"channel": channel.id, "permalink": permalink_of(call.workspace, channel, message)}


def permalink_of(workspace: Workspace, channel: Channel, message: Json) -> str:
    link = f"{workspace.public_url}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    thread_ts = message.get("thread_ts", message["ts"])
    return link if thread_ts == message["ts"] else f"{link}?thread_ts={thread_ts}&cid={channel.id}"
