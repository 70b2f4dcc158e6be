"""Faults by name, through the same HTTP door that the command line uses."""

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler

from tests.lab.slack.conftest import Bench, until


async def control(
    bench: Bench, path: str, body: Any = None, *, method: str = "POST"
) -> dict[str, Any]:
    url = f"{bench.running.page_url}lab/{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body) as answer,
    ):
        content: dict[str, Any] = await answer.json()
        return content


async def fault(bench: Bench, action: str, **more: Any) -> dict[str, Any]:
    return await control(bench, "faults", {"action": action, **more})


async def test_a_rate_limit_is_waited_out_by_the_sdks_own_handler(bench: Bench) -> None:
    await fault(bench, "ratelimit", match={"method": "chat.*"}, retry_after=1)
    bench.client.retry_handlers = [AsyncRateLimitErrorRetryHandler(max_retry_count=1)]
    posted = await bench.client.chat_postMessage(channel="C0LABKAFKA", text="patient")
    assert posted["ok"]
    statuses = [line["status"] for line in bench.log("api") if line["method"] == "chat.postMessage"]
    assert statuses == [429, 200]


async def test_an_error_strikes_the_call_it_names_and_no_other(bench: Bench) -> None:
    await fault(bench, "error", match={"method": "chat.postMessage"}, code="fatal_error", after=1)
    await bench.client.chat_postMessage(channel="C0LABKAFKA", text="first")
    await bench.client.auth_test()
    with pytest.raises(SlackApiError, match="fatal_error"):
        await bench.client.chat_postMessage(channel="C0LABKAFKA", text="second")
    await bench.client.chat_postMessage(channel="C0LABKAFKA", text="third")


async def test_a_reset_after_the_commit_doubles_the_message(bench: Bench) -> None:
    await fault(bench, "reset_after_commit", match={"method": "chat.postMessage"})
    await bench.client.chat_postMessage(channel="C0LABKAFKA", text="once?")
    assert [m["text"] for m in bench.messages()] == ["once?", "once?"]


async def test_a_reset_before_the_commit_does_not(bench: Bench) -> None:
    await fault(bench, "reset_before_commit", match={"method": "chat.postMessage"})
    await bench.client.chat_postMessage(channel="C0LABKAFKA", text="once")
    assert [m["text"] for m in bench.messages()] == ["once"]


async def test_http_errors_and_cut_json_reach_the_client(bench: Bench) -> None:
    await fault(bench, "http", match={"method": "auth.test"}, status=503)
    with pytest.raises(SlackApiError):
        await bench.client.auth_test()
    await fault(bench, "truncate_json", match={"method": "auth.test"})
    with pytest.raises(SlackApiError):
        await bench.client.auth_test()
    await fault(bench, "slow", match={"method": "auth.test"}, s=0.2)
    started = asyncio.get_running_loop().time()
    await bench.client.auth_test()
    assert asyncio.get_running_loop().time() - started >= 0.2


async def test_a_dropped_command_times_out_and_a_duplicated_event_comes_twice(bench: Bench) -> None:
    @bench.app.command("/kafka")
    async def asked(ack: Any) -> None:
        await ack()

    @bench.app.event("message")
    async def heard(event: dict[str, Any]) -> None:
        bench.seen.append(event)

    await fault(bench, "drop", match={"type": "slash_commands"})
    assert (await bench.act("command", text="/kafka status"))["error"] == "timeout"
    assert (await bench.act("command", text="/kafka status"))["ok"]
    await fault(bench, "duplicate", match={"event": "message"}, n=2)
    await bench.act("message", text="twice")
    await until(lambda: len(bench.seen) == 2)
    assert bench.seen[0]["ts"] == bench.seen[1]["ts"]


async def test_a_reordered_event_arrives_behind_the_next(bench: Bench) -> None:
    @bench.app.event("message")
    async def heard(event: dict[str, Any]) -> None:
        bench.seen.append(event)

    await fault(bench, "reorder", match={"event": "message"})
    await bench.act("message", text="first")
    await bench.act("message", text="second")
    await until(lambda: len(bench.seen) >= 2)
    assert [event["text"] for event in bench.seen[:2]] == ["second", "first"]


async def test_ghosts_swallow_their_share(bench: Bench) -> None:
    @bench.app.command("/kafka")
    async def asked(ack: Any) -> None:
        await ack()

    await fault(bench, "ghost_connections", n=3, times=1)
    answers = await asyncio.gather(*[bench.act("command", text="/kafka x") for _ in range(12)])
    outcomes = {answer.get("error", "ok") for answer in answers}
    assert outcomes == {"ok", "timeout"}
    await control(bench, "faults", method="DELETE")
    assert (await bench.act("command", text="/kafka x"))["ok"]


async def test_a_killed_line_is_opened_again(bench: Bench) -> None:
    sockets = bench.running.workspace.sockets
    old = sockets.connections[0]
    await fault(bench, "disconnect", reason="warning")
    await until(lambda: sockets.connections and old not in sockets.connections)
    survivor = sockets.connections[0]
    await fault(bench, "kill_tcp")
    await until(lambda: survivor not in sockets.connections)


async def test_state_changes_under_the_app(bench: Bench) -> None:
    await fault(bench, "deactivate_user", user="bob")
    assert (await bench.client.users_info(user="U0LAB0BOB1"))["user"]["deleted"]
    assert "deactivated" in (await bench.act("message", user="bob", text="x"))["sentence"]
    await fault(bench, "edit_usergroup", usergroup="kafka-approvers", users=["carol"])
    users = await bench.client.usergroups_users_list(usergroup="S0LABKAPPR")
    assert users["users"] == ["U0LABCAROL"]
    await fault(bench, "kick_bot", channel="#kafka")
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await bench.client.chat_postMessage(channel="C0LABKAFKA", text="x")
    await fault(bench, "revoke_token")
    with pytest.raises(SlackApiError, match="token_revoked"):
        await bench.client.auth_test()
    await control(bench, "reset", {})
    assert not (await bench.client.users_info(user="U0LAB0BOB1"))["user"]["deleted"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"action": "ratelimt"}, "there is no fault `ratelimt`"),
        ({"action": "error", "match": {"methode": "x"}}, "`match` is an object of"),
        ({"action": "error", "times": 0}, "`times` is a whole number from 1"),
        ({"action": "deactivate_user", "user": "bobb"}, "did you mean bob?"),
        ({"action": "edit_usergroup", "usergroup": "x", "users": []}, "kafka-approvers"),
        ({"action": "http", "status": 200}, "`status` is a number from 500 to 599"),
        ({"action": "slow", "s": "long"}, "`s` is a number from 0 to 600"),
        ([], "must be a JSON object"),
    ],
)
async def test_a_wrong_fault_is_answered_in_words(bench: Bench, body: Any, words: str) -> None:
    assert words in (await control(bench, "faults", body))["sentence"]


async def test_the_log_names_calls_and_deliveries_but_no_tokens(bench: Bench) -> None:
    await bench.client.auth_test(token=bench.running.bot_token)
    url = f"{bench.running.page_url}lab/log"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, params={"kind": "api"}) as answer,
    ):
        text = await answer.text()
    assert '"method": "auth.test"' in text
    assert bench.running.bot_token not in text
    clock = await control(bench, "clock", {"advance_seconds": 60})
    assert clock["now"] > bench.log("api")[-1]["at"] + 59


async def test_an_upload_is_a_method_of_its_own_to_faults(bench: Bench) -> None:
    """Both ways to be refused, then one that is taken although its answer is lost."""
    ticket = await bench.client.files_getUploadURLExternal(filename="a.png", length=3)
    url = str(ticket["upload_url"])
    await fault(bench, "http", match={"method": "upload"}, status=503)
    await fault(bench, "error", match={"method": "upload"}, code="no_room")
    await fault(bench, "reset_after_commit", match={"method": "upload"})
    async with aiohttp.ClientSession() as session:
        for status in (503, 403):
            async with session.post(url, data=b"abc") as answer:
                assert answer.status == status
        with pytest.raises(aiohttp.ClientError):
            await session.post(url, data=b"abc")
        async with session.post(url, data=b"abc") as answer:
            assert answer.status == 404, "it was taken, so the address is used up"


async def test_a_late_answer_comes_after_everybody_else_has_read_the_message(bench: Bench) -> None:
    await fault(bench, "late_answer", match={"method": "chat.postMessage"}, s=0.5)
    posting = asyncio.create_task(
        bench.client.chat_postMessage(channel="C0LABKAFKA", text="read me")
    )
    await until(bench.messages)
    assert not posting.done()
    assert (await posting)["ok"]
