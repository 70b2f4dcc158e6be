"""conversations.*: which channels there are, who is in them, joining and opening. History is in `history`."""

from lab.slack.entities import Json
from lab.slack.errors import ApiError
from lab.slack.methods.chat import direct_channel
from lab.slack.pages import page
from lab.slack.registry import Call, method
from lab.slack.shapes import channel_shape

READ_SCOPES = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}
ANY_READ = tuple(READ_SCOPES.values())


@method("conversations.list", scopes=ANY_READ, tier=2)
async def list_channels(call: Call) -> Json:
    workspace, args = call.workspace, call.args
    types = args.words("types") or ["public_channel"]
    if set(types) - set(READ_SCOPES):
        raise ApiError("invalid_types")
    for kind in types:
        call.need_scope(READ_SCOPES[kind])
    me = call.identity.user_id
    found = []
    for channel in workspace.channels.values():
        kind = (
            "im" if channel.is_im else "private_channel" if channel.is_private else "public_channel"
        )
        hidden = kind != "public_channel" and me not in channel.members
        if (
            kind in types
            and not hidden
            and not (channel.is_archived and args.flag("exclude_archived"))
        ):
            found.append(channel_shape(workspace, channel, viewer=me))
    rest, metadata = page(call, found, default=100, most=1000)
    return {"channels": rest, "response_metadata": metadata}


@method("conversations.info", scopes=ANY_READ, tier=3, required=("channel",))
async def info(call: Call) -> Json:
    channel = call.seen_channel(call.args.text("channel"))
    call.need_scope(f"{channel.scope_stem}:read")
    shape = channel_shape(call.workspace, channel, viewer=call.identity.user_id)
    if not call.args.flag("include_num_members"):
        shape.pop("num_members", None)
    return {"channel": shape}


@method("conversations.members", scopes=ANY_READ, tier=4, required=("channel",))
async def members(call: Call) -> Json:
    channel = call.seen_channel(call.args.text("channel"))
    call.need_scope(f"{channel.scope_stem}:read")
    rest, metadata = page(call, channel.members, default=100, most=1000)
    return {"members": rest, "response_metadata": metadata}


@method("conversations.join", scopes=("channels:join",), tier=3, required=("channel",))
async def join(call: Call) -> Json:
    workspace, me = call.workspace, call.identity.user_id
    channel = call.seen_channel(call.args.text("channel"))
    if channel.is_private or channel.is_im:
        raise ApiError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise ApiError("is_archived")
    already = me in channel.members
    if not already:
        channel.members.append(me)
        workspace.feed.publish(kind="refresh", content={}, audience=lambda _: True)
    answer: Json = {"channel": channel_shape(workspace, channel, viewer=me)}
    if already:
        answer |= {
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
    return answer


@method("conversations.open", scopes=("im:write", "mpim:write"), tier=3)
async def open_direct(call: Call) -> Json:
    workspace, args = call.workspace, call.args
    if args.has("channel"):
        channel = call.member_channel(args.text("channel"))
        return {"no_op": True, "already_open": True, "channel": {"id": channel.id}}
    users = args.words("users")
    if not users:
        raise ApiError("users_list_not_supplied")
    if len(users) > 1:
        raise ApiError("lab_not_implemented", req_method="conversations.open with several users")
    person = workspace.people.get(users[0])
    if person is None:
        raise ApiError("user_not_found")
    if person.deleted:
        raise ApiError("user_disabled")
    channel = direct_channel(workspace, person.id)
    shape = channel_shape(workspace, channel, viewer=call.identity.user_id)
    return {"channel": shape if args.flag("return_im") else {"id": channel.id}}
