"""Killed around every effect while a change is paused and resumed, and while an abort cleans up.

Bob decides by what is stored, so whichever process comes next knows what he has done already.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes.lifecycle import State
from changes.request import Request
from changes.steering import ACTS, Steering
from ledger import Audit, connect
from tests.faults.judging import ending, judged, row
from tests.faults.life import BOB, THE_REQUEST, Life, Shop, live
from tests.faults.moments import Passed, When
from tests.faults.playing import killed_once, new_day, play_faultless

pytestmark = pytest.mark.fault
PAUSE = timedelta(seconds=40)
EFFECTS_AFTER = 24


class Steered(Life):
    """A life in which Bob steers as soon as replicas move."""

    def people(self) -> bool:
        going_on = super().people()
        found = self.request()
        if found is not None and found.state is State.RUNNING:
            self.steered(found)
        return going_on

    def steered(self, found: Request) -> None:
        raise NotImplementedError

    def steer(self, what: Steering, found: Request) -> None:
        now = self.line.now()
        decided = ACTS[what](found, person=BOB, now=now)
        assert isinstance(decided, Request), decided
        audit = Audit(actor=BOB.user_id, event=what, words=what)
        self.bot.save(decided, audit=audit, due_at=now)


class Aborted(Steered):
    def steered(self, found: Request) -> None:
        if moving(found):
            self.steer("abort", found)


class PausedAndResumed(Steered):
    def steered(self, found: Request) -> None:
        paused = [line for line in found.log if line.text.startswith("Paused by")]
        if not paused and moving(found):
            self.steer("pause", found)
        elif found.paused_by is not None and self.line.now() >= paused[0].at + PAUSE:
            self.steer("resume", found)


def moving(found: Request) -> bool:
    return bool(found.progress and found.progress.memory.get("submitted"))


LIVES: dict[str, type[Steered]] = {
    "killed around every effect of an abort": Aborted,
    "killed around every effect of a pause and after": PausedAndResumed,
}
ENDS = {Aborted: State.ROLLED_BACK, PausedAndResumed: State.DONE}


@pytest.mark.parametrize("name", LIVES)
def test_every_moment_after_steering(name: str, shop: Shop) -> None:
    kind = LIVES[name]
    passed, end = play_faultless(shop, kind=kind)
    assert end.state is ENDS[kind]
    with row(name) as told:
        for at, when in cases(passed):
            found = killed_once(shop, at, when, faultless=end, kind=kind)
            told.note(f"{when} {passed[at].name} (effect {at})", found)
    new_day(shop)


def cases(passed: list[Passed]) -> list[tuple[int, When]]:
    """From the moment Bob steers to some time after his last word: the rest is another group's."""
    begun = next(at for at, one in enumerate(passed) if one.name == "reassign")
    steered = [at for at, one in enumerate(passed) if one.role == "bot" and at > begun]
    last = steered[-1] + EFFECTS_AFTER
    return [
        (at, when)
        for at, one in enumerate(passed)
        if steered[0] <= at <= last
        for when in one.moments
    ]


def test_a_partition_left_in_between_would_be_seen(shop: Shop) -> None:
    new_day(shop)
    live(shop, kind=Aborted)
    line, ledger = shop.line(), connect(shop.redis_url)
    truth, request = line.truth(), ledger.load(THE_REQUEST)
    assert request is not None
    end = ending(ledger, request)
    assert judged(ledger, request, truth, end).good
    torn = {key: (*replicas, 99) for key, replicas in truth.replicas.items()}
    found = judged(ledger, request, truth._replace(replicas=torn), end)
    assert found.lost
    assert all("is neither" in words for words in found.lost)
    ledger.close()
    line.close()
