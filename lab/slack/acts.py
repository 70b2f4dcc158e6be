"""`/lab/act`: one person does one thing, from the page, from the command line or from a test.

The page has no other door, so a test without a browser makes the same calls as a person with one.
"""

from collections.abc import Awaitable, Callable

from lab.slack import modals
from lab.slack.acting import ActMistake, actor, may_write, place, wanted
from lab.slack.entities import Json, Person
from lab.slack.interactions import click, message_seen, run_command
from lab.slack.messages import (
    changed,
    delete,
    person_message,
    post,
    publish_message,
    remove_ephemeral,
    shown,
)
from lab.slack.rich_text import rich_text_block
from lab.slack.text import from_person
from lab.slack.workspace import Workspace

Act = Callable[[Workspace, Person, Json], Awaitable[Json]]
TEXT_CHARACTERS_MAX = 12_000


async def perform(workspace: Workspace, act: Json) -> Json:
    """The answer always says `ok`; a refusal has `error` and a `sentence` for people."""
    try:
        handler = ACTS.get(wanted(act, "do"))
        if handler is None:
            raise ActMistake(
                f"`do` is one of {', '.join(ACTS)}, not {act['do']}.", error="unknown_act"
            )
        answer = await handler(workspace, actor(workspace, act), act)
    except ActMistake as mistake:
        answer = {"ok": False, "error": mistake.error, "sentence": mistake.sentence}
    workspace.log.write("act", act=act, ok=answer["ok"], error=answer.get("error"))
    return {**answer, "seq": workspace.feed.seq}


def _text(act: Json) -> str:
    text = wanted(act, "text").strip()
    if not text:
        raise ActMistake("there is nothing to send: the text is blank.")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise ActMistake(
            f"a message has at most {TEXT_CHARACTERS_MAX} characters, not {len(text)}."
        )
    return text


async def _command(workspace: Workspace, person: Person, act: Json) -> Json:
    channel = place(workspace, act, person)
    if act.get("thread_ts"):
        sentence = (
            "Slash commands cannot be used in a thread; use the channel, or type in words here."
        )
        raise ActMistake(sentence, error="not_in_threads")
    if channel.is_archived:
        raise ActMistake(
            f"#{channel.name} is archived: nobody can write there.", error="is_archived"
        )
    return await run_command(workspace, person, channel, text=_text(act))


async def _message(workspace: Workspace, person: Person, act: Json) -> Json:
    channel = place(workspace, act, person)
    may_write(person, channel)
    thread_ts = str(act.get("thread_ts") or "")
    if thread_ts:
        parent = channel.messages.get(thread_ts)
        if parent is None:
            raise ActMistake(f"there is no message {thread_ts} in #{channel.name} to answer.")
        thread_ts = str(parent.get("thread_ts", thread_ts))
    text = from_person(_text(act), workspace=workspace)
    message = person_message(workspace, user_id=person.id, text=text)
    stored = post(workspace, channel, message, thread_ts=thread_ts)
    return {"ok": True, "ts": stored["ts"], "channel": channel.id}


def _own(workspace: Workspace, person: Person, act: Json) -> tuple[Json, Json]:
    channel = place(workspace, act, person)
    message = channel.messages.get(wanted(act, "ts"))
    if message is None:
        raise ActMistake(f"there is no message {act['ts']} in #{channel.name}.")
    if message.get("user") != person.id:
        raise ActMistake(f"message {act['ts']} is not {person.name}'s own.")
    return {"channel": channel}, message


async def _edit(workspace: Workspace, person: Person, act: Json) -> Json:
    held, message = _own(workspace, person, act)
    before = shown(message)
    text = from_person(_text(act), workspace=workspace)
    message |= {
        "text": text,
        "blocks": [rich_text_block(text, block_id=workspace.mint.short())],
        "edited": {"user": person.id, "ts": workspace.mint.ts()},
    }
    changed(workspace, held["channel"], message, before=before)
    return {"ok": True}


async def _delete(workspace: Workspace, person: Person, act: Json) -> Json:
    held, message = _own(workspace, person, act)
    delete(workspace, held["channel"], message["ts"])
    return {"ok": True}


async def _click(workspace: Workspace, person: Person, act: Json) -> Json:
    return await click(
        workspace,
        person,
        place(workspace, act, person),
        ts=wanted(act, "ts"),
        action_id=wanted(act, "action_id"),
        block_id=str(act.get("block_id") or ""),
        raw=act.get("value"),
    )


async def _submit(workspace: Workspace, person: Person, act: Json) -> Json:
    view = modals.the_view(workspace, person, wanted(act, "view_id"))
    modals.fill_in(view, act.get("values"))
    return await modals.submit(workspace, person, view)


async def _view_action(workspace: Workspace, person: Person, act: Json) -> Json:
    view = modals.the_view(workspace, person, wanted(act, "view_id"))
    modals.fill_in(view, act.get("values"))
    return await modals.act(
        workspace,
        person,
        view,
        block_id=str(act.get("block_id") or ""),
        action_id=wanted(act, "action_id"),
        raw=act.get("value"),
    )


async def _close(workspace: Workspace, person: Person, act: Json) -> Json:
    view = modals.the_view(workspace, person, wanted(act, "view_id"))
    return await modals.close(workspace, person, view, all_of_it=bool(act.get("all")))


async def _dismiss(workspace: Workspace, person: Person, act: Json) -> Json:
    entry = workspace.ephemerals.get(wanted(act, "ts"))
    if entry is None or entry["user"] != person.id:
        raise ActMistake(f"{person.name} has no such message to dismiss.")
    remove_ephemeral(workspace, act["ts"])
    return {"ok": True}


async def _read(workspace: Workspace, person: Person, act: Json) -> Json:
    channel = place(workspace, act, person)
    channel.last_read[person.id] = max(channel.messages, default="0")
    return {"ok": True}


async def _react(workspace: Workspace, person: Person, act: Json) -> Json:
    channel = place(workspace, act, person)
    message = message_seen(workspace, person, channel, wanted(act, "ts"))
    if message.get("is_ephemeral"):
        raise ActMistake("nobody can react to a message that only they see.")
    name = wanted(act, "name").strip(":")
    reactions = message.setdefault("reactions", [])
    found = next((r for r in reactions if r["name"] == name), None)
    if found is None:
        found = {"name": name, "users": [], "count": 0}
        reactions.append(found)
    toggle = found["users"].remove if person.id in found["users"] else found["users"].append
    toggle(person.id)
    found["count"] = len(found["users"])
    message["reactions"] = [r for r in reactions if r["count"]]
    publish_message(workspace, channel, message)
    return {"ok": True}


async def _join(workspace: Workspace, person: Person, act: Json) -> Json:
    channel = place(workspace, act, person)
    if channel.is_private or channel.is_archived or channel.is_im:
        raise ActMistake(f"{person.name} cannot join #{channel.name}.")
    if person.id not in channel.members:
        channel.members.append(person.id)
    workspace.feed.publish(kind="refresh", content={}, audience=lambda _: True)
    return {"ok": True}


async def _leave(workspace: Workspace, person: Person, act: Json) -> Json:
    channel = place(workspace, act, person)
    if person.id in channel.members:
        channel.members.remove(person.id)
    workspace.feed.publish(kind="refresh", content={}, audience=lambda _: True)
    return {"ok": True}


async def _invite(workspace: Workspace, person: Person, act: Json) -> Json:
    channel = place(workspace, act, person)
    may_write(person, channel)
    guest = workspace.person_named(wanted(act, "who"))
    if guest is None or guest.deleted:
        raise ActMistake(f"there is no active member called {act['who']}.")
    if guest.id not in channel.members:
        channel.members.append(guest.id)
    workspace.feed.publish(kind="refresh", content={}, audience=lambda _: True)
    return {"ok": True}


ACTS: dict[str, Act] = {
    "command": _command,
    "message": _message,
    "edit": _edit,
    "delete": _delete,
    "click": _click,
    "select": _click,
    "submit": _submit,
    "view_action": _view_action,
    "close": _close,
    "dismiss": _dismiss,
    "read": _read,
    "react": _react,
    "join": _join,
    "leave": _leave,
    "invite": _invite,
}
