"""What happens next to a request, and what a look or an act made of it. Pure: time is handed in.

The worker asks `next_action`, does that one thing, and folds what it saw back in with the functions
below. Nothing here knows a cluster, a queue or Slack.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from changes.lifecycle import Event, State
from changes.request import LogLine, Outcome, Progress, Request
from changes.steps import Broken, Finished, Look, Memory, NotStarted, Step, TryAgain, Underway

FAILURES_MAX = 20
"""Ticks in a row that may fail for reasons that pass before a person is asked."""


class Action(Enum):
    PREPARE = "survey, plan and judge"
    VERIFY = "hold the approved plan against new facts"
    PICTURE_BEFORE = "before"
    PICTURE_MIDWAY = "midway"
    PICTURE_AFTER = "after"
    STEP = "look at the present step"
    UNDO = "clean up"
    EXPIRE = "expire"
    WAIT = "wait for people"


def next_action(request: Request, *, now: datetime, first_in_line: bool) -> Action:
    if request.due_to_expire(now):
        return Action.EXPIRE
    if request.state is State.PREPARING:
        return Action.PREPARE
    if request.state is State.QUEUED and first_in_line:
        return Action.VERIFY
    if request.state is State.RUNNING:
        return _running(request)
    if request.state is State.ROLLING_BACK:
        return Action.UNDO
    return Action.WAIT


def _running(request: Request) -> Action:
    progress = running(request)
    taken = progress.snapshots
    if "before" not in taken:
        return Action.PICTURE_BEFORE
    if "midway" not in taken and fraction(request) >= 0.5:
        return Action.PICTURE_MIDWAY
    if present_step(request) is None and "after" not in taken:
        return Action.PICTURE_AFTER
    return Action.STEP


def running(request: Request) -> Progress:
    if request.progress is None:
        raise ValueError(f"{request.id} is {request.state.value} and has no progress")
    return request.progress


def steps(request: Request) -> tuple[Step, ...]:
    return request.plan.steps if request.plan else ()


def present_step(request: Request) -> Step | None:
    """The step at work, or None when all are finished."""
    position = running(request).step
    return steps(request)[position] if position < len(steps(request)) else None


def fraction(request: Request) -> float:
    """How much is done, 0 to 1: finished steps plus the part of the present one."""
    if request.progress is None or not steps(request):
        return 0.0
    progress = request.progress
    part = min(1.0, progress.done / progress.total) if progress.total else 0.0
    return min(1.0, (progress.step + part) / len(steps(request)))


def eta_seconds(request: Request, now: datetime) -> float | None:
    """Seconds the present step still needs at the rate seen so far; None before there is a rate."""
    progress = request.progress
    if progress is None or not progress.total or progress.done <= 0 or progress.hold:
        return None
    elapsed = (now - progress.step_started_at).total_seconds()
    return max(0.0, elapsed * (progress.total - progress.done) / progress.done)


def started(request: Request, *, now: datetime) -> Request:
    begun = request.moved(event=Event.STARTED, now=now)
    begun = begun.with_(progress=Progress(started_at=now, step_started_at=now), differences=())
    return begun.said(now=now, text="Started: nothing changed since it was approved")


def seen(request: Request, look: Look, *, now: datetime) -> Request:
    """The request after one look at its present step."""
    match look:
        case NotStarted():
            return _noted(request, now, note="starting")
        case Underway():
            return _underway(request, look, now)
        case Finished():
            return _step_finished(request, look, now)
        case Broken():
            return broke(request, look, now=now)


def wants_act(look: Look) -> bool:
    return isinstance(look, NotStarted) or (isinstance(look, Underway) and look.act)


def intended(request: Request, memory: Memory, *, now: datetime) -> Request:
    """The intention is written down before the act."""
    progress = running(request)
    marks = progress.marks
    step = present_step(request)
    if step is not None and step.marks_chart and step.title() not in {t for _, t in marks}:
        marks = (*marks, (now, step.title()))
    merged = {**progress.memory, **memory}
    return request.with_(
        progress=progress.with_(intended=True, memory=merged, marks=marks), updated_at=now
    )


def acted(request: Request, result: Memory | TryAgain | Broken, *, now: datetime) -> Request:
    if isinstance(result, Broken):
        return broke(request, result, now=now)
    if isinstance(result, TryAgain):
        return tripped(request, result.words, now=now)
    progress = running(request)
    merged = {**progress.memory, **result}
    progress = progress.with_(intended=False, memory=merged, failures=0)
    return request.with_(progress=progress, updated_at=now)


def tripped(request: Request, words: str, *, now: datetime) -> Request:
    """A tick failed for a reason that may pass; too many in a row end it."""
    progress = running(request)
    progress = progress.with_(failures=progress.failures + 1, hold=words)
    held = request.with_(progress=progress, updated_at=now)
    if progress.failures < FAILURES_MAX:
        return held
    if request.state is State.ROLLING_BACK:
        return unknown(held, f"cleaning up failed {FAILURES_MAX} times: {words}", now=now)
    return broke(held, Broken(words=f"tried {FAILURES_MAX} times: {words}"), now=now)


def broke(request: Request, broken: Broken, *, now: datetime) -> Request:
    if broken.unknown:
        return unknown(request, broken.words, now=now)
    words = f"Stopped: {broken.words}. Cleaning up."
    stopped = request.moved(event=Event.STEP_BROKE, now=now)
    outcome = Outcome(words=broken.words)
    # Undoing starts at the step that broke and walks back to the first.
    progress = running(stopped).with_(failures=0, hold="", done=0, total=0, intended=False)
    return stopped.with_(outcome=outcome, progress=progress).said(now=now, text=words)


def unknown(request: Request, words: str, *, now: datetime) -> Request:
    lost = request.moved(event=Event.OUTCOME_UNKNOWN, now=now)
    text = f"Needs attention: {words}"
    return lost.with_(outcome=Outcome(words=words)).said(now=now, text=text)


def undone(request: Request, look: Look, *, now: datetime) -> Request:
    """The request after one act of cleaning up; steps are undone from the last to the first."""
    progress = running(request)
    if isinstance(look, Broken):
        return unknown(request, look.words, now=now)
    if not isinstance(look, Finished):
        note, hold = (look.note, look.hold) if isinstance(look, Underway) else ("", "")
        return request.with_(progress=progress.with_(note=note, hold=hold), updated_at=now)
    if progress.step > 0:
        return request.with_(progress=progress.with_(step=progress.step - 1), updated_at=now)
    words = request.outcome.words if request.outcome else ""
    text = f"Failed: {words}. Throttles and running moves are cleaned up."
    return request.moved(event=Event.CLEANED_UP, now=now).said(now=now, text=text)


def pictured(
    request: Request, *, moment: str, text: str, key: str, title: str, now: datetime
) -> Request:
    """A snapshot was taken (or could not be: then `key` is empty and the text says why)."""
    progress = running(request)
    progress = progress.with_(snapshots=(*progress.snapshots, moment))
    return request.with_(progress=progress).said(now=now, text=text, picture=key, title=title)


def finished(request: Request, *, now: datetime) -> Request:
    """All steps done: the outcome, with what was predicted against what was measured."""
    progress = running(request)
    memory = progress.memory
    seconds = (now - progress.started_at).total_seconds()
    outcome = Outcome(
        words=progress.note,
        seconds=seconds,
        bytes_moved=_number(memory.get("bytes_moved")),
        replicas_moved=_number(memory.get("replicas_moved")),
        leaders_changed=_number(memory.get("leaders_changed")),
    )
    done = request.moved(event=Event.STEPS_FINISHED, now=now).with_(outcome=outcome)
    return done.said(now=now, text=f"Done in {minutes_in_words(seconds)}{planned_words(request)}")


def planned_words(request: Request) -> str:
    if request.plan is None or not request.plan.impact.duration_seconds_high:
        return ""
    impact = request.plan.impact
    low, high = impact.duration_seconds_low, impact.duration_seconds_high
    return f"; planned {minutes_in_words(low)} to {minutes_in_words(high)}"


def minutes_in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _noted(request: Request, now: datetime, *, note: str) -> Request:
    progress = running(request).with_(note=note, hold="")
    return request.with_(progress=progress, updated_at=now)


def _underway(request: Request, look: Underway, now: datetime) -> Request:
    progress = running(request)
    line: tuple[LogLine, ...] = ()
    if look.hold and look.hold != progress.hold:
        line = (LogLine(at=now, text=f"Holding: {look.hold}"),)
    elif progress.hold and not look.hold:
        line = (LogLine(at=now, text="Going on: the reason to hold is gone"),)
    progress = progress.with_(
        note=look.note or progress.note,
        hold=look.hold,
        done=look.done,
        total=look.total,
        unit=look.unit,
        failures=0,
    )
    return request.with_(progress=progress, log=(*request.log, *line), updated_at=now)


def _step_finished(request: Request, look: Finished, now: datetime) -> Request:
    progress = running(request)
    step = present_step(request)
    count = len(steps(request))
    title = step.title() if step else ""
    text = f"Step {progress.step + 1} of {count} done: {title}"
    if look.note:
        text += f" ({look.note})"
    moved_on = progress.with_(
        step=progress.step + 1,
        step_started_at=now,
        note=look.note,
        hold="",
        done=0,
        total=0,
        unit="",
        intended=False,
        failures=0,
        memory={**progress.memory, **look.memory},
    )
    return request.with_(progress=moved_on).said(now=now, text=text)
