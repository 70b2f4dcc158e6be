"""views.*: opening, pushing, updating modals and publishing the Home tab."""

import json
from typing import Any

from lab.slack.entities import Json
from lab.slack.errors import ApiError
from lab.slack.modals import STACK_MAX, View, open_view, replace, shape, stack
from lab.slack.registry import Call, method
from lab.slack.validate import validate_view
from lab.slack.workspace import Trigger

VIEW_BYTES_MAX = 250_000


def _content(call: Call) -> Json:
    view: Any = call.args.structure("view", error="invalid_arguments")
    problems = validate_view(view)
    if problems:
        raise ApiError("invalid_arguments", messages=[p.worded(under="/view") for p in problems])
    if len(json.dumps(view).encode()) > VIEW_BYTES_MAX:
        raise ApiError("view_too_large")
    external_id = view.get("external_id")
    taken = external_id and any(
        v.external_id == external_id and v.is_open for v in call.workspace.views.values()
    )
    if taken and call.args.text("external_id") != external_id and not call.args.has("view_id"):
        raise ApiError("duplicate_external_id")
    content: Json = view
    return content


def _trigger(call: Call) -> Trigger:
    trigger = call.workspace.triggers.get(call.args.text("trigger_id"))
    if trigger is None:
        raise ApiError("invalid_trigger_id", messages=["invalid `trigger_id`"])
    if trigger.used:
        raise ApiError("exchanged_trigger_id")
    if call.workspace.clock.now() > trigger.expires_at:
        raise ApiError("expired_trigger_id")
    return trigger


def _modal(content: Json) -> Json:
    if content["type"] != "modal":
        raise ApiError(
            "invalid_arguments", messages=["must be a valid enum value [json-pointer:/view/type]"]
        )
    return content


@method("views.open", tier=4, required=("trigger_id", "view"))
async def open_modal(call: Call) -> Json:
    content, trigger = _modal(_content(call)), _trigger(call)
    trigger.used = True
    view = open_view(call.workspace, user_id=trigger.user_id, content=content, previous=None)
    return {"view": shape(call.workspace, view)}


@method("views.push", tier=4, required=("trigger_id", "view"))
async def push_modal(call: Call) -> Json:
    workspace = call.workspace
    content, trigger = _modal(_content(call)), _trigger(call)
    opened = stack(workspace, trigger.user_id)
    if not opened or not trigger.view_id:
        raise ApiError("not_found")
    if len(opened) >= STACK_MAX:
        raise ApiError("push_limit_reached")
    trigger.used = True
    view = open_view(workspace, user_id=trigger.user_id, content=content, previous=opened[-1])
    return {"view": shape(workspace, view)}


def _wanted(call: Call) -> View:
    view_id, external_id = call.args.text("view_id"), call.args.text("external_id")
    if bool(view_id) == bool(external_id):
        raise ApiError("invalid_arguments", messages=["give exactly one of view_id, external_id"])
    for view in call.workspace.views.values():
        named = view.id == view_id or (bool(external_id) and view.external_id == external_id)
        if named and view.is_open and isinstance(view, View):
            return view
    raise ApiError("not_found")


@method("views.update", tier=4, required=("view",))
async def update(call: Call) -> Json:
    content, view = _content(call), _wanted(call)
    if call.args.has("hash") and call.args.text("hash") != view.hash:
        raise ApiError("hash_conflict")
    replace(call.workspace, view, content)
    return {"view": shape(call.workspace, view)}


@method("views.publish", tier=4, required=("user_id", "view"))
async def publish_home(call: Call) -> Json:
    workspace, user_id = call.workspace, call.args.text("user_id")
    content = _content(call)
    if content["type"] != "home":
        raise ApiError(
            "invalid_arguments", messages=["must be a valid enum value [json-pointer:/view/type]"]
        )
    if not workspace.manifest.home_tab:
        raise ApiError("not_enabled")
    if user_id not in workspace.people:
        raise ApiError("user_not_found")
    homes = (
        v for v in workspace.views.values() if v.user_id == user_id and v.content["type"] == "home"
    )
    home = next(homes, None)
    if home is not None and call.args.has("hash") and call.args.text("hash") != home.hash:
        raise ApiError("hash_conflict")
    if home is None:
        home = open_view(workspace, user_id=user_id, content=content, previous=None)
    else:
        replace(workspace, home, content)
    return {"view": shape(workspace, home)}
