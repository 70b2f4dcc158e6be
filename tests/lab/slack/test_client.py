"""say, press and read: two people without a browser."""

import asyncio
import re
from typing import Any

import pytest

from lab.slack.client import LabRefused, press, read, say
from tests.lab.slack.conftest import Bench

HEADER = {"type": "header", "text": {"type": "plain_text", "text": "R-1 · six brokers"}}
LINE = {
    "type": "section",
    "text": {"type": "mrkdwn", "text": "asked by <@U0LAB0ANN1> in <#C0LABKAFKA>"},
}
VOTES = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "approve",
            "text": {"type": "plain_text", "text": "Approve"},
            "value": "R-1",
        }
    ],
}


async def run(function: Any, **arguments: Any) -> Any:
    return await asyncio.to_thread(function, **arguments)


async def test_two_people_ask_approve_and_read(bench: Bench) -> None:
    @bench.app.command("/kafka")
    async def asked(ack: Any, client: Any, respond: Any) -> None:
        await ack()
        await client.chat_postMessage(
            channel="C0LABKAFKA", text="R-1", blocks=[HEADER, LINE, VOTES]
        )
        await respond("R-1 is prepared")

    @bench.app.action("approve")
    async def approved(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        where = {"channel": "C0LABKAFKA", "thread_ts": body["message"]["ts"]}
        await client.chat_postMessage(text=f"approved by <@{body['user']['id']}>", **where)

    page_url = bench.running.page_url
    said = await run(
        say, page_url=page_url, as_name="ann", channel="#kafka", text="/kafka scale brokers 6"
    )
    assert said["ts"] is None
    card = next(m for m in said["answers"] if m["buttons"])
    assert card["text"] == "R-1 · six brokers\nasked by @ann in #kafka"
    assert card["buttons"] == [{"text": "Approve", "action_id": "approve", "type": "button"}]
    assert (
        await run(press, page_url=page_url, as_name="bob", message_ts=card["ts"], button="Approve")
    )["ok"]
    said = await run(
        say,
        page_url=page_url,
        as_name="carol",
        channel="kafka",
        text="thanks @bob",
        thread_ts=card["ts"],
    )
    thread = await run(read, page_url=page_url, channel="#kafka", thread_ts=card["ts"])
    assert [m["text"] for m in thread[1:]] == ["approved by @bob", "thanks @bob"]
    assert thread[-1]["ts"] == said["ts"]
    ephemeral = await run(read, page_url=page_url, channel="#kafka", as_name="ann")
    assert [m["text"] for m in ephemeral if m["ephemeral"]] == ["R-1 is prepared"]
    for_bob = await run(read, page_url=page_url, channel="#kafka", as_name="bob")
    assert not [m for m in for_bob if m["ephemeral"]]


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        (say, {"as_name": "bobb", "channel": "#kafka", "text": "x"}, "did you mean bob?"),
        (say, {"as_name": "ann", "channel": "#kafak", "text": "x"}, "did you mean #kafka"),
        (say, {"as_name": "ann", "channel": "#kafka", "text": "/kafak"}, "did you mean /kafka?"),
        (say, {"as_name": "ann", "channel": "#kafka", "text": " "}, "the text is blank"),
        (read, {"channel": "#nowhere"}, "there is no channel #nowhere"),
        (read, {"channel": "#kafka", "thread_ts": "1.0"}, "there is no message 1.0"),
        (read, {"channel": "#kafka", "as_name": "nobody"}, "there is nobody called nobody"),
        (press, {"as_name": "ann", "message_ts": "1.0", "button": "x"}, "sees no message 1.0"),
    ],
)
async def test_what_does_not_exist_is_answered_with_what_does(
    bench: Bench, function: Any, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(LabRefused, match=re.escape(words)):
        await run(function, page_url=bench.running.page_url, **arguments)


async def test_a_wrong_button_names_the_buttons(bench: Bench) -> None:
    posted = await bench.client.chat_postMessage(channel="C0LABKAFKA", text="R-1", blocks=[VOTES])
    with pytest.raises(LabRefused, match="did you mean Approve"):
        await run(
            press,
            page_url=bench.running.page_url,
            as_name="bob",
            message_ts=posted["ts"],
            button="Aprove",
        )


def test_a_lab_that_is_down_is_said_in_words() -> None:
    with pytest.raises(LabRefused, match="is the lab up"):
        read(page_url="http://127.0.0.1:9/", channel="#kafka")
    with pytest.raises(LabRefused, match="must start with http"):
        read(page_url="file:///etc/", channel="#kafka")
