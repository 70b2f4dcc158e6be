"""One line of a request's thread, as rich text: there nothing is markup, so names stay as they are."""

from __future__ import annotations

from typing import Any

from bot.cards.blocks import Block, Drawn
from bot.cards.text import Piece, pieces, prose

LINE_LETTERS_MAX = 2000


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
