"""Interactive elements: finding them in blocks, and what Slack reports as their state.

Untouched elements are reported too: text as `value: null`, selects as `selected_…: null`, lists as `[]`.
"""

from collections.abc import Iterator
from typing import Any

from lab.slack.entities import Json

TEXT_INPUTS = ("plain_text_input", "email_text_input", "url_text_input", "number_input")
ONE_OPTION = ("static_select", "external_select", "radio_buttons")
MANY_OPTIONS = ("multi_static_select", "multi_external_select", "checkboxes")
# type → key of the state; the key of its initial value is the same with `initial_`.
PLAIN_VALUES = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
PLAIN_LISTS = {
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}


class NoSuchOption(Exception):
    """The value given is not one of the element's options; the sentence names them."""


def elements_of(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every (block, element) a person can act on."""
    for block in blocks:
        if block.get("type") in ("actions", "context_actions"):
            for element in block.get("elements", []):
                yield block, element
        for key in ("accessory", "element"):
            element = block.get(key)
            if isinstance(element, dict) and element.get("type") != "image":
                yield block, element


def options_of(element: Json) -> list[Json]:
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(o for g in groups for o in g["options"])]


def _option(element: Json, value: Any) -> Json:
    for option in options_of(element):
        if option.get("value") == value:
            return option
    values = ", ".join(str(option.get("value")) for option in options_of(element))
    raise NoSuchOption(f"`{value}` is not an option of {element['action_id']}; there are {values}")


def state_of(element: Json, raw: Any) -> Json | None:
    """The state with `raw` (a string, a list, or None for untouched); None for buttons and overflows."""
    kind = element["type"]
    if kind in TEXT_INPUTS:
        value = element.get("initial_value") if raw is None else str(raw)
        return {"type": kind, "value": value or None}
    if kind in ONE_OPTION:
        chosen = _option(element, raw) if raw else element.get("initial_option")
        return {"type": kind, "selected_option": chosen}
    if kind in MANY_OPTIONS:
        given = [_option(element, value) for value in raw] if raw is not None else None
        return {
            "type": kind,
            "selected_options": element.get("initial_options", []) if given is None else given,
        }
    if kind in PLAIN_VALUES:
        key = PLAIN_VALUES[kind]
        return {"type": kind, key: raw or element.get(key.replace("selected", "initial"))}
    if kind in PLAIN_LISTS:
        key = PLAIN_LISTS[kind]
        return {
            "type": kind,
            key: raw if raw is not None else element.get(key.replace("selected", "initial"), []),
        }
    return None


def state_values(blocks: list[Json], raw: Json) -> Json:
    """`state.values` of a view or message: `{block_id: {action_id: state}}`."""
    values: Json = {}
    for block, element in elements_of(blocks):
        given = raw.get(block["block_id"], {}).get(element.get("action_id"))
        state = state_of(element, given)
        if state is not None:
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def action_of(block: Json, element: Json, raw: Any, *, action_ts: str) -> Json:
    """The entry in `actions[]` for one act on one element."""
    kind = element["type"]
    action: Json = {
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "type": kind,
        "action_ts": action_ts,
    }
    if kind == "button":
        return action | {k: element[k] for k in ("text", "value", "style") if k in element}
    if kind == "overflow":
        return action | {"selected_option": _option(element, raw)}
    state = state_of(element, raw)
    return action | {k: v for k, v in (state or {}).items() if k != "type"}


def missing_inputs(blocks: list[Json], values: Json) -> Json:
    """What the client itself refuses before sending: required inputs left empty, lengths out of bounds."""
    problems: Json = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        content = next((v for k, v in state.items() if k != "type"), None)
        if content in (None, "", []):
            if not block.get("optional"):
                problems[block["block_id"]] = "Please complete this required field."
            continue
        problem = _length_problem(element, content)
        if problem:
            problems[block["block_id"]] = problem
    return problems


def _length_problem(element: Json, content: Any) -> str:
    if element["type"] != "plain_text_input":
        return ""
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(content) < least:
        return f"Please enter at least {least} characters."
    return f"Please enter at most {most} characters." if len(content) > most else ""
