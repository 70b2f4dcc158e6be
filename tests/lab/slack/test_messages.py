"""Messages of people and of the app: events, threads, updates, ephemerals, history."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.lab.slack.conftest import Bench, until


def listen(bench: Bench) -> None:
    @bench.app.event("message")
    async def heard(event: dict[str, Any]) -> None:
        bench.seen.append(event)


async def test_a_typed_message_and_a_reply_reach_the_app(bench: Bench) -> None:
    listen(bench)
    asked = await bench.act("message", text="who moves *it*, @bob?")
    await until(lambda: len(bench.seen) == 1)
    reply = await bench.act("message", text="approve", user="bob", thread_ts=asked["ts"])
    await until(lambda: len(bench.seen) == 3)
    first, second, parent = bench.seen
    assert first["text"] == "who moves *it*, <@U0LAB0BOB1>?"
    assert first["channel_type"] == "channel"
    assert "subtype" not in first
    assert first["blocks"][0]["type"] == "rich_text"
    both = {e["ts"]: e for e in (second, parent)}
    assert both[reply["ts"]]["thread_ts"] == asked["ts"]
    assert both[reply["ts"]]["parent_user_id"] == first["user"]
    changed = next(e for e in (second, parent) if e.get("subtype") == "message_changed")
    assert changed["message"]["reply_count"] == 1
    assert "reply_count" not in changed["previous_message"]


async def test_edits_and_deletes_of_people_are_events_too(bench: Bench) -> None:
    listen(bench)
    said = await bench.act("message", text="approve")
    await bench.act("edit", ts=said["ts"], text="deny")
    await bench.act("delete", ts=said["ts"])
    await until(lambda: len(bench.seen) == 3)
    subtypes = sorted(str(e.get("subtype")) for e in bench.seen)
    assert subtypes == ["None", "message_changed", "message_deleted"]
    refused = await bench.act("edit", ts=said["ts"], text="x")
    assert "no message" in refused["sentence"]


async def test_only_channels_with_the_bot_raise_events(bench: Bench) -> None:
    listen(bench)
    await bench.act("message", channel="#random", text="hello")
    await bench.act("message", channel="#payments", text="psst")
    await until(lambda: bench.seen)
    assert [e["channel_type"] for e in bench.seen] == ["group"]


async def test_a_mention_fires_twice_under_different_event_ids(wide: Bench) -> None:
    listen(wide)

    @wide.app.event("app_mention")
    async def mentioned(event: dict[str, Any]) -> None:
        wide.seen.append(event)

    await wide.act("message", text="hey @wide")
    await until(lambda: len(wide.seen) == 2)
    await until(lambda: len(wide.log("delivery")) == 2)
    ids = {d["payload"]["event_id"] for d in wide.log("delivery")}
    assert {e["type"] for e in wide.seen} == {"message", "app_mention"}
    assert len(ids) == 2


async def test_post_update_delete_with_metadata_in_history(bench: Bench) -> None:
    metadata = {"event_type": "request", "event_payload": {"id": "R-1"}}
    posted = await bench.client.chat_postMessage(
        channel="#kafka", text="a & b <c>", metadata=metadata, blocks=[{"type": "divider"}]
    )
    ts, channel = posted["ts"], posted["channel"]
    assert channel == "C0LABKAFKA"
    assert posted["message"]["text"] == "a &amp; b &lt;c&gt;"
    assert posted["message"]["blocks"][0]["block_id"]
    await bench.client.chat_update(
        channel=channel, ts=ts, text="later", blocks=[{"type": "divider"}]
    )
    history = await bench.client.conversations_history(channel=channel, include_all_metadata=True)
    assert history["messages"][0]["metadata"] == metadata
    assert "edited" not in history["messages"][0]
    without = await bench.client.conversations_history(channel=channel)
    assert "metadata" not in without["messages"][0]
    await bench.client.chat_update(channel=channel, ts=ts, text="only text")
    history = await bench.client.conversations_history(channel=channel)
    assert history["messages"][0]["blocks"][0]["type"] == "rich_text"
    assert "edited" in history["messages"][0]
    await bench.client.chat_delete(channel=channel, ts=ts)
    assert bench.messages() == []


async def test_a_thread_is_read_with_its_parent_first(bench: Bench) -> None:
    parent = await bench.client.chat_postMessage(channel="C0LABKAFKA", text="card")
    for text in ("one", "two"):
        reply = await bench.client.chat_postMessage(
            channel="C0LABKAFKA", text=text, thread_ts=parent["ts"]
        )
    # A reply's ts leads to its thread as well.
    thread = await bench.client.conversations_replies(channel="C0LABKAFKA", ts=reply["ts"])
    assert [m["text"] for m in thread["messages"]] == ["card", "one", "two"]
    assert thread["messages"][0]["reply_count"] == 2
    await bench.client.chat_delete(channel="C0LABKAFKA", ts=parent["ts"])
    assert bench.messages()[0]["subtype"] == "tombstone"


async def test_short_pages_lead_through_all_of_the_history(bench: Bench) -> None:
    for number in range(5):
        await bench.client.chat_postMessage(channel="C0LABKAFKA", text=str(number))
    seen: list[str] = []
    cursor = ""
    while True:
        page = await bench.client.conversations_history(
            channel="C0LABKAFKA", limit=2, cursor=cursor
        )
        seen += [m["text"] for m in page["messages"]]
        cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
        if not cursor:
            break
    assert seen == ["4", "3", "2", "1", "0"]
    with pytest.raises(SlackApiError, match="invalid_cursor"):
        await bench.client.conversations_history(channel="C0LABKAFKA", cursor="bm9uc2Vuc2U=")


async def test_an_ephemeral_is_seen_by_one_and_kept_in_no_history(bench: Bench) -> None:
    await bench.client.chat_postEphemeral(channel="C0LABKAFKA", user="U0LAB0ANN1", text="for you")
    assert [m["text"] for m in bench.ephemerals("ann")] == ["for you"]
    assert bench.messages() == []
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        await bench.client.chat_postEphemeral(channel="C0LABKOPS1", user="U0LAB0ANN1", text="x")
    ts = bench.ephemerals("ann")[0]["ts"]
    assert not (await bench.act("dismiss", user="bob", ts=ts))["ok"]
    assert (await bench.act("dismiss", ts=ts))["ok"]
    assert bench.ephemerals("ann") == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ({"channel": "#random", "text": "x"}, "not_in_channel"),
        ({"channel": "#old-kafka", "text": "x"}, "is_archived"),
        ({"channel": "#kafka", "text": " "}, "no_text"),
        ({"channel": "#kafka", "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": "#kafka", "text": "x", "metadata": {"a": 1}}, "invalid_metadata_format"),
        ({"channel": "#kafka", "blocks": "{", "text": "x"}, "invalid_blocks_format"),
        ({"channel": "#kafka", "blocks": [{"type": "nope"}], "text": "x"}, "invalid_blocks"),
        ({"channel": "#kafka", "text": "x", "username": "boss"}, "missing_scope"),
    ],
)
async def test_posts_are_refused_with_slacks_codes(
    bench: Bench, arguments: dict[str, Any], code: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        await bench.client.api_call("chat.postMessage", json=arguments)
    assert refused.value.response["error"] == code
    assert bench.messages() == []


async def test_people_write_only_where_they_are_members(bench: Bench) -> None:
    assert (await bench.act("message", channel="#kafka-ops", text="x"))["error"] == "not_in_channel"
    assert (await bench.act("join", channel="#kafka-ops"))["ok"]
    assert (await bench.act("message", channel="#kafka-ops", text="x"))["ok"]
    assert (await bench.act("message", text="   "))["sentence"].startswith(
        "there is nothing to send"
    )
