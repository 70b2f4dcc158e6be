"""Buttons on messages, also on ephemeral ones."""

from typing import Any

from tests.lab.slack.conftest import QUICK, Bench, Serve, connect, hang_up, until


def button(text: str, action_id: str, **more: Any) -> dict[str, Any]:
    words = {"type": "plain_text", "text": text}
    return {"type": "button", "text": words, "action_id": action_id, "value": "R-1", **more}


def card(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    words = {"type": "mrkdwn", "text": "*R-1*"}
    return [
        {"type": "section", "text": words},
        {"type": "actions", "block_id": "votes", "elements": list(elements)},
    ]


async def test_a_click_updates_the_card(bench: Bench) -> None:
    @bench.app.action("approve")
    async def clicked(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        bench.seen.append(body)
        where = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        await client.chat_update(**where, text="approved", blocks=[{"type": "divider"}])

    blocks = card(button("Approve", "approve", style="primary"))
    posted = await bench.client.chat_postMessage(channel="C0LABKAFKA", text="R-1", blocks=blocks)
    assert (await bench.act("click", user="bob", ts=posted["ts"], action_id="Approve"))["ok"]
    await until(lambda: bench.messages()[0]["text"] == "approved")
    body = bench.seen[0]
    assert body["user"]["id"] == "U0LAB0BOB1"
    assert body["actions"][0]["value"] == "R-1"
    assert body["actions"][0]["block_id"] == "votes"
    assert body["container"]["message_ts"] == posted["ts"]
    gone = await bench.act("click", user="bob", ts=posted["ts"], action_id="approve")
    assert "no buttons" in gone["sentence"]


async def test_a_click_in_a_thread_names_the_thread(bench: Bench) -> None:
    @bench.app.action("go")
    async def clicked(ack: Any, body: dict[str, Any], respond: Any) -> None:
        await ack()
        bench.seen.append(body)
        await respond(text="done", replace_original=True)

    parent = await bench.client.chat_postMessage(channel="C0LABKAFKA", text="card")
    posted = await bench.client.chat_postMessage(
        channel="C0LABKAFKA", text="x", blocks=card(button("Go", "go")), thread_ts=parent["ts"]
    )
    await bench.act("click", ts=posted["ts"], action_id="go")
    await until(lambda: bench.messages()[1]["text"] == "done")
    assert bench.seen[0]["container"]["thread_ts"] == parent["ts"]


async def test_an_ephemeral_is_changed_and_deleted_through_its_response_url(bench: Bench) -> None:
    @bench.app.action("next")
    async def clicked(ack: Any, respond: Any, body: dict[str, Any]) -> None:
        await ack()
        bench.seen.append(body)
        await respond(text="sure?", blocks=card(button("Yes", "yes")), replace_original=True)

    @bench.app.action("yes")
    async def sure(ack: Any, respond: Any) -> None:
        await ack()
        await respond(delete_original=True)

    await bench.client.chat_postEphemeral(
        channel="C0LABKAFKA", user="U0LAB0ANN1", text="x", blocks=card(button("Next", "next"))
    )
    ts = bench.ephemerals("ann")[0]["ts"]
    assert (
        "no message" in (await bench.act("click", user="bob", ts=ts, action_id="next"))["sentence"]
    )
    await bench.act("click", ts=ts, action_id="next")
    await until(lambda: bench.ephemerals("ann")[0]["text"] == "sure?")
    assert bench.ephemerals("ann")[0]["ts"] == ts
    assert bench.seen[0]["container"]["is_ephemeral"]
    assert "blocks" not in bench.seen[0]["message"]
    await bench.act("click", ts=ts, action_id="yes")
    await until(lambda: not bench.ephemerals("ann"))


async def test_selects_and_checkboxes_report_their_state(bench: Bench) -> None:
    options = [
        {"text": {"type": "plain_text", "text": word}, "value": word.lower()}
        for word in ("Six", "Nine")
    ]
    select = {"type": "static_select", "action_id": "count", "options": options}
    boxes = {"type": "checkboxes", "action_id": "extras", "options": options}

    @bench.app.action("count")
    async def chosen(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        bench.seen.append(body)

    posted = await bench.client.chat_postMessage(
        channel="C0LABKAFKA", text="x", blocks=card(select, boxes)
    )
    wrong = await bench.act("select", ts=posted["ts"], action_id="count", value="seven")
    assert "there are six, nine" in wrong["sentence"]
    assert (await bench.act("select", ts=posted["ts"], action_id="count", value="nine"))["ok"]
    body = await until(lambda: bench.seen[-1])
    assert body["actions"][0]["selected_option"]["value"] == "nine"
    values = body["state"]["values"]["votes"]
    assert values["count"]["selected_option"]["value"] == "nine"
    assert values["extras"] == {"type": "checkboxes", "selected_options": []}


async def test_a_click_nobody_handles_fails_and_is_never_repeated(serving: Serve) -> None:
    bench = await serving(quirks=QUICK)
    posted = await bench.client.chat_postMessage(
        channel="C0LABKAFKA", text="x", blocks=card(button("Go", "go"))
    )
    failed = await bench.act("click", ts=posted["ts"], action_id="go")
    assert failed["error"] == "dispatch_failed"
    handler = await connect(bench.app, bench.running)
    failed = await bench.act("click", ts=posted["ts"], action_id="go")
    assert (failed["error"], failed["sentence"]) == (
        "timeout",
        "Go failed: the app did not answer in 3 seconds (timeout).",
    )
    bench.running.workspace.clock.advance(seconds=400)
    assert [d["status"] for d in bench.log("delivery") if d["type"] == "interactive"] == [
        "no_connection",
        "timeout",
    ]
    await hang_up(handler)
