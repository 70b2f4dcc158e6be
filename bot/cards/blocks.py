"""Block Kit's few shapes that cards use, each within Slack's limits; one bad block loses the message.

`verbatim` everywhere: Slack must not turn bare words into links or mentions behind our back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from bot.cards.chart_words import chart_words
from bot.cards.text import EMOJI_NAME, inert, plain

Block = dict[str, Any]

SHORTENED = "\n… (shortened)"
LEFT_OUT = re.compile(r"^… (and [0-9,]+ more|\(shortened\))", re.MULTILINE)

SECTION_LETTERS_MAX = 2900
"""Slack's limit is 3,000; the rest is for the pointer to what was cut."""
FIELD_LETTERS_MAX = 1900
FIELDS_MAX = 10
TABLE_ROWS_MAX = 100
TABLE_COLUMNS_MAX = 20
CELL_LETTERS_MAX = 60
"""So that a hundred rows of ten columns with ordinary names stay below Slack's 10,000 letters."""
BLOCKS_MAX = 50
MESSAGE_LETTERS_MAX = 11_000
"""Undocumented `msg_blocks_too_long` was seen near 13,200 letters over all blocks."""
FALLBACK_LETTERS_MAX = 3500
"""chat.update refuses `text` above 4,000."""


class Drawn(NamedTuple):
    """A message: blocks for the eyes, `text` saying the same for notifications and readers."""

    text: str
    blocks: tuple[Block, ...]
    shortened: bool = False
    """Something was left out for its length."""


def mrkdwn(words: str, *, letters_max: int = SECTION_LETTERS_MAX) -> Block:
    return {"type": "mrkdwn", "text": cut(words, letters_max=letters_max), "verbatim": True}


def plain_text(words: str, *, letters_max: int) -> Block:
    return {"type": "plain_text", "text": plain(words, letters_max=letters_max), "emoji": False}


def header(words: str) -> Block:
    """`emoji` is on for our own sign in front; names of emoji inside the words are taken apart."""
    text = plain_text(EMOJI_NAME.sub("∶", words), letters_max=150)
    return {"type": "header", "text": {**text, "emoji": True}}


def section(words: str) -> Block:
    return {"type": "section", "text": mrkdwn(words)}


def fields(pairs: Sequence[tuple[str, str]]) -> list[Block]:
    """Label over value, two columns; more than ten pairs go on in the next section."""
    items = [mrkdwn(f"*{label}*\n{value}", letters_max=FIELD_LETTERS_MAX) for label, value in pairs]
    return [
        {"type": "section", "fields": items[start : start + FIELDS_MAX]}
        for start in range(0, len(items), FIELDS_MAX)
    ]


def context(*words: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(one) for one in words if one][:10]}


def divider() -> Block:
    return {"type": "divider"}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def button(
    *, label: str, action_id: str, value: str, style: str = "", confirm: Block | None = None
) -> Block:
    shape: Block = {
        "type": "button",
        "text": plain_text(label, letters_max=75),
        "action_id": action_id,
        "value": value,
    }
    if style:
        shape["style"] = style
    if confirm:
        shape["confirm"] = confirm
    return shape


def confirm(*, title: str, words: str, yes: str, no: str, style: str = "") -> Block:
    shape: Block = {
        "title": plain_text(title, letters_max=100),
        "text": plain_text(words, letters_max=300),
        "confirm": plain_text(yes, letters_max=30),
        "deny": plain_text(no, letters_max=30),
    }
    return {**shape, "style": style} if style else shape


def table(rows: Sequence[Sequence[str]], *, numbers: Collection[str]) -> Block:
    """A native table, the first row its head; columns named in `numbers` are set to the right.

    One a message, at most `TABLE_ROWS_MAX` rows and some thousand letters: callers show the worst few.
    """
    cells = [
        [
            {"type": "raw_text", "text": plain(word, letters_max=CELL_LETTERS_MAX)}
            for word in row[:TABLE_COLUMNS_MAX]
        ]
        for row in rows[:TABLE_ROWS_MAX]
    ]
    aligned = [
        {"align": "right" if name in numbers else "left"} for name in rows[0][:TABLE_COLUMNS_MAX]
    ]
    return {"type": "table", "rows": cells, "column_settings": aligned}


def bullets(lines: Iterable[str], *, shown_max: int = 5) -> str:
    """The first few as a list, and how many there are beyond."""
    items = list(lines)
    shown = [f"• {line}" for line in items[:shown_max]]
    hidden = len(items) - shown_max
    return "\n".join([*shown, f"… and {hidden} more"] if hidden > 0 else shown)


def cut(words: str, *, letters_max: int) -> str:
    """Cut at a line's end where one is near, so that no style or link is left half open."""
    if len(words) <= letters_max:
        return words or " "
    head = words[: max(1, letters_max - len(SHORTENED))]
    line_end = head.rfind("\n")
    if line_end <= letters_max // 2:
        line_end = head.rfind(" ")
    return (head[:line_end] if line_end > 0 else head) + SHORTENED


def message(blocks: Sequence[Block], *, pointer: str) -> Drawn:
    """The blocks within the limits of one message.

    What is longest is shortened first, again and again, so that short blocks, which are the ones to
    decide by, stay whole. What was left out is pointed to, never dropped in silence.
    """
    kept = list(blocks)
    while letters_of(kept) > MESSAGE_LETTERS_MAX:
        longest = max(range(len(kept)), key=lambda index: letters_of([kept[index]]))
        kept[longest] = _shorter(kept[longest])
    while len(kept) > BLOCKS_MAX - 1:
        kept.pop(_least_needed(kept))
    shortened = len(kept) < len(blocks) or any(
        LEFT_OUT.search(w) for b in kept for w in words_of(b)
    )
    if shortened and pointer:
        kept.append(context(pointer))
    return Drawn(text=fallback(kept), blocks=tuple(kept), shortened=shortened)


def _shorter(block: Block) -> Block:
    """About half of it; fields lose their last pair."""
    if "fields" in block and len(block["fields"]) > 2:
        return {**block, "fields": block["fields"][:-2]}
    if "text" in block:
        words = block["text"]["text"]
        return {**block, "text": {**block["text"], "text": cut(words, letters_max=len(words) // 2)}}
    return context("… and more")


def _least_needed(blocks: Sequence[Block]) -> int:
    """The last section above the buttons, below the head of the card."""
    sections = [at for at, block in enumerate(blocks) if block["type"] == "section" and at > 1]
    return sections[-2] if len(sections) > 1 else len(blocks) // 2


def letters_of(blocks: Iterable[Block]) -> int:
    return sum(len(words) for block in blocks for words in words_of(block))


def fallback(blocks: Iterable[Block]) -> str:
    """The same content as the blocks, in one text; the longest parts give way first."""
    parts = ["\n".join(words_of(block)) for block in blocks if words_of(block)]
    while sum(map(len, parts)) + len(parts) > FALLBACK_LETTERS_MAX:
        longest = max(range(len(parts)), key=lambda index: len(parts[index]))
        parts[longest] = cut(parts[longest], letters_max=len(parts[longest]) // 2)
    return "\n".join(parts)


def words_of(block: Block) -> list[str]:
    """The words a block shows; buttons are left to the eyes, thread words say the same."""
    if block["type"] == "header":
        return [inert(block["text"]["text"])]
    if block["type"] == "section" and "text" in block:
        return [str(block["text"]["text"])]
    if block["type"] == "section":
        return [str(field["text"]).replace("*\n", ":* ", 1) for field in block["fields"]]
    if block["type"] == "context":
        return [str(element["text"]) for element in block["elements"]]
    if block["type"] == "data_visualization":
        return [inert(line) for line in chart_words(block)]
    if block["type"] == "table":
        return [" · ".join(inert(str(cell["text"])) for cell in row) for row in block["rows"]]
    return []
