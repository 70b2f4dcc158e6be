"""Modals: opening in time, errors under inputs, update, push, clear, and closing."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.lab.slack.conftest import Bench, until


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def modal(callback_id: str = "reject", **more: Any) -> dict[str, Any]:
    reason = {"type": "plain_text_input", "action_id": "text", "max_length": 40}
    sizes = [{"text": plain(word), "value": word} for word in ("six", "nine")]
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain("Reject"),
        "submit": plain("Send"),
        "blocks": [
            {"type": "input", "block_id": "reason", "label": plain("Reason"), "element": reason},
            {
                "type": "input",
                "block_id": "size",
                "optional": True,
                "label": plain("Size"),
                "element": {"type": "static_select", "action_id": "pick", "options": sizes},
            },
        ],
        **more,
    }


async def opened(bench: Bench, view: dict[str, Any]) -> dict[str, Any]:
    """A command opens the modal even before its ack, as async Bolt does on the wire."""

    @bench.app.command("/kafka")
    async def asked(ack: Any, client: Any, command: dict[str, Any]) -> None:
        answer = await client.views_open(trigger_id=command["trigger_id"], view=view)
        bench.seen.append(dict(answer["view"]))
        bench.seen.append(command)
        await ack()

    assert (await bench.act("command", text="/kafka reject"))["ok"]
    return bench.seen[0]


async def test_errors_stay_under_the_input_until_a_good_submission(bench: Bench) -> None:
    @bench.app.view("reject")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        bench.seen.append(view)
        text = view["state"]["values"]["reason"]["text"]["value"]
        if text == "no":
            await ack(response_action="errors", errors={"reason": "say why"})
        else:
            await ack()

    view = await opened(bench, modal())
    empty = await bench.act("submit", view_id=view["id"], values={})
    assert empty["errors"] == {"reason": "Please complete this required field."}
    short = {"reason": {"text": "no"}}
    refused = await bench.act("submit", view_id=view["id"], values=short)
    assert refused["errors"] == {"reason": "say why"}
    values = {"reason": {"text": "too big"}, "size": {"pick": "six"}}
    assert (await bench.act("submit", view_id=view["id"], values=values))["ok"]
    state = bench.seen[-1]["state"]["values"]
    assert state["size"]["pick"]["selected_option"]["value"] == "six"
    assert bench.seen[2]["state"]["values"]["size"]["pick"]["selected_option"] is None
    gone = await bench.act("submit", view_id=view["id"], values=values)
    assert gone["error"] == "no_such_view"


async def test_what_was_typed_is_judged_by_name_and_option(bench: Bench) -> None:
    view = await opened(bench, modal())
    wrong = await bench.act("submit", view_id=view["id"], values={"reasen": {"text": "x"}})
    assert "there is reason/text, size/pick" in wrong["sentence"]
    wrong = await bench.act("submit", view_id=view["id"], values={"size": {"pick": "ten"}})
    assert "there are six, nine" in wrong["sentence"]
    long = await bench.act("submit", view_id=view["id"], values={"reason": {"text": "x" * 41}})
    assert not long["ok"]


async def test_push_update_and_clear_move_the_stack(bench: Bench) -> None:
    @bench.app.view("reject")
    async def submitted(ack: Any) -> None:
        await ack(response_action="push", view=modal("second"))

    @bench.app.view("second")
    async def again(ack: Any, view: dict[str, Any]) -> None:
        bench.seen.append(view)
        await ack(response_action="clear")

    view = await opened(bench, modal())
    values = {"reason": {"text": "x"}}
    assert (await bench.act("submit", view_id=view["id"], values=values))["ok"]
    views = [v for v in bench.running.workspace.views.values() if v.is_open]
    assert [v.content["callback_id"] for v in views] == ["reject", "second"]
    assert (await bench.act("submit", view_id=views[1].id, values=values))["ok"]
    assert bench.seen[-1]["previous_view_id"] == view["id"]
    assert bench.seen[-1]["root_view_id"] == view["id"]
    assert not [v for v in bench.running.workspace.views.values() if v.is_open]


async def test_an_update_keeps_values_and_needs_the_right_hash(bench: Bench) -> None:
    view = await opened(bench, modal())
    await bench.act("submit", view_id=view["id"], values={"size": {"pick": "six"}})
    fresh = await bench.client.views_update(view_id=view["id"], view=modal(), hash=view["hash"])
    assert fresh["view"]["state"]["values"]["size"]["pick"]["selected_option"]["value"] == "six"
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await bench.client.views_update(view_id=view["id"], view=modal(), hash=view["hash"])


async def test_closing_is_told_only_if_asked_for(bench: Bench) -> None:
    @bench.app.view_closed("reject")
    async def closed(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        bench.seen.append(body)

    view = await opened(bench, modal(notify_on_close=True))
    assert (await bench.act("close", view_id=view["id"], all=True))["ok"]
    await until(lambda: len(bench.seen) == 3)
    assert bench.seen[-1]["is_cleared"] is True


async def test_a_submission_without_ack_keeps_the_modal_open(bench: Bench) -> None:
    view = await opened(bench, modal("nobody-listens"))
    answer = await bench.act("submit", view_id=view["id"], values={"reason": {"text": "x"}})
    assert answer["error"] == "timeout"
    assert bench.running.workspace.views[view["id"]].is_open


async def test_triggers_work_once_and_three_seconds(bench: Bench) -> None:
    await opened(bench, modal())
    trigger_id = bench.seen[1]["trigger_id"]
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await bench.client.views_open(trigger_id=trigger_id, view=modal())
    bench.running.workspace.triggers[trigger_id].used = False
    bench.running.workspace.clock.advance(seconds=3.5)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await bench.client.views_open(trigger_id=trigger_id, view=modal())


async def test_a_bad_view_is_refused_with_a_pointer(bench: Bench) -> None:
    with pytest.raises(SlackApiError) as refused:
        await bench.client.views_open(trigger_id="1.2.3", view=modal(submit=None))
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] must define `submit` to use an `input` block in modals [json-pointer:/view]"
    ]


async def test_the_home_tab_follows_the_manifest(bench: Bench, wide: Bench) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    with pytest.raises(SlackApiError, match="not_enabled"):
        await bench.client.views_publish(user_id="U0LAB0ANN1", view=home)
    assert (await wide.client.views_publish(user_id="U0LAB0ANN1", view=home))["ok"]
