"""What people set off in the app: slash commands and clicks, with Slack's three seconds for the ack.

They are never delivered twice. Without a connection they fail at once; without an ack the person is told.
"""

from typing import Any
from urllib.parse import urlsplit

from lab.slack.acting import ActMistake, nearest
from lab.slack.elements import NoSuchOption, elements_of
from lab.slack.entities import Channel, Json, Person
from lab.slack.errors import ApiError
from lab.slack.messages import shown
from lab.slack.payloads import all_blocks, message_click, slash
from lab.slack.responses import respond
from lab.slack.sockets import Outcome
from lab.slack.text import for_command
from lab.slack.workspace import Workspace

FAILURES = {"timeout": "timeout", "no_connection": "dispatch_failed"}


def failure(outcome: Outcome, *, what: str) -> Json:
    error = FAILURES[outcome.status]
    reason = "did not answer in 3 seconds" if error == "timeout" else "is not connected"
    return {"ok": False, "error": error, "sentence": f"{what} failed: the app {reason} ({error})."}


async def run_command(workspace: Workspace, person: Person, channel: Channel, *, text: str) -> Json:
    name, _, rest = text.strip().partition(" ")
    command = workspace.manifest.command(name)
    if command is None:
        known = [c.command for c in workspace.manifest.commands]
        raise ActMistake(
            f"{name} is not a command here{nearest(name, known)}.", error="unknown_command"
        )
    if person.kind == "stranger":
        raise ActMistake(f"{person.name} is from another workspace and cannot use {name} here.")
    escaped = for_command(rest.strip(), workspace=workspace, should_escape=command.should_escape)
    payload = slash(workspace, person, channel, command=name, text=escaped)
    record = workspace.response_urls[urlsplit(payload["response_url"]).path]
    outcome = await workspace.sockets.send(
        kind="slash_commands", payload=payload, accepts_response_payload=True
    )
    if not outcome.acked:
        return failure(outcome, what=name)
    if not outcome.payload:
        return {"ok": True, "answer": None}
    try:
        message = respond(workspace, record, outcome.payload)
    except ApiError as problem:
        workspace.log.write("lint", text=f"the ack of {name} was refused: {problem.code}")
        return {"ok": False, "error": problem.code, "sentence": f"{name} failed: {problem.code}"}
    return {"ok": True, "answer": shown(message) if message else None}


def message_seen(workspace: Workspace, person: Person, channel: Channel, ts: str) -> Json:
    entry = workspace.ephemerals.get(ts)
    if entry is not None and entry["user"] == person.id and entry["channel"] == channel.id:
        found: Json = entry["message"]
        return found
    message = channel.messages.get(ts)
    if message is None:
        raise ActMistake(f"there is no message {ts} in #{channel.name} for {person.name}.")
    return message


def element_named(message: Json, *, action_id: str, block_id: str) -> tuple[Json, Json]:
    """By action_id, or by the words on a button."""
    found = [
        (block, element)
        for block, element in elements_of(all_blocks(message))
        if action_id in (element.get("action_id"), _words(element))
        and block_id in ("", block["block_id"])
    ]
    if found:
        return found[0]
    known = [_words(e) or str(e.get("action_id")) for _, e in elements_of(all_blocks(message))]
    if not known:
        raise ActMistake(f"message {message['ts']} has no buttons.")
    raise ActMistake(f"message {message['ts']} has no `{action_id}`{nearest(action_id, known)}.")


def _words(element: Json) -> str:
    return str((element.get("text") or {}).get("text", ""))


async def click(
    workspace: Workspace,
    person: Person,
    channel: Channel,
    *,
    ts: str,
    action_id: str,
    block_id: str,
    raw: Any,
) -> Json:
    if not workspace.manifest.interactivity:
        raise ActMistake("the manifest has interactivity switched off.")
    message = message_seen(workspace, person, channel, ts)
    found = element_named(message, action_id=action_id, block_id=block_id)
    state = workspace.message_state.setdefault((ts, person.id), {})
    if found[1]["type"] not in ("button", "overflow"):
        state.setdefault(found[0]["block_id"], {})[found[1]["action_id"]] = raw
    try:
        payload = message_click(
            workspace, person, channel, message, found=found, raw=raw, state=state
        )
    except NoSuchOption as mistake:
        raise ActMistake(str(mistake)) from mistake
    outcome = await workspace.sockets.send(
        kind="interactive", payload=payload, accepts_response_payload=True
    )
    return {"ok": True} if outcome.acked else failure(outcome, what=_words(found[1]) or action_id)
