"""How incidents behave, for `incidents:` in `policies/alerts.yaml`: when they call, repeat, fall silent.

The surprising truth: none of this decides what is bad. Thresholds, how long something must hold and how
long it must be gone belong to the rule; here is only how people are told of it.
"""

from __future__ import annotations

from pydantic import Field

from changes.tagged import Value


class IncidentSettings(Value):
    """Defaults fit a channel that people read; each has its unit in its name."""

    escalate_unacknowledged_minutes: float = Field(default=10, ge=0, le=1440)
    """A critical incident that nobody acknowledged for so long calls whoever is on call; 0 = never."""
    repeat_crit_hours: float = Field(default=0, ge=0, le=168)
    """A critical incident that still fires is told again after so long; 0 = never."""
    newcomer_aloud_minutes: float = Field(default=60, ge=0, le=1440)
    """Something new in an incident of which nothing was heard for so long is said aloud; before that
    it is only drawn. 0 = always only drawn."""
    post_infos: bool = True
    """An information alone opens an incident (one message, nobody is called); else it is only shown
    where one is open anyway."""
    keep_minutes_min: float = Field(default=0, ge=0, le=120)
    """Gone for so long at least before it counts as over, whatever the rule says."""
    redraw_seconds: float = Field(default=20, ge=5, le=600)
    """Between two changes of a message that decide nothing; in a storm three times as long."""
    storm_alerts: int = Field(default=20, ge=2, le=1000)
    """From so many alerts in one incident on it is a storm: redrawn less often, counted, not listed."""
    lines_shown_max: int = Field(default=5, ge=1, le=20)
    """Objects named in one line of a thread; the others are counted."""
    grace_minutes: float = Field(default=5, ge=0, le=60)
    """After a change has ended, what it explains is still held back for so long (or for twice the time
    that the slowest group needed to catch up before it, when that is longer)."""
    pause_minutes: float = Field(default=15, ge=1, le=1440)
    """When the watch was away for longer than this, waiting times do not count while it was."""
