"""reactions.add and .remove by the app."""

import re

from lab.slack.entities import Json
from lab.slack.errors import ApiError
from lab.slack.messages import publish_message
from lab.slack.registry import Call, method

_NAME = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")
REACTIONS_MAX = 23


def _message(call: Call) -> Json:
    if not call.args.has("channel") or not call.args.has("timestamp"):
        raise ApiError("no_item_specified")
    channel = call.member_channel(call.args.text("channel"))
    message = channel.messages.get(call.args.text("timestamp"))
    if message is None:
        raise ApiError("message_not_found")
    return message


def _name(call: Call) -> str:
    name = call.args.text("name").strip(":")
    if not _NAME.fullmatch(name):
        raise ApiError("invalid_name")
    return name


@method("reactions.add", scopes=("reactions:write",), tier=3, required=("name",))
async def add(call: Call) -> Json:
    message, name, me = _message(call), _name(call), call.identity.user_id
    reactions = message.setdefault("reactions", [])
    found = next((r for r in reactions if r["name"] == name), None)
    if found is None:
        if len(reactions) >= REACTIONS_MAX:
            raise ApiError("too_many_emoji")
        found = {"name": name, "users": [], "count": 0}
        reactions.append(found)
    if me in found["users"]:
        raise ApiError("already_reacted")
    found["users"].append(me)
    found["count"] += 1
    publish_message(call.workspace, call.seen_channel(call.args.text("channel")), message)
    return {}


@method("reactions.remove", scopes=("reactions:write",), tier=2, required=("name",))
async def remove(call: Call) -> Json:
    message, name, me = _message(call), _name(call), call.identity.user_id
    found = next((r for r in message.get("reactions", []) if r["name"] == name), None)
    if found is None or me not in found["users"]:
        raise ApiError("no_reaction")
    found["users"].remove(me)
    found["count"] -= 1
    message["reactions"] = [r for r in message["reactions"] if r["count"]]
    if not message["reactions"]:
        del message["reactions"]
    publish_message(call.workspace, call.seen_channel(call.args.text("channel")), message)
    return {}
