"""One tick: load, decide, write the intention, one look or act, save, next due time.

The surprising truth: a tick may run twice, late, or die anywhere, and it must not matter. Saving is
compare-and-set with the lease's fence; before any effect its intention is stored; before it is
repeated the step looks at the cluster again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from changes import standing
from changes.facts import ClusterFacts
from changes.holding import kind_of, said_lately
from changes.lifecycle import Event, State
from changes.plan import CannotPlan, Plan
from changes.ports import Unreachable
from changes.progress import (
    Action,
    acted,
    away,
    finished,
    intended,
    next_action,
    present_step,
    running,
    seen,
    started,
    steps,
    undone,
    wants_act,
)
from changes.readiness import not_yet
from changes.request import Request, expire, judged
from changes.steps import Look
from changes.steps_validate import loads_in_words
from changes.verdict import Verdict
from cluster.survey import survey
from workers.desk import Desk, Tick, world_of
from workers.pictures import take_picture

log = logging.getLogger(__name__)

UNREACHABLE_PATIENCE = timedelta(minutes=2)
"""How long a new request waits for a cluster that cannot be read before it is denied."""
INCOMPLETE_PATIENCE = timedelta(seconds=20)
"""The same when only some of it cannot: one call that was throttled is no reason to deny."""
SILENT = "Waits to start: the cluster does not answer:"
LOOKS_PER_TICK_MAX = 8
"""Finished steps follow each other at once, within a tick of bounded length."""
ACTIONS_PER_TICK_MAX = 6
"""So do starting, the first step and the pictures."""
CARRY_ON_WITHIN = timedelta(seconds=20)
"""A tick that took longer begins nothing more: the queue ends it after a minute."""
AT_ONCE = frozenset(
    {Action.STEP, Action.PICTURE_BEFORE, Action.PICTURE_MIDWAY, Action.PICTURE_AFTER}
)
"""What needs no waiting once it is its turn."""


async def carry_on(tick: Tick, request: Request, action: Action) -> None:
    """Do what is to be done, and on in the same tick while the next thing needs no waiting.

    Each thing saves as if it were alone, so a death between two of them is a death between two ticks.
    """
    for _ in range(ACTIONS_PER_TICK_MAX):
        request = await DO[action](tick, request)
        following = next_action(request, now=tick.now, first_in_line=True)
        late = tick.runtime.clock() - tick.now > CARRY_ON_WITHIN
        if late or following is action or following not in AT_ONCE:
            return
        action = following


async def prepare(tick: Tick, request: Request) -> Request:
    """Survey, plan, judge: the first card."""
    plan, verdict = await plan_and_judge(tick, request)
    return tick.save(request, prepared(request, plan, verdict, tick.now), due_seconds=due(verdict))


async def plan_and_judge(tick: Tick, request: Request) -> tuple[Plan | None, Verdict]:
    policies = tick.runtime.policies
    facts = await survey(tick.world)
    if facts.not_seen and patient(request, INCOMPLETE_PATIENCE, now=tick.now):
        raise Unreachable(facts.not_seen[0])
    # In a thread: a plan of a large cluster takes seconds, and the lease is renewed meanwhile.
    plan = await asyncio.to_thread(request.change.plan, facts, policies.limits(request.cluster))
    if isinstance(plan, CannotPlan):
        return None, policies.refusal(cannot=plan)
    verdict = policies.judge(
        plan=plan,
        facts=facts,
        person=request.requester,
        because=request.because,
        now=tick.now,
    )
    return plan, verdict


def patient(request: Request, patience: timedelta, *, now: datetime) -> bool:
    """Is it so new that what fails now may simply be asked again?"""
    return request.state is State.PREPARING and now - request.created_at < patience


def prepared(request: Request, plan: Plan | None, verdict: Verdict, now: datetime) -> Request:
    """The request with its plan and verdict, in the state the verdict asks for."""
    if plan is None:
        return denied(request, verdict, now)
    planned = judged(request, plan=plan, verdict=verdict, now=now)
    if verdict.outcome == "denied":
        return denied(planned, verdict, now)
    if verdict.outcome == "allowed":
        allowed = planned.moved(event=Event.PREPARED_ALLOWED, now=now)
        return allowed.said(now=now, text="Planned; policies allow it without an approval")
    asking = planned.moved(event=Event.PREPARED_NEEDS_APPROVALS, now=now)
    circles = ", ".join(need.label or need.rule for need in verdict.approvals)
    text = f"Planned; waiting for an approval by {circles}"
    return asking.said(now=now, text=text, calls="approvers")


def denied(request: Request, verdict: Verdict, now: datetime) -> Request:
    words = "; ".join(reason.message for reason in verdict.reasons)
    no = request.with_(verdict=verdict).moved(event=Event.PREPARED_DENIED, now=now)
    return no.said(now=now, text=f"Denied: {words}", calls="requester")


def due(verdict: Verdict) -> float:
    """Allowed work starts at once; a waiting request is looked at again when it expires."""
    return 0 if verdict.outcome == "allowed" else verdict.expires_after_minutes * 60 + 1


async def verify(tick: Tick, request: Request) -> Request:
    """The first tick at the head of the line: does the approved plan still fit, may it start?"""
    facts = await survey(tick.world)
    if why := not_yet(facts):
        return wait_to_start(tick, request, why)
    later = judged_later(tick, request, facts)
    differences = no_longer(tick, request, facts) or differences_of(request, later)
    if differences and facts.not_seen:
        return wait_to_start(tick, request, f"not everything could be read: {facts.not_seen[0]}")
    if differences:
        return await plan_again(tick, request, differences)
    if later is not None and later.not_now:
        return wait_to_start(tick, request, later.not_now)
    if not standing.fresh(request, now=tick.now):
        now = tick.runtime.clock()  # the survey took its time
        return wait_to_start(tick, standing.asked(request, now=now), standing.ASKING)
    begun = started(request, loads=loads_in_words(facts.loads), now=tick.now)
    return tick.save(request, begun, due_seconds=tick.poll_seconds(request))


def no_longer(tick: Tick, request: Request, facts: ClusterFacts) -> tuple[str, ...]:
    """What is not as it was approved, in words: plan, cluster, policies, approvers."""
    plan = request.plan
    if plan is None or not plan.intact:
        return (
            "the stored plan is not the one that was approved (as after an upgrade of Ottla that plans "
            "in another form)",
        )
    differences = plan.differences(facts)
    if not differences and plan.policy_digest != tick.runtime.policies.digest:
        return ("the policy files were edited since this was planned",)
    return differences or standing.lost(request)


def judged_later(tick: Tick, request: Request, facts: ClusterFacts) -> Verdict | None:
    """What policies say of the approved plan now: windows close, and facts move past a limit."""
    if request.plan is None:
        return None
    return tick.runtime.policies.judge(
        plan=request.plan,
        facts=facts,
        person=request.requester,
        because=request.because,
        now=tick.now,
    )


def differences_of(request: Request, later: Verdict | None) -> tuple[str, ...]:
    """A denial that time alone lifts is no difference: work waits for it, approvals stay."""
    if later is None or request.verdict is None or later.not_now:
        return ()
    return request.verdict.differences(later)


def waiting_for_an_answer(request: Request, words: str, now: datetime) -> Request:
    """Its turn, and the cluster is silent: the card says so at once, the thread when it lasts."""
    silent = request.with_(waits=f"the cluster does not answer: {words}")
    if not request.waits or kind_of(request.waits) != kind_of(silent.waits):
        return silent  # once is a moment; the same again is worth a line
    told = any(line.text.startswith(SILENT) for line in request.log[-1:])
    return silent if told else silent.said(now=now, text=f"{SILENT} {words}")


def wait_to_start(tick: Tick, request: Request, why: str) -> Request:
    """Approved and first in line, but not now: said once, looked at again with every poll."""
    waiting = request.with_(waits=why)
    text = f"Waits to start: {why}"
    news = kind_of(why) != kind_of(request.waits) and why != standing.ASKING
    if news and not said_lately(request, text, now=tick.now):
        waiting = waiting.said(now=tick.now, text=text)
    return tick.save(request, waiting, due_seconds=tick.poll_seconds(request))


async def plan_again(tick: Tick, request: Request, differences: tuple[str, ...]) -> Request:
    """Votes are void with the old fingerprint; the difference is shown and asked again."""
    plan, verdict = await plan_and_judge(tick, request)
    told = request.with_(differences=differences)
    if plan is None or verdict.outcome == "denied":
        again = told if plan is None else judged(told, plan=plan, verdict=verdict, now=tick.now)
        return tick.save(request, denied(again, verdict, tick.now), due_seconds=0)
    again = judged(told, plan=plan, verdict=verdict, now=tick.now)
    words = f"Planned again (revision {again.revision}): {'; '.join(differences)}"
    if verdict.outcome == "needs_approvals":
        again = again.moved(event=Event.DRIFTED, now=tick.now)
        words += ". Earlier approvals are void."
    said = again.said(now=tick.now, text=words, calls="both")
    return tick.save(request, said, due_seconds=due(verdict))


async def step(tick: Tick, request: Request) -> Request:
    """Look at the present step, act if there is something to do, and go on while steps finish."""
    for _ in range(LOOKS_PER_TICK_MAX):
        at = present_step(request)
        if at is None:
            return tick.save(request, finished(request, now=tick.now), due_seconds=None)
        looked = await at.look(world_of(tick, request))
        position = running(request).step
        after = seen(request, looked, now=tick.now)
        if wants_act(looked, paused=request.paused_by is not None):
            return await act(tick, request, after, looked)
        request = tick.save(request, after, due_seconds=tick.poll_seconds(request))
        moved_on = request.state is State.RUNNING and running(request).step > position
        wanted = next_action(request, now=tick.now, first_in_line=True)
        if not moved_on or wanted is not Action.STEP:
            return request
    return request


async def act(tick: Tick, before: Request, looked: Request, look: Look) -> Request:
    """Write the intention, act, write what came of it."""
    at = present_step(looked)
    if at is None:
        return looked
    poll = tick.poll_seconds(before)
    memory = await at.intend(world_of(tick, looked))
    saved = tick.save(before, intended(looked, memory, now=tick.now), due_seconds=poll)
    result = await at.act(world_of(tick, saved))
    return tick.save(saved, acted(saved, result, now=tick.now, look=look), due_seconds=poll)


async def undo(tick: Tick, request: Request) -> Request:
    """One act of cleaning up, from the step that broke back to the first."""
    for _ in range(LOOKS_PER_TICK_MAX):
        at = steps(request)[min(running(request).step, len(steps(request)) - 1)]
        looked = await at.undo(world_of(tick, request))
        position = running(request).step
        after = undone(request, looked, now=tick.now)
        request = tick.save(request, after, due_seconds=tick.poll_seconds(request))
        if request.state is not State.ROLLING_BACK or running(request).step == position:
            return request
    return request


DO: Mapping[Action, Callable[[Tick, Request], Awaitable[Request]]] = {
    Action.PREPARE: prepare,
    Action.VERIFY: verify,
    Action.STEP: step,
    Action.UNDO: undo,
    Action.PICTURE_BEFORE: take_picture("before"),
    Action.PICTURE_MIDWAY: take_picture("midway"),
    Action.PICTURE_AFTER: take_picture("after"),
}


def expired(desk: Desk, request: Request) -> Request:
    """Nobody decided in time; no cluster is needed for that."""
    return desk.save(request, expire(request, now=desk.now), due_seconds=None)


def unreachable(desk: Desk, request: Request, words: str) -> Request:
    """The world did not answer: hold with the reason, count it, try again on the next tick."""
    log.warning("tick of %s could not finish: %s", request.id, words)
    poll = desk.poll_seconds(request)
    if request.progress is not None:
        return desk.save(request, away(request, words, now=desk.now), due_seconds=poll)
    waits = patient(request, UNREACHABLE_PATIENCE, now=desk.now)
    if request.state is State.QUEUED:
        return desk.save(request, waiting_for_an_answer(request, words, desk.now), due_seconds=poll)
    if waits:
        return desk.save(request, request, due_seconds=poll)
    cannot = CannotPlan(
        words=f"the cluster could not be read: {words}",
        would_pass="the same command once it answers",
    )
    verdict = desk.runtime.policies.refusal(cannot=cannot)
    return desk.save(request, denied(request, verdict, desk.now), due_seconds=None)
