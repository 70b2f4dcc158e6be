"""One request, one card: the same value always draws the same message.

The head says what and in which state, the body what that state needs from its reader, the foot which
revision and fingerprint a vote would count for. Only a card that can still be decided has buttons.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.cards.blocks import (
    Block,
    Drawn,
    actions,
    bullets,
    button,
    confirm,
    context,
    header,
    message,
    section,
)
from bot.cards.outcome import ended
from bot.cards.plan import meaning
from bot.cards.progress import in_short, running
from bot.cards.quantities import between, counted, in_bytes
from bot.cards.text import inert, prose, when
from bot.cards.verdict import approvals
from changes.lifecycle import Event, State, may
from changes.request import Request, mention
from changes.steering import Steering, offered

APPROVE, REJECT, CANCEL = "request:approve", "request:reject", "request:cancel"
STEER: Mapping[Steering, str] = {
    "pause": "request:pause",
    "resume": "request:resume",
    "abort": "request:abort",
}

LOOKS = {
    State.PREPARING: "🔍",
    State.AWAITING_APPROVAL: "🟡",
    State.QUEUED: "⏳",
    State.RUNNING: "⚙️",
    State.ROLLING_BACK: "🔄",
    State.DONE: "✅",
    State.FAILED: "❌",
    State.ROLLED_BACK: "⬅️",
    State.CANCELLED: "🚫",
    State.REJECTED: "⛔",
    State.EXPIRED: "⌛",
    State.DENIED: "🛑",
    State.NEEDS_ATTENTION: "🚨",
}
WORKING = (State.RUNNING, State.ROLLING_BACK)


def draw(request: Request) -> Drawn:
    body = [*_head(request), *_body(request), *_buttons(request), *_foot(request)]
    return message(body, pointer=f"Shortened. All of it: `/kafka show {inert(request.id)}`")


def _head(request: Request) -> list[Block]:
    title = f"{LOOKS[request.state]} {request.change.describe()}"
    asked = f"asked by {mention(request.requester)} {when(request.created_at)}"
    blocks = [header(title), context(f"*{inert(request.id)}* · *{request.state.value}* · {asked}")]
    if request.because:
        blocks.append(section(f"*Why* · {inert(request.because)}"))
    return blocks


def _body(request: Request) -> list[Block]:
    if request.state.ended:
        return ended(request)
    if request.state in WORKING:
        return running(request)
    if request.plan is None or request.verdict is None:
        return [section("Looking at the cluster, planning, asking the policies …")]
    blocks = [*_changed(request), *meaning(request.plan), *_warned(request)]
    blocks.append(context(in_short(request.plan)))
    waiting = request.state is State.AWAITING_APPROVAL
    return [*blocks, approvals(request) if waiting else section(_in_line(request))]


def _changed(request: Request) -> list[Block]:
    """Why an earlier revision was void: the first thing a second look must show."""
    if not request.differences:
        return []
    since = bullets(prose(one) for one in request.differences)
    return [section(f"🔁 *Planned again; earlier approvals no longer count*\n{since}")]


def _warned(request: Request) -> list[Block]:
    warnings = request.verdict.warnings if request.verdict else ()
    if not warnings:
        return []
    return [section("⚠️ *The policies warn*\n" + bullets(prose(one) for one in warnings))]


def _in_line(request: Request) -> str:
    allowed = request.verdict is not None and not request.verdict.approvals
    decided = "*Allowed as it is*" if allowed else "*Approved*"
    voters = [mention(v.person) for v in request.counted_votes if v.choice == "approve"]
    by = f" by {', '.join(voters)}" if voters else ""
    if request.line_position == 0:
        if request.waits:
            return f"{decided}{by} · ⏸️ waits: {prose(request.waits)}"
        return f"{decided}{by} · starts in a moment"
    before = counted(request.line_position, "change")
    return (
        f"{decided}{by} · {before} before it on {inert(request.cluster)}\n"
        "It is planned again on its turn; if the plan then differs, it asks again."
    )


def _buttons(request: Request) -> list[Block]:
    value = f"{request.id}:{request.revision}"
    found = []
    if request.state is State.AWAITING_APPROVAL and request.plan:
        ask = confirm(
            title=f"Approve {request.id}?",
            words=_what_yes_means(request),
            yes="Approve",
            no="Not yet",
        )
        found.append(
            button(label="Approve", action_id=APPROVE, value=value, style="primary", confirm=ask)
        )
        found.append(button(label="Reject …", action_id=REJECT, value=value, style="danger"))
    if may(request.state, Event.CANCELLED):
        ask = confirm(
            title=f"Cancel {request.id}?",
            words="Only its requester can. It will have to be asked again.",
            yes="Cancel it",
            no="Keep it",
            style="danger",
        )
        found.append(button(label="Cancel", action_id=CANCEL, value=value, confirm=ask))
    found += [_steer(request, what, value) for what in offered(request)]
    return [actions(*found)] if found else []


def _steer(request: Request, what: Steering, value: str) -> Block:
    if what != "abort":
        return button(label=what.capitalize(), action_id=STEER[what], value=value)
    ask = confirm(
        title=f"Abort {request.id}?",
        words="Running moves are cancelled and throttles taken away. "
        "What was moved or added so far stays.",
        yes="Abort it",
        no="Let it run",
        style="danger",
    )
    return button(label="Abort …", action_id=STEER[what], value=value, style="danger", confirm=ask)


def _what_yes_means(request: Request) -> str:
    if request.plan is None:
        return request.change.describe()
    impact = request.plan.impact
    words = [f"{request.change.describe()}."]
    if impact.bytes_moved:
        moved = in_bytes(impact.bytes_moved)
        words.append(
            f"Moves {moved} in {between(impact.duration_seconds_low, impact.duration_seconds_high)}."
        )
    if request.plan.cannot_be_undone:
        words.append("Cannot be undone: " + "; ".join(request.plan.cannot_be_undone) + ".")
    return " ".join(words)


def _foot(request: Request) -> list[Block]:
    if request.plan is None:
        return []
    mark = f"Revision {request.revision} · plan `{inert(request.plan.short_fingerprint)}`"
    if request.state is State.QUEUED:
        return [context(mark)]  # who approved stands above already
    if request.state is not State.AWAITING_APPROVAL:
        voters = [mention(v.person) for v in request.counted_votes if v.choice == "approve"]
        return [context(mark + (f" · approved by {', '.join(voters)}" if voters else ""))]
    expires = f" · expires {when(request.expires_at)}" if request.expires_at else ""
    how = "In this thread: `approve` or `reject <reason>`".replace("<", "&lt;").replace(">", "&gt;")
    return [context(f"{mark}{expires}", f"{how} · anywhere: `/kafka approve {inert(request.id)}`")]
