"""A message as plain words, for the terminal and for programs: what a person would read, and the buttons there are."""

import re

from lab.slack.elements import elements_of
from lab.slack.entities import Json
from lab.slack.text import unescape

_TOKEN = re.compile(r"<([@#!]?)([^|>]+)(?:\|([^>]*))?>")


class Names:
    """Ids to names, as the page shows them."""

    def __init__(self, state: Json) -> None:
        self._people = {p["id"]: f"@{p['name']}" for p in state["people"]}
        self._channels = {c["id"]: f"#{c['name']}" for c in state["channels"]}
        self._groups = {g["id"]: f"@{g['handle']}" for g in state["groups"]}

    def person(self, user_id: str) -> str:
        return self._people.get(user_id, user_id)

    def channel(self, channel_id: str) -> str:
        return self._channels.get(channel_id, channel_id)

    def group(self, group_id: str) -> str:
        return self._groups.get(group_id, group_id)

    def mrkdwn(self, text: str) -> str:
        return unescape(_TOKEN.sub(self._token, text))

    def _token(self, found: re.Match[str]) -> str:
        sign, word, label = found.groups()
        if sign == "@":
            return self.person(word)
        if sign == "#":
            return self.channel(word)
        if sign == "!":
            return self._special(word, label)
        return f"{label} ({word})" if label and label != word else word

    def _special(self, word: str, label: str | None) -> str:
        if word.startswith("subteam^"):
            return self.group(word.removeprefix("subteam^"))
        if word.startswith("date^"):
            return label or word
        return f"@{word}"


def message_text(message: Json, names: Names) -> str:
    """The blocks if there are any, else the text; then attachments and files."""
    lines = [_block(block, names) for block in message.get("blocks", [])]
    if not any(lines):
        lines = [names.mrkdwn(message.get("text", ""))]
    for attachment in message.get("attachments", []):
        lines += [_block(block, names) for block in attachment.get("blocks", [])]
        lines += [
            names.mrkdwn(attachment[k]) for k in ("pretext", "title", "text") if attachment.get(k)
        ]
    lines += [f"[file {file['name']}, {file['size']} bytes]" for file in message.get("files", [])]
    return "\n".join(line for line in lines if line)


def message_buttons(message: Json) -> list[Json]:
    blocks = [*message.get("blocks", [])]
    for attachment in message.get("attachments", []):
        blocks += attachment.get("blocks", [])
    return [
        {
            "text": (element.get("text") or element.get("placeholder") or {}).get("text", ""),
            "action_id": element.get("action_id", ""),
            "type": element["type"],
        }
        for _, element in elements_of(blocks)
    ]


def _text(thing: Json | None, names: Names) -> str:
    if not thing:
        return ""
    text: str = thing.get("text", "")
    return names.mrkdwn(text) if thing.get("type") == "mrkdwn" else text


def _block(block: Json, names: Names) -> str:
    kind = block["type"]
    if kind == "section":
        parts = [
            _text(block.get("text"), names),
            *(_text(f, names) for f in block.get("fields", [])),
        ]
        return "\n".join(part for part in parts if part)
    if kind == "context":
        return "  ".join(e.get("alt_text") or _text(e, names) for e in block["elements"])
    if kind in ("header", "input"):
        return _text(block.get("text") or block.get("label"), names)
    if kind == "image":
        return f"[picture: {block['alt_text']}]"
    if kind == "markdown":
        return str(block["text"])
    if kind == "table":
        return "\n".join(" | ".join(_cell(cell, names) for cell in row) for row in block["rows"])
    if kind == "data_visualization":
        return _chart(block)
    if kind == "rich_text":
        return "\n".join(_rich(part, names) for part in block["elements"])
    return "───" if kind == "divider" else ""


def _chart(block: Json) -> str:
    """Its title, and each line's or bar's values in the order of the axis."""
    chart = block["chart"]
    if chart["type"] == "pie":
        return f"[chart: {block['title']}: {_values(chart['segments'])}]"
    order = chart["axis_config"]["categories"].index
    lines = [
        f"{one['name']}: {_values(sorted(one['data'], key=lambda point: order(point['label'])))}"
        for one in chart["series"]
    ]
    return "\n".join([f"[chart: {block['title']}]", *lines])


def _values(points: list[Json]) -> str:
    return ", ".join(f"{point['label']} {point['value']:g}" for point in points)


def _cell(cell: Json, names: Names) -> str:
    return (
        _block(cell, names)
        if cell["type"] == "rich_text"
        else str(cell.get("text", cell.get("value")))
    )


def _rich(part: Json, names: Names) -> str:
    if part["type"] == "rich_text_list":
        return "\n".join(f"• {_rich(item, names)}" for item in part["elements"])
    text = "".join(_run(run, names) for run in part["elements"])
    return (
        "\n".join(f"> {line}" for line in text.split("\n"))
        if part["type"] == "rich_text_quote"
        else text
    )


def _run(run: Json, names: Names) -> str:
    kind = run["type"]
    if kind == "user":
        return names.person(run["user_id"])
    if kind == "channel":
        return names.channel(run["channel_id"])
    if kind == "usergroup":
        return names.group(run["usergroup_id"])
    if kind == "emoji":
        return f":{run['name']}:"
    if kind == "broadcast":
        return f"@{run['range']}"
    return str(run.get("text") or run.get("url", ""))
