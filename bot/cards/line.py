"""One line of a request's thread, as rich text: there nothing is markup, so names stay as they are."""

from __future__ import annotations

import re
from typing import Any

from bot.cards.blocks import Block, Drawn
from bot.cards.text import Piece, pieces, prose
from changes.request import Request, approvals_of, mention
from changes.verdict import ApprovalNeed

LINE_LETTERS_MAX = 2000
CALLED = re.compile(r"[SUW][A-Z0-9]{2,20}")
LABEL = re.compile(r"[A-Z][A-Za-z0-9 ]{1,23}:(?= )")
"""How lines begin that say what they are about: `Step 3 of 6 done:`, `Before:`."""


def addressed(request: Request, at: int) -> str:
    """A line of the log with the people it calls; every other line pings nobody."""
    line = request.log[at]
    text = line.text
    if line.calls in ("approvers", "both"):
        text = _with_groups(text, approvals_of(request))
    if line.calls in ("requester", "both") and mention(request.requester) not in text:
        text = f"{text} · {mention(request.requester)}"
    return text


def _with_groups(text: str, needs: tuple[ApprovalNeed, ...]) -> str:
    """Each circle by its group's id, where its label stands or else at the end."""
    for need in needs:
        groups = " ".join(f"<!subteam^{one}>" for one in need.groups)
        if need.label and need.label in text and len(need.groups) == 1:
            text = text.replace(need.label, groups)
        elif groups and groups not in text:
            text = f"{text} · {groups}"
    return text


def draw_line(text: str, *, calls: str = "") -> Drawn:
    """Mentions by id and code in backticks keep their meaning; everything else is plain words.

    `calls`: whom the line mentions at its end, by Slack's id, or `here` or `channel`.
    """
    lines = [line for line in text.splitlines() if line.strip()] or ["–"]
    share = LINE_LETTERS_MAX // len(lines) + 1
    elements: list[Block] = []
    for at, line in enumerate(lines):
        if at:
            elements.append({"type": "text", "text": "\n"})
        elements += _elements(line, letters_max=share)
    called, token = called_in(calls)
    elements += called
    section = {"type": "rich_text_section", "elements": elements or [{"type": "text", "text": "–"}]}
    words = "\n".join(prose(line, letters_max=share, mentions=True) for line in lines)
    words += f" · {token}" if token else ""
    return Drawn(text=words or "–", blocks=({"type": "rich_text", "elements": [section]},))


def called_in(calls: str) -> tuple[list[Block], str]:
    """The mention as rich text and as a token; nothing for what is no id of Slack's."""
    if calls in ("here", "channel"):
        found: Block = {"type": "broadcast", "range": calls}
        token = f"<!{calls}>"
    elif not CALLED.fullmatch(calls):
        return [], ""
    elif calls.startswith("S"):
        found, token = {"type": "usergroup", "usergroup_id": calls}, f"<!subteam^{calls}>"
    else:
        found, token = {"type": "user", "user_id": calls}, f"<@{calls}>"
    return [{"type": "text", "text": " · "}, found], token


def _elements(line: str, *, letters_max: int) -> list[Block]:
    """The label in bold, so that a long thread can be skimmed."""
    label = LABEL.match(line)
    found = pieces(line[label.end() :] if label else line, letters_max=letters_max)
    words = [_element(piece) for piece in found]
    if label is None:
        return words
    bold = {"type": "text", "text": label[0], "style": {"bold": True}}
    return [bold, {"type": "text", "text": " "}, *words]


def _element(piece: Piece) -> dict[str, Any]:
    if piece.kind == "user":
        return {"type": "user", "user_id": piece.words}
    if piece.kind == "group":
        return {"type": "usergroup", "usergroup_id": piece.words}
    if piece.kind == "channel":
        return {"type": "channel", "channel_id": piece.words}
    if piece.kind == "code":
        return {"type": "text", "text": piece.words, "style": {"code": True}}
    return {"type": "text", "text": piece.words}
