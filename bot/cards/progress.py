"""A running request: a bar, the step it is at, what is left, and what it waits for.

Every figure comes from the stored request; "now" is the moment it was last saved, so the same
request always draws the same card.
"""

from __future__ import annotations

from bot.cards.blocks import Block, section
from bot.cards.quantities import between, counted, in_bytes, lasting
from bot.cards.text import prose, when
from changes.lifecycle import State
from changes.plan import Plan
from changes.request import Progress, Request, mention

BAR_CELLS = 16
ETA_SHARE_MIN = 0.05
"""Below this share a rate is noise: the plan's own range is the better guess."""
ETA_SECONDS_MIN = 10

STEPS_SHOWN_MAX = 12
TITLE_LETTERS_MAX = 120
NOW = "●"
BROKEN = (State.FAILED, State.ROLLED_BACK, State.NEEDS_ATTENTION, State.ROLLING_BACK)


def running(request: Request) -> list[Block]:
    """Bar, step, time left, hold, then the list of steps."""
    if request.progress is None or request.plan is None:
        return [section("Starting: looking at the cluster once more before anything is touched.")]
    lines = [_bar_line(request.progress), _step_line(request.progress, request.plan)]
    if request.progress.note:
        lines.append(prose(request.progress.note))
    if request.paused_by:
        by = mention(request.paused_by)
        lines.append(f"⏸️ *Paused by* {by}: nothing new is begun, what is in flight ends.")
    if request.progress.hold:
        lines.append(f"⏸️ *Holding:* {prose(request.progress.hold)}. It goes on by itself.")
    else:
        lines.append(_time_line(request, request.progress))
    return [section("\n".join(line for line in lines if line)), steps(request)]


def bar(share: float) -> str:
    """▓▓▓▓▓▓▓▓▓▓░░░░░░ 62 %; full only when it is done."""
    share = min(1.0, max(0.0, share))
    cells = min(int(share * BAR_CELLS), BAR_CELLS - (share < 1))
    return f"{'▓' * cells}{'░' * (BAR_CELLS - cells)}  *{int(share * 100)} %*"


def _bar_line(progress: Progress) -> str:
    return bar(progress.done / progress.total) if progress.total > 0 else ""


def _step_line(progress: Progress, plan: Plan) -> str:
    at = min(progress.step, len(plan.steps) - 1)
    title = prose(plan.steps[at].title()) if plan.steps else ""
    amount = _amount(progress)
    return f"*Step {at + 1} of {len(plan.steps)}* · {title}{f' · {amount}' if amount else ''}"


def _amount(progress: Progress) -> str:
    if progress.total <= 0:
        return ""
    if progress.unit == "bytes":
        return f"{in_bytes(progress.done)} of {in_bytes(progress.total)}"
    return f"{progress.done:,.0f} of {progress.total:,.0f} {prose(progress.unit)}".rstrip()


def _time_line(request: Request, progress: Progress) -> str:
    left = seconds_left(request, progress)
    if left is not None:
        return f"⏱️ about {lasting(left)} left in this step"
    impact = request.plan.impact if request.plan else None
    if impact is None or impact.duration_seconds_high <= 0:
        return ""
    whole = between(impact.duration_seconds_low, impact.duration_seconds_high)
    return f"⏱️ planned: {whole} in all, started {when(progress.started_at, shape='{time}')}"


def seconds_left(request: Request, progress: Progress) -> float | None:
    """What this step still takes at its own rate so far; None while that cannot be known."""
    elapsed = (request.updated_at - progress.step_started_at).total_seconds()
    share = progress.done / progress.total if progress.total > 0 else 0
    if share < ETA_SHARE_MIN or share >= 1 or elapsed < ETA_SECONDS_MIN:
        return None
    return elapsed * (1 - share) / share


def in_short(plan: Plan) -> str:
    """The steps before they begin, in one small paragraph."""
    titles = [prose(step.title(), letters_max=TITLE_LETTERS_MAX) for step in plan.steps]
    hidden = len(titles) - STEPS_SHOWN_MAX
    more = [f"… and {hidden} more"] if hidden > 0 else []
    return f"*{counted(len(titles), 'step')}* · " + " → ".join([*titles[:STEPS_SHOWN_MAX], *more])


def steps(request: Request) -> Block:
    """✓ done, ● now, ○ to come, ✗ where it broke."""
    titles = [step.title() for step in request.plan.steps] if request.plan else []
    lines = [
        _one_step(_glyph(request, at), prose(title, letters_max=TITLE_LETTERS_MAX))
        for at, title in enumerate(titles)
    ]
    hidden = len(lines) - STEPS_SHOWN_MAX
    if hidden > 0:
        lines = [*lines[:STEPS_SHOWN_MAX], f"… and {hidden} more"]
    return section("\n".join(lines) or "No steps.")


def _one_step(glyph: str, title: str) -> str:
    return f"{glyph} *{title}*" if glyph == NOW else f"{glyph} {title}"


def _glyph(request: Request, at: int) -> str:
    if request.state is State.DONE:
        return "✓"
    if request.progress is None or at > request.progress.step:
        return "○"
    if at < request.progress.step:
        return "✓"
    return "✗" if request.state in BROKEN else NOW
