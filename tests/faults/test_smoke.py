"""A few cases of the matrix in every `make check`, so that its machinery and the worst moments stay true.

`make fault` plays all of them.
"""

from __future__ import annotations

import pytest

from tests.faults.judging import Ending, row
from tests.faults.life import Shop
from tests.faults.moments import Passed, When
from tests.faults.playing import killed_once

pytestmark = pytest.mark.slow


def test_the_worst_moments(shop: Shop, faultless: tuple[list[Passed], Ending]) -> None:
    passed, end = faultless
    names = [one.name for one in passed]
    asking, moving = names.index("update_broker_count"), names.index("reassign")
    cases: list[tuple[int, When]] = [(asking, "before"), (asking, "after"), (moving, "midway")]
    with row("smoke: killed around MSK's call and amid a batch") as told:
        for at, when in cases:
            found = killed_once(shop, at, when, faultless=end)
            told.note(f"{when} {names[at]}", found)
