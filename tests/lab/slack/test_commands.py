"""Slash commands, answered by an unmodified Bolt app."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.lab.slack.conftest import Bench, Serve, connect, hang_up, until


async def test_an_ack_with_text_becomes_an_ephemeral_for_the_asker_only(bench: Bench) -> None:
    @bench.app.command("/kafka")
    async def asked(ack: Any, command: dict[str, Any]) -> None:
        bench.seen.append(command)
        await ack("three brokers")

    answer = await bench.act("command", text="/kafka status")
    assert answer["ok"]
    assert answer["answer"]["text"] == "three brokers"
    assert [m["text"] for m in bench.ephemerals("ann")] == ["three brokers"]
    assert bench.ephemerals("bob") == []
    assert bench.messages() == []
    command = bench.seen[0]
    assert (command["command"], command["text"]) == ("/kafka", "status")
    assert command["channel_name"] == "kafka"
    assert command["user_name"] == "ann"


async def test_should_escape_turns_names_into_ids(wide: Bench) -> None:
    for name in ("/kafka", "/raw"):

        @wide.app.command(name)
        async def asked(ack: Any, command: dict[str, Any]) -> None:
            wide.seen.append(command)
            await ack()

    await wide.act("command", text="/kafka ask @bob in #random & <b> @kafka-approvers")
    await wide.act("command", text="/raw ask @bob")
    escaped = wide.seen[0]["text"]
    assert escaped == (
        "ask <@U0LAB0BOB1|bob> in <#C0LABRANDM|random> &amp; &lt;b&gt; "
        "<!subteam^S0LABKAPPR|@kafka-approvers>"
    )
    assert wide.seen[1]["text"] == "ask @bob"


async def test_respond_works_before_and_after_the_ack_and_five_times_only(bench: Bench) -> None:
    @bench.app.command("/kafka")
    async def asked(ack: Any, respond: Any, command: dict[str, Any]) -> None:
        await respond("before the ack")
        await ack()
        await respond(text="for all", response_type="in_channel")
        bench.seen.append(command)

    assert (await bench.act("command", text="/kafka help"))["ok"]
    await until(lambda: bench.seen)
    assert [m["text"] for m in bench.ephemerals("ann")] == ["before the ack"]
    assert [m["text"] for m in bench.messages()] == ["for all"]
    url = bench.seen[0]["response_url"]
    async with aiohttp.ClientSession() as session:
        statuses = [(await session.post(url, json={"text": "again"})).status for _ in range(4)]
    assert statuses == [200, 200, 200, 404]


async def test_a_late_ack_and_no_ack_are_told_as_timeout(bench: Bench) -> None:
    @bench.app.command("/kafka")
    async def asked(ack: Any) -> None:
        await asyncio.sleep(1.3)
        await ack("too late")

    answer = await bench.act("command", text="/kafka status")
    assert (answer["ok"], answer["error"]) == (False, "timeout")
    assert bench.ephemerals("ann") == []
    assert bench.log("delivery")[-1]["status"] == "timeout"


async def test_without_a_connection_a_command_fails_at_once(serving: Serve) -> None:
    bench = await serving()
    answer = await bench.act("command", text="/kafka status")
    assert answer["error"] == "dispatch_failed"
    handler = await connect(bench.app, bench.running)
    await asyncio.sleep(0.1)
    assert [d["status"] for d in bench.log("delivery")] == ["no_connection"]
    await hang_up(handler)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ({"text": "/kafak status"}, "did you mean /kafka"),
        ({"text": "/kafka x", "thread_ts": "1.000001"}, "cannot be used in a thread"),
        ({"text": "/kafka x", "user": "anne"}, "did you mean ann"),
        ({"text": "/kafka x", "user": "eve"}, "deactivated"),
        ({"text": "/kafka x", "user": "ivy"}, "another workspace"),
        ({"text": "/kafka x", "channel": "#kafak"}, "did you mean #kafka"),
        ({"text": "/kafka x", "channel": "#old-kafka"}, "archived"),
        ({"text": "/kafka x", "channel": "#payments", "user": "bob"}, "sees no channel"),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_words(
    bench: Bench, act: dict[str, Any], words: str
) -> None:
    answer = await bench.act("command", **act)
    assert not answer["ok"]
    assert words in answer["sentence"]
    assert bench.log("delivery") == []
