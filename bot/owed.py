"""What Slack is owed for one story: a decision, from the story and the stored card.

1. Nobody has posted its head: post it, unless there is nothing to show.
2. The head shows an older version: redraw it; at once for a decision, else not too often.
3. The thread lacks a line: post the next one, in order.
A claim of somebody else makes us wait; a claim that ran out means that its owner died in the middle,
so Slack is looked at before anything is posted again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bot.story import Story
from changes.tagged import Value
from ledger import Card

What = Literal["nothing", "card", "pass", "redraw", "line"]
"""`pass` = count it as shown although nobody saw it."""


class Owed(Value):
    what: What
    line: int = -1
    wait_seconds: float = 0
    """Somebody else is at it: look again then."""
    doubtful: bool = False
    """It may be in Slack already."""


NOTHING = Owed(what="nothing")


def owed(story: Story, card: Card | None, *, me: str, now: datetime) -> Owed:
    if card is not None and card.claim and not card.claim.startswith(f"{me} "):
        left = (card.claimed_until - now).total_seconds() if card.claimed_until else 0
        if left > 0:
            return Owed(what="nothing", wait_seconds=left)
    doubtful = card is not None and bool(card.claim)
    if card is None or not card.ts:
        return first(story, card, doubtful=doubtful)
    if card.drawn_version < story.version and not claimed_line(card):
        return Owed(what="redraw")
    if card.lines_posted < story.lines:
        return line_owed(card)
    return Owed(what="redraw") if card.drawn_version < story.version else NOTHING


def first(story: Story, card: Card | None, *, doubtful: bool) -> Owed:
    """The head, as long as it is worth one; a doubtful one is looked for in any case."""
    if not story.nothing_to_show or doubtful:
        return Owed(what="card", doubtful=doubtful)
    up_to_date = card is not None and (card.drawn_version, card.lines_posted) == (
        story.version,
        story.lines,
    )
    return NOTHING if up_to_date else Owed(what="pass")


def line_owed(card: Card) -> Owed:
    return Owed(what="line", line=card.lines_posted, doubtful=claimed_line(card))


def claimed_line(card: Card) -> bool:
    """Was a line being posted when the claim was left behind?"""
    return card.claim.split(" ")[1:2] == ["line"]
