"""Posting, changing and deleting messages, with what Slack does beside it.

A reply changes its parent (reply_count and friends), so the app sees `message_changed` for a message nobody edited.
"""

from copy import deepcopy
from typing import Any

from lab.slack.entities import Channel, Json
from lab.slack.events import message_event
from lab.slack.rich_text import rich_text_block
from lab.slack.workspace import Workspace

PRIVATE_KEYS = ("metadata",)
TEXT_KEYS = (
    "text",
    "label",
    "title",
    "placeholder",
    "hint",
    "description",
    "confirm",
    "deny",
    "submit",
    "close",
)


def shown(message: Json, *, with_metadata: bool = False) -> Json:
    """A copy to hand out; metadata only for those who ask."""
    return {k: deepcopy(v) for k, v in message.items() if with_metadata or k not in PRIVATE_KEYS}


def decorate_blocks(workspace: Workspace, blocks: list[Json]) -> list[Json]:
    """What Slack adds to blocks: ids, `emoji`, `verbatim`."""
    decorated = [_decorate(block) for block in blocks]
    for block in decorated:
        block.setdefault("block_id", workspace.mint.short())
        for element in _interactive(block):
            element.setdefault("action_id", workspace.mint.short())
    return decorated


def _decorate(value: Any) -> Any:
    if isinstance(value, list):
        return [_decorate(item) for item in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _decorate(item) for key, item in value.items()}
    if copy.get("type") == "plain_text":
        copy.setdefault("emoji", True)
    if copy.get("type") == "mrkdwn":
        copy.setdefault("verbatim", False)
    return copy


def _interactive(block: Json) -> list[Json]:
    if block.get("type") in ("actions", "context_actions"):
        return list(block.get("elements", []))
    found = [block.get("accessory"), block.get("element")]
    return [e for e in found if isinstance(e, dict) and e.get("type") != "image"]


def bot_message(workspace: Workspace, *, text: str, blocks: list[Json], **extra: Any) -> Json:
    """The fields every message of the app carries; absent ones are left out, never null."""
    bot, seed = workspace.bot, workspace.seed
    message: Json = {
        "type": "message",
        "user": bot.id,
        "bot_id": seed.bot_id,
        "app_id": seed.app_id,
        "text": text,
        "team": seed.team_id,
        "bot_profile": bot_profile(workspace),
    }
    if not blocks and text and workspace.quirks.bot_text_gets_rich_text:
        blocks = [rich_text_block(text, block_id=workspace.mint.short())]
    if blocks:
        message["blocks"] = blocks
    return message | {key: value for key, value in extra.items() if value}


def bot_profile(workspace: Workspace) -> Json:
    icon = f"{workspace.public_url}/lab/avatar/{workspace.bot.id}.svg"
    return {
        "id": workspace.seed.bot_id,
        "app_id": workspace.seed.app_id,
        "name": workspace.bot.name,
        "icons": {"image_36": icon, "image_48": icon, "image_72": icon},
        "deleted": False,
        "updated": workspace.bot.updated,
        "team_id": workspace.team_id,
    }


def person_message(workspace: Workspace, *, user_id: str, text: str) -> Json:
    return {
        "type": "message",
        "user": user_id,
        "client_msg_id": workspace.mint.uuid(),
        "text": text,
        "team": workspace.people[user_id].team_id,
        "blocks": [rich_text_block(text, block_id=workspace.mint.short())],
    }


def post(workspace: Workspace, channel: Channel, message: Json, *, thread_ts: str = "") -> Json:
    stored = {**message, "ts": workspace.mint.ts()}
    parent = channel.messages.get(thread_ts)
    if thread_ts:
        stored["thread_ts"] = thread_ts
    if parent is not None:
        stored["parent_user_id"] = parent.get("user", "")
    channel.messages[stored["ts"]] = stored
    publish_message(workspace, channel, stored)
    message_event(workspace, channel, shown(stored))
    if parent is not None:
        _refresh_parent(workspace, channel, parent)
    return stored


def replies(channel: Channel, thread_ts: str) -> list[Json]:
    return [
        message
        for message in channel.messages.values()
        if message.get("thread_ts") == thread_ts and message["ts"] != thread_ts
    ]


def _refresh_parent(workspace: Workspace, channel: Channel, parent: Json) -> None:
    before = shown(parent)
    answers = replies(channel, parent["ts"])
    if answers:
        users = list(dict.fromkeys(m.get("user", "") for m in answers))
        parent |= {
            "thread_ts": parent["ts"],
            "reply_count": len(answers),
            "reply_users": users,
            "reply_users_count": len(users),
            "latest_reply": answers[-1]["ts"],
            "is_locked": False,
            "subscribed": False,
        }
    else:
        for key in ("thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply"):
            parent.pop(key, None)
    changed(workspace, channel, parent, before=before)


def changed(workspace: Workspace, channel: Channel, message: Json, *, before: Json) -> None:
    publish_message(workspace, channel, message)
    event = {
        "subtype": "message_changed",
        "hidden": True,
        "message": shown(message),
        "previous_message": before,
        "ts": workspace.mint.ts(),
    }
    message_event(workspace, channel, event)


def delete(workspace: Workspace, channel: Channel, ts: str) -> None:
    message = channel.messages[ts]
    before = shown(message)
    if replies(channel, ts):
        _entomb(workspace, channel, message)
        return
    del channel.messages[ts]
    content = {"channel": channel.id, "ts": ts}
    workspace.feed.publish(
        kind="message_removed", content=content, audience=_seeing(workspace, channel)
    )
    event = {
        "subtype": "message_deleted",
        "hidden": True,
        "deleted_ts": ts,
        "previous_message": before,
        "ts": workspace.mint.ts(),
    }
    message_event(workspace, channel, event)
    parent = channel.messages.get(message.get("thread_ts", ""))
    if parent is not None:
        _refresh_parent(workspace, channel, parent)


def _entomb(workspace: Workspace, channel: Channel, message: Json) -> None:
    """A deleted parent stays as a tombstone, so that its thread can be read."""
    before = shown(message)
    for key in (
        "blocks",
        "attachments",
        "files",
        "metadata",
        "bot_id",
        "app_id",
        "bot_profile",
        "edited",
    ):
        message.pop(key, None)
    message |= {
        "subtype": "tombstone",
        "text": "This message was deleted.",
        "user": "USLACKBOT",
        "hidden": True,
    }
    changed(workspace, channel, message, before=before)


def publish_message(workspace: Workspace, channel: Channel, message: Json) -> None:
    content = {"channel": channel.id, "message": deepcopy(message)}
    workspace.feed.publish(kind="message", content=content, audience=_seeing(workspace, channel))


def _seeing(workspace: Workspace, channel: Channel) -> Any:
    return lambda user_id: workspace.can_see(user_id=user_id, channel=channel)


def post_ephemeral(
    workspace: Workspace, channel: Channel, message: Json, *, user_id: str, thread_ts: str = ""
) -> Json:
    """Seen by one person, kept in no history, raising no event."""
    stored = {**message, "ts": workspace.mint.ts(), "is_ephemeral": True}
    if thread_ts:
        stored["thread_ts"] = thread_ts
    workspace.ephemerals[stored["ts"]] = {"user": user_id, "channel": channel.id, "message": stored}
    publish_ephemeral(workspace, stored["ts"])
    return stored


def publish_ephemeral(workspace: Workspace, ts: str) -> None:
    entry = workspace.ephemerals[ts]
    content = {"channel": entry["channel"], "message": deepcopy(entry["message"])}
    workspace.feed.publish(
        kind="message", content=content, audience=lambda user_id: bool(user_id == entry["user"])
    )


def remove_ephemeral(workspace: Workspace, ts: str) -> None:
    entry = workspace.ephemerals.pop(ts)
    workspace.feed.publish(
        kind="message_removed",
        content={"channel": entry["channel"], "ts": ts},
        audience=lambda user_id: bool(user_id == entry["user"]),
    )
