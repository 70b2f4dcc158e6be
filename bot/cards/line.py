"""One line of a request's thread, as rich text: there nothing is markup, so names stay as they are."""

from __future__ import annotations

from typing import Any

from bot.cards.blocks import Block, Drawn
from bot.cards.text import Piece, pieces, prose
from changes.request import Request, approvals_of, mention

LINE_LETTERS_MAX = 2000
DECIDED = ("Approved by", "Rejected by", "Cancelled by", "Expired", "Denied")
"""How `changes.request` begins the lines that say somebody decided."""
ASKED_AGAIN = "Planned again"
"""How workers begin the line that says the approvals are void."""


def addressed(request: Request, at: int) -> str:
    """A line of the log with the people it is for: who asked hears of decisions and of the end,
    approvers hear that they are needed. Everything else pings nobody."""
    text = request.log[at].text
    ended = request.state.ended and at == len(request.log) - 1
    if (ended or text.startswith(DECIDED)) and mention(request.requester) not in text:
        return f"{text} · {mention(request.requester)}"
    if text.startswith(DECIDED):
        return text
    if text.startswith(ASKED_AGAIN):
        groups = [f"<!subteam^{one}>" for need in approvals_of(request) for one in need.groups]
        return " ".join([text, "·", mention(request.requester), *groups])
    for need in approvals_of(request):
        if need.label and len(need.groups) == 1:
            text = text.replace(
                f"approval by {need.label}", f"approval by <!subteam^{need.groups[0]}>"
            )
    return text


def draw_line(text: str) -> Drawn:
    """Mentions by id and code in backticks keep their meaning; everything else is plain words."""
    lines = [line for line in text.splitlines() if line.strip()] or ["–"]
    share = LINE_LETTERS_MAX // len(lines) + 1
    elements: list[Block] = []
    for at, line in enumerate(lines):
        if at:
            elements.append({"type": "text", "text": "\n"})
        elements += [_element(piece) for piece in pieces(line, letters_max=share)]
    section = {"type": "rich_text_section", "elements": elements or [{"type": "text", "text": "–"}]}
    words = "\n".join(prose(line, letters_max=share, mentions=True) for line in lines)
    return Drawn(text=words or "–", blocks=({"type": "rich_text", "elements": [section]},))


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
