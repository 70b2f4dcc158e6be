"""Modals: a stack of at most three views per person, their state, and what an ack does to them.

A modal that gets no ack, or a bad one, stays open with a banner; nothing is lost.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from lab.slack.acting import ActMistake
from lab.slack.elements import (
    NoSuchOption,
    elements_of,
    missing_inputs,
    state_values,
)
from lab.slack.entities import Json, Person
from lab.slack.messages import decorate_blocks
from lab.slack.payloads import view_act, view_closed, view_submission
from lab.slack.validate import validate_view
from lab.slack.workspace import Workspace

STACK_MAX = 3
OPTIONAL_KEYS = ("title", "submit", "close")


@dataclass(eq=False)
class View:
    """One view; `raw` is what the person filled in: block_id → action_id → text or list."""

    id: str
    user_id: str
    content: Json
    hash: str
    root_id: str
    previous_id: str = ""
    is_open: bool = True
    raw: Json = field(default_factory=dict)

    @property
    def external_id(self) -> str:
        return str(self.content.get("external_id", ""))


def shape(workspace: Workspace, view: View) -> Json:
    content = view.content
    return {
        "id": view.id,
        "team_id": workspace.team_id,
        "type": content["type"],
        "blocks": deepcopy(content["blocks"]),
        "private_metadata": content.get("private_metadata", ""),
        "callback_id": content.get("callback_id", ""),
        "state": {"values": state_values(content["blocks"], view.raw)},
        "hash": view.hash,
        "title": content.get("title"),
        "clear_on_close": bool(content.get("clear_on_close")),
        "notify_on_close": bool(content.get("notify_on_close")),
        "close": content.get("close"),
        "submit": content.get("submit"),
        "previous_view_id": view.previous_id or None,
        "root_view_id": view.root_id,
        "app_id": workspace.seed.app_id,
        "external_id": view.external_id,
        "app_installed_team_id": workspace.team_id,
        "bot_id": workspace.seed.bot_id,
    }


def stack(workspace: Workspace, user_id: str) -> list[View]:
    """The person's open modals, bottom first."""
    return [
        view
        for view in workspace.views.values()
        if view.is_open and view.user_id == user_id and view.content["type"] == "modal"
    ]


def open_view(workspace: Workspace, *, user_id: str, content: Json, previous: View | None) -> View:
    view_id = workspace.mint.id("V")
    view = View(
        id=view_id,
        user_id=user_id,
        content=_decorated(workspace, content),
        hash=_hash(workspace),
        root_id=previous.root_id if previous else view_id,
        previous_id=previous.id if previous else "",
    )
    workspace.views[view_id] = view
    publish(workspace, user_id)
    return view


def replace(workspace: Workspace, view: View, content: Json) -> None:
    """A new content; values stay where block_id and action_id stay."""
    view.content = _decorated(workspace, content)
    view.hash = _hash(workspace)
    kept = {(b["block_id"], e["action_id"]) for b, e in elements_of(view.content["blocks"])}
    view.raw = {
        block_id: {a: v for a, v in actions.items() if (block_id, a) in kept}
        for block_id, actions in view.raw.items()
    }
    publish(workspace, view.user_id)


def _decorated(workspace: Workspace, content: Json) -> Json:
    return {**content, "blocks": decorate_blocks(workspace, content["blocks"])}


def _hash(workspace: Workspace) -> str:
    return f"{int(workspace.clock.now())}.{workspace.mint.hex(8)}"


def publish(workspace: Workspace, user_id: str) -> None:
    content = {"modals": [shape(workspace, view) for view in stack(workspace, user_id)]}
    workspace.feed.publish(
        kind="modals", content=content, audience=lambda viewer: viewer == user_id
    )


def the_view(workspace: Workspace, person: Person, view_id: str) -> View:
    view = workspace.views.get(view_id)
    if not isinstance(view, View) or not view.is_open or view.user_id != person.id:
        raise ActMistake(f"{person.name} has no open view {view_id}.", error="no_such_view")
    return view


def fill_in(view: View, values: Any) -> None:
    """Takes what the person entered; names must exist, options must be options."""
    if values is None:
        return
    if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
        raise ActMistake("`values` is an object: block_id → action_id → text or list of texts.")
    known = {(b["block_id"], e["action_id"]) for b, e in elements_of(view.content["blocks"])}
    for block_id, actions in values.items():
        for action_id, value in actions.items():
            if (block_id, action_id) not in known:
                names = ", ".join(f"{b}/{a}" for b, a in sorted(known))
                raise ActMistake(f"the modal has no input {block_id}/{action_id}; there is {names}")
            view.raw.setdefault(block_id, {})[action_id] = value
    try:
        state_values(view.content["blocks"], view.raw)
    except NoSuchOption as mistake:
        raise ActMistake(str(mistake)) from mistake


async def submit(workspace: Workspace, person: Person, view: View) -> Json:
    seen = shape(workspace, view)
    problems = missing_inputs(view.content["blocks"], seen["state"]["values"])
    if problems:
        return {"ok": False, "error": "incomplete", "errors": problems}
    outcome = await workspace.sockets.send(
        kind="interactive",
        payload=view_submission(workspace, person, seen),
        accepts_response_payload=True,
    )
    if not outcome.acked:
        reason = (
            "did not answer in 3 seconds" if outcome.status == "timeout" else "is not connected"
        )
        error = "timeout" if outcome.status == "timeout" else "dispatch_failed"
        return {
            "ok": False,
            "error": error,
            "sentence": f"The app {reason}. Nothing was sent; try again.",
        }
    return _apply(workspace, view, outcome.payload or {})


def _apply(workspace: Workspace, view: View, ack: Json) -> Json:
    action = ack.get("response_action", "")
    if not view.is_open:
        return {"ok": True}
    if action == "errors":
        return _errors(workspace, view, ack.get("errors"))
    if action in ("update", "push"):
        return _next_view(workspace, view, ack.get("view"), push=action == "push")
    closing = stack(workspace, view.user_id) if action == "clear" else [view]
    for one in closing:
        one.is_open = False
    publish(workspace, view.user_id)
    return {"ok": True}


def _errors(workspace: Workspace, view: View, errors: Any) -> Json:
    inputs = {b["block_id"] for b in view.content["blocks"] if b["type"] == "input"}
    if not isinstance(errors, dict) or not errors or set(errors) - inputs:
        workspace.log.write(
            "lint", text="response_action errors names blocks that are no inputs", errors=errors
        )
        return _banner("The app answered with errors for inputs that this form does not have.")
    return {"ok": False, "error": "errors", "errors": errors}


def _next_view(workspace: Workspace, view: View, content: Any, *, push: bool) -> Json:
    problems = validate_view(content)
    if problems:
        workspace.log.write(
            "lint", text="the view in the ack is invalid", problems=[p.worded() for p in problems]
        )
        return _banner(f"The app answered with an invalid form: {problems[0].worded()}")
    if push and len(stack(workspace, view.user_id)) >= STACK_MAX:
        return _banner("The app tried to open more than three forms on top of each other.")
    if push:
        open_view(workspace, user_id=view.user_id, content=content, previous=view)
    else:
        replace(workspace, view, content)
    return {"ok": True}


def _banner(sentence: str) -> Json:
    return {"ok": False, "error": "bad_response", "sentence": sentence}


async def act(
    workspace: Workspace, person: Person, view: View, *, block_id: str, action_id: str, raw: Any
) -> Json:
    found = [
        (b, e)
        for b, e in elements_of(view.content["blocks"])
        if e["action_id"] == action_id and block_id in ("", b["block_id"])
    ]
    if not found:
        raise ActMistake(f"the modal has no element {action_id}.")
    outcome = await workspace.sockets.send(
        kind="interactive",
        payload=view_act(workspace, person, shape(workspace, view), found=found[0], raw=raw),
        accepts_response_payload=True,
    )
    return {"ok": True} if outcome.acked else _banner("The app did not answer in 3 seconds.")


async def close(workspace: Workspace, person: Person, view: View, *, all_of_it: bool) -> Json:
    """The X closes the whole stack, Cancel only this view; the app hears of it if it asked to."""
    is_cleared = all_of_it or bool(view.content.get("clear_on_close"))
    closing = stack(workspace, person.id)[::-1] if is_cleared else [view]
    for one in closing:
        one.is_open = False
    publish(workspace, person.id)
    for one in closing:
        if one.content.get("notify_on_close"):
            payload = view_closed(workspace, person, shape(workspace, one), is_cleared=is_cleared)
            workspace.spawn(_tell(workspace, payload))
    return {"ok": True}


async def _tell(workspace: Workspace, payload: Json) -> None:
    await workspace.sockets.send(
        kind="interactive", payload=payload, accepts_response_payload=False
    )
