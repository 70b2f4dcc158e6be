"""The Block Kit validator, row by row: the largest thing that passes, and the smallest that does not."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError, SlackObjectFormationError
from slack_sdk.models.blocks import Block

from lab.slack.validate import characters, validate_attachments, validate_blocks, validate_view
from tests.lab.slack.block_limits import (
    LIMITS,
    Json,
    actions,
    button,
    entry,
    mrkdwn,
    plain,
    section,
    table,
)
from tests.lab.slack.conftest import Bench


@pytest.mark.parametrize(
    ("good", "bad", "words", "pointer"), [row[1:] for row in LIMITS], ids=[row[0] for row in LIMITS]
)
def test_a_limit_holds_on_both_sides(good: Json, bad: Json, words: str, pointer: str) -> None:
    assert validate_blocks([good]) == []
    found = [(p.message, p.pointer) for p in validate_blocks([bad])]
    assert (words, pointer) in found


def test_a_message_has_fifty_blocks_and_a_view_a_hundred() -> None:
    assert validate_blocks([section()] * 50) == []
    assert [p.worded() for p in validate_blocks([section()] * 51)] == [
        "no more than 50 items allowed [json-pointer:/blocks]"
    ]
    assert validate_blocks([section()] * 100, surface="modal") == []
    assert validate_blocks([section()] * 101, surface="home") != []
    assert [p.message for p in validate_blocks({})] == ["must provide an array"]


def test_block_ids_are_unique_and_one_table_is_enough() -> None:
    twice = validate_blocks([section(block_id="a"), section(block_id="a")])
    assert [p.worded() for p in twice] == [
        '`block_id` "a" already exists [json-pointer:/blocks/1/block_id]'
    ]
    assert [p.pointer for p in validate_blocks([table(), table()])] == ["/1"]


def test_surfaces_differ() -> None:
    assert validate_blocks([table()]) == []
    assert validate_blocks([table()], surface="modal") != []
    unbuilt = validate_blocks([{"type": "carousel", "elements": []}])
    assert unbuilt[0].message == "lab_not_implemented: block type carousel"


VIEW: Json = {"type": "modal", "title": plain(24), "submit": plain(24), "blocks": [section()]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": plain(25)}, "must be less than 25 characters [json-pointer:/view/title/text]"),
        ({"title": None}, "missing required field: title [json-pointer:/view]"),
        ({"submit": plain(25)}, "must be less than 25 characters [json-pointer:/view/submit/text]"),
        ({"type": "sheet"}, "must be a valid enum value [json-pointer:/view/type]"),
        (
            {"private_metadata": "x" * 3001},
            "must be less than 3001 characters [json-pointer:/view/private_metadata]",
        ),
        (
            {"callback_id": "x" * 256},
            "must be less than 256 characters [json-pointer:/view/callback_id]",
        ),
        (
            {"submit_disabled": True},
            "invalid additional property: submit_disabled [json-pointer:/view]",
        ),
        ({"blocks": []}, "must provide at least 1 items [json-pointer:/view/blocks]"),
        (
            {"blocks": [section(text=mrkdwn(3001))]},
            "must be less than 3001 characters [json-pointer:/view/blocks/0/text/text]",
        ),
        (
            {"submit": None, "blocks": [entry({"type": "plain_text_input"})]},
            "must define `submit` to use an `input` block in modals [json-pointer:/view]",
        ),
        (
            {"blocks": [entry({"type": "plain_text_input", "focus_on_load": True})] * 2},
            "only one element may have `focus_on_load` [json-pointer:/view/blocks]",
        ),
    ],
)
def test_views_are_judged_with_their_blocks(change: Json, words: str) -> None:
    assert validate_view(VIEW) == []
    view = {name: value for name, value in {**VIEW, **change}.items() if value is not None}
    assert [p.worded(under="/view") for p in validate_view(view)] == [words]


def test_attachments_hold_blocks_to_the_same_rules() -> None:
    good = {"color": "good", "text": "x", "blocks": [section()]}
    assert validate_attachments([good]) == []
    bad = {"text": 1, "blocks": [section(foo=1)]}
    assert [p.pointer for p in validate_attachments([bad, "x"])] == ["/0/text", "/0/blocks/0", "/1"]


def test_characters_counts_what_people_read() -> None:
    assert (
        characters([section(text=plain("abc")), actions(button(text=plain("de"), value="long"))])
        == 5
    )


WORDS = st.text(min_size=0, max_size=160)
ELEMENTS = st.builds(
    lambda text, value, style, action: {
        "type": "button",
        "text": {"type": "plain_text", "text": text},
        "value": value,
        "style": style,
        "action_id": action,
    },
    WORDS,
    st.text(max_size=2100),
    st.sampled_from(["primary", "danger", "loud"]),
    st.text(max_size=300),
)
BLOCKS = st.one_of(
    st.builds(lambda text: {"type": "header", "text": {"type": "plain_text", "text": text}}, WORDS),
    st.builds(
        lambda text: {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        st.text(max_size=3100),
    ),
    st.builds(
        lambda found: {"type": "actions", "elements": found}, st.lists(ELEMENTS, max_size=27)
    ),
    st.builds(
        lambda count: {"type": "context", "elements": [mrkdwn()] * count}, st.integers(0, 12)
    ),
)


@given(BLOCKS)
def test_what_the_sdk_refuses_the_lab_refuses(block: Json) -> None:
    parsed = Block.parse(deepcopy(block))
    assert parsed is not None
    try:
        parsed.validate_json()
    except SlackObjectFormationError:
        assert validate_blocks([block]) != []


async def test_blocks_validate_answers_without_a_token(bench: Bench) -> None:
    bad = [{"type": "header", "text": mrkdwn()}]
    answer = await bench.client.api_call("blocks.validate", json={"blocks": [section()]})
    assert answer["ok"]
    with pytest.raises(SlackApiError) as refused:
        await bench.client.api_call("blocks.validate", json={"blocks": bad})
    first = refused.value.response["errors"][0]
    assert (first["pointer"], first["code"]) == ("/0/text/type", "failed_constraint")
    assert first["constraint"] == {"type": "enum", "expected": ["plain_text"], "got": "mrkdwn"}


async def test_a_refused_card_names_pointer_and_reason(bench: Bench) -> None:
    with pytest.raises(SlackApiError) as refused:
        await bench.client.chat_postMessage(
            channel="C0LABKAFKA", text="x", blocks=[section(text=mrkdwn(3001))]
        )
    words = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert refused.value.response["errors"] == [words]
    assert refused.value.response["response_metadata"]["messages"] == [f"[ERROR] {words}"]
