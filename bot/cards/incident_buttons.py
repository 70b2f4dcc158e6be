"""What people can press below an open incident, and what the presses carry: ids and nothing else.

The surprising truth: an offer may change between the drawing and the press. So a button carries the
digest of its text, and what it stands for is read from the ledger again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from bot.cards.blocks import Block, actions, button, confirm, plain_text
from changes.incident import AlertState, Incident
from changes.lifecycle import State

ACKNOWLEDGE, MUTE, UNMUTE = "incident:acknowledge", "incident:mute", "incident:unmute"
PROPOSE = "incident:propose"
"""Followed by a number: ids of buttons in one block must differ."""
PROPOSE_ANY = re.compile(rf"{PROPOSE}:[0-9]")
MUTE_HOURS = (1, 4, 24)

PROPOSALS_MAX = 2


def buttons(incident: Incident, proposed: Mapping[str, State]) -> Block:
    """Those that fit what was done already; no offer while an earlier one is open."""
    found = []
    if not any(not state.ended for state in proposed.values()):
        offers = offered(incident)[:PROPOSALS_MAX]
        found += [_propose(incident, text, number) for number, text in enumerate(offers)]
    if not incident.acked_by:
        found.append(button(label="Acknowledge", action_id=ACKNOWLEDGE, value=incident.id))
    if incident.muted_until:
        found.append(button(label="Unmute", action_id=UNMUTE, value=incident.id))
    else:
        found.append(_mute(incident))
    # Another id with every version: a choice made in the menu must not stay chosen.
    return {**actions(*found), "block_id": f"incident:{incident.id}:{incident.version}"}


def _mute(incident: Incident) -> Block:
    options = [
        {
            "text": plain_text(f"Mute {hours} h", letters_max=75),
            "value": f"{incident.id}:{hours}",
        }
        for hours in MUTE_HOURS
    ]
    placeholder = plain_text("Mute …", letters_max=150)
    return {
        "type": "static_select",
        "action_id": MUTE,
        "placeholder": placeholder,
        "options": options,
    }


def _propose(incident: Incident, text: str, number: int) -> Block:
    ask = confirm(
        title="Propose this change?",
        words=f"It opens a request in your name: {text} on {incident.cluster}. "
        "It is planned and judged, and others approve it as ever.",
        yes="Propose it",
        no="Not now",
    )
    return button(
        label=f"Propose {text}",
        action_id=f"{PROPOSE}:{number}",
        value=f"{incident.id}:{digest(text)}",
        style="primary" if number == 0 else "",
        confirm=ask,
    )


def offered(incident: Incident) -> tuple[str, ...]:
    """The changes that would help, as text for the grammar, of what is worst first.

    Of what is getting better none: what helped a minute ago must not be followed by the next offer.
    """
    bad = (one for one in incident.firing if one.state is AlertState.FIRING)
    return tuple(dict.fromkeys(one.finding.proposal for one in bad if one.finding.proposal))


def digest(text: str) -> str:
    """By which a button says which offer it was: the offer itself is read from the ledger."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
