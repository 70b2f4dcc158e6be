"""files.*: an upload address, the bytes, then a share that happens a moment later.

completeUploadExternal answers with empty `shares`; the message and `file_shared` follow, as in Slack.
"""

from typing import Any

from lab.slack.entities import Channel, Json, StoredFile
from lab.slack.errors import ApiError
from lab.slack.events import other_event
from lab.slack.messages import bot_message, post
from lab.slack.methods.chat import target_channel, thread_root
from lab.slack.registry import Call, method
from lab.slack.shapes import file_shape
from lab.slack.text import from_bot
from lab.slack.workspace import Workspace

UPLOAD_BYTES_MAX = 64 * 1024 * 1024


@method(
    "files.getUploadURLExternal", scopes=("files:write",), tier=4, required=("filename", "length")
)
async def upload_url(call: Call) -> Json:
    workspace, args = call.workspace, call.args
    length = args.number("length", default=0, least=1, most=10**12, error="invalid_arguments")
    if length > UPLOAD_BYTES_MAX:
        raise ApiError("file_upload_size_restricted")
    file_id, key = workspace.mint.id("F"), workspace.mint.hex(40)
    workspace.files[file_id] = StoredFile(
        id=file_id,
        name=args.text("filename"),
        title=args.text("filename"),
        length=length,
        user=workspace.bot.id,
        created=int(workspace.clock.now()),
        upload_key=key,
        alt_text=args.text("alt_txt"),
    )
    return {"upload_url": f"{workspace.public_url}/upload/v1/{key}", "file_id": file_id}


def _uploaded(call: Call) -> list[StoredFile]:
    given: Any = call.args.structure("files", error="invalid_arguments")
    if not isinstance(given, list) or not given or not all(isinstance(f, dict) for f in given):
        raise ApiError(
            "invalid_arguments", messages=["must provide an array [json-pointer:/files]"]
        )
    found = []
    for entry in given:
        file = call.workspace.files.get(str(entry.get("id")))
        if file is None or file.content is None or file.is_complete:
            raise ApiError("file_not_found")
        file.title = str(entry.get("title") or file.name)
        found.append(file)
    return found


@method("files.completeUploadExternal", scopes=("files:write",), tier=4, required=("files",))
async def complete(call: Call) -> Json:
    workspace, args = call.workspace, call.args
    files = _uploaded(call)
    names = args.words("channels") or args.words("channel_id")
    channels = [target_channel(call, name) for name in names]
    thread_ts = thread_root(workspace, channels[0], args.text("thread_ts")) if channels else ""
    for file in files:
        file.is_complete = True
    comment = from_bot(args.text("initial_comment"))
    for channel in channels:
        workspace.spawn(_share(workspace, channel, files, comment=comment, thread_ts=thread_ts))
    return {"files": [file_shape(workspace, file) for file in files]}


async def _share(
    workspace: Workspace, channel: Channel, files: list[StoredFile], *, comment: str, thread_ts: str
) -> None:
    await workspace.clock.sleep(seconds=workspace.quirks.file_share_seconds)
    message = bot_message(workspace, text=comment, blocks=[])
    stamp = {"files": [file_shape(workspace, file) for file in files], "upload": False}
    stored = post(
        workspace, channel, {**message, **stamp, "subtype": "file_share"}, thread_ts=thread_ts
    )
    for file in files:
        file.shares.setdefault(channel.id, []).append(stored["ts"])
        event = {
            "type": "file_shared",
            "file_id": file.id,
            "user_id": file.user,
            "file": {"id": file.id},
            "channel_id": channel.id,
            "event_ts": workspace.mint.ts(),
        }
        other_event(workspace, event, channel=channel)


@method("files.info", scopes=("files:read",), tier=4, required=("file",))
async def info(call: Call) -> Json:
    file = call.workspace.files.get(call.args.text("file"))
    if file is None:
        raise ApiError("file_not_found")
    if file.deleted:
        raise ApiError("file_deleted")
    return {
        "file": file_shape(call.workspace, file),
        "comments": [],
        "response_metadata": {"next_cursor": ""},
    }


@method("files.upload")
async def old_upload(_call: Call) -> Json:
    raise ApiError("method_deprecated")
