"""mrkdwn turned into the `rich_text` block that Slack attaches to text-only messages.

Only what Slack's own composer produces: sections, quotes, fenced code, and styled runs inside them.
"""

import re

from lab.slack.entities import Json
from lab.slack.text import unescape

_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_RUNS = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|<@(?P<user>[UW]\w+)(?:\|[^>]*)?>"
    r"|<#(?P<channel>C\w+)(?:\|[^>]*)?>"
    r"|<!subteam\^(?P<group>S\w+)(?:\|[^>]*)?>"
    r"|<!(?P<range>here|channel|everyone)(?:\|[^>]*)?>"
    r"|<(?P<url>(?:https?|mailto|tel):[^|>]+)(?:\|(?P<label>[^>]*))?>"
    r"|:(?P<emoji>[a-z0-9_+'-]+):"
    r"|(?<![\w*])\*(?P<bold>[^*\n]*[^*\s])\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^_\n]*[^_\s])_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>[^~\n]*[^~\s])~(?![\w~])"
)


def rich_text_block(text: str, *, block_id: str) -> Json:
    elements: list[Json] = []
    place = 0
    for fence in _FENCE.finditer(text):
        elements += _paragraphs(text[place : fence.start()].removesuffix("\n"))
        code = {"type": "text", "text": unescape(fence.group(1)) or " "}
        elements.append({"type": "rich_text_preformatted", "elements": [code], "border": 0})
        place = fence.end() + (text[fence.end() : fence.end() + 1] == "\n")
    elements += _paragraphs(text[place:])
    return {"type": "rich_text", "block_id": block_id, "elements": elements}


def _paragraphs(text: str) -> list[Json]:
    """Runs of quoted and of plain lines, each one element."""
    parts: list[tuple[bool, list[str]]] = []
    for line in text.split("\n") if text else []:
        quoted = line.startswith("&gt;")
        content = line.removeprefix("&gt;").removeprefix(" ") if quoted else line
        if parts and parts[-1][0] == quoted:
            parts[-1][1].append(content)
        else:
            parts.append((quoted, [content]))
    return [
        {
            "type": "rich_text_quote" if quoted else "rich_text_section",
            "elements": runs("\n".join(lines)),
        }
        for quoted, lines in parts
    ]


def runs(text: str, style: dict[str, bool] | None = None) -> list[Json]:
    found: list[Json] = []
    place = 0
    for match in _RUNS.finditer(text):
        found += _plain(text[place : match.start()], style)
        found += _styled(match, style or {})
        place = match.end()
    return found + _plain(text[place:], style)


def _plain(text: str, style: dict[str, bool] | None) -> list[Json]:
    return [_with_style({"type": "text", "text": unescape(text)}, style or {})] if text else []


def _with_style(run: Json, style: dict[str, bool]) -> Json:
    return {**run, "style": dict(style)} if style else run


def _styled(match: re.Match[str], style: dict[str, bool]) -> list[Json]:
    kind = match.lastgroup or ""
    # `label` closes after `url`, so a link with a label reports the label.
    kind = "url" if kind == "label" else kind
    content = match.group(kind)
    if kind in ("bold", "italic", "strike"):
        return runs(content, {**style, kind: True})
    if kind == "code":
        return _plain(content[1:-1], {**style, "code": True})
    return [_with_style(_token(kind, content, match), style)]


def _token(kind: str, content: str, match: re.Match[str]) -> Json:
    if kind == "url":
        label = match.group("label")
        link: Json = {"type": "link", "url": unescape(content)}
        return {**link, "text": unescape(label)} if label else link
    if kind == "group":
        return {"type": "usergroup", "usergroup_id": content}
    if kind == "range":
        return {"type": "broadcast", "range": content}
    if kind == "emoji":
        return {"type": "emoji", "name": content}
    return {"type": kind, f"{kind}_id": content}
