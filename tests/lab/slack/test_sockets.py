"""Socket Mode under disturbance: reconnecting, redelivery of events only, several connections, dead ones."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.lab.slack.conftest import QUICK, Bench, Serve, connect, hang_up, until


def listen(bench: Bench) -> None:
    @bench.app.event("message")
    async def heard(event: dict[str, Any]) -> None:
        bench.seen.append(event)


async def test_the_app_comes_back_after_a_disconnect(bench: Bench) -> None:
    listen(bench)
    sockets = bench.running.workspace.sockets
    old = sockets.connections[0]
    await sockets.disconnect(old, reason="refresh_requested")
    await until(lambda: sockets.connections and sockets.connections[0] is not old)
    await bench.act("message", text="still there?")
    await until(lambda: bench.seen)


async def test_an_event_of_the_deaf_gap_arrives_as_a_retry(serving: Serve) -> None:
    bench = await serving(quirks=QUICK)
    listen(bench)
    await bench.act("message", text="nobody hears this yet")
    await until(lambda: len(bench.log("delivery")) == 2)
    handler = await connect(bench.app, bench.running)
    bench.running.workspace.clock.advance(seconds=61)
    await until(lambda: bench.seen)
    await until(lambda: len(bench.log("delivery")) == 3)
    lines = bench.log("delivery")
    assert [line["status"] for line in lines] == ["no_connection", "no_connection", "acked"]
    assert [line["retry_attempt"] for line in lines] == [0, 1, 2]
    assert len({line["payload"]["event_id"] for line in lines}) == 1
    assert len({line["envelope_id"] for line in lines}) == 3
    await hang_up(handler)


async def test_an_unacked_event_is_given_up_after_three_retries(bench: Bench) -> None:
    await bench.act("message", text="nobody listens to messages")
    await until(lambda: len(bench.log("delivery")) == 2)
    bench.running.workspace.clock.advance(seconds=61)
    await until(lambda: len(bench.log("delivery")) == 3)
    bench.running.workspace.clock.advance(seconds=301)
    await until(lambda: bench.log("delivery")[-1]["status"] == "given up")
    assert [d.get("retry_attempt") for d in bench.log("delivery")] == [0, 1, 2, 3, None]


async def test_each_payload_goes_to_exactly_one_of_several_connections(bench: Bench) -> None:
    @bench.app.command("/kafka")
    async def asked(ack: Any, command: dict[str, Any]) -> None:
        bench.seen.append(command)
        await ack()

    second = await connect(bench.app, bench.running)
    for number in range(12):
        assert (await bench.act("command", text=f"/kafka show R-{number}"))["ok"]
    counts = [c.delivered for c in bench.running.workspace.sockets.connections]
    assert sum(counts) == 12
    assert min(counts) > 0
    assert len(bench.seen) == 12
    await hang_up(second)


async def test_the_eleventh_connection_is_turned_away(serving: Serve) -> None:
    bench = await serving()
    async with aiohttp.ClientSession() as session:
        opened = []
        for number in range(11):
            if number == 9:
                bench.running.workspace.rates.clear()
            answer = await bench.client.apps_connections_open(app_token=bench.running.app_token)
            socket = await session.ws_connect(answer["url"])
            opened.append((socket, await socket.receive_json()))
        assert opened[9][1] == {
            "type": "hello",
            "num_connections": 10,
            "connection_info": {"app_id": "A0LABOTTLA"},
            "debug_info": {
                "host": "applink-lab",
                "build_number": 10,
                "approximate_connection_time": 18060,
            },
        }
        assert opened[10][1]["reason"] == "too_many_websockets"
        for socket, _ in opened:
            await socket.close()


async def test_a_socket_address_works_once(serving: Serve) -> None:
    bench = await serving()
    url = (await bench.client.apps_connections_open(app_token=bench.running.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        await (await session.ws_connect(url)).close()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_sockets_want_the_app_token(serving: Serve) -> None:
    bench = await serving()
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await bench.client.apps_connections_open(app_token=bench.running.bot_token)
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await bench.client.apps_connections_open(app_token="xapp-1-nobody")


async def test_a_ping_comes_back_with_the_same_bytes(serving: Serve) -> None:
    bench = await serving()
    url = (await bench.client.apps_connections_open(app_token=bench.running.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(url, autoping=False)
        await socket.receive_json()
        await socket.ping(b"Ping-pong:1234")
        pong = await socket.receive(timeout=1)
        assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"Ping-pong:1234")
        await socket.close()
