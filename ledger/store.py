"""Open, load and save requests: compare-and-set, with audit line, due time, work and news in one.

The surprising truth: every audit line names the hash of the line before, so two savers of different
requests race for the end of the chain. The loser reads again and follows; only a save of the *same*
request is a `Conflict`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from redis.client import Pipeline

from changes.change import Change
from changes.lifecycle import MOVES, IllegalMove, State
from changes.plan import canonical
from changes.request import Person, Request
from ledger import audit as chain
from ledger import change_leases, entries, keys, listing, news, outbox
from ledger.door import Conflict, Door, normal_id
from ledger.leases import Fence
from ledger.replies import content, number
from ledger.words import Audit
from ledger.work import Turn, Work, WorkQueue, last_turn, next_turn

SAME_AGAIN = timedelta(seconds=10)
"""Two presses of Enter, or Slack delivering twice, are one wish."""
PREPARE_AGAIN = timedelta(seconds=15)
"""A prepare whose worker died is queued again after this."""
LOOK_SECONDS_MAX = 3600.0
"""No change is looked at less often."""

Job = tuple[Work, Turn]


class Store(Door):
    _queue: WorkQueue

    def open_request(
        self,
        *,
        change: Change,
        requester: Person,
        channel: str,
        asked_in: str,
        because: str,
        now: datetime,
    ) -> Request:
        """A new request, saved as preparing with its first audit line and its `prepare` queued."""
        asked_key = keys.asked(_digest(requester, change, because))

        def write(pipe: Pipeline) -> Request:
            if same := _asked_a_moment_ago(pipe, asked_key, now):
                return same
            following = number(pipe.get(keys.COUNTER)) + 1
            request = Request(
                id=f"R-{following}",
                change=change,
                because=because,
                requester=requester,
                channel=channel,
                asked_in=asked_in,
                created_at=now,
                updated_at=now,
            )
            words = change.describe() + (f" because {because}" if because else "")
            said = Audit(actor=requester.user_id, event="asked", words=words)
            line = self._next_line(pipe, said, request)
            work = Work("prepare", request.id)
            pipe.multi()
            pipe.set(keys.COUNTER, following)
            pipe.set(asked_key, request.id, ex=keys.ASKED_SECONDS)
            self._write(pipe, request, line=line, jobs=[(work, next_turn(work, seq=0, last=None))])
            pipe.zadd(keys.DUE, {request.id: self._score(now + PREPARE_AGAIN)})
            return request

        return self._in_one("opening a request", [asked_key, keys.COUNTER, keys.AUDIT], write)

    def load(self, request_id: str) -> Request | None:
        """The request as it is stored; None = there is none of that id."""
        known = normal_id(request_id)
        if known is None:
            return None
        with self._reach(f"reading {known}") as redis:
            return entries.read_from(redis, known)

    def save(
        self,
        request: Request,
        *,
        audit: Audit | None,
        due_at: datetime | None = None,
        work: Sequence[Work] = (),
        fence: Fence | None = None,
    ) -> Request:
        """Store the next version of a request, or raise `Conflict` and store nothing at all."""

        def write(pipe: Pipeline) -> Request:
            stored = _still_ours(pipe, request, fence)
            if stored is not request.state:
                _check_move(request, stored, audit)
            saved = request.with_(version=request.version + 1)
            line = self._next_line(pipe, audit, saved) if audit else None
            jobs = [_turn(pipe, one, saved) for one in work]
            pipe.multi()
            self._write(pipe, saved, line=line, jobs=jobs)
            if fence is not None:
                change_leases.carry(pipe, saved, next_look_seconds=_until(due_at, saved))
            if due_at is not None:
                pipe.zadd(keys.DUE, {saved.id: self._score(due_at)})
            elif saved.state.ended:
                pipe.zrem(keys.DUE, saved.id)
            return saved

        watched = [keys.request(request.id), *(keys.tick_mark(one.request_id) for one in work)]
        watched += [keys.AUDIT] if audit else []
        watched += [keys.lease(fence.name)] if fence else []
        return self._in_one(f"saving {request.id}", watched, write)

    def refused(self, *, request_id: str, audit: Audit) -> None:
        """Write down that something was refused; the request itself stays as it is."""
        request = self.load(request_id)
        if request is None:
            raise ValueError(f"there is no request {request_id!r} to write an audit line for")

        def write(pipe: Pipeline) -> None:
            line = self._next_line(pipe, audit, request)
            pipe.multi()
            chain.append(pipe, line)

        self._in_one(f"writing an audit line for {request.id}", [keys.AUDIT], write)

    def _next_line(self, pipe: Pipeline, audit: Audit, request: Request) -> dict[str, Any]:
        return chain.next_line(pipe, audit=audit, request=request, at=self._clock().isoformat())

    def _write(
        self, pipe: Pipeline, request: Request, *, line: dict[str, Any] | None, jobs: Sequence[Job]
    ) -> None:
        """Queue all that one save writes; the transaction has begun."""
        entries.write(pipe, request)
        listing.index(pipe, request, audit_number=line["seq"] if line else None)
        if line:
            chain.append(pipe, line)
        for work, turn in jobs:
            self._queue.put(pipe, work, turn)
        outbox.owe(pipe, request.id)
        news.publish(pipe, request.id)


def _until(due_at: datetime | None, saved: Request) -> float:
    """Seconds until the next look, by the clock of whoever saves; a lease lasts a day at most."""
    seconds = (due_at - saved.updated_at).total_seconds() if due_at else 0.0
    return min(max(0.0, seconds), LOOK_SECONDS_MAX)


def _asked_a_moment_ago(pipe: Pipeline, asked_key: str, now: datetime) -> Request | None:
    """The same wish of the same person, still undecided; `asked_key` is watched."""
    stored = content(pipe.get(asked_key))
    same = entries.read_from(pipe, stored.decode()) if stored else None
    undecided = same is not None and same.state in (State.PREPARING, State.AWAITING_APPROVAL)
    return same if same and undecided and now - same.created_at < SAME_AGAIN else None


def _still_ours(pipe: Pipeline, request: Request, fence: Fence | None) -> State:
    """The stored state, or `Conflict` when somebody else saved or holds the lease."""
    stored = entries.head(pipe, request.id)
    if stored is None:
        raise Conflict(f"{request.id} is not in the ledger.")
    if stored.state is None:
        raise entries.UnreadableEntry(f"{request.id} was written by another version of Ottla.")
    if stored.version != request.version:
        raise Conflict(
            f"{request.id} was saved by somebody else: it is at version {stored.version}, "
            f"this save started from {request.version}."
        )
    if fence is not None and pipe.get(keys.lease(fence.name)) != str(fence.number).encode():
        raise Conflict(f"The claim on {fence.name} has passed on; {request.id} was not saved.")
    return stored.state


def _check_move(request: Request, stored: State, audit: Audit | None) -> None:
    """A move needs its audit line and a way through the table of the life cycle."""
    if audit is None:
        raise ValueError(
            f"{request.id} goes from {stored.value!r} to {request.state.value!r}: "
            "a change of state needs an audit line"
        )
    if request.state not in _reachable(stored):
        raise IllegalMove(
            f"{request.id} is {stored.value!r}: it can never be {request.state.value!r}"
        )


def _reachable(state: State) -> set[State]:
    """Every state that some row of events leads to (one save may hold several moves)."""
    found: set[State] = set()
    ahead = [state]
    while ahead:
        following = {move.to for move in MOVES.get(ahead.pop(), {}).values()} - found
        found |= following
        ahead += following
    return found


def _turn(pipe: Pipeline, work: Work, saved: Request) -> Job:
    """The job's id: this request's new version, or the stored one of another request."""
    last = last_turn(pipe, work.request_id)
    if work.request_id == saved.id:
        return work, next_turn(work, seq=saved.version, last=last)
    other = entries.head(pipe, work.request_id)
    return work, next_turn(work, seq=other.version if other else 0, last=last)


def _digest(requester: Person, change: Change, because: str) -> str:
    wish = [requester.user_id, change.model_dump(mode="json"), because]
    return hashlib.sha256(canonical(wish)).hexdigest()
