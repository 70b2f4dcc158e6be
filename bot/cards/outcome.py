"""An ended request: what came of it, and what was planned beside what happened."""

from __future__ import annotations

from bot.cards.blocks import Block, context, fields, section
from bot.cards.progress import in_short, steps
from bot.cards.quantities import between, counted, in_bytes, lasting
from bot.cards.text import inert, prose
from bot.cards.verdict import denied
from changes.lifecycle import State
from changes.plan import Impact
from changes.request import Outcome, Request, mention

UNTOUCHED = "Nothing was changed on the cluster."
ADVICE = {
    State.NEEDS_ATTENTION: (
        "*Nobody can know yet what happened.* Look at the cluster before asking for anything else."
    ),
    State.FAILED: "Throttles and running moves were cleaned up.",
    State.ROLLED_BACK: "Running moves were cancelled, throttles are away.",
}


def ended(request: Request) -> list[Block]:
    """The last card: words, figures beside the plan's, steps; never a button."""
    if request.state is State.DENIED and request.verdict:
        return [denied(request.verdict)]
    if request.progress is None:
        return [section(_why_untouched(request))]
    if request.state is State.DONE:
        return _done(request)
    words = [prose(request.outcome.words, letters_max=1000)] if request.outcome else []
    words.append(ADVICE.get(request.state, ""))
    blocks = [section("\n".join(filter(None, words)) or request.state.value.capitalize())]
    if request.outcome and request.plan:
        blocks += compared(request.plan.impact, request.outcome)
    return [*blocks, steps(request)]


def _done(request: Request) -> list[Block]:
    """Figures first; a list of steps that all went well is only for the curious."""
    if request.outcome is None or request.plan is None:
        return [section("Done")]
    now = prose(request.outcome.words, letters_max=1000)
    blocks = compared(request.plan.impact, request.outcome)
    return [*blocks, section(f"*Now* · {now}" if now else "Done"), context(in_short(request.plan))]


def _why_untouched(request: Request) -> str:
    """Ended before work started: by whom, or by the clock."""
    if request.outcome:
        return f"{prose(request.outcome.words, letters_max=1000)}\n{UNTOUCHED}"
    if request.state is State.REJECTED:
        against = [vote for vote in request.votes if vote.choice == "reject"]
        if against:
            reason = inert(against[-1].reason)
            because = f": “{reason}”" if reason else ""
            return f"Rejected by {mention(against[-1].person)}{because}\n{UNTOUCHED}"
    if request.state is State.EXPIRED:
        return f"Nobody decided in time. Ask again if it is still wanted.\n{UNTOUCHED}"
    if request.state is State.CANCELLED:
        return f"Taken back by {mention(request.requester)}.\n{UNTOUCHED}"
    last = prose(request.log[-1].text, letters_max=1000, mentions=True) if request.log else ""
    return f"{last}\n{UNTOUCHED}".strip()


def compared(planned: Impact, actual: Outcome) -> list[Block]:
    """Planned on the left, actual on the right, one under the other on a phone."""
    expected = [between(planned.duration_seconds_low, planned.duration_seconds_high)]
    measured = [lasting(actual.seconds)]
    if planned.replicas_moved or actual.replicas_moved:
        expected += _moved(planned.bytes_moved, planned.replicas_moved)
        measured += _moved(actual.bytes_moved, actual.replicas_moved)
    if planned.leaders_changed or actual.leaders_changed:
        expected.append(counted(planned.leaders_changed, "leader"))
        measured.append(counted(actual.leaders_changed, "leader"))
    return fields([("Planned", "\n".join(expected)), ("Actual", "\n".join(measured))])


def _moved(moved_bytes: int, replicas: int) -> list[str]:
    return [f"{in_bytes(moved_bytes)} moved", counted(replicas, "replica")]
