"""Payloads of commands, clicks and modals, key for key as Slack sends them."""

from typing import Any

from lab.slack.elements import action_of, state_values
from lab.slack.entities import Channel, Json, Person
from lab.slack.messages import shown
from lab.slack.workspace import ResponseUrl, Trigger, Workspace

TOKEN = "lab-verification-token"


def new_trigger(workspace: Workspace, person: Person, *, view_id: str = "") -> str:
    trigger_id = workspace.mint.trigger_id()
    expires_at = workspace.clock.now() + workspace.quirks.trigger_seconds
    workspace.triggers[trigger_id] = Trigger(person.id, expires_at, view_id)
    return trigger_id


def new_response_url(workspace: Workspace, *, kind: str, record: dict[str, Any]) -> str:
    quirks = workspace.quirks
    path = f"/{kind}/{workspace.team_id}/{workspace.mint.choice(10**13)}/{workspace.mint.hex(24)}"
    workspace.response_urls[path] = ResponseUrl(
        expires_at=workspace.clock.now() + quirks.response_url_seconds,
        uses_left=quirks.response_url_uses_max,
        **record,
    )
    return workspace.public_url + path


def channel_name(workspace: Workspace, channel: Channel) -> str:
    if channel.is_im:
        return "directmessage"
    return workspace.quirks.private_channel_name_in_commands if channel.is_private else channel.name


def slash(
    workspace: Workspace, person: Person, channel: Channel, *, command: str, text: str
) -> Json:
    return {
        "token": TOKEN,
        "team_id": workspace.team_id,
        "team_domain": workspace.seed.domain,
        "channel_id": channel.id,
        "channel_name": channel_name(workspace, channel),
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": workspace.seed.app_id,
        "is_enterprise_install": "false",
        "response_url": new_response_url(
            workspace, kind="commands", record={"user_id": person.id, "channel_id": channel.id}
        ),
        "trigger_id": new_trigger(workspace, person),
    }


def head(workspace: Workspace, person: Person, *, kind: str) -> Json:
    return {
        "type": kind,
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": person.team_id,
        },
        "api_app_id": workspace.seed.app_id,
        "token": TOKEN,
        "team": {"id": workspace.team_id, "domain": workspace.seed.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_click(
    workspace: Workspace,
    person: Person,
    channel: Channel,
    message: Json,
    *,
    found: tuple[Json, Json],
    raw: Any,
    state: Json,
) -> Json:
    is_ephemeral = bool(message.get("is_ephemeral"))
    thread_ts = message.get("thread_ts", "")
    container: Json = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel.id,
        "is_ephemeral": is_ephemeral,
    }
    if thread_ts:
        container["thread_ts"] = thread_ts
    seen = {k: message[k] for k in ("type", "user", "ts", "app_id") if k in message}
    record = {
        "user_id": person.id,
        "channel_id": channel.id,
        "source_ts": message["ts"],
        "source_is_ephemeral": is_ephemeral,
        "thread_ts": thread_ts,
    }
    return {
        **head(workspace, person, kind="block_actions"),
        "trigger_id": new_trigger(workspace, person),
        "container": container,
        "channel": {"id": channel.id, "name": channel_name(workspace, channel)},
        "message": seen if is_ephemeral else shown(message),
        "state": {"values": state_values(all_blocks(message), state)},
        "response_url": new_response_url(workspace, kind="actions", record=record),
        "actions": [action_of(*found, raw, action_ts=workspace.mint.ts())],
    }


def all_blocks(message: Json) -> list[Json]:
    inner = [b for a in message.get("attachments", []) for b in a.get("blocks", [])]
    return [*message.get("blocks", []), *inner]


def view_act(
    workspace: Workspace, person: Person, view: Json, *, found: tuple[Json, Json], raw: Any
) -> Json:
    return {
        **head(workspace, person, kind="block_actions"),
        "trigger_id": new_trigger(workspace, person, view_id=view["id"]),
        "container": {"type": "view", "view_id": view["id"]},
        "view": view,
        "actions": [action_of(*found, raw, action_ts=workspace.mint.ts())],
    }


def view_submission(workspace: Workspace, person: Person, view: Json) -> Json:
    return {
        **head(workspace, person, kind="view_submission"),
        "trigger_id": new_trigger(workspace, person, view_id=view["id"]),
        "view": view,
        "response_urls": [],
    }


def view_closed(workspace: Workspace, person: Person, view: Json, *, is_cleared: bool) -> Json:
    return {**head(workspace, person, kind="view_closed"), "view": view, "is_cleared": is_cleared}
