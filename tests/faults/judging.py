"""What must be true in the end whatever died on the way, and the table that says so.

A case is compared with the faultless run: the same decisions in the thread, each once, and the same
events in the audit, whose chain must verify. *Lost* is what the faultless run has and this one has not,
*doubled* the other way round, *left behind* what nobody will ever clean up.
"""

from __future__ import annotations

import io
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from redis import Redis

from changes.lifecycle import State
from changes.moves import ReplicaMove
from changes.request import Request
from changes.steps_replicas import MoveReplicas, bound_ids
from ledger import Ledger, Verified, connect, keys, verify
from tests.faults.far_cluster import Truth
from tests.faults.life import SIX, THE_REQUEST, Shop

PASSING = re.compile(r"^(Holding: |Going on: )")
"""Lines about a fault that came and went: a fault may add them, none of them is a decision."""
READ_AGAIN = "approvers read again"
"""An audit line too that a fault may add: work that starts late has its approvers read again first."""
VARYING = re.compile(
    r"(?<=^Done in )[^;]*|(?<=^Before: ).*|(?<=^Midway: ).*|(?<=^After: ).*"
    r"|(?<=What stays: )(\d+ partitions stay where they were moved to; )?"
)
"""What a fault may change in a decision's words: how long it took, what a picture happened to show, how
many moves had ended before the others were cancelled."""


@dataclass(frozen=True)
class Ending:
    """What can be compared of one run."""

    state: State
    decisions: Counter[str]
    events: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    done: bool
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return self.done and not (self.lost or self.doubled or self.left)


def ending(ledger: Ledger, request: Request) -> Ending:
    decisions = Counter(
        VARYING.sub("…", line.text) for line in request.log if not PASSING.match(line.text)
    )
    written = (line.event for line in ledger.audit_lines(request_id=request.id))
    events = tuple(event for event in written if event != READ_AGAIN)
    return Ending(request.state, decisions, events)


def judge(shop: Shop, *, faultless: Ending) -> Judged:
    line = shop.line()
    ledger = connect(shop.redis_url)
    try:
        truth = line.truth()
        request = ledger.load(THE_REQUEST)
        if request is None:
            return Judged(done=False, lost=("the request",))
        return judged(ledger, request, truth, faultless)
    finally:
        ledger.close()
        line.close()


def judged(ledger: Ledger, request: Request, truth: Truth, faultless: Ending) -> Judged:
    seen = ending(ledger, request)
    missing = faultless.decisions - seen.decisions
    extra = seen.decisions - faultless.decisions
    moves = lost_moves if faultless.state is State.DONE else torn_moves
    lost = [f"line {text!r}" for text in missing] + [*moves(request, truth)]
    doubled = [f"line {text!r}" for text in extra]
    if truth.accepted_updates < 1:
        lost.append("MSK was never asked")
    if truth.accepted_updates > 1:
        doubled.append(f"{truth.accepted_updates} updates of MSK")
    events, expected = Counter(seen.events), Counter(faultless.events)
    lost += [f"audit line {one!r}" for one in expected - events]
    doubled += [f"audit line {one!r}" for one in events - expected]
    if not chain_verifies(ledger):
        lost.append("the audit chain")
    left = [*truth.left_behind, *left_in_ledger(ledger, request)]
    if truth.leaderless:
        lost.append(f"{truth.leaderless} leaders")
    return Judged(request.state is faultless.state, tuple(lost), tuple(doubled), tuple(left))


def lost_moves(request: Request, truth: Truth) -> Iterator[str]:
    for move in planned_moves(request):
        if truth.replicas[move.topic, move.partition] != move.after:
            yield f"move of {move.key}: {truth.replicas[move.topic, move.partition]} instead of {move.after}"


def torn_moves(request: Request, truth: Truth) -> Iterator[str]:
    """After an abort each partition is where it was or where it was to be, never in between."""
    for move in planned_moves(request):
        found = truth.replicas[move.topic, move.partition]
        if set(found) != set(move.before) and found != move.after:
            yield f"move of {move.key}: {found} is neither {move.before} nor {move.after}"


def planned_moves(request: Request) -> tuple[ReplicaMove, ...]:
    if request.plan is None or request.progress is None:
        return ()
    ids = bound_ids(request.progress.memory)
    steps = [step for step in request.plan.steps if isinstance(step, MoveReplicas)]
    return tuple(move.bound(ids) for step in steps for move in step.moves)


def chain_verifies(ledger: Ledger) -> bool:
    exported = io.StringIO()
    ledger.export(exported)
    return isinstance(verify(exported.getvalue().splitlines()), Verified)


def left_in_ledger(ledger: Ledger, request: Request) -> Iterator[str]:
    """An ended request waits in no list; its lease may still run out by itself."""
    redis: Redis = ledger._redis
    for key in (keys.DUE, keys.OPEN, keys.open_of(SIX.cluster), keys.line(SIX.cluster)):
        if redis.zscore(key, request.id) is not None:
            yield f"{request.id} in {key}"


@dataclass
class Row:
    """One group of cases in the table."""

    group: str
    cases: int = 0
    done: int = 0
    lost: int = 0
    doubled: int = 0
    left: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def note(self, name: str, found: Judged) -> None:
        self.cases += 1
        self.done += found.done
        self.lost += bool(found.lost)
        self.doubled += bool(found.doubled)
        self.left += bool(found.left)
        if not found.good:
            self.wrong.append(f"{name}: {found}")

    def holds(self) -> None:
        assert self.cases > 0, f"{self.group}: no case was played"
        assert not self.wrong, f"{len(self.wrong)} of {self.cases}:\n" + "\n".join(self.wrong[:20])


ROWS: list[Row] = []
"""Filled by the tests of this folder, printed at the end of the run."""


@contextmanager
def row(group: str) -> Iterator[Row]:
    found = Row(group)
    ROWS.append(found)
    began = time.monotonic()
    try:
        yield found
    finally:
        found.seconds = time.monotonic() - began
    found.holds()


def table(rows: list[Row]) -> list[str]:
    head = f"{'case group':<58}{'cases':>7}{'done':>7}{'lost':>7}{'doubled':>9}{'left':>7}{'s':>8}"
    total = Row("all")
    lines = [head, "-" * len(head)]
    for one in rows:
        lines.append(shown(one))
        for name in ("cases", "done", "lost", "doubled", "left", "seconds"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
    return [*lines, "-" * len(head), shown(total)]


def shown(one: Row) -> str:
    counts = f"{one.cases:>7}{one.done:>7}{one.lost:>7}{one.doubled:>9}{one.left:>7}"
    return f"{one.group:<58}{counts}{one.seconds:>8.1f}"
