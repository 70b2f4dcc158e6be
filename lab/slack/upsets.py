"""Faults of state and of sockets that happen at once: somebody leaves, a group changes, a token dies, a line drops."""

from lab.slack.acting import nearest
from lab.slack.entities import Channel, Json
from lab.slack.events import other_event
from lab.slack.faults import FaultMistake
from lab.slack.shapes import group_shape, user_shape
from lab.slack.workspace import Workspace


async def upset(workspace: Workspace, action: str, params: Json) -> None:
    if action == "deactivate_user":
        _deactivate(workspace, params)
    elif action == "edit_usergroup":
        _edit_group(workspace, params)
    elif action == "revoke_token":
        workspace.revoked_tokens.add(workspace.bot_token)
    elif action == "archive_channel":
        _channel(workspace, params).is_archived = bool(params.get("archived", True))
    elif action == "kick_bot":
        _kick(workspace, params)
    elif action == "kill_tcp":
        for connection in list(workspace.sockets.connections):
            connection.kill()
    elif action == "disconnect":
        reason = str(params.get("reason", "refresh_requested"))
        for connection in list(workspace.sockets.connections):
            workspace.spawn(workspace.sockets.disconnect(connection, reason=reason))
    workspace.feed.publish(kind="refresh", content={}, audience=lambda _: True)


async def mend(workspace: Workspace) -> None:
    """Clearing faults gives the token back; people and groups come back with a reset."""
    workspace.revoked_tokens.clear()


def _deactivate(workspace: Workspace, params: Json) -> None:
    person = workspace.person_named(str(params.get("user", "")))
    if person is None:
        near = nearest(str(params.get("user", "")), [p.name for p in workspace.people.values()])
        raise FaultMistake(f"deactivate_user needs `user`, a name or id{near}")
    person.deleted = bool(params.get("deleted", True))
    person.updated = int(workspace.clock.now())
    other_event(workspace, {"type": "user_change", "user": user_shape(workspace, person)})


def _edit_group(workspace: Workspace, params: Json) -> None:
    handle = str(params.get("usergroup", "")).removeprefix("@")
    groups = workspace.groups.values()
    group = next((g for g in groups if handle in (g.id, g.handle)), None)
    names = params.get("users")
    if group is None or not isinstance(names, list):
        known = ", ".join(g.handle for g in groups)
        raise FaultMistake(
            f"edit_usergroup needs `usergroup` ({known}) and `users`, a list of names"
        )
    people = [workspace.person_named(str(name)) for name in names]
    if None in people:
        raise FaultMistake(f"edit_usergroup: {names[people.index(None)]} is nobody here")
    group.users = [person.id for person in people if person is not None]
    group.updated = int(workspace.clock.now())
    shape = group_shape(workspace, group, with_users=True)
    other_event(workspace, {"type": "subteam_updated", "subteam": shape})


def _channel(workspace: Workspace, params: Json) -> Channel:
    channel = workspace.channel_named(str(params.get("channel", "")))
    if channel is None:
        near = nearest(
            str(params.get("channel", "")), [c.name for c in workspace.channels.values()]
        )
        raise FaultMistake(f"this fault needs `channel`, a name or id{near}")
    return channel


def _kick(workspace: Workspace, params: Json) -> None:
    channel = _channel(workspace, params)
    if workspace.bot.id in channel.members:
        channel.members.remove(workspace.bot.id)
