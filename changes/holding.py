"""Holding: said once when it begins and once when it ends, and people are called when it lasts.

The surprising truth: a reason to hold carries live figures ("CPU is 71 %", then 72 %), so sentences
are told apart by their kind, without figures and without what stands in brackets.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from changes.lifecycle import State
from changes.request import Request

CALLS_AFTER = timedelta(minutes=15)
"""What lasts longer is worth somebody's look; it still goes on by itself when it is clear."""
LASTING = "still holding"
OVER = "the reason to hold is gone"
LINES_LOOKED_AT = 30
_LIVE = re.compile(r"\([^)]*\)|[0-9][0-9.,]*")


def kind_of(sentence: str) -> str:
    return " ".join(_LIVE.sub("", sentence).split())


def told(request: Request, words: str, *, now: datetime, kind: str = "") -> Request:
    """One line in the thread, once per kind and step."""
    progress = request.progress
    kind = kind or kind_of(words)
    if progress is None or kind in progress.told:
        return request
    noted = request.with_(progress=progress.with_(told=(*progress.told, kind)))
    return noted.said(now=now, text=words)


def held(
    request: Request, words: str, *, now: datetime, say: bool = True, over: str = OVER
) -> Request:
    """The request that waits for `words`; without words, the one that goes on, since it is `over`."""
    progress = request.progress
    if progress is None:
        return request
    if not words:
        return _going_on(request, now=now, why=over)
    since = progress.held_since or now
    holding = request.with_(progress=progress.with_(hold=words, held_since=since), updated_at=now)
    if say:
        kind = kind_of(words)
        changed = bool(progress.hold) and kind_of(progress.hold) != kind
        if changed and not said_lately(request, f"Holding: {words}", now=now):
            holding = _forgotten(holding, kind)
        holding = told(holding, f"Holding: {words}", now=now, kind=f"hold {kind}")
    return _lasting(holding, words, now=now) if now - since >= CALLS_AFTER else holding


def said_lately(request: Request, text: str, *, now: datetime) -> bool:
    """Has the thread that line already, give or take figures? Reasons that flicker are one line."""
    kind = kind_of(text)
    return any(
        now - line.at < CALLS_AFTER and kind_of(line.text) == kind
        for line in request.log[-LINES_LOOKED_AT:]
    )


def _going_on(request: Request, *, now: datetime, why: str) -> Request:
    progress = request.progress
    if progress is None or not progress.hold:
        return request
    was_said = f"hold {kind_of(progress.hold)}" in progress.told
    kept = tuple(one for one in progress.told if not one.startswith(("hold ", LASTING)))
    clear = request.with_(progress=progress.with_(hold="", held_since=None, told=kept))
    return clear.said(now=now, text=f"Going on: {why}") if was_said else clear


def _forgotten(request: Request, kind: str) -> Request:
    """A reason that comes back after another one is said again."""
    progress = request.progress
    if progress is None:
        return request
    kept = tuple(one for one in progress.told if one != f"hold {kind}")
    return request.with_(progress=progress.with_(told=kept))


def _lasting(request: Request, words: str, *, now: datetime) -> Request:
    progress = request.progress
    if progress is None or LASTING in progress.told:
        return request
    minutes = CALLS_AFTER.total_seconds() / 60
    ends = f"`/kafka abort {request.id}` ends it"
    if request.state is State.ROLLING_BACK:  # there is nothing left to abort
        ends = "until then somebody has to see to that"
    text = (
        f"Still holding after {minutes:.0f} min: {words}. It goes on by itself when that is over; "
        f"{ends}."
    )
    noted = request.with_(progress=progress.with_(told=(*progress.told, LASTING)))
    return noted.said(now=now, text=text, calls="both")
