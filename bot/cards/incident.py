"""One incident, one message: the same value always draws the same.

The head says how bad, where and in which state; below it a line for each of the worst alerts, what was
not seen, what holds things back, and what to do. It must be read on a phone at night: what does not
help to decide is in the thread or in `/kafka incidents`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.cards.blocks import (
    Block,
    Drawn,
    bullets,
    context,
    header,
    message,
    section,
)
from bot.cards.chart import CHARTS_MAX, trend_chart
from bot.cards.incident_buttons import buttons
from bot.cards.quantities import lasting
from bot.cards.text import code, inert, prose, when
from changes.incident import Alert, AlertState, Family, Incident, Severity
from changes.lifecycle import State

SIGNS = {Severity.INFO: "🔵", Severity.WARN: "🟠", Severity.CRIT: "🔴"}
LOUDNESS = {
    Severity.INFO: "for your information",
    Severity.WARN: "warning",
    Severity.CRIT: "critical",
}
FAMILIES = {
    Family.CONSUMERS: "Consumers",
    Family.DATA: "Data safety",
    Family.BALANCE: "Balance",
    Family.CAPACITY: "Capacity",
    Family.CLUSTER: "Cluster",
}
SHOWN_MAX = 5
REASONS_MAX = 2
LATER_SECONDS = 120
"""An alert that joined this much later than the first says when."""
HELD_STATES = (AlertState.PENDING, AlertState.FIRING, AlertState.RESOLVING)


def draw(incident: Incident, *, proposed: Mapping[str, State] | None = None) -> Drawn:
    """`proposed`: requests opened from this incident that are known, with their states."""
    asked = proposed or {}
    body = _over(incident) if incident.ended_at else _open(incident, asked)
    blocks = [_title(incident), _state(incident), *body, *_checked(incident)]
    return message(blocks, pointer=f"Shortened; `/kafka incidents {inert(incident.id)}` shows all.")


def sign_of(incident: Incident) -> str:
    return "✅" if incident.ended_at else SIGNS[incident.severity]


def _title(incident: Incident) -> Block:
    over = " · over" if incident.ended_at else ""
    return header(f"{sign_of(incident)} {FAMILIES[incident.family]} · {incident.cluster}{over}")


def _state(incident: Incident) -> Block:
    """Who has it, since when, and who wants quiet."""
    name = f"*{inert(incident.id)}*"
    if incident.ended_at:
        length = lasting((incident.ended_at - incident.opened_at).total_seconds())
        was = LOUDNESS[incident.severity]
        return section(f"{name} · over after {length} · was {was} · {_when(incident.ended_at)}")
    parts = [name, f"*{LOUDNESS[incident.severity]}*", f"since {_when(incident.opened_at)}"]
    if incident.after_change:
        parts.append(f"after change {inert(incident.after_change)}")
    lines = [" · ".join(parts)]
    if incident.remark:
        lines.append(prose(incident.remark))
    if incident.acked_by:
        lines.append(f"👀 acknowledged by <@{inert(incident.acked_by)}>")
    if incident.muted_until:
        by = f" by <@{inert(incident.muted_by)}>" if incident.muted_by else ""
        lines.append(f"🔕 muted until {_when(incident.muted_until)}{by}")
    if incident.flapping:
        lines.append("🔁 flapping: it comes and goes; only this message is kept up to date")
    return section("\n".join(lines))


def _open(incident: Incident, proposed: Mapping[str, State]) -> list[Block]:
    shown = incident.firing
    blocks = [section(_listed(incident, shown))]
    if notes := [*_unseen(shown), *_held(incident)]:
        blocks.append(context("\n".join(notes)))
    blocks += _charts(shown, charts_max=CHARTS_MAX)
    if todo := [*_why_not(shown), *_asked(incident, proposed)]:
        blocks.append(section("\n".join(todo)))
    return [*blocks, buttons(incident, proposed)]


def _over(incident: Incident) -> list[Block]:
    """What it was, so that the channel's history can be read."""
    told = [one for one in incident.alerts if one.fired_at] or list(incident.alerts)
    worst_first = sorted(told, key=lambda one: (-one.peak, one.began_at, one.key))
    listed = bullets((_past(one, incident) for one in worst_first), shown_max=SHOWN_MAX)
    blocks = [section(listed)] if listed else []
    blocks += _charts(worst_first, charts_max=1)
    return [*blocks, *([context(_asked(incident, {})[0])] if incident.proposed else [])]


def _listed(incident: Incident, shown: Sequence[Alert]) -> str:
    if not shown:
        return "Nothing fires just now."
    lines = [_line(one, incident) for one in shown[:SHOWN_MAX]]
    more = len(shown) - SHOWN_MAX
    more = max(0, more) + incident.more
    return "\n".join([*lines, f"… and {more:,} more"] if more else lines)


def _line(alert: Alert, incident: Incident) -> str:
    finding = alert.finding
    later = (alert.began_at - incident.opened_at).total_seconds() > LATER_SECONDS
    ending = " · getting better" if alert.state is AlertState.RESOLVING else ""
    since = f" · since {_time(alert.began_at)}" if later else ""
    return f"{SIGNS[finding.severity]} {_named(alert)}{since}{ending}"


def _named(alert: Alert) -> str:
    return named(alert.finding.subject, alert.finding.words)


def named(subject: str, words: str) -> str:
    """What is wrong with which object: its name once, and in code, so that it can be copied."""
    name = subject.partition(" ")[2] or subject
    if name == "cluster":
        return prose(words)
    if "`" in words and name in words:
        return prose(words)  # a rule's own code style stays as it is
    for shown in (subject, name):
        if found := re.search(rf"(?<![\w.-]){re.escape(shown)}(?![\w-]|\.\w)", words):
            before, after = words[: found.start()], words[found.end() :]
            return f"{_run(before)}{code(shown, letters_max=120)}{_run(after)}"
    return f"{code(subject, letters_max=120)} {prose(words)}"


def _run(words: str) -> str:
    """A part of a sentence, with the blanks at its ends."""
    front = " " if words[:1].isspace() else ""
    back = " " if words[-1:].isspace() and words.strip() else ""
    return f"{front}{prose(words)}{back}" if words else ""


def _past(alert: Alert, incident: Incident) -> str:
    """With its own times where they are not the incident's."""
    end = alert.ended_at or incident.ended_at or alert.began_at
    whole = incident.ended_at or end
    apart = max(alert.began_at - incident.opened_at, whole - end).total_seconds()
    times = f" ({_time(alert.began_at)}–{_time(end)})" if apart > LATER_SECONDS else ""
    return f"{_named(alert)}{times}"


def _unseen(shown: Sequence[Alert]) -> list[str]:
    stale = [one for one in shown if one.stale]
    if not stale:
        return []
    reasons = Counter(one.stale for one in stale)
    why = "; ".join(prose(reason) for reason, _ in reasons.most_common(2))
    return [f"⚠️ {len(stale)} of {len(shown)} not seen just now: {why}"]


def _held(incident: Incident) -> list[str]:
    held = Counter(
        one.held_by for one in incident.alerts if one.held_by and one.state in HELD_STATES
    )
    if not held:
        return []
    words = ", ".join(f"{count:,} by {inert(by)}" for by, count in held.most_common(3))
    return [f"⏸️ held back: {words}"]


def _charts(shown: Sequence[Alert], *, charts_max: int) -> list[Block]:
    trends = [one.finding.trend for one in shown if one.finding.trend]
    drawn = (trend_chart(trend) for trend in dict.fromkeys(trends))
    return [one for one in drawn if one][:charts_max]


def _why_not(shown: Sequence[Alert]) -> list[str]:
    reasons = dict.fromkeys(one.finding.why_not for one in shown if one.finding.why_not)
    return [f"🚫 {prose(reason)}" for reason in list(reasons)[:REASONS_MAX]]


def _asked(incident: Incident, proposed: Mapping[str, State]) -> list[str]:
    if not incident.proposed:
        return []
    words = [
        f"{code(one)} ({proposed[one].value})" if one in proposed else code(one)
        for one in incident.proposed[-3:]
    ]
    return [f"💡 Proposed from here: {', '.join(words)}"]


def _checked(incident: Incident) -> list[Block]:
    """What became of the figures after a change; the newest, as the thread holds all."""
    if not incident.checked:
        return []
    listed = bullets((prose(one) for one in incident.checked[-SHOWN_MAX:]), shown_max=SHOWN_MAX)
    return [section(f"⚖️ *After the change*\n{listed}")]


def _when(moment: datetime) -> str:
    return when(moment, shape="{date_short_pretty} {time}")


def _time(moment: datetime) -> str:
    return when(moment, shape="{time}")
