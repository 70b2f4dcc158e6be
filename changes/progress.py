"""What happens next to a request, and what a look or an act made of it. Pure: time is handed in.

The worker asks `next_action`, does that one thing, and folds what it saw back in with the functions
below. Nothing here knows a cluster, a queue or Slack.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from changes.holding import OVER, held, told
from changes.lifecycle import Event, State
from changes.request import Outcome, Progress, Request, mention
from changes.steps import Broken, Finished, Look, Memory, NotStarted, Step, TryAgain, Underway

FAILURES_MAX = 20
"""Acts in a row that may be refused for reasons that pass before it counts as broken."""
STUCK_AFTER = timedelta(minutes=15)
"""What runs and does not get further for so long is no longer slow but stuck."""
STANDSTILL = "nothing has got further"
STARTING = "starting"
LOADS_BEFORE = "loads_before"
"""Where a run remembers, in words, how the brokers were when it started."""
FAILURES_SAID = 3
"""One or two refusals in a row are not worth a line in the thread."""


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
    if _asking(progress):
        return Action.STEP
    if "before" not in taken:
        return Action.PICTURE_BEFORE
    if "midway" not in taken and fraction(request) >= 0.5:
        return Action.PICTURE_MIDWAY
    if present_step(request) is None and "after" not in taken:
        return Action.PICTURE_AFTER
    return Action.STEP


def _asking(progress: Progress) -> bool:
    """Is the first thing still to be asked for? The first picture need not keep it waiting: it shows
    the time before the start, and that is the same a moment later."""
    asked = bool(progress.note) and not (progress.intended and progress.note == STARTING)
    return progress.step == 0 and not asked


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


def started(request: Request, *, now: datetime, loads: str = "") -> Request:
    """Work begins; `loads` says how the brokers are now, for the first picture's line."""
    begun = request.moved(event=Event.STARTED, now=now)
    memory = {LOADS_BEFORE: loads} if loads else {}
    progress = Progress(started_at=now, step_started_at=now, memory=memory)
    begun = begun.with_(progress=progress, differences=(), waits="")
    return begun.said(now=now, text="Started: nothing changed since it was approved")


def seen(request: Request, look: Look, *, now: datetime) -> Request:
    """The request after one look at its present step."""
    match look:
        case NotStarted():
            progress = running(request).with_(note=STARTING)
            return request.with_(progress=progress, updated_at=now)
        case Underway():
            return _underway(request, look, now)
        case Finished():
            return _step_finished(request, look, now)
        case Broken():
            return broke(request, look, now=now)


def wants_act(look: Look, *, paused: bool = False) -> bool:
    """Is there something to do; while paused, only what keeps running moves safe."""
    if isinstance(look, Underway):
        return look.act and (look.upkeep or not paused)
    return isinstance(look, NotStarted) and not paused


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


def acted(
    request: Request, result: Memory | TryAgain | Broken, *, now: datetime, look: Look | None = None
) -> Request:
    """What came of an act. One that only kept running moves safe ends no hold."""
    if isinstance(result, Broken):
        return broke(request, result, now=now)
    if isinstance(result, TryAgain):
        return tripped(request, result.words, now=now)
    under = look if isinstance(look, Underway) else Underway()
    holding = bool(under.hold) or stuck(request)
    done = request if holding else held(request, "", now=now, over=under.over or OVER)
    progress = running(done)
    merged = {**progress.memory, **result}
    progress = progress.with_(intended=False, memory=merged, failures=0)
    return done.with_(progress=progress, updated_at=now)


def tripped(request: Request, words: str, *, now: datetime) -> Request:
    """An act was refused for a reason that may pass; too many in a row end it."""
    failures = running(request).failures + 1
    counted = request.with_(progress=running(request).with_(failures=failures))
    if failures < FAILURES_MAX:
        return held(counted, words, now=now, say=failures >= FAILURES_SAID)
    if request.state is State.ROLLING_BACK:
        return unknown(counted, f"cleaning up failed {FAILURES_MAX} times: {words}", now=now)
    return broke(counted, Broken(words=f"tried {FAILURES_MAX} times: {words}"), now=now)


def away(request: Request, words: str, *, now: datetime) -> Request:
    """The cluster did not answer: hold for as long as that lasts; a single miss is not told.

    Giving up would help nobody: throttles and running moves can only be cleaned up on a cluster that
    answers. People are called when it lasts (`holding`).
    """
    unseen = _unknown_for_a_while(request)
    return held(unseen, words, now=now, say=bool(running(request).hold))


def broke(request: Request, broken: Broken, *, now: datetime) -> Request:
    if broken.unknown:
        return unknown(request, broken.words, now=now)
    words = f"Stopped: {broken.words}. Cleaning up."
    stopped = request.moved(event=Event.STEP_BROKE, now=now)
    outcome = Outcome(words=broken.words)
    # Undoing starts at the step that broke and walks back to the first.
    still = {"hold": "", "held_since": None, "told": (), "done": 0, "total": 0}
    progress = running(stopped).with_(**still, failures=0, intended=False)
    return stopped.with_(outcome=outcome, progress=progress, paused_by=None).said(
        now=now, text=words, calls="requester"
    )


def unknown(request: Request, words: str, *, now: datetime) -> Request:
    lost = request.moved(event=Event.OUTCOME_UNKNOWN, now=now)
    text = f"Needs attention: {words}"
    return lost.with_(outcome=Outcome(words=words)).said(now=now, text=text, calls="both")


def undone(request: Request, look: Look, *, now: datetime) -> Request:
    """The request after one act of cleaning up; steps are undone from the last to the first."""
    progress = running(request)
    if isinstance(look, Broken):
        return unknown(request, look.words, now=now)
    if not isinstance(look, Finished):
        note, hold = (look.note, look.hold) if isinstance(look, Underway) else ("", "")
        noted = request.with_(progress=progress.with_(note=note, failures=0), updated_at=now)
        return held(noted, hold, now=now)
    stays = (*progress.stays, look.note) if look.note else progress.stays
    progress = progress.with_(stays=stays, failures=0)
    if progress.step > 0:
        progress = progress.with_(step=progress.step - 1)
        return held(request.with_(progress=progress, updated_at=now), "", now=now)
    return cleaned_up(request.with_(progress=progress), now=now)


def cleaned_up(request: Request, *, now: datetime) -> Request:
    """Nothing runs and no throttle is left: the end, and what stays as it is now."""
    why = request.outcome.words if request.outcome else ""
    stays = "; ".join(running(request).stays)
    outcome = Outcome(words=f"{why}. What stays: {stays}" if stays else why)
    by = request.aborted_by
    begins = f"Aborted by {mention(by)}" if by else f"Failed: {why}"
    text = f"{begins}. Throttles and running moves are cleaned up."
    if stays:
        text += f" What stays: {stays}."
    ended = request.moved(event=Event.UNDONE if by else Event.CLEANED_UP, now=now)
    return ended.with_(outcome=outcome).said(now=now, text=text, calls="requester")


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
    text = f"Done in {minutes_in_words(seconds)}{planned_words(request)}"
    return done.with_(paused_by=None).said(now=now, text=text, calls="requester")


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


def _underway(request: Request, look: Underway, now: datetime) -> Request:
    """What was seen; where an act follows, only that can tell whether a refusal has passed."""
    request = _measured(request, look, now)
    hold = _stuck(request, look, now) or look.hold
    acts = look.act and not hold
    noted = request if acts else held(request, hold, now=now, over=look.over or OVER)
    if look.say:
        noted = told(noted, look.say, now=now)
    progress = running(noted)
    progress = progress.with_(
        note=look.note or progress.note,
        done=look.done,
        total=look.total,
        unit=look.unit,
        failures=progress.failures if acts else 0,
    )
    return noted.with_(progress=progress, updated_at=now)


def _measured(request: Request, look: Underway, now: datetime) -> Request:
    """Since when what runs gets no further, and since when nothing runs."""
    progress = running(request)
    least = progress.least_left
    if not look.stuck or least is None or look.left < least or look.note != progress.note:
        progress = progress.with_(least_left=look.left, further_at=now)
    quiet_since = None if look.running else progress.quiet_since or now
    return request.with_(progress=progress.with_(quiet_since=quiet_since))


def _unknown_for_a_while(request: Request) -> Request:
    """Nobody looked: neither a standstill nor a rest can be told from what was seen before."""
    nothing = {"least_left": None, "further_at": None, "quiet_since": None}
    return request.with_(progress=running(request).with_(**nothing))


def _stuck(request: Request, look: Underway, now: datetime) -> str:
    since = running(request).further_at or now
    if not look.stuck or now - since < STUCK_AFTER:
        return ""
    lasting = minutes_in_words((now - since).total_seconds())
    return f"{STANDSTILL} (for {lasting}): {look.stuck}"


def stuck(request: Request) -> bool:
    """Does it hold since what runs gets no further?"""
    return request.progress is not None and request.progress.hold.startswith(STANDSTILL)


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
        held_since=None,
        told=(),
        done=0,
        total=0,
        unit="",
        least_left=None,
        further_at=None,
        quiet_since=None,
        intended=False,
        failures=0,
        memory={**progress.memory, **look.memory},
    )
    return request.with_(progress=moved_on).said(now=now, text=text)
