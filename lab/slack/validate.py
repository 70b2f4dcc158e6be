"""Block Kit judged as strictly as Slack does: one bad block, one unknown property, and the whole message is refused.

`validate_blocks` is pure; the bot's cards are run through it in tests.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from lab.slack.block_rules import ATTACHMENT_TEXTS, BLOCKS, BLOCKS_MOST, VIEWS
from lab.slack.chart_rules import CHARTS_MAX
from lab.slack.elements import options_of
from lab.slack.entities import Json
from lab.slack.schema import Problem, array

__all__ = ["Problem", "characters", "validate_attachments", "validate_blocks", "validate_view"]

MARKDOWN_CHARACTERS_MAX = 12_000
TABLE_CHARACTERS_MAX = 10_000
LOOPBACK = ("http://localhost", "http://127.", "https://localhost", "https://127.", "http://[::1]")
UNCOUNTED_KEYS = frozenset({"type", "block_id", "action_id", "value", "url", "image_url", "style"})


def validate_blocks(blocks: Any, surface: str = "message") -> list[Problem]:
    """Everything wrong with the blocks of a `message`, `modal` or `home`; pointers start at the list."""
    problems = array(BLOCKS[surface], most=BLOCKS_MOST[surface])(blocks, "")
    # Comparing blocks with each other makes sense only when each of them is well formed.
    return problems or [*_across(blocks), *_choices(blocks)]


def validate_view(view: Any) -> list[Problem]:
    """Everything wrong with a modal or Home view; pointers start at the view."""
    kind = view.get("type") if isinstance(view, dict) else None
    if not isinstance(view, dict):
        return [Problem("", "must provide an object")]
    if kind not in VIEWS:
        message = "must be a valid enum value" if kind else "missing required field: type"
        return [Problem("/type" if kind else "", message)]
    problems = VIEWS[kind](view, "")
    if problems:
        return problems
    inner = validate_blocks(view["blocks"], surface=kind)
    found = [Problem(f"/blocks{p.pointer}", p.message, p.constraint) for p in inner]
    return found or _view_rules(view)


def _view_rules(view: Json) -> list[Problem]:
    found: list[Problem] = []
    has_input = any(block["type"] == "input" for block in view["blocks"])
    if view["type"] == "modal" and has_input and not view.get("submit"):
        found.append(Problem("", "must define `submit` to use an `input` block in modals"))
    focused = [e for _, e in _elements(view["blocks"]) if e.get("focus_on_load")]
    if len(focused) > 1:
        found.append(Problem("/blocks", "only one element may have `focus_on_load`"))
    return found


def validate_attachments(attachments: list[Any]) -> list[Problem]:
    found: list[Problem] = []
    for place, attachment in enumerate(attachments):
        if not isinstance(attachment, dict):
            found.append(Problem(f"/{place}", "must provide an object"))
            continue
        for name in ATTACHMENT_TEXTS:
            if not isinstance(attachment.get(name, ""), str):
                found.append(Problem(f"/{place}/{name}", "must provide a string"))
        if "blocks" in attachment:
            inner = validate_blocks(attachment["blocks"])
            found += [
                Problem(f"/{place}/blocks{p.pointer}", p.message, p.constraint) for p in inner
            ]
    return found


def characters(value: Any) -> int:
    """Characters people read in the blocks, the sum that Slack limits without documenting it."""
    if isinstance(value, list):
        return sum(characters(item) for item in value)
    if isinstance(value, dict):
        return sum(characters(v) for k, v in value.items() if k not in UNCOUNTED_KEYS)
    return len(value) if isinstance(value, str) else 0


def _across(blocks: list[Json]) -> Iterator[Problem]:
    """Rules that look at several blocks: ids, and sums over the message."""
    yield from _repeated(blocks, "block_id", "")
    for place, block in enumerate(blocks):
        if block["type"] == "actions":
            yield from _repeated(block["elements"], "action_id", f"/{place}/elements")
    tables = [(p, b) for p, b in enumerate(blocks) if b["type"] == "table"]
    if len(tables) > 1:
        yield Problem(f"/{tables[1][0]}", "only one table allowed per message")
    if characters([b["rows"] for _, b in tables]) > TABLE_CHARACTERS_MAX:
        yield Problem(
            f"/{tables[0][0]}", f"must be less than {TABLE_CHARACTERS_MAX + 1} characters"
        )
    charts = [p for p, b in enumerate(blocks) if b["type"] == "data_visualization"]
    if len(charts) > CHARTS_MAX:
        yield Problem(f"/{charts[CHARTS_MAX]}", f"no more than {CHARTS_MAX} charts allowed")
    markdown = [p for p, b in enumerate(blocks) if b["type"] == "markdown"]
    if sum(len(blocks[p]["text"]) for p in markdown) > MARKDOWN_CHARACTERS_MAX:
        message = f"must be less than {MARKDOWN_CHARACTERS_MAX + 1} characters"
        yield Problem(f"/{markdown[-1]}/text", message)


def _repeated(items: list[Json], key: str, pointer: str) -> Iterator[Problem]:
    counted = Counter(item[key] for item in items if item.get(key))
    seen: set[str] = set()
    for place, item in enumerate(items):
        name = item.get(key)
        if name and counted[name] > 1 and name in seen:
            yield Problem(f"{pointer}/{place}/{key}", f'`{key}` "{name}" already exists')
        seen.add(name or "")


def _elements(blocks: list[Json]) -> Iterator[tuple[str, Json]]:
    """Every element with its pointer."""
    for place, block in enumerate(blocks):
        if block["type"] == "actions":
            for inner, element in enumerate(block["elements"]):
                yield f"/{place}/elements/{inner}", element
        for key in ("accessory", "element"):
            if isinstance(block.get(key), dict):
                yield f"/{place}/{key}", block[key]


def _choices(blocks: list[Json]) -> Iterator[Problem]:
    """Initial options must equal an option; pictures must be reachable from outside."""
    for pointer, element in _elements(blocks):
        options = options_of(element)
        for name in ("initial_option", "initial_options"):
            initial = element.get(name) or []
            for one in initial if isinstance(initial, list) else [initial]:
                if options and one not in options:
                    yield Problem(f"{pointer}/{name}", "must be one of the provided options")
    for place, block in enumerate(blocks):
        if str(block.get("image_url", "")).startswith(LOOPBACK):
            yield Problem(
                f"/{place}/image_url", "downloading image failed: Slack cannot reach localhost"
            )
