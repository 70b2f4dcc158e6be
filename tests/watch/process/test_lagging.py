"""What of a scan is asked more about."""

from __future__ import annotations

from datetime import UTC, datetime

from changes.lag import GroupRead, LagScan
from watch.lagging import RUNGS_MAX, ladder, lagging, of_groups, standing

AT = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def scan(
    groups: dict[str, dict[tuple[str, int], int]], ends: dict[tuple[str, int], int]
) -> LagScan:
    read = {
        name: GroupRead(state="Stable", kind="classic", coordinator=1, committed=committed)
        for name, committed in groups.items()
    }
    missing = frozenset({"gone", "console-consumer-1"})
    return LagScan(at=AT, groups=read, ends=ends, missing_groups=missing)


def test_partitions_on_which_anybody_lags_stand_there_once() -> None:
    found = scan(
        {
            "a": {("t", 0): 5, ("t", 1): 9, ("t", 2): -1, ("t", 3): 4},
            "b": {("t", 0): 6, ("t", 1): 3},
        },
        {("t", 0): 10, ("t", 1): 9, ("t", 2): 7},
    )
    assert lagging(found) == (("t", 0), ("t", 1)), "an end that was not read proves no lag"


def test_commits_that_stand_still_with_something_to_read() -> None:
    ends = {("t", 0): 10, ("t", 1): 10, ("t", 2): 3}
    before = scan({"a": {("t", 0): 5, ("t", 1): 5, ("t", 2): 3}}, ends)
    after = scan({"a": {("t", 0): 5, ("t", 1): 6, ("t", 2): 3}, "b": {("t", 1): 1}}, ends)
    assert standing(before, after) == (("t", 0),)
    assert standing(None, after) == ()


def test_groups_that_settings_leave_out_are_not_there_at_all() -> None:
    narrowed = of_groups(
        scan({"a": {}, "console-consumer-2": {}}, {}), lambda name: not name.startswith("console")
    )
    assert set(narrowed.groups) == {"a"}
    assert narrowed.missing_groups == {"gone"}


def test_the_ladder_begins_with_what_matters_most_and_is_bounded() -> None:
    assert ladder([300]) == (300, 150, 1800, 86_400)
    assert ladder([300, 60, 300]) == (60, 300, 30, 150, 360, 1800, 86_400)
    assert ladder([50_000]) == (50_000, 25_000, 86_400)
    assert ladder([]) == (86_400,)
    assert len(ladder(range(1, 100))) == RUNGS_MAX
