"""Killed −9 right before, amid and right after every effect of the whole main job, role by role."""

from __future__ import annotations

import pytest

from tests.faults.judging import Ending, row
from tests.faults.life import Shop
from tests.faults.moments import Passed
from tests.faults.playing import killed_once

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
