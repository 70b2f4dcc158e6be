"""Whatever arrives is acknowledged, and a person always gets an answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bot.conftest import KAFKA, Desk

USER = {"id": "U0LAB0BOB1"}
ACTION = {"type": "button", "action_id": "of:yesterday", "block_id": "b", "value": "R-1:1"}
PLACE = {"type": "message", "message_ts": "1.0", "channel_id": KAFKA}
VIEW = {"id": "V1", "type": "modal", "callback_id": "of:yesterday", "state": {"values": {}}}
EVENT = {"type": "channel_rename", "channel": {"id": KAFKA}}


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "block_actions", "user": USER, "container": PLACE, "actions": [ACTION]},
        {"type": "block_actions", "user": USER, "container": {"type": "view"}, "actions": [ACTION]},
        {"type": "view_submission", "user": USER, "view": VIEW},
        {"type": "view_closed", "user": USER, "view": VIEW},
        {"type": "shortcut", "user": USER, "callback_id": "of:yesterday"},
        {"type": "message_action", "user": USER, "callback_id": "x", "channel": {"id": KAFKA}},
        {"type": "block_suggestion", "user": USER, "action_id": "x", "value": "", "block_id": "b"},
        {"type": "event_callback", "event": EVENT, "event_id": "Ev1"},
        {"type": "event_callback", "event": {"type": "never_heard_of"}, "event_id": "Ev2"},
        {"command": "/other", "text": "x", "user_id": "U0LAB0BOB1", "channel_id": KAFKA},
    ],
    ids=lambda payload: str(payload.get("type", payload.get("command"))),
)
async def test_what_nobody_knows_is_acknowledged(desk: Desk, payload: dict[str, Any]) -> None:
    assert await desk.deliver(**payload) == 200


async def test_a_button_of_an_older_version_is_answered(desk: Desk) -> None:
    await desk.deliver(type="block_actions", user=USER, container=PLACE, actions=[ACTION])
    await desk.until_told("bob", "not one I know any more")


async def test_a_payload_that_breaks_a_listener_is_acknowledged_all_the_same(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    act = {"type": "button", "action_id": "request:approve", "block_id": "b"}
    broken = {"type": "block_actions", "user": USER, "container": None, "actions": [act]}
    assert await desk.deliver(**broken) == 200
    assert await desk.deliver(command="/kafka", text="scale brokers 6", channel_id=KAFKA) == 200
    assert "reference" in caplog.text
