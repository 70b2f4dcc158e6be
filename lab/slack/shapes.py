"""People, channels, groups and files as Slack's JSON: the keys Slack sends, and no others."""

import mimetypes

from lab.slack.entities import Channel, Json, Person, StoredFile, UserGroup
from lab.slack.workspace import Workspace

AVATAR_SIZES = (24, 32, 48, 72, 192, 512)
TZ_OFFSET_SECONDS = 3600


def user_shape(workspace: Workspace, person: Person) -> Json:
    shape: Json = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "color": person.color,
        "real_name": person.real_name,
        "profile": _profile(workspace, person),
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": person.updated,
    }
    if person.deleted:
        return shape
    shape |= {
        "tz": person.tz,
        "tz_label": "Central European Time",
        "tz_offset": TZ_OFFSET_SECONDS,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.kind == "guest",
        "is_ultra_restricted": False,
        "is_email_confirmed": not person.is_bot,
    }
    if person.kind == "stranger":
        shape["is_stranger"] = True
    return shape


def _profile(workspace: Workspace, person: Person) -> Json:
    profile: Json = {
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "title": person.role,
        "team": person.team_id,
        "avatar_hash": person.id.lower()[-8:],
    }
    for size in AVATAR_SIZES:
        profile[f"image_{size}"] = f"{workspace.public_url}/lab/avatar/{person.id}.svg"
    if person.is_bot:
        profile |= {"bot_id": workspace.seed.bot_id, "api_app_id": workspace.seed.app_id}
    elif "users:read.email" in workspace.manifest.scopes:
        profile["email"] = f"{person.name}@{workspace.seed.domain}.test"
    return profile


def channel_shape(workspace: Workspace, channel: Channel, *, viewer: str) -> Json:
    if channel.is_im:
        other = next((m for m in channel.members if m != viewer), viewer)
        return {
            "id": channel.id,
            "created": channel.created,
            "is_im": True,
            "is_archived": channel.is_archived,
            "is_org_shared": False,
            "context_team_id": workspace.team_id,
            "user": other,
            "is_user_deleted": workspace.people[other].deleted,
            "updated": channel.created * 1000,
        }
    is_shared = any(workspace.people[m].kind == "stranger" for m in channel.members)
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": channel.is_general,
        "is_member": viewer in channel.members,
        "is_shared": is_shared,
        "is_org_shared": False,
        "is_ext_shared": is_shared,
        "is_pending_ext_shared": False,
        "created": channel.created,
        "creator": channel.creator,
        "unlinked": 0,
        "topic": _noted(channel.topic, channel),
        "purpose": _noted(channel.purpose, channel),
        "num_members": len(channel.members),
        "previous_names": [],
        "updated": channel.created * 1000,
        "context_team_id": workspace.team_id,
    }


def _noted(text: str, channel: Channel) -> Json:
    return {"value": text, "creator": channel.creator if text else "", "last_set": channel.created}


def group_shape(workspace: Workspace, group: UserGroup, *, with_users: bool) -> Json:
    shape: Json = {
        "id": group.id,
        "team_id": workspace.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": group.created,
        "date_update": group.updated,
        "date_delete": group.date_delete,
        "auto_type": None,
        "created_by": group.users[0] if group.users else workspace.bot.id,
        "updated_by": group.users[0] if group.users else workspace.bot.id,
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
        "user_count": len(group.users),
    }
    if with_users:
        shape["users"] = list(group.users)
    return shape


def file_type(name: str) -> tuple[str, str, str]:
    """Mimetype, Slack's file type and the word people see."""
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else "binary"
    return mimetype, ending, ending.upper()


def file_shape(workspace: Workspace, file: StoredFile) -> Json:
    mimetype, kind, pretty = file_type(file.name)
    url = f"{workspace.public_url}/files-pri/{workspace.team_id}-{file.id}/{file.name}"
    shape: Json = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": mimetype if file.is_complete else "",
        "filetype": kind if file.is_complete else "",
        "pretty_type": pretty if file.is_complete else "",
        "user": file.user,
        "user_team": workspace.team_id,
        "editable": False,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": any(not workspace.channels[c].is_private for c in file.shares),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": url,
        "url_private_download": f"{url}?download=1",
        "permalink": f"{workspace.public_url}/files/{file.user}/{file.id}/{file.name}",
        "has_rich_preview": False,
        "file_access": "visible",
        **_shares(workspace, file),
    }
    if file.alt_text:
        shape["alt_txt"] = file.alt_text
    if file.image_size is not None:
        width, height = file.image_size
        shape |= {"original_w": width, "original_h": height, "thumb_360": url, "thumb_720": url}
    return shape


def _shares(workspace: Workspace, file: StoredFile) -> Json:
    sides: dict[str, dict[str, list[Json]]] = {"public": {}, "private": {}}
    for channel_id, stamps in file.shares.items():
        side = "private" if workspace.channels[channel_id].is_private else "public"
        sides[side][channel_id] = [{"ts": ts, "team_id": workspace.team_id} for ts in stamps]
    return {
        "shares": {side: places for side, places in sides.items() if places},
        "channels": sorted(sides["public"]),
        "groups": sorted(sides["private"]),
        "ims": [],
        "has_more_shares": False,
    }
