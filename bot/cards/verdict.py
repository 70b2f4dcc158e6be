"""What the policies say of a plan: who may approve, or why not and what would pass."""

from __future__ import annotations

import re

from bot.cards.blocks import Block, bullets, section
from bot.cards.text import inert, prose
from changes.request import Request, mention
from changes.verdict import ApprovalNeed, Reason, Verdict

CANNOT_BE_DONE = "what can be done"
"""The name policies give to the planner's own no: nobody wrote that rule, so no reader looks it up."""

GROUP_ID = re.compile(r"S[A-Z0-9]{2,20}")
USER_ID = re.compile(r"[UW][A-Z0-9]{2,20}")


def denied(verdict: Verdict) -> Block:
    """The rules' own messages, and the nearest thing they would allow."""
    impossible = bool(verdict.reasons) and all(r.rule == CANNOT_BE_DONE for r in verdict.reasons)
    title = "*This cannot be done*" if impossible else "*The policies say no*"
    reasons = [_reason(one) for one in verdict.reasons] or ["No rule allows it."]
    return section(f"{title}\n{reasons[0] if len(reasons) == 1 else bullets(reasons)}")


def _reason(reason: Reason) -> str:
    words = prose(reason.message, letters_max=500)
    if reason.rule != CANNOT_BE_DONE:
        words += f" (rule {inert(reason.rule)})"
    would = prose(reason.would_pass, letters_max=400)
    return f"{words}\n💡 *Would pass:* {would}" if would else words


def approvals(request: Request) -> Block:
    """Who may still approve and who has; the requester's name stands apart, he never may."""
    more = " more" if request.counted_votes else ""
    lines = [f"{count}{more} of {circle(need)}" for need, count in request.missing]
    needed = "*Needs approval by* " + " *and* ".join(lines) if lines else "*Approved*"
    cast = [_vote_words(vote.person.user_id, vote.choice) for vote in request.counted_votes]
    own = f"{mention(request.requester)} asked and cannot approve."
    return section("\n".join([needed, *cast, own] if lines else [needed, *cast]))


def _vote_words(user_id: str, choice: str) -> str:
    return f"✓ <@{user_id}> approved" if choice == "approve" else f"✗ <@{user_id}> rejected"


def circle(need: ApprovalNeed) -> str:
    """A need's people by id, so that Slack shows live names; its label where ids say nothing."""
    groups = [f"<!subteam^{one}>" for one in need.groups if GROUP_ID.fullmatch(one)]
    people = [f"<@{one}>" for one in need.people if USER_ID.fullmatch(one)]
    return ", ".join([*groups, *people]) or inert(need.label or need.rule)
