"""What is wrong now and what was: a line each, or one incident with its thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.cards.blocks import Block, Drawn, bullets, context, header, message, section
from bot.cards.incident import FAMILIES, LOUDNESS, named, sign_of
from bot.cards.quantities import counted, lasting
from bot.cards.text import code, inert, prose, shortened, when
from changes.incident import Alert, Incident, Line, Mute

OPEN_MAX = 15
PAST_MAX = 8
MUTES_MAX = 10
NOTES_MAX = 10
ALERTS_MAX = 25
LINES_MAX = 15
LINE_LETTERS_MAX = 200
POINTER = "Shortened; `/kafka incidents I-…` shows one in full."


def incident_list(
    open_ones: Sequence[Incident],
    *,
    past: Sequence[Incident],
    mutes: Sequence[Mute],
    links: Mapping[str, str],
    where: str,
    now: datetime,
    muted_messages: Sequence[Incident] = (),
    notes: Sequence[str] = (),
    unsaid: Sequence[Line] = (),
) -> Drawn:
    """`where`: such as ` on orders-prod`, empty = anywhere; `muted_messages`: incidents that are over and
    whose mute still holds; `notes`: where the watch does not look; `unsaid`: what was over before
    anybody was told, newest first.
    """
    worst_first = sorted(open_ones, key=lambda one: (-one.severity, one.opened_at))
    title = f"{counted(len(open_ones), 'open incident')}{where}"
    doubt = notes or mutes or muted_messages
    quiet = f"No incident is open{where}" if doubt else f"Nothing is wrong{where or ' anywhere'}"
    blocks: list[Block] = [header(title if open_ones else quiet)]
    blocks += [section("\n".join(notes[:NOTES_MAX]))] if notes else []
    blocks += [section(_line(one, links.get(one.id, ""), now)) for one in worst_first[:OPEN_MAX]]
    if (hidden := len(open_ones) - OPEN_MAX) > 0:
        blocks.append(context(f"… and {hidden} more"))
    if quiet_for := [*map(_mute, mutes), *map(_muted_message, muted_messages)]:
        listed = bullets(quiet_for, shown_max=MUTES_MAX)
        blocks.append(section(f"🔕 *Muted*\n{listed}"))
    if past:
        over = bullets((_past(one, links.get(one.id, "")) for one in past), shown_max=PAST_MAX)
        blocks.append(section(f"*Lately*\n{over}"))
    if unsaid:
        listed = bullets(map(_unsaid, unsaid), shown_max=PAST_MAX)
        blocks.append(section(f"*Over before anybody was told*\n{listed}"))
    return message(blocks, pointer=POINTER)


def _unsaid(line: Line) -> str:
    return f"{when(line.at)} · {prose(line.text, letters_max=LINE_LETTERS_MAX)}"


def _line(one: Incident, link: str, now: datetime) -> str:
    since = lasting((now - one.opened_at).total_seconds())
    head = f"{sign_of(one)} {_linked(one, link)} {FAMILIES[one.family]} on {inert(one.cluster)} · {since}"
    return f"{head}{_who(one)}\n{_worst(one)}"


def _who(one: Incident) -> str:
    acked = f" · <@{inert(one.acked_by)}> has it" if one.acked_by else ""
    muted = f" · muted until {when(one.muted_until)}" if one.muted_until else ""
    return acked + muted


def _worst(one: Incident) -> str:
    firing = one.firing
    if not firing:
        return "nothing fires just now"
    more = len(firing) - 1 + one.more
    return f"{_alert(firing[0])}{f' … and {more:,} more' if more else ''}"


def _alert(alert: Alert) -> str:
    return named(
        alert.finding.subject, shortened(alert.finding.words, letters_max=LINE_LETTERS_MAX)
    )


def _past(one: Incident, link: str) -> str:
    end = one.ended_at or one.opened_at
    length = lasting((end - one.opened_at).total_seconds())
    told = max(one.alerts, key=lambda alert: alert.peak, default=None)
    subject = f" {code(told.finding.subject, letters_max=60)}" if told else ""
    many = f" and {len(one.alerts) - 1} more" if len(one.alerts) > 1 else ""
    place = f"{FAMILIES[one.family]} on {inert(one.cluster)}"
    began = when(one.opened_at)
    return f"{_linked(one, link)} {place},{subject}{many}: {length} from {began}"


def _muted_message(one: Incident) -> str:
    """Its mute outlived it, and holds back what is no worse."""
    until = when(one.muted_until) if one.muted_until else ""
    family = FAMILIES[one.family].lower()
    return f"*{inert(one.id)}* (over): {family} of {inert(one.cluster)} until {until}"


def _mute(one: Mute) -> str:
    what = code(one.subject, letters_max=80) if one.subject else "everything"
    why = f": {prose(one.reason, letters_max=LINE_LETTERS_MAX)}" if one.reason else ""
    until = when(one.until)
    return (
        f"*{inert(one.id)}* {what} of {inert(one.cluster)} until {until} by <@{inert(one.by)}>{why}"
    )


def _linked(one: Incident, link: str) -> str:
    return f"*<{link}|{inert(one.id)}>*" if link else f"*{inert(one.id)}*"


def one_incident(one: Incident, *, link: str) -> Drawn:
    """Everything of it that is kept: each alert, and the last lines of its thread."""
    state = "over" if one.ended_at else LOUDNESS[one.severity]
    head = header(f"{sign_of(one)} {one.id} · {FAMILIES[one.family]} on {one.cluster} · {state}")
    times = f"from {when(one.opened_at)}" + (f" to {when(one.ended_at)}" if one.ended_at else "")
    said = [f"{_linked(one, link)} {times}{_who(one)}"]
    said += [f"after change {inert(one.after_change)}"] if one.after_change else []
    blocks = [head, section("\n".join(said)), *_alerts(one)]
    if one.proposed:
        blocks.append(section("💡 Proposed from here: " + ", ".join(map(code, one.proposed[-5:]))))
    if one.checked:
        blocks.append(section("⚖️ *After the change*\n" + bullets(map(prose, one.checked))))
    return message([*blocks, *_thread(one)], pointer="Shortened.")


def _alerts(one: Incident) -> list[Block]:
    worst_first = sorted(one.alerts, key=lambda alert: (-alert.finding.severity, alert.began_at))
    if not worst_first:
        return []
    lines = [f"{_alert(alert)} · {_state(alert)}" for alert in worst_first]
    return [section(bullets(lines, shown_max=ALERTS_MAX))]


def _state(alert: Alert) -> str:
    held = f", held back by {inert(alert.held_by)}" if alert.held_by else ""
    unseen = f", not seen: {prose(alert.stale)}" if alert.stale else ""
    since = when(alert.since, shape="{time}")
    return f"{alert.state.value} since {since}{held}{unseen}"


def _thread(one: Incident) -> list[Block]:
    if not one.log:
        return []
    shown = one.log[-LINES_MAX:]
    lines = [
        f"{line.at.astimezone(UTC):%H:%M} UTC {prose(line.text, letters_max=LINE_LETTERS_MAX, mentions=True)}"
        for line in shown
    ]
    hidden = len(one.log) - len(shown)
    above = [f"… {hidden} lines before these"] if hidden else []
    return [section("\n".join(["*Its thread*", *above, *lines]))]
