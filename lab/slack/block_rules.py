"""Blocks, attachments and views as tables of rules. A block that the lab does not know in full is refused loudly."""

from typing import Any

from lab.slack.chart_rules import CHART, TITLE_LETTERS_MAX
from lab.slack.element_rules import (
    ACCESSORIES,
    ACTION_ELEMENTS,
    ID,
    IMAGE_ELEMENT,
    INPUT_ELEMENTS,
    SLACK_FILE,
    either,
    plain,
)
from lab.slack.schema import (
    Problem,
    Rule,
    array,
    boolean,
    by_type,
    enum,
    exactly_one,
    integer,
    strict,
    string,
    text,
    together,
)


def block(kind: str, properties: dict[str, Rule], *, required: tuple[str, ...] = ()) -> Rule:
    return strict({"type": enum(kind), "block_id": ID, **properties}, required=("type", *required))


def _text_or_fields(value: Any, pointer: str) -> list[Problem]:
    if value.get("text") is None and value.get("fields") is None:
        return [Problem(pointer, "missing required field: text", (("type", "required"),))]
    return []


STYLE = strict(dict.fromkeys(("bold", "italic", "strike", "code", "underline"), boolean))
RUNS: dict[str, Rule] = {
    name: strict({"type": enum(name), "style": STYLE, **properties}, required=("type", *needed))
    for name, properties, needed in (
        ("text", {"text": string()}, ("text",)),
        ("link", {"url": string(most=3000), "text": string(), "unsafe": boolean}, ("url",)),
        ("user", {"user_id": ID}, ("user_id",)),
        ("usergroup", {"usergroup_id": ID}, ("usergroup_id",)),
        ("channel", {"channel_id": ID}, ("channel_id",)),
        ("emoji", {"name": ID, "unicode": ID, "url": string()}, ("name",)),
        ("broadcast", {"range": enum("here", "channel", "everyone")}, ("range",)),
        (
            "date",
            {
                "timestamp": integer(least=0),
                "format": string(),
                "url": string(),
                "fallback": string(),
            },
            ("timestamp", "format"),
        ),
        ("color", {"value": string(most=9)}, ("value",)),
    )
}
RUN_LIST = array(by_type(RUNS), least=0)
BORDER: dict[str, Rule] = {"border": integer(least=0, most=1)}


def _rich(kind: str, **more: Rule) -> Rule:
    return strict({"type": enum(kind), "elements": RUN_LIST, **more}, required=("type", "elements"))


RICH_SECTION = _rich("rich_text_section")
RICH_PARTS: dict[str, Rule] = {
    "rich_text_section": RICH_SECTION,
    "rich_text_quote": _rich("rich_text_quote", **BORDER),
    "rich_text_preformatted": _rich("rich_text_preformatted", language=string(), **BORDER),
    "rich_text_list": strict(
        {
            "type": enum("rich_text_list"),
            "style": enum("bullet", "ordered"),
            "elements": array(RICH_SECTION),
            "indent": integer(least=0, most=8),
            "offset": integer(least=0),
            **BORDER,
        },
        required=("type", "style", "elements"),
    ),
}
RICH_TEXT = block("rich_text", {"elements": array(by_type(RICH_PARTS))}, required=("elements",))
CELLS: dict[str, Rule] = {
    "raw_text": strict({"type": enum("raw_text"), "text": string()}, required=("type", "text")),
    "raw_number": strict(
        {"type": enum("raw_number"), "value": lambda _v, _p: [], "text": string()},
        required=("type", "value"),
    ),
    "rich_text": RICH_TEXT,
}
COLUMN = strict({"align": enum("left", "center", "right"), "is_wrapped": boolean})

SECTION = together(
    block(
        "section",
        {
            "text": either(3000),
            "fields": array(either(2000), most=10),
            "accessory": by_type(ACCESSORIES),
            "expand": boolean,
        },
    ),
    _text_or_fields,
)
IMAGE = together(
    block(
        "image",
        {
            "image_url": string(most=3000),
            "slack_file": SLACK_FILE,
            "alt_text": string(most=2000),
            "title": plain(2000),
        },
        required=("alt_text",),
    ),
    exactly_one("image_url", "slack_file"),
)
CONTEXT_ITEMS = by_type(
    {
        "image": IMAGE_ELEMENT,
        "plain_text": text("plain_text", most=3000),
        "mrkdwn": text("mrkdwn", most=3000),
    }
)
EVERYWHERE: dict[str, Rule] = {
    "section": SECTION,
    "header": block("header", {"text": plain(150)}, required=("text",)),
    "context": block(
        "context", {"elements": array(CONTEXT_ITEMS, most=10)}, required=("elements",)
    ),
    "divider": block("divider", {}),
    "image": IMAGE,
    "actions": block(
        "actions", {"elements": array(by_type(ACTION_ELEMENTS), most=25)}, required=("elements",)
    ),
    "input": block(
        "input",
        {
            "label": plain(2000),
            "hint": plain(2000),
            "element": by_type(INPUT_ELEMENTS),
            "optional": boolean,
            "dispatch_action": boolean,
        },
        required=("label", "element"),
    ),
    "rich_text": RICH_TEXT,
    "video": block(
        "video",
        {
            "alt_text": string(most=2000),
            "title": plain(199),
            "thumbnail_url": string(most=3000),
            "video_url": string(most=3000),
            "author_name": string(most=49),
            "description": plain(200),
            "provider_icon_url": string(most=3000),
            "provider_name": string(),
            "title_url": string(most=3000),
        },
        required=("alt_text", "title", "thumbnail_url", "video_url"),
    ),
}
MESSAGE_ONLY: dict[str, Rule] = {
    "markdown": block("markdown", {"text": string(most=12_000)}, required=("text",)),
    "table": block(
        "table",
        {
            "rows": array(array(by_type(CELLS), most=20), most=100),
            "column_settings": array(COLUMN, most=20),
        },
        required=("rows",),
    ),
    "data_visualization": block(
        "data_visualization",
        {"title": string(most=TITLE_LETTERS_MAX), "chart": CHART},
        required=("title", "chart"),
    ),
    "file": block(
        "file", {"external_id": ID, "source": enum("remote")}, required=("external_id", "source")
    ),
}
NOT_BUILT = (
    "alert",
    "card",
    "carousel",
    "container",
    "context_actions",
    "data_table",
    "data_visualization",
    "plan",
    "task_card",
)


def _not_built(value: Any, pointer: str) -> list[Problem]:
    return [Problem(f"{pointer}/type", f"lab_not_implemented: block type {value['type']}")]


_UNBUILT: dict[str, Rule] = dict.fromkeys(NOT_BUILT, _not_built)
"""Charts are shown in messages; whether Slack takes them elsewhere, nobody has said."""
BLOCKS = {
    "message": by_type({**EVERYWHERE, **_UNBUILT, **MESSAGE_ONLY}),
    "modal": by_type({**EVERYWHERE, **_UNBUILT}),
    "home": by_type({**EVERYWHERE, **_UNBUILT}),
}
BLOCKS_MOST = {"message": 50, "modal": 100, "home": 100}

_VIEW: dict[str, Rule] = {
    "type": enum("modal", "home"),
    "private_metadata": string(most=3000, least=0),
    "callback_id": string(most=255, least=0),
    "external_id": string(most=255, least=0),
    # Judged by themselves, block by block, after the frame of the view.
    "blocks": lambda _value, _pointer: [],
}
VIEWS = {
    "modal": strict(
        {
            **_VIEW,
            "title": plain(24),
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
        },
        required=("type", "title", "blocks"),
    ),
    "home": strict(_VIEW, required=("type", "blocks")),
}
ATTACHMENT_TEXTS = (
    "fallback",
    "color",
    "pretext",
    "author_name",
    "author_link",
    "author_icon",
    "title",
    "title_link",
    "text",
    "image_url",
    "thumb_url",
    "footer",
    "footer_icon",
)
