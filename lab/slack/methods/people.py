"""users.* and usergroups.*: who somebody is, and who is in a group. Deactivated people stay listed."""

from lab.slack.entities import Json
from lab.slack.errors import ApiError
from lab.slack.pages import page
from lab.slack.registry import Call, method
from lab.slack.shapes import group_shape, user_shape


@method("users.info", scopes=("users:read",), tier=4, required=("user",))
async def info(call: Call) -> Json:
    person = call.workspace.people.get(call.args.text("user"))
    if person is None:
        raise ApiError("user_not_found")
    return {"user": user_shape(call.workspace, person)}


@method("users.list", scopes=("users:read",), tier=2)
async def list_people(call: Call) -> Json:
    workspace = call.workspace
    shapes = [user_shape(workspace, p) for p in workspace.people.values() if p.kind != "stranger"]
    rest, metadata = page(call, shapes, default=1000, most=1000)
    return {
        "members": rest,
        "cache_ts": int(workspace.clock.now()),
        "response_metadata": metadata,
    }


@method("usergroups.list", scopes=("usergroups:read",), tier=2)
async def list_groups(call: Call) -> Json:
    with_users = call.args.flag("include_users")
    with_disabled = call.args.flag("include_disabled")
    return {
        "usergroups": [
            group_shape(call.workspace, group, with_users=with_users)
            for group in call.workspace.groups.values()
            if with_disabled or not group.date_delete
        ]
    }


@method("usergroups.users.list", scopes=("usergroups:read",), tier=2, required=("usergroup",))
async def group_users(call: Call) -> Json:
    group = call.workspace.groups.get(call.args.text("usergroup"))
    if group is None or (group.date_delete and not call.args.flag("include_disabled")):
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}
