"""The Web API's outside: how arguments arrive, scopes, headers, unknown methods, rates, and reading methods."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from lab.slack import Running
from tests.lab.slack.conftest import READING_MANIFEST, Bench, Serve


async def raw(running: Running, name: str, **request: Any) -> tuple[int, dict[str, Any], Any]:
    token = request.pop("token", running.bot_token)
    method = request.pop("method", "POST")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= request.pop("headers", {})
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, running.api_url + name, headers=headers, **request) as answer,
    ):
        return answer.status, await answer.json(), answer.headers


@pytest.mark.parametrize(
    "request_form",
    [
        {"method": "GET", "params": {"channel": "C0LABKAFKA"}},
        {
            "params": {"channel": "C0LABKAFKA"},
            "data": b"",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        {"data": {"channel": "C0LABKAFKA"}},
        {"json": {"channel": "C0LABKAFKA", "team_id": "T0LABACME1"}},
        {"data": {"channel": "C0LABKAFKA", "token": "TOKEN"}, "token": ""},
    ],
)
async def test_arguments_arrive_in_any_way_a_client_sends_them(
    serving: Serve, request_form: dict[str, Any]
) -> None:
    running = (await serving(manifest_path=READING_MANIFEST)).running
    data = request_form.get("data")
    if isinstance(data, dict) and "token" in data:
        request_form = {**request_form, "data": {**data, "token": running.bot_token}}
    _, body, headers = await raw(running, "conversations.info", **request_form)
    assert body["channel"]["name"] == "kafka"
    assert "channels:read" in headers["x-oauth-scopes"]


@pytest.mark.parametrize(
    ("name", "request_form", "code"),
    [
        ("auth.test", {"token": ""}, "not_authed"),
        ("auth.test", {"token": "xoxb-nobody"}, "invalid_auth"),
        (
            "auth.test",
            {"data": b"{", "headers": {"Content-Type": "application/json"}},
            "invalid_json",
        ),
        (
            "auth.test",
            {"data": b"[]", "headers": {"Content-Type": "application/json"}},
            "json_not_object",
        ),
        (
            "auth.test",
            {"data": b"x", "headers": {"Content-Type": "text/plain"}},
            "invalid_post_type",
        ),
        ("no.such", {}, "unknown_method"),
        ("pins.add", {}, "lab_not_implemented"),
        ("users.info", {}, "invalid_arguments"),
        ("users.info", {"data": {"user": "U1"}}, "user_not_found"),
        ("usergroups.users.list", {"data": {"usergroup": "S1"}}, "no_such_subteam"),
        ("conversations.info", {"data": {"channel": "C1"}}, "channel_not_found"),
        ("conversations.list", {"data": {"types": "secret"}}, "invalid_types"),
        ("conversations.list", {"data": {"types": "im"}}, "missing_scope"),
        ("conversations.history", {"data": {"channel": "C0LABRANDM"}}, "not_in_channel"),
        (
            "conversations.history",
            {"data": {"channel": "C0LABKAFKA", "oldest": "x"}},
            "invalid_ts_oldest",
        ),
        (
            "conversations.history",
            {"data": {"channel": "C0LABKAFKA", "limit": "0"}},
            "invalid_limit",
        ),
        ("conversations.join", {"data": {"channel": "C0LABRANDM"}}, "missing_scope"),
        ("reactions.add", {"data": {"name": "x"}}, "missing_scope"),
        (
            "chat.update",
            {"data": {"channel": "C0LABKAFKA", "ts": "1.0", "text": "x"}},
            "message_not_found",
        ),
    ],
)
async def test_refusals_carry_slacks_codes_with_http_200(
    serving: Serve, name: str, request_form: dict[str, Any], code: str
) -> None:
    status, body, _ = await raw(
        (await serving(manifest_path=READING_MANIFEST)).running, name, **request_form
    )
    assert (status, body["ok"], body["error"]) == (200, False, code)


async def test_json_without_charset_is_taken_with_a_warning(serving: Serve) -> None:
    headers = {"Content-Type": "application/json"}
    _, body, _ = await raw((await serving()).running, "auth.test", data=b"{}", headers=headers)
    assert body["ok"]
    assert body["response_metadata"]["warnings"] == ["missing_charset"]


async def test_people_and_groups_are_told_as_they_are(bench: Bench) -> None:
    eve = (await bench.client.users_info(user="U0LAB0EVE1"))["user"]
    assert eve["deleted"] is True
    assert "is_restricted" not in eve
    gus = (await bench.client.users_info(user="U0LAB0GUS1"))["user"]
    assert gus["is_restricted"] is True
    ivy = (await bench.client.users_info(user="U0LAB0IVY1"))["user"]
    assert (ivy["is_stranger"], ivy["team_id"]) == (True, "T0LABOTHER")
    assert "email" not in gus["profile"]
    groups = (await bench.client.usergroups_list(include_users=True))["usergroups"]
    assert groups[0]["handle"] == "kafka-approvers"
    users = (await bench.client.usergroups_users_list(usergroup=groups[0]["id"]))["users"]
    assert users == ["U0LAB0BOB1", "U0LABCAROL", "U0LAB0DAN1", "U0LAB0EVE1"]


async def test_channels_come_in_pages_and_private_ones_only_to_members(wide: Bench) -> None:
    first = await wide.client.conversations_list(types="public_channel,private_channel", limit=4)
    cursor = first["response_metadata"]["next_cursor"]
    rest = await wide.client.conversations_list(
        types="public_channel,private_channel", limit=4, cursor=cursor
    )
    names = [c["name"] for page in (first, rest) for c in page["channels"]]
    assert names == ["general", "random", "kafka", "kafka-ops", "payments", "old-kafka"]
    assert rest["response_metadata"]["next_cursor"] == ""
    with pytest.raises(SlackApiError, match="invalid_cursor"):
        await wide.client.conversations_list(types="public_channel", cursor=cursor)


async def test_reactions_join_and_direct_messages(wide: Bench) -> None:
    posted = await wide.client.chat_postMessage(channel="U0LAB0ANN1", text="psst")
    assert posted["channel"].startswith("D")
    opened = await wide.client.conversations_open(users="U0LAB0ANN1")
    assert opened["channel"]["id"] == posted["channel"]
    where = {"channel": posted["channel"], "timestamp": posted["ts"]}
    await wide.client.reactions_add(name="eyes", **where)
    with pytest.raises(SlackApiError, match="already_reacted"):
        await wide.client.reactions_add(name="eyes", **where)
    await wide.client.reactions_remove(name="eyes", **where)
    assert "reactions" not in wide.messages(posted["channel"])[0]
    assert (await wide.client.conversations_join(channel="C0LABRANDM"))["channel"]["is_member"]
    with pytest.raises(SlackApiError, match="user_disabled"):
        await wide.client.conversations_open(users="U0LAB0EVE1")


async def test_a_permalink_names_its_thread(bench: Bench) -> None:
    parent = await bench.client.chat_postMessage(channel="C0LABKAFKA", text="card")
    reply = await bench.client.chat_postMessage(
        channel="C0LABKAFKA", text="r", thread_ts=parent["ts"]
    )
    link = await bench.client.chat_getPermalink(channel="C0LABKAFKA", message_ts=reply["ts"])
    stamp = reply["ts"].replace(".", "")
    assert link["permalink"].endswith(
        f"/archives/C0LABKAFKA/p{stamp}?thread_ts={parent['ts']}&cid=C0LABKAFKA"
    )


async def test_rates_have_a_burst_or_none(serving: Serve) -> None:
    for mode, allowed in (("real", 8), ("strict", 1), ("off", 12)):
        bench = await serving(rate_mode=mode)
        sent = 0
        for _ in range(12):
            status, body, headers = await raw(
                bench.running, "chat.postMessage", json={"channel": "C0LABKAFKA", "text": "x"}
            )
            if status == 429:
                assert (body["error"], headers["Retry-After"]) == ("ratelimited", "1")
                break
            sent += 1
        assert sent in (allowed, allowed + 1), mode
        if mode == "strict":
            bench.running.workspace.clock.advance(seconds=1.1)
            await bench.client.chat_postMessage(channel="C0LABKAFKA", text="after the wait")


async def test_only_this_machine_and_this_page_may_act(serving: Serve) -> None:
    running = (await serving()).running
    async with aiohttp.ClientSession() as session:
        foreign = {"Origin": "http://evil.example"}
        act = {"do": "message", "user": "ann", "channel": "#kafka", "text": "x"}
        assert (
            await session.post(f"{running.page_url}lab/act", json=act, headers=foreign)
        ).status == 403
        rebound = {"Host": "evil.example"}
        assert (await session.get(running.page_url, headers=rebound)).status == 403
        assert (await session.post(f"{running.page_url}lab/act", json=act)).status == 200
