"""What one look costs: two thousand groups, twenty thousand committed offsets, all rules, Redis included."""

from __future__ import annotations

import time

import pytest

from tests.watch.process.watching import Watching, watching

__all__ = ["watching"]

GROUPS, PARTITIONS, GROUPS_A_TOPIC = 2_000, 10, 50
CPU_SECONDS_MAX = 0.6
"""Measured 0.13 to 0.18 s; a look every 30 s may cost 2 % of one core."""


@pytest.mark.slow
async def test_a_look_at_two_thousand_groups_costs_little(watching: Watching) -> None:
    offsets = watching.tower.offsets
    for number in range(GROUPS // GROUPS_A_TOPIC):
        offsets.topic(f"t{number}", partitions=PARTITIONS, end=1000)
    for number in range(GROUPS):
        offsets.group(f"g{number}")
        offsets.follow(f"g{number}", f"t{number % (GROUPS // GROUPS_A_TOPIC)}")
    watch = watching.process()
    await watching.looks(watch, 5)
    costs = []
    for _ in range(5):
        watching.tower.pass_time(30)
        began = time.process_time()
        await watch.step()
        costs.append(time.process_time() - began)
    assert watching.view.groups_total == GROUPS + 1
    assert watching.view.blind == ()
    assert sorted(costs)[2] <= CPU_SECONDS_MAX, costs
