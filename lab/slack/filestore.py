"""Bytes of files: the upload address of one file, and reading it back with a token or from the page.

To faults an upload is one more call, of the method `upload`.
"""

import struct

from aiohttp import web

from lab.slack.entities import StoredFile
from lab.slack.errors import ApiError
from lab.slack.misbehaviour import InjectedAnswer, after, before
from lab.slack.shapes import file_type
from lab.slack.workspace import Workspace

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


async def receive(workspace: Workspace, request: web.Request) -> web.Response:
    fault = workspace.faults.take("api", method="upload")
    try:
        await before(fault, request)
    except InjectedAnswer as injected:
        return web.Response(status=injected.status, text="broken by the lab")
    except ApiError as refused:
        return web.Response(status=429 if refused.retry_after else 403, text=refused.code)
    answer = await _received(workspace, request)
    await after(fault, request, "")
    return answer


async def _received(workspace: Workspace, request: web.Request) -> web.Response:
    """Raw bytes (Python), or multipart with the part `body`, `file` or `filename` (Node, curl)."""
    key = request.match_info["key"]
    file = next((f for f in workspace.files.values() if f.upload_key == key), None)
    if file is None or file.content is not None:
        return web.Response(status=404, text="no such upload")
    content = await _content(request)
    if len(content) != file.length:
        text = f"length mismatch: announced {file.length} bytes, received {len(content)}"
        return web.Response(status=400, text=text)
    file.content = content
    file.image_size = png_size(content)
    workspace.log.write("upload", file=file.id, name=file.name, length=len(content))
    return web.Response(text=f"OK - {len(content)}")


async def _content(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if hasattr(part, "read") and getattr(part, "name", "") in ("body", "file", "filename"):
            return bytes(await part.read())
    return b""


def png_size(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(PNG_SIGNATURE) or len(content) < 24:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return int(width), int(height)


def send(workspace: Workspace, request: web.Request) -> web.Response:
    file = workspace.files.get(request.match_info["file"].split("-", 1)[-1])
    if file is None or file.content is None or file.deleted:
        return web.Response(status=404, text="file not found")
    if not _may_read(workspace, request, file):
        # Slack sends browsers without a session to its login page.
        return web.Response(status=302, headers={"Location": f"{workspace.public_url}/?signin=1"})
    mimetype = file_type(file.name)[0]
    # A file is somebody's content: never let it run as a page of this origin.
    headers = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}
    if "download" in request.query:
        headers["Content-Disposition"] = "attachment"
    return web.Response(body=file.content, content_type=mimetype, headers=headers)


def _may_read(workspace: Workspace, request: web.Request, file: StoredFile) -> bool:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    identity = workspace.identities.get(token)
    if identity is not None:
        return "files:read" in identity.scopes
    viewer = request.query.get("as", "")
    return any(
        workspace.can_see(user_id=viewer, channel=workspace.channels[channel_id])
        for channel_id in file.shares
    )
