"""The whole state as one person sees it, for a page that opens and for programs that ask.

Ephemerals are left out unless asked for: in Slack they are gone after a reload.
"""

from lab.slack import modals
from lab.slack.entities import Channel, Json, Person
from lab.slack.messages import shown
from lab.slack.workspace import Workspace


def snapshot(workspace: Workspace, *, viewer: Person | None, with_ephemerals: bool) -> Json:
    """`viewer` None sees everything, as the lab itself does."""
    seen = [c for c in workspace.channels.values() if _sees(workspace, viewer, c)]
    return {
        "ok": True,
        "seq": workspace.feed.seq,
        "team": {"id": workspace.team_id, "name": workspace.seed.team_name},
        "app": {
            "id": workspace.seed.app_id,
            "name": workspace.manifest.name,
            "user": workspace.bot.id,
        },
        "me": viewer.id if viewer else "",
        "people": [_person(p) for p in workspace.people.values()],
        "groups": [
            {"id": g.id, "handle": g.handle, "name": g.name, "users": list(g.users)}
            for g in workspace.groups.values()
        ],
        "commands": [vars(c) for c in workspace.manifest.commands],
        "channels": [_channel(c, viewer) for c in seen],
        "messages": {
            c.id: [shown(m, with_metadata=True) for m in c.messages.values()] for c in seen
        },
        "ephemerals": _ephemerals(workspace, viewer) if with_ephemerals else [],
        "modals": [modals.shape(workspace, v) for v in modals.stack(workspace, viewer.id)]
        if viewer
        else [],
        "connections": len(workspace.sockets.connections),
    }


def _sees(workspace: Workspace, viewer: Person | None, channel: Channel) -> bool:
    return viewer is None or workspace.can_see(user_id=viewer.id, channel=channel)


def _person(person: Person) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "real_name": person.real_name,
        "role": person.role,
        "kind": person.kind,
        "color": person.color,
        "deleted": person.deleted,
    }


def _channel(channel: Channel, viewer: Person | None) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "topic": channel.topic,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_im": channel.is_im,
        "members": list(channel.members),
        "last_read": channel.last_read.get(viewer.id, "0") if viewer else "0",
    }


def _ephemerals(workspace: Workspace, viewer: Person | None) -> list[Json]:
    return [
        {"channel": entry["channel"], "user": entry["user"], "message": shown(entry["message"])}
        for entry in workspace.ephemerals.values()
        if viewer is None or entry["user"] == viewer.id
    ]
