"""The limits of Block Kit, a row each: the largest thing that passes and the smallest that does not."""

from typing import Any

Json = dict[str, Any]


def plain(length: int | str = "x") -> Json:
    return {"type": "plain_text", "text": length if isinstance(length, str) else "x" * length}


def mrkdwn(length: int = 1) -> Json:
    return {"type": "mrkdwn", "text": "x" * length}


def option(text: int = 1, value: int = 1, **more: Any) -> Json:
    return {"text": plain(text), "value": "v" * value, **more}


def numbered(count: int) -> list[Json]:
    return [{"text": plain(), "value": str(number)} for number in range(count)]


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain(), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def section(**more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(), **more}


def entry(element: Json, **more: Any) -> Json:
    return {"type": "input", "label": plain(), "element": element, **more}


def confirm(title: int = 1, text: int = 1, yes: int = 1, no: int = 1) -> Json:
    return {"title": plain(title), "text": mrkdwn(text), "confirm": plain(yes), "deny": plain(no)}


def image(**more: Any) -> Json:
    return {"type": "image", "alt_text": "x", "image_url": "https://example.com/a.png", **more}


def table(rows: int = 1, columns: int = 1, cell: int = 1) -> Json:
    one = {"type": "raw_text", "text": "x" * cell}
    return {"type": "table", "rows": [[one] * columns] * rows}


LIMITS: list[tuple[str, Json, Json, str, str]] = [
    # what, the most that passes, one too many, Slack's words, pointer
    (
        "section text",
        section(text=mrkdwn(3000)),
        section(text=mrkdwn(3001)),
        "must be less than 3001 characters",
        "/0/text/text",
    ),
    (
        "empty text",
        section(),
        section(text=mrkdwn(0)),
        "must be more than 0 characters",
        "/0/text/text",
    ),
    (
        "fields",
        {"type": "section", "fields": [mrkdwn(2000)] * 10},
        {"type": "section", "fields": [mrkdwn()] * 11},
        "no more than 10 items allowed",
        "/0/fields",
    ),
    (
        "field text",
        {"type": "section", "fields": [mrkdwn(2000)]},
        {"type": "section", "fields": [mrkdwn(2001)]},
        "must be less than 2001 characters",
        "/0/fields/0/text",
    ),
    (
        "no fields",
        section(fields=[mrkdwn()]),
        section(fields=[]),
        "must provide at least 1 items",
        "/0/fields",
    ),
    ("section without text", section(), {"type": "section"}, "missing required field: text", "/0"),
    (
        "header",
        {"type": "header", "text": plain(150)},
        {"type": "header", "text": plain(151)},
        "must be less than 151 characters",
        "/0/text/text",
    ),
    (
        "header in mrkdwn",
        {"type": "header", "text": plain()},
        {"type": "header", "text": mrkdwn()},
        "must be a valid enum value",
        "/0/text/type",
    ),
    (
        "context",
        {"type": "context", "elements": [mrkdwn()] * 10},
        {"type": "context", "elements": [mrkdwn()] * 11},
        "no more than 10 items allowed",
        "/0/elements",
    ),
    (
        "context with a button",
        {"type": "context", "elements": [image(), plain()]},
        {"type": "context", "elements": [button()]},
        "unsupported type: button",
        "/0/elements/0/type",
    ),
    (
        "divider",
        {"type": "divider"},
        {"type": "divider", "text": plain()},
        "invalid additional property: text",
        "/0",
    ),
    (
        "unknown property",
        section(expand=True),
        section(foo=1),
        "invalid additional property: foo",
        "/0",
    ),
    ("unknown block", section(), {"type": "nope"}, "unsupported type: nope", "/0/type"),
    ("no type", section(), {"text": plain()}, "missing required field: type", "/0"),
    ("not an object", section(), "x", "must provide an object", "/0"),  # type: ignore[list-item] # that is the case
    (
        "empty block_id",
        section(block_id="x" * 255),
        section(block_id=""),
        "must be more than 0 characters",
        "/0/block_id",
    ),
    (
        "long block_id",
        section(block_id="x"),
        section(block_id="x" * 256),
        "must be less than 256 characters",
        "/0/block_id",
    ),
    (
        "image alt",
        image(alt_text="x" * 2000),
        image(alt_text="x" * 2001),
        "must be less than 2001 characters",
        "/0/alt_text",
    ),
    (
        "image url",
        image(image_url="https://" + "x" * 2992),
        image(image_url="https://" + "x" * 2993),
        "must be less than 3001 characters",
        "/0/image_url",
    ),
    (
        "image without source",
        image(),
        {"type": "image", "alt_text": "x"},
        "missing required field: image_url",
        "/0",
    ),
    (
        "image with two sources",
        image(),
        image(slack_file={"id": "F1"}),
        "invalid additional property: slack_file",
        "/0",
    ),
    (
        "image of this machine",
        image(),
        image(image_url="http://localhost/x.png"),
        "downloading image failed: Slack cannot reach localhost",
        "/0/image_url",
    ),
    (
        "actions",
        actions(*[button()] * 25),
        actions(*[button()] * 26),
        "no more than 25 items allowed",
        "/0/elements",
    ),
    ("no actions", actions(button()), actions(), "must provide at least 1 items", "/0/elements"),
    (
        "same action_id",
        actions(button(action_id="a"), button(action_id="b")),
        actions(button(action_id="a"), button(action_id="a")),
        '`action_id` "a" already exists',
        "/0/elements/1/action_id",
    ),
    (
        "button text",
        actions(button(text=plain(75))),
        actions(button(text=plain(76))),
        "must be less than 76 characters",
        "/0/elements/0/text/text",
    ),
    (
        "button in mrkdwn",
        actions(button()),
        actions(button(text=mrkdwn())),
        "must be a valid enum value",
        "/0/elements/0/text/type",
    ),
    (
        "button value",
        actions(button(value="x" * 2000)),
        actions(button(value="x" * 2001)),
        "must be less than 2001 characters",
        "/0/elements/0/value",
    ),
    (
        "button url",
        actions(button(url="x" * 3000)),
        actions(button(url="x" * 3001)),
        "must be less than 3001 characters",
        "/0/elements/0/url",
    ),
    (
        "button style",
        actions(button(style="danger")),
        actions(button(style="default")),
        "must be a valid enum value",
        "/0/elements/0/style",
    ),
    (
        "button label",
        actions(button(accessibility_label="x" * 75)),
        actions(button(accessibility_label="x" * 76)),
        "must be less than 76 characters",
        "/0/elements/0/accessibility_label",
    ),
    (
        "confirm title",
        actions(button(confirm=confirm(title=100))),
        actions(button(confirm=confirm(title=101))),
        "must be less than 101 characters",
        "/0/elements/0/confirm/title/text",
    ),
    (
        "confirm text",
        actions(button(confirm=confirm(text=300))),
        actions(button(confirm=confirm(text=301))),
        "must be less than 301 characters",
        "/0/elements/0/confirm/text/text",
    ),
    (
        "confirm yes",
        actions(button(confirm=confirm(yes=30))),
        actions(button(confirm=confirm(yes=31))),
        "must be less than 31 characters",
        "/0/elements/0/confirm/confirm/text",
    ),
    (
        "confirm no",
        actions(button(confirm=confirm(no=30))),
        actions(button(confirm=confirm(no=31))),
        "must be less than 31 characters",
        "/0/elements/0/confirm/deny/text",
    ),
    (
        "confirm without deny",
        actions(button(confirm=confirm())),
        actions(button(confirm={**confirm(), "deny": None})),
        "missing required field: deny",
        "/0/elements/0/confirm",
    ),
    (
        "options",
        actions({"type": "static_select", "options": numbered(100)}),
        actions({"type": "static_select", "options": numbered(101)}),
        "no more than 100 items allowed",
        "/0/elements/0/options",
    ),
    (
        "option text",
        actions({"type": "static_select", "options": [option(75, 150)]}),
        actions({"type": "static_select", "options": [option(76)]}),
        "must be less than 76 characters",
        "/0/elements/0/options/0/text/text",
    ),
    (
        "option value",
        actions({"type": "static_select", "options": [option(1, 150)]}),
        actions({"type": "static_select", "options": [option(1, 151)]}),
        "must be less than 151 characters",
        "/0/elements/0/options/0/value",
    ),
    (
        "option in mrkdwn",
        actions({"type": "radio_buttons", "options": [{"text": mrkdwn(), "value": "v"}]}),
        actions({"type": "static_select", "options": [{"text": mrkdwn(), "value": "v"}]}),
        "must be a valid enum value",
        "/0/elements/0/options/0/text/type",
    ),
    (
        "option url",
        actions({"type": "overflow", "options": [option(url="https://x")]}),
        actions({"type": "static_select", "options": [option(url="https://x")]}),
        "invalid additional property: url",
        "/0/elements/0/options/0",
    ),
    (
        "options and groups",
        actions(
            {
                "type": "static_select",
                "option_groups": [{"label": plain(75), "options": [option()]}],
            }
        ),
        actions({"type": "static_select"}),
        "missing required field: options",
        "/0/elements/0",
    ),
    (
        "group label",
        actions(
            {
                "type": "static_select",
                "option_groups": [{"label": plain(75), "options": [option()]}],
            }
        ),
        actions(
            {
                "type": "static_select",
                "option_groups": [{"label": plain(76), "options": [option()]}],
            }
        ),
        "must be less than 76 characters",
        "/0/elements/0/option_groups/0/label/text",
    ),
    (
        "initial option",
        actions({"type": "static_select", "options": [option()], "initial_option": option()}),
        actions({"type": "static_select", "options": [option()], "initial_option": option(2)}),
        "must be one of the provided options",
        "/0/elements/0/initial_option",
    ),
    (
        "placeholder",
        actions({"type": "users_select", "placeholder": plain(150)}),
        actions({"type": "users_select", "placeholder": plain(151)}),
        "must be less than 151 characters",
        "/0/elements/0/placeholder/text",
    ),
    (
        "max_selected_items",
        section(accessory={"type": "multi_users_select", "max_selected_items": 1}),
        section(accessory={"type": "multi_users_select", "max_selected_items": 0}),
        "must be more than 0",
        "/0/accessory/max_selected_items",
    ),
    (
        "overflow",
        actions({"type": "overflow", "options": [option()] * 5}),
        actions({"type": "overflow", "options": [option()] * 6}),
        "no more than 5 items allowed",
        "/0/elements/0/options",
    ),
    (
        "radio",
        actions({"type": "radio_buttons", "options": [option()] * 10}),
        actions({"type": "radio_buttons", "options": [option()] * 11}),
        "no more than 10 items allowed",
        "/0/elements/0/options",
    ),
    (
        "checkboxes",
        actions({"type": "checkboxes", "options": [option()] * 10}),
        actions({"type": "checkboxes", "options": [option()] * 11}),
        "no more than 10 items allowed",
        "/0/elements/0/options",
    ),
    (
        "text input",
        entry({"type": "plain_text_input", "min_length": 0, "max_length": 3000}),
        entry({"type": "plain_text_input", "max_length": 3001}),
        "must be less than 3001",
        "/0/element/max_length",
    ),
    (
        "text input in actions",
        actions(button()),
        actions({"type": "plain_text_input"}),
        "unsupported type: plain_text_input",
        "/0/elements/0/type",
    ),
    (
        "number input",
        entry({"type": "number_input", "is_decimal_allowed": False}),
        entry({"type": "number_input"}),
        "missing required field: is_decimal_allowed",
        "/0/element",
    ),
    (
        "date",
        section(accessory={"type": "datepicker", "initial_date": "2026-02-28"}),
        section(accessory={"type": "datepicker", "initial_date": "2026-13-01"}),
        "must be a valid value, like 2026-01-31",
        "/0/accessory/initial_date",
    ),
    (
        "time",
        section(accessory={"type": "timepicker", "initial_time": "23:59"}),
        section(accessory={"type": "timepicker", "initial_time": "24:00"}),
        "must be a valid value, like 23:59",
        "/0/accessory/initial_time",
    ),
    (
        "label",
        entry({"type": "plain_text_input"}, hint=plain(2000)),
        entry({"type": "plain_text_input"}, hint=plain(2001)),
        "must be less than 2001 characters",
        "/0/hint/text",
    ),
    (
        "input without label",
        entry({"type": "plain_text_input"}),
        {"type": "input", "element": {"type": "plain_text_input"}},
        "missing required field: label",
        "/0",
    ),
    (
        "markdown",
        {"type": "markdown", "text": "x" * 12000},
        {"type": "markdown", "text": "x" * 12001},
        "must be less than 12001 characters",
        "/0/text",
    ),
    ("table rows", table(rows=100), table(rows=101), "no more than 100 items allowed", "/0/rows"),
    (
        "table columns",
        table(columns=20),
        table(columns=21),
        "no more than 20 items allowed",
        "/0/rows/0",
    ),
    ("table cell", table(), table(cell=0), "must be more than 0 characters", "/0/rows/0/0/text"),
    (
        "table characters",
        table(rows=10, columns=10, cell=100),
        table(rows=10, columns=10, cell=101),
        "must be less than 10001 characters",
        "/0",
    ),
    (
        "rich text",
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "text", "text": "x", "style": {"bold": True}}],
                }
            ],
        },
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "text", "text": "x", "style": {"loud": True}}],
                }
            ],
        },
        "invalid additional property: loud",
        "/0/elements/0/elements/0/style",
    ),
]
