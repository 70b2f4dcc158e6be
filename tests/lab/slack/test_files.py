"""Files through the unmodified SDK: upload, the late share, and who may read."""

import struct

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from lab.slack.filestore import png_size
from tests.lab.slack.conftest import Bench, until

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 320, 200) + b"rest"


def events(bench: Bench) -> list[str]:
    payloads = [line["payload"] for line in bench.log("delivery")]
    return [payload["event"]["type"] for payload in payloads]


async def test_a_picture_is_shared_a_moment_after_the_call(wide: Bench) -> None:
    parent = await wide.client.chat_postMessage(channel="C0LABKAFKA", text="card")
    answer = await wide.client.files_upload_v2(
        channel="C0LABKAFKA", thread_ts=parent["ts"], filename="cpu.png", content=PNG, title="CPU"
    )
    assert answer["files"][0].get("shares", {}) == {}
    await until(lambda: len(wide.messages()) == 2)
    message = wide.messages()[1]
    assert (message["subtype"], message["thread_ts"]) == ("file_share", parent["ts"])
    # Bolt keeps an app's own events from its listeners, so the wire is asked.
    await until(lambda: "file_shared" in events(wide))
    info = await wide.client.files_info(file=message["files"][0]["id"])
    assert info["file"]["mimetype"] == "image/png"
    assert (info["file"]["original_w"], info["file"]["original_h"]) == (320, 200)
    assert list(info["file"]["shares"]["public"]) == ["C0LABKAFKA"]
    url = info["file"]["url_private"]
    bearer = {"Authorization": f"Bearer {wide.running.bot_token}"}
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers=bearer) as found:
            assert await found.read() == PNG
        async with session.get(url, allow_redirects=False) as refused:
            assert refused.status == 302
        async with session.get(f"{url}?as=U0LAB0ANN1") as seen:
            assert seen.headers["Content-Security-Policy"] == "sandbox"


async def test_wrong_length_and_wrong_order_are_refused(wide: Bench) -> None:
    opened = await wide.client.files_getUploadURLExternal(filename="a.txt", length=5)
    with pytest.raises(SlackApiError, match="file_not_found"):
        await wide.client.files_completeUploadExternal(files=[{"id": opened["file_id"]}])
    async with aiohttp.ClientSession() as session:
        assert (await session.post(opened["upload_url"], data=b"four")).status == 400
        assert (await session.post(opened["upload_url"], data=b"fives")).status == 200
        assert (await session.post(opened["upload_url"], data=b"again")).status == 404


async def test_a_multipart_upload_works_as_node_sends_it(wide: Bench) -> None:
    opened = await wide.client.files_getUploadURLExternal(filename="a.txt", length=5)
    form = aiohttp.FormData()
    form.add_field("body", b"fives", filename="a.txt")
    async with aiohttp.ClientSession() as session:
        answer = await session.post(opened["upload_url"], data=form)
        assert await answer.text() == "OK - 5"


async def test_without_its_scope_files_info_is_refused(bench: Bench) -> None:
    with pytest.raises(SlackApiError) as refused:
        await bench.client.files_info(file="F1")
    assert refused.value.response["needed"] == "files:read"
    with pytest.raises(SlackApiError, match="method_deprecated"):
        await bench.client.api_call("files.upload")


def test_only_png_headers_tell_a_size() -> None:
    assert png_size(PNG) == (320, 200)
    assert png_size(b"GIF89a") is None
    assert png_size(PNG[:12]) is None
