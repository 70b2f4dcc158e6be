"""Consumer groups in words short enough for a phone, and their lag as a trend.

Names of groups, topics and hosts stand in here as they came: whoever shows a finding makes it harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from changes.incident import Trend, TrendLine
from changes.lag import Member
from watch.age import span
from watch.lag_history import LagHistory
from watch.lag_states import EntryVerdict, GroupVerdict

NAMES_MAX = 5
TREND_POINTS = 20
TREND_PARTITIONS = 5
TREND_ENTRIES_MAX = 500
"""Larger groups are drawn by their worst partitions only."""
DAY_SECONDS = 86_400.0


def group_subject(group: str) -> str:
    return f"group {group}"


def count(number: float) -> str:
    return f"{number:,.0f}"


def clock(seconds: float, now: float) -> str:
    """`18:04`, with the day when it was not today. All times are UTC."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%H:%M}" if now - seconds < DAY_SECONDS / 2 else f"{moment:%d %b %H:%M}"


def behind(verdict: GroupVerdict) -> str:
    """`12,340 behind, oldest unread 6 min`."""
    lag = count(verdict.lag or 0)
    return f"{lag} behind, oldest unread {verdict.age.words}"


def host_of(member: Member) -> str:
    return member.host.lstrip("/") or member.client_id or member.member_id


def named(entries: Sequence[EntryVerdict]) -> str:
    """`orders-1, orders-2 and 3 more`."""
    names = [one.name for one in entries[:NAMES_MAX]]
    rest = len(entries) - len(names)
    return ", ".join(names) + (f" and {rest:,} more" if rest else "")


def last_commit(entries: Iterable[EntryVerdict], now: float, *, none: str = "none seen") -> str:
    """`last commit 18:04 by host-7`."""
    newest = max(entries, key=lambda one: one.last_commit_at)
    if not newest.last_commit_at:
        return f"last commit: {none}"
    by = f" by {host_of(newest.owner)}" if newest.owner else ""
    return f"last commit {clock(newest.last_commit_at, now)}{by}"


def holders(entries: Sequence[EntryVerdict]) -> tuple[str, ...]:
    """A line for each member that holds some of these partitions."""
    by_member: dict[str, list[EntryVerdict]] = {}
    for one in entries:
        if one.owner is not None:
            by_member.setdefault(one.owner.member_id, []).append(one)
    lines = []
    for held in list(by_member.values())[:NAMES_MAX]:
        owner = held[0].owner
        assert owner is not None
        lines.append(f"{owner.client_id or owner.member_id} on {host_of(owner)}: {named(held)}")
    return tuple(lines)


def hidden(verdict: GroupVerdict) -> tuple[str, ...]:
    """What could not be seen of it."""
    if not verdict.unknown:
        return ()
    return (f"{verdict.unknown:,} of {verdict.partitions:,} partitions unknown",)


def worst(verdict: GroupVerdict) -> tuple[str, ...]:
    """Its worst partitions, each with lag and age."""
    entries = sorted(verdict.entries, key=lambda one: -one.lag)[:NAMES_MAX]
    return tuple(
        f"{one.name}: {count(one.lag)} behind, oldest {one.age.words}" for one in entries if one.lag
    )


def cadence(entries: Iterable[EntryVerdict]) -> tuple[str, ...]:
    """The rhythm it has kept so far."""
    for one in entries:
        if one.cycle is not None:
            every, jitter = span(one.cycle.gap_seconds), span(one.cycle.jitter_seconds)
            return (f"it commits every {every}, give or take {jitter}",)
    return ()


def lag_trend(history: LagHistory, verdict: GroupVerdict) -> Trend | None:
    """Lag over the scans that are kept: of the whole group, and of its worst partitions."""
    slots = history.slots(verdict.group)
    lines = []
    if len(slots) <= TREND_ENTRIES_MAX:
        lines.append(TrendLine(name=verdict.group, points=_points(history, slots.values())))
    shown = sorted(verdict.entries, key=lambda one: -one.lag)[:TREND_PARTITIONS]
    if len(slots) > 1:
        for one in shown:
            slot = slots.get((one.topic, one.partition))
            if slot is not None:
                lines.append(TrendLine(name=one.name, points=_points(history, [slot])))
    drawn = tuple(line for line in lines if len(line.points) > 1)
    if not drawn:
        return None
    return Trend(title=f"Lag of {verdict.group}", unit="messages", lines=drawn)


def _points(history: LagHistory, slots: Iterable[int]) -> tuple[tuple[datetime, float], ...]:
    """Sums over the scans that could read every one of these entries, thinned to what is drawn."""
    sums: dict[float, float] = {}
    seen: dict[float, int] = {}
    entries = 0
    for slot in slots:
        entries += 1
        for one in history.samples_at(slot):
            if one.committed >= 0 and one.end >= 0:
                lag = max(0, one.end - max(one.committed, one.start))
                sums[one.at] = sums.get(one.at, 0.0) + lag
                seen[one.at] = seen.get(one.at, 0) + 1
    whole = [(at, lag) for at, lag in sorted(sums.items()) if seen[at] == entries]
    step = -(-len(whole) // TREND_POINTS) or 1
    kept = whole[::-1][::step][::-1]
    return tuple((datetime.fromtimestamp(at, UTC), lag) for at, lag in kept)
