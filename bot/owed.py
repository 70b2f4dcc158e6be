"""What Slack is owed for one request: a decision, from the stored request and the stored card.

1. Nobody has posted a card: post it.
2. The card shows an older version: redraw it; at once for a decision, else not too often.
3. The thread lacks a line: post the next one, in order.
A claim of somebody else makes us wait; a claim that ran out means that its owner died in the middle,
so Slack is looked at before anything is posted again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from changes.request import Request
from changes.tagged import Value
from ledger import Card

What = Literal["nothing", "card", "redraw", "line"]


class Owed(Value):
    what: What
    line: int = -1
    wait_seconds: float = 0
    """Somebody else is at it: look again then."""
    doubtful: bool = False
    """It may be in Slack already."""


NOTHING = Owed(what="nothing")


def owed(request: Request, card: Card | None, *, me: str, now: datetime) -> Owed:
    if card is not None and card.claim and not card.claim.startswith(f"{me} "):
        left = (card.claimed_until - now).total_seconds() if card.claimed_until else 0
        if left > 0:
            return Owed(what="nothing", wait_seconds=left)
    doubtful = card is not None and bool(card.claim)
    if card is None or not card.ts:
        return Owed(what="card", doubtful=doubtful)
    if card.drawn_version < request.version and not claimed_line(card):
        return Owed(what="redraw")
    if card.lines_posted < len(request.log):
        return Owed(what="line", line=card.lines_posted, doubtful=claimed_line(card))
    return Owed(what="redraw") if card.drawn_version < request.version else NOTHING


def claimed_line(card: Card) -> bool:
    """Was a line being posted when the claim was left behind?"""
    return card.claim.split(" ")[1:2] == ["line"]
