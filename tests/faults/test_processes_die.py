"""Killed −9 right before, amid and right after every effect of the whole main job, role by role."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.judging import Ending, Judged, judge, row
from tests.faults.life import Shop
from tests.faults.moments import Passed, When
from tests.faults.playing import (
    KILLED,
    carried_to_the_end,
    in_a_process,
    killed_once,
    new_day,
)
from tests.faults.under_rq import Victim, live_under_rq, orphans

pytestmark = pytest.mark.fault

ROLES = {
    "worker": "worker killed around every effect and save",
    "ticker": "ticker killed around every write",
    "bot": "bot killed around the request and the vote",
}


@pytest.mark.parametrize("role", ROLES)
def test_every_moment_of(role: str, shop: Shop, faultless: tuple[list[Passed], Ending]) -> None:
    passed, end = faultless
    with row(ROLES[role]) as told:
        for at, one in enumerate(passed):
            for when in one.moments if one.role == role else ():
                name = f"{when} {one.name} (effect {at})"
                told.note(name, killed_once(shop, at, when, faultless=end))


TRIES_MAX = 3
"""On a machine so busy that a lease ran out by itself, the effects are numbered otherwise: once more."""
RQ_MOMENTS: dict[Victim, tuple[When, ...]] = {"child": ("after",), "parent": ("before", "after")}
"""What the child's death does at the other moments is known from the worker's group above."""
RQ_VICTIMS: dict[Victim, str] = {
    "child": "RQ's child alone killed, the real worker goes on",
    "parent": "RQ's parent killed, its child must die with it",
}


@pytest.mark.parametrize("victim", RQ_VICTIMS)
def test_under_rq(victim: Victim, shop: Shop, faultless: tuple[list[Passed], Ending]) -> None:
    passed, end = faultless
    with row(RQ_VICTIMS[victim]) as told:
        for at, one in enumerate(passed):
            for when in RQ_MOMENTS[victim] if one.role == "worker" else ():
                found = killed_under_rq(shop, passed, at, when, victim, faultless=end)
                told.note(f"{when} {one.name} (effect {at})", found)


def killed_under_rq(
    shop: Shop, passed: list[Passed], at: int, when: When, victim: Victim, *, faultless: Ending
) -> Judged:
    expected = 0 if victim == "child" else KILLED
    for _ in range(TRIES_MAX):
        new_day(shop)
        code = in_a_process(lambda: live_under_rq(shop, passed, at, when, victim))
        if code == expected:
            break
    assert code == expected
    if victim == "parent":
        carried_to_the_end(shop)
    found = judge(shop, faultless=faultless)
    return found if not orphans(shop) else replace(found, left=(*found.left, "an orphan"))
