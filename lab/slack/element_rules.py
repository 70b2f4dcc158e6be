"""Block elements and composition objects as tables of rules: every property Slack allows, with its limits."""

import re
from typing import Any

from lab.slack.schema import (
    Problem,
    Rule,
    array,
    boolean,
    enum,
    exactly_one,
    integer,
    strict,
    string,
    text,
    together,
)

PLAIN, MRKDWN = "plain_text", "mrkdwn"
ID = string(most=255)
CONVERSATIONS = enum("im", "mpim", "private", "public")


def plain(most: int) -> Rule:
    return text(PLAIN, most=most)


def either(most: int) -> Rule:
    return text(PLAIN, MRKDWN, most=most)


def pattern(expression: str, sample: str) -> Rule:
    compiled = re.compile(expression)

    def check(value: Any, pointer: str) -> list[Problem]:
        if isinstance(value, str) and compiled.fullmatch(value):
            return []
        return [Problem(pointer, f"must be a valid value, like {sample}", (("type", "pattern"),))]

    return check


CONFIRM = strict(
    {
        "title": plain(100),
        "text": either(300),
        "confirm": plain(30),
        "deny": plain(30),
        "style": enum("primary", "danger"),
    },
    required=("title", "text", "confirm", "deny"),
)


def option(words: Rule, **more: Rule) -> Rule:
    return strict(
        {"text": words, "value": string(most=150), "description": words, **more},
        required=("text", "value"),
    )


PLAIN_OPTION = option(plain(75))
FREE_OPTION = option(either(75))
OVERFLOW_OPTION = option(plain(75), url=string(most=3000))
OPTION_GROUP = strict(
    {"label": plain(75), "options": array(PLAIN_OPTION, most=100)}, required=("label", "options")
)
FILTER = strict(
    {
        "include": array(CONVERSATIONS),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    }
)
DISPATCH = strict(
    {"trigger_actions_on": array(enum("on_enter_pressed", "on_character_entered"), most=2)}
)
SLACK_FILE = together(
    strict({"id": string(most=255), "url": string(most=3000)}), exactly_one("id", "url")
)


def element(kind: str, properties: dict[str, Rule], *, required: tuple[str, ...] = ()) -> Rule:
    base: dict[str, Rule] = {"type": enum(kind), "action_id": ID}
    return strict({**base, **properties}, required=("type", *required))


# What every select, picker and choice may carry.
ASKING: dict[str, Rule] = {"confirm": CONFIRM, "focus_on_load": boolean}
PLACEHOLDER: dict[str, Rule] = {"placeholder": plain(150)}
SELECT = ASKING | PLACEHOLDER
MULTI: dict[str, Rule] = SELECT | {"max_selected_items": integer(least=1)}
TYPING: dict[str, Rule] = {
    "focus_on_load": boolean,
    "dispatch_action_config": DISPATCH,
    **PLACEHOLDER,
}
OPTIONS: dict[str, Rule] = {
    "options": array(PLAIN_OPTION, most=100),
    "option_groups": array(OPTION_GROUP, most=100),
}
CONVERSATION_EXTRAS: dict[str, Rule] = {
    "default_to_current_conversation": boolean,
    "filter": FILTER,
}
DATE = pattern(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "2026-01-31")
TIME = pattern(r"([01]\d|2[0-3]):[0-5]\d", "23:59")
IDS = array(string(most=255))

BUTTON = element(
    "button",
    {
        "text": plain(75),
        "value": string(most=2000),
        "url": string(most=3000),
        "style": enum("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(most=75),
    },
    required=("text",),
)
IMAGE_ELEMENT = together(
    strict(
        {
            "type": enum("image"),
            "image_url": string(most=3000),
            "slack_file": SLACK_FILE,
            "alt_text": string(most=2000),
        },
        required=("type", "alt_text"),
    ),
    exactly_one("image_url", "slack_file"),
)
CHOICES: dict[str, Rule] = {
    "static_select": together(
        element("static_select", SELECT | OPTIONS | {"initial_option": PLAIN_OPTION}),
        exactly_one("options", "option_groups"),
    ),
    "multi_static_select": together(
        element(
            "multi_static_select",
            MULTI | OPTIONS | {"initial_options": array(PLAIN_OPTION, most=100)},
        ),
        exactly_one("options", "option_groups"),
    ),
    "external_select": element(
        "external_select",
        SELECT | {"initial_option": PLAIN_OPTION, "min_query_length": integer(least=0)},
    ),
    "multi_external_select": element(
        "multi_external_select",
        MULTI | {"initial_options": array(PLAIN_OPTION), "min_query_length": integer(least=0)},
    ),
    "users_select": element("users_select", SELECT | {"initial_user": ID}),
    "multi_users_select": element("multi_users_select", MULTI | {"initial_users": IDS}),
    "conversations_select": element(
        "conversations_select",
        SELECT
        | CONVERSATION_EXTRAS
        | {"initial_conversation": ID, "response_url_enabled": boolean},
    ),
    "multi_conversations_select": element(
        "multi_conversations_select", MULTI | CONVERSATION_EXTRAS | {"initial_conversations": IDS}
    ),
    "channels_select": element(
        "channels_select", SELECT | {"initial_channel": ID, "response_url_enabled": boolean}
    ),
    "multi_channels_select": element("multi_channels_select", MULTI | {"initial_channels": IDS}),
    "radio_buttons": element(
        "radio_buttons",
        ASKING | {"options": array(FREE_OPTION, most=10), "initial_option": FREE_OPTION},
        required=("options",),
    ),
    "checkboxes": element(
        "checkboxes",
        ASKING | {"options": array(FREE_OPTION, most=10), "initial_options": array(FREE_OPTION)},
        required=("options",),
    ),
    "datepicker": element("datepicker", SELECT | {"initial_date": DATE}),
    "timepicker": element(
        "timepicker", SELECT | {"initial_time": TIME, "timezone": string(most=64)}
    ),
    "datetimepicker": element(
        "datetimepicker",
        ASKING | {"initial_date_time": integer(least=1_000_000_000, most=9_999_999_999)},
    ),
}
OVERFLOW = element(
    "overflow",
    {"options": array(OVERFLOW_OPTION, most=5), "confirm": CONFIRM},
    required=("options",),
)
TEXT_INPUTS: dict[str, Rule] = {
    "plain_text_input": element(
        "plain_text_input",
        TYPING
        | {
            "initial_value": string(most=3000, least=0),
            "multiline": boolean,
            "min_length": integer(least=0, most=3000),
            "max_length": integer(least=1, most=3000),
        },
    ),
    "email_text_input": element("email_text_input", TYPING | {"initial_value": string()}),
    "url_text_input": element("url_text_input", TYPING | {"initial_value": string()}),
    "number_input": element(
        "number_input",
        TYPING
        | {
            "is_decimal_allowed": boolean,
            "initial_value": string(),
            "min_value": string(),
            "max_value": string(),
        },
        required=("is_decimal_allowed",),
    ),
    "file_input": element(
        "file_input",
        {"filetypes": array(string()), "max_files": integer(least=1, most=10)},
    ),
}
ACTION_ELEMENTS: dict[str, Rule] = {"button": BUTTON, "overflow": OVERFLOW, **CHOICES}
ACCESSORIES: dict[str, Rule] = {**ACTION_ELEMENTS, "image": IMAGE_ELEMENT}
INPUT_ELEMENTS: dict[str, Rule] = {**CHOICES, **TEXT_INPUTS}
