"""An incident as a story: one message that is redrawn, few calls, and nothing said twice.

An edit notifies nobody, so what must be heard is a line of the thread that is broadcast. The surprising
truth: after an hour without Slack the past is no news. What opened and ended unseen is not posted at all
unless it was critical, and lines that waited are posted together.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.cards.blocks import Drawn
from bot.cards.incident import draw
from bot.story import Mark, Said
from changes.incident import Incident, Line, Severity
from changes.lifecycle import State
from ledger import Card, Ledger, UnreadableEntry

log = logging.getLogger(__name__)

REDRAW_SECONDS = 60.0
CALLS_PER_MINUTE = 3
"""To one channel, all incidents of its clusters together."""
JOINED_MAX = 10
TIMED_SECONDS = 60.0
"""Lines further apart than this say when they were written."""
PROPOSED_MAX = 3


@dataclass(frozen=True)
class IncidentStory:
    incident: Incident
    channel: str
    """Empty = its cluster is in `clusters.yaml` no more, so there is nowhere to show it."""
    on_call: str = ""
    proposed: Mapping[str, State] = field(default_factory=dict)
    redraw_seconds: float = REDRAW_SECONDS
    calls_per_minute: int = CALLS_PER_MINUTE
    head_tells_end: bool = True

    @property
    def mark(self) -> Mark:
        return Mark("incident", self.incident.id)

    @property
    def version(self) -> int:
        return self.incident.version

    @property
    def lines(self) -> int:
        return len(self.incident.log)

    @property
    def since(self) -> datetime:
        return self.incident.opened_at

    @property
    def ended(self) -> bool:
        return self.incident.ended_at is not None

    @property
    def restless(self) -> bool:
        """Requests that were proposed from it go their own way."""
        return bool(self.incident.proposed) and not self.ended

    @property
    def nothing_to_show(self) -> bool:
        """All of it is held back; or it came and went unseen and woke nobody."""
        if not self.channel:
            return True
        if self.ended:
            return self.incident.severity < Severity.CRIT
        return not self.incident.firing

    @property
    def by_people(self) -> str:
        one = self.incident
        return f"{one.acked_by}:{one.muted_until}:{','.join(one.proposed)}"

    @property
    def decision(self) -> str:
        """Severity and state; how many alerts there are may wait."""
        one = self.incident
        state = f"{one.severity.name}:{bool(one.firing)}:{one.ended_at}:{one.flapping}"
        asked = ",".join(f"{name}={state.name}" for name, state in sorted(self.proposed.items()))
        return f"{state}:{self.by_people}:{len(one.checked)}:{one.remark}:{asked}"

    def head(self) -> Drawn:
        return draw(self.incident, proposed=self.proposed)

    def said(self, at: int) -> Said:
        """Everything that waits, in one post: a thread read at night is short."""
        waiting = self.incident.log[at:]
        aloud = not self.ended and any(line.aloud for line in waiting)
        calling = not self.ended and any(self._still_calls(line) for line in waiting)
        calls = self.on_call if calling else ""
        return Said(self._joined(waiting), at + len(waiting) - 1, aloud=aloud, calls=calls)

    def _still_calls(self, line: Line) -> bool:
        """Nobody is woken by a line older than the moment somebody took it on."""
        acked_at = self.incident.acked_at
        return bool(line.calls) and (acked_at is None or acked_at < line.at)

    def _joined(self, waiting: tuple[Line, ...]) -> str:
        kept = waiting[-JOINED_MAX:]
        apart = (kept[-1].at - kept[0].at).total_seconds() > TIMED_SECONDS
        lines = [_timed(line) if apart else line.text for line in kept]
        if left_out := len(waiting) - len(kept):
            lines.insert(0, f"{left_out} earlier lines: `/kafka incidents {self.incident.id}`")
        return "\n".join(lines)

    def shown(self) -> Mapping[str, object]:
        return {}

    def unreachable(self, *, channel: str, code: str) -> tuple[str, str] | None:
        """Nobody asked for it, so nobody is told; the log is loud."""
        log.error("incidents cannot be shown in %s: Slack says %s; invite the bot", channel, code)
        return None


def _timed(line: Line) -> str:
    return f"{line.at.astimezone(UTC):%H:%M} UTC {line.text}"


@dataclass(frozen=True)
class IncidentShelf:
    ledger: Ledger
    channel_of: Callable[[str], str]
    """A cluster's channel; empty = no such cluster."""

    def load(self, story_id: str) -> IncidentStory | None:
        incident = self.ledger.incident(story_id)
        if incident is None:
            return None
        return IncidentStory(
            incident,
            channel=self.channel_of(incident.cluster),
            on_call=self._on_call(incident),
            proposed=proposed_states(self.ledger, incident),
        )

    def _on_call(self, incident: Incident) -> str:
        """Read only for a line that is still to be posted: a view is a large thing."""
        card = self.ledger.incident_card(incident.id)
        waiting = incident.log[card.lines_posted if card else 0 :]
        if incident.ended_at or not any(line.calls for line in waiting):
            return ""
        view = self.ledger.view(incident.cluster)
        return view.on_call if view else ""

    def card(self, story_id: str) -> Card | None:
        return self.ledger.incident_card(story_id)

    def save_card(self, story_id: str, card: Card, *, expected: Card | None) -> bool:
        return self.ledger.save_incident_card(story_id, card, expected=expected)

    def behind(self) -> tuple[str, ...]:
        return self.ledger.incidents_behind()


def proposed_states(ledger: Ledger, incident: Incident) -> dict[str, State]:
    """The newest requests that were opened from it, with where they are now."""
    found = {}
    for request_id in incident.proposed[-PROPOSED_MAX:]:
        try:
            request = ledger.load(request_id)
        except UnreadableEntry:  # another version of Ottla shows that one
            continue
        if request is not None:
            found[request_id] = request.state
    return found
