"""The table of a consumer group's states: looked through in order, the first row that holds decides.

Two decisions it rests on. A standstill counts from when there was something to read, so a topic with one
message in twenty minutes has no stopped consumers. An age above the SLO that neither grows nor shrinks
is trouble like a growing one ("over the SLO"): it will not mend itself.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from changes.lag import NO_OFFSET
from watch.lag_figures import MARKER_MESSAGES, YOUNG_SECONDS, Figures
from watch.lag_history import GAP, GONE_STATES, UNKNOWN


class LagState(StrEnum):
    """What people read; the worst first."""

    LOST = "lost records"
    AT_RISK = "at risk"
    STOPPED = "stopped"
    STALLED = "stalled"
    FALLING_BEHIND = "falling behind"
    OVER_SLO = "over the SLO"
    REWOUND = "rewound"
    CATCHING_UP = "catching up"
    HELD = "rebalancing"
    UNKNOWN = "unknown"
    IN_TRANSACTION = "open transaction"
    NO_COMMIT = "never committed"
    IN_CYCLE = "between batches"
    ABANDONED = "abandoned"
    OK = "ok"
    NO_DATA = "no data"


BADNESS = {state: place for place, state in enumerate(LagState)}
"""Less is worse; `no data` is no verdict and never outweighs one."""


MOVING = frozenset({LagState.FALLING_BEHIND, LagState.OVER_SLO, LagState.CATCHING_UP})


class Row(NamedTuple):
    state: LagState
    holds: Callable[[Figures], bool]
    words: str


def _is_lost(it: Figures) -> bool:
    return 0 <= it.committed < it.start and not it.compacted


def _is_at_risk(it: Figures) -> bool:
    reached = it.retention_left_seconds <= it.settings.at_risk_hours * 3600
    return it.lag > 0 and reached and it.age.high_seconds > YOUNG_SECONDS


def _is_small(it: Figures) -> bool:
    marker = it.lag <= MARKER_MESSAGES and not it.young and it.still
    return it.lag <= it.settings.floor_messages or marker


def _is_unknown(it: Figures) -> bool:
    slo = it.settings.slo_seconds
    probed = it.age.low_seconds >= slo or it.age.high_seconds <= slo
    return it.young and not probed


def _is_in_transaction(it: Figures) -> bool:
    """Readers of committed records stand at the open transaction, give or take a marker. Who is far
    beyond it reads uncommitted ones, and is held by nothing."""
    if it.stable_end is None or it.stable_end >= it.end:
        return False
    return abs(it.stable_end - it.committed) <= MARKER_MESSAGES


def _is_catching_up(it: Figures) -> bool:
    return it.age.low_seconds >= it.settings.slo_seconds and it.gets_younger


def _is_falling_behind(it: Figures) -> bool:
    """Within the SLO only what nothing else explains: what came in one burst ages until it is read, and
    between two commits everything ages."""
    low, slo = it.age.low_seconds, it.settings.slo_seconds
    if low < slo / 2 or (low < slo and (it.newcomer or low <= it.own_seconds or it.gains)):
        return False
    long, short, bound = it.slope_long, it.slope_short, it.settings.rising_seconds_per_second
    return long is not None and short is not None and long > bound and short > bound


TABLE: tuple[Row, ...] = (
    Row(
        LagState.NO_DATA,
        lambda it: bool(it.error) or it.committed == GAP or it.end == UNKNOWN,
        "the scan could not read it",
    ),
    Row(
        LagState.HELD,
        lambda it: (
            it.rebalancing_seconds is not None
            and it.rebalancing_seconds < it.settings.rebalance_seconds
        ),
        "the group is rebalancing, and not for long",
    ),
    Row(LagState.NO_COMMIT, lambda it: it.committed == NO_OFFSET, "it never committed"),
    # Before loss and risk: nobody means to read what the group has left, and retention takes all of it.
    Row(LagState.ABANDONED, lambda it: it.owned is False, "no member owns the partition"),
    Row(LagState.LOST, _is_lost, "the log begins after the commit, and is not compacted"),
    Row(LagState.AT_RISK, _is_at_risk, "retention reaches the commit within hours"),
    Row(LagState.OK, _is_small, "lag up to the floor, or a transaction's marker"),
    Row(LagState.REWOUND, lambda it: it.fall is not None, "the commit went back"),
    Row(LagState.UNKNOWN, _is_unknown, "fewer than three scans, and no probe answered"),
    Row(LagState.IN_TRANSACTION, _is_in_transaction, "committed readers have read everything"),
    Row(
        LagState.IN_CYCLE,
        lambda it: it.cycle is not None and not it.late and not it.leaves_more,
        "it commits in a regular rhythm and is in time",
    ),
    Row(
        LagState.STOPPED,
        lambda it: it.silent and it.state in GONE_STATES,
        "no commit for long, and nobody is there",
    ),
    Row(LagState.STALLED, lambda it: it.silent, "no commit for long, though members are there"),
    Row(LagState.CATCHING_UP, _is_catching_up, "older than the SLO, and getting younger"),
    Row(LagState.FALLING_BEHIND, _is_falling_behind, "older than half the SLO, and ageing"),
    Row(
        LagState.OVER_SLO,
        lambda it: it.age.low_seconds >= it.settings.slo_seconds,
        "older than the SLO, and it stays so",
    ),
    Row(
        LagState.OK,
        lambda it: it.age.high_seconds <= it.settings.slo_seconds,
        "younger than the SLO",
    ),
    Row(LagState.UNKNOWN, lambda _: True, "its age cannot be told"),
)


def state_of(it: Figures) -> LagState:
    """The first row that holds."""
    return next(row.state for row in TABLE if row.holds(it))


def motion_of(it: Figures) -> LagState:
    """What it would be if retention and rewinds were no matter: the rows of standing and moving."""
    beside = (LagState.LOST, LagState.AT_RISK, LagState.REWOUND)
    return next(row.state for row in TABLE if row.state not in beside and row.holds(it))
