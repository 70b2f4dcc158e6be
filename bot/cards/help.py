"""Small answers for one person: help, a mistake with its caret, what happens next, what is open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.cards.blocks import Drawn, context, header, message, section
from bot.cards.quantities import counted
from bot.cards.request import LOOKS
from bot.cards.text import code, code_block, inert, prose, when
from changes.grammar import Asked, Mistake
from changes.lifecycle import State
from changes.request import Request, mention

ROW = re.compile(r"(\S.*?) {2,}(\S.*)")
LISTED_MAX = 20
UNREADABLE_MAX = 5


def help_card(text: str) -> Drawn:
    blocks = [section(f"*What I understand*\n{_overview(text) or code_block(text)}")]
    if "status" in text:
        blocks.append(context("In a card's thread: `approve`, or `reject` and a reason."))
    return message(blocks, pointer="Shortened; more with `/kafka help` and the name of one line.")


def _overview(text: str) -> str:
    """Line and meaning as a list: two columns of a code block would break on every phone. Empty
    where the text is no such table."""
    found = [ROW.fullmatch(line) for line in text.splitlines() if line]
    if sum(row is not None for row in found) < len(found) - 1:
        return ""
    lines = [line for line in text.splitlines() if line]
    rows = zip(found, lines, strict=True)
    return "\n".join(f"{code(r[1])}  {prose(r[2])}" if r else prose(line) for r, line in rows)


def mistake_card(mistake: Mistake) -> Drawn:
    """What was typed in a code block, so that the caret stands under the letter it means."""
    parts = ["I did not understand that."]
    if shown := mistake.shown():
        parts.append(code_block("\n".join(shown)))
    parts.append(prose(mistake.message, letters_max=1000))
    if mistake.suggestion:
        parts.append(f"💡 Try: {code(f'/kafka {mistake.suggestion}')}")
    return message([section("\n".join(parts))], pointer="Shortened.")


def told(words: str) -> Drawn:
    """A sentence or a few, for one person."""
    lines = "\n".join(
        prose(line, letters_max=1500, mentions=True) for line in words.splitlines() if line.strip()
    )
    return message([section(lines)], pointer="Shortened.")


def opened(request: Request, asked: Asked, *, link: str) -> Drawn:
    """After asking: the request's id, where its card is, and which defaults were used.

    The card may come sooner than these words, so they are true in either order; `link` = it has come.
    """
    first = f"*{inert(request.id)}* · {inert(request.change.describe())}"
    card = f"<{link}|its card>" if link else "its card"
    if request.state is State.PREPARING:
        said = f"{first}: being planned; {card} is in <#{request.channel}>."
    else:
        said = f"{first}: you asked for this a moment ago; {card} is in <#{request.channel}>."
    notes = [prose(one) for one in asked.stated]
    return message([section(said), *([context(*notes)] if notes else [])], pointer="Shortened.")


def open_requests(
    requests: Sequence[Request],
    *,
    links: Mapping[str, str],
    where: str,
    trouble: str = "",
    unreadable: Sequence[str] = (),
) -> Drawn:
    """What is going on; each line leads to its card. `trouble` = why the policy files are not used,
    `unreadable` = what another version of Ottla wrote, a sentence each."""
    above = [section(_broken_policies(trouble))] if trouble else []
    above += [section(f"⚠️ {inert(one)}") for one in unreadable[:UNREADABLE_MAX]]
    if not requests:
        return message([*above, section(f"Nothing is open {prose(where)}.")], pointer="")
    title = header(f"{counted(len(requests), 'open request')} {where}")
    shown = [section(_line(one, links.get(one.id, ""))) for one in requests[:LISTED_MAX]]
    hidden = len(requests) - len(shown)
    more = [context(f"… and {hidden} more")] if hidden > 0 else []
    return message([title, *above, *shown, *more], pointer="Shortened; name a cluster with `on`.")


def _broken_policies(trouble: str) -> str:
    return (
        f"⚠️ *The policy files are broken; the last good ones are in force.*\n{code_block(trouble)}"
    )


def _line(request: Request, link: str) -> str:
    name = f"<{link}|{inert(request.id)}>" if link else inert(request.id)
    first = f"{LOOKS[request.state]} *{name}* {inert(request.change.describe())}"
    return f"{first}\n{request.state.value}{_detail(request)} · {mention(request.requester)}"


def _detail(request: Request) -> str:
    progress = request.progress
    if request.state is State.QUEUED and request.line_position:
        return f", {counted(request.line_position, 'change')} before it"
    if request.state is State.AWAITING_APPROVAL and request.expires_at:
        return f", expires {when(request.expires_at)}"
    if request.state is not State.RUNNING or progress is None or request.plan is None:
        return ""
    share = f", {int(100 * progress.done / progress.total)} %" if progress.total > 0 else ""
    hold = ", paused" if request.paused_by else ", holding" if progress.hold else ""
    return f": step {progress.step + 1} of {len(request.plan.steps)}{share}{hold}"
