"""What is said to the whole channel, and when: each function adds its line, or nothing.

1. A mute of the message ended, and something still fires.
2. Worse than anything people were told. This is said to those who muted or acknowledged as well.
3. Something was held back (by a mute, a change, another alert) and still fires.
4. Something new after a long silence, which would be overlooked as a quiet line.
5. Critical, and nobody acknowledged it: whoever is on call is mentioned, once.
6. Critical for hours, when the settings ask for a repetition.

The surprising truth: what cannot be seen just now is never repeated and calls nobody.
"""

from __future__ import annotations

from datetime import timedelta

from changes.incident import Incident, Severity, duration_words
from watch.telling_round import FamilyRound
from watch.telling_words import SEVERITY_WORDS, held_by_words, sentences


def said_aloud(family: FamilyRound, incident: Incident) -> Incident:
    """The incident after all of them, in this order."""
    for say in (_mute_ended, _rose, _came_back, _came_late, _nobody_acknowledged, _still_so):
        incident = say(family, incident)
    return incident


def _mute_ended(family: FamilyRound, incident: Incident) -> Incident:
    if incident.muted_until is None or incident.muted_until > family.now:
        return incident
    by = f" by <@{incident.muted_by}>" if incident.muted_by else ""
    incident = incident.with_(muted_until=None, muted_by="")
    if not family.live:
        return incident
    return family.aloud(incident, f"The mute{by} ended, and it still fires: {family.worst()}")


def _rose(family: FamilyRound, incident: Incident) -> Incident:
    worst = family.live[0].finding.severity if family.live else Severity.INFO
    if incident.told is not None and worst <= incident.told:
        return incident
    # Who acknowledged is not called by the escalation any more, so this line does it.
    on_call = bool(incident.acked_by) and worst is Severity.CRIT
    words = f"Now {SEVERITY_WORDS[worst]}: {family.worst()}"
    return family.aloud(incident.with_(told=worst), words, on_call=on_call)


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
    if not late or not silence or incident.flapping or family.muted(incident):
        return incident
    if incident.told_at is None or family.now - incident.told_at < silence:
        return incident
    return family.aloud(incident, f"Also: {sentences(late, family.settings.lines_shown_max)}")


def _nobody_acknowledged(family: FamilyRound, incident: Incident) -> Incident:
    minutes = family.settings.escalate_unacknowledged_minutes
    waits = incident.acked_by or incident.escalated_at or family.muted(incident)
    if not minutes or waits or not family.critical or incident.told_at is None:
        return incident
    silence = family.now - incident.told_at
    if silence < timedelta(minutes=minutes):
        return incident
    length = duration_words(silence.total_seconds())
    words = f"Nobody has acknowledged this for {length}: {family.worst()}"
    return family.aloud(incident.with_(escalated_at=family.now), words, on_call=True)


def _still_so(family: FamilyRound, incident: Incident) -> Incident:
    hours = family.settings.repeat_crit_hours
    waits = incident.acked_by or family.muted(incident) or incident.told_at is None
    if not hours or waits or not family.critical or incident.told_at is None:
        return incident
    if family.now - incident.told_at < timedelta(hours=hours):
        return incident
    length = duration_words((family.now - incident.opened_at).total_seconds())
    return family.aloud(incident, f"Still so after {length}: {family.worst()}")
