"""What is said to the whole channel, and when: each function adds its line, or nothing.

1. A mute of the message ended, and something still fires.
2. Worse than anything people were told. This is said to those who muted or acknowledged as well.
3. Critical now, and people know of something else that was: they acknowledged or muted that, not this.
4. Something was held back (by a mute, a change, another alert) and still fires.
5. Something new after a long silence, which would be overlooked as a quiet line.
6. Critical, and nobody acknowledged it: whoever is on call is mentioned, once.
7. Critical for hours, when the settings ask for a repetition.

The surprising truth: what cannot be seen just now is never repeated and calls nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from changes.incident import Incident, Severity, duration_words
from watch.telling_round import FamilyRound
from watch.telling_words import SEVERITY_WORDS, held_by_words, sentences

CALL_STANDS = timedelta(hours=1)
"""Whoever was called, or took it on, so long ago is called again for what is critical since."""


def said_aloud(family: FamilyRound, incident: Incident) -> Incident:
    """The incident after all of them, in this order."""
    for say in SAYINGS:
        incident = say(family, incident)
    return incident


def _mute_ended(family: FamilyRound, incident: Incident) -> Incident:
    if incident.muted_until is None or incident.muted_until > family.now:
        return incident
    by = f" by <@{incident.muted_by}>" if incident.muted_by else ""
    incident = incident.with_(muted_until=None, muted_by="", muted_at=None)
    if not family.live:
        return incident
    incident = incident.with_(critical_since=family.now)
    return family.urgent(incident, f"The mute{by} ended, and it still fires: {family.worst()}")


def _rose(family: FamilyRound, incident: Incident) -> Incident:
    worst = family.live[0].finding.severity if family.live else Severity.INFO
    if incident.told is not None and worst <= incident.told:
        return incident
    # Who acknowledged or muted is not called by the escalation any more, so this line does it.
    hushed = bool(incident.acked_by) or family.muted(incident)
    on_call = hushed and worst is Severity.CRIT
    words = f"Now {SEVERITY_WORDS[worst]}: {family.worst()}"
    incident = incident.with_(told=worst, critical_since=family.now)
    return family.urgent(incident, words, on_call=on_call)


def _newly_critical(family: FamilyRound, incident: Incident) -> Incident:
    late = family.newly_critical(incident)
    if not late or not family.room(incident):
        return incident
    called_at = _somebody_came(incident)
    long_ago = called_at is not None and family.now - called_at >= CALL_STANDS
    on_call = long_ago or family.muted(incident)
    if len(late) == len(family.criticals):  # what people were told of before is critical no more
        incident = incident.with_(critical_since=family.now)
    words = f"Also critical: {sentences(late, family.settings.lines_shown_max)}"
    return family.urgent(incident, words, on_call=on_call)


def _somebody_came(incident: Incident) -> datetime | None:
    """When somebody was called last, or took it on."""
    called = (line.at for line in incident.log if line.calls)
    return max((at for at in (incident.acked_at, *called) if at is not None), default=None)


def _came_back(family: FamilyRound, incident: Incident) -> Incident:
    back = [one for one in family.back if one.finding.severity > Severity.INFO]
    if not back or family.muted(incident):
        return incident
    after = [family.after_change[one.key] for one in back if one.key in family.after_change]
    if after and not incident.after_change:
        incident = incident.with_(after_change=after[0])
    if incident.told_at == family.now:
        return incident  # the line before this one names it too
    why = held_by_words(family.released[back[0].key])
    said = sentences(back, family.settings.lines_shown_max)
    return family.aloud(incident, f"Still so ({why}): {said}")


def _came_late(family: FamilyRound, incident: Incident) -> Incident:
    silence = timedelta(minutes=family.settings.newcomer_aloud_minutes)
    late = [one for one in family.new(incident) if one.finding.severity > Severity.INFO]
    late = family.steady(incident, late)
    if not late or not silence or family.muted(incident):
        return incident
    if incident.told_at is None or family.now - incident.told_at < silence:
        return incident
    return family.aloud(incident, f"Also: {sentences(late, family.settings.lines_shown_max)}")


def _nobody_acknowledged(family: FamilyRound, incident: Incident) -> Incident:
    minutes = family.settings.escalate_unacknowledged_minutes
    waits = incident.acked_by or incident.escalated_at or family.muted(incident)
    since = incident.critical_since or incident.told_at
    if not minutes or waits or not family.critical or since is None:
        return incident
    waited = family.now - since
    if waited < timedelta(minutes=minutes):
        return incident
    length = duration_words(waited.total_seconds())
    how = f"`/kafka ack {incident.id}` does"  # whoever is woken reads this line on a phone
    words = f"Nobody has acknowledged this for {length} ({how}): {family.worst()}"
    return family.urgent(incident.with_(escalated_at=family.now), words, on_call=True)


def _still_so(family: FamilyRound, incident: Incident) -> Incident:
    hours = family.settings.repeat_crit_hours
    waits = incident.acked_by or family.muted(incident) or incident.told_at is None
    if not hours or waits or not family.critical or incident.told_at is None:
        return incident
    if family.now - incident.told_at < timedelta(hours=hours):
        return incident
    length = duration_words((family.now - incident.opened_at).total_seconds())
    return family.aloud(incident, f"Still so after {length}: {family.worst()}")


SAYINGS = (
    _mute_ended,
    _rose,
    _newly_critical,
    _came_back,
    _came_late,
    _nobody_acknowledged,
    _still_so,
)
