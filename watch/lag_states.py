"""The state of every consumer group, judged by the table of `watch/lag_table.py`.

A group is as bad as its worst partition. The surprising truth: nearly all entries never reach the table.
Whoever has read everything that was there two minutes ago is fine whatever its slopes are, and one
comparison says so; that is what lets twenty thousand entries be judged every scan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeVar

from changes.facts import TopicSettings
from changes.lag import REBALANCING, GroupRead, Member, TopicPartition
from watch.age import NONE_UNREAD, Age, EndLine, end_line, oldest
from watch.lag_figures import Figures, LagSettings
from watch.lag_history import EMPTY, GONE_STATES, LagHistory
from watch.lag_table import BADNESS, MOVING, TABLE, LagState, motion_of, state_of
from watch.pace import Cycle, Fall
from watch.rule import Tuned
from watch.seen import Seen


class EntryVerdict(NamedTuple):
    """One partition that is not plainly fine."""

    topic: str
    partition: int
    state: LagState
    motion: LagState
    """The same without data loss and rewinds: what its consumer does."""
    committed: int
    lag: int
    age: Age
    stuck_seconds: float
    last_commit_at: float
    """Seconds since 1970 when it was last seen to move; 0 = never seen."""
    owner: Member | None
    young: bool
    """Seen in fewer than three scans."""
    rates: tuple[float, float] | None = None
    """Messages per second in and out, of those that move too slowly."""
    eta_seconds: float | None = None
    lost: int = 0
    lost_since: float | None = None
    """0 = before the watch began; None = nothing is lost."""
    retention_left_seconds: float = math.inf
    fall: Fall | None = None
    cycle: Cycle | None = None

    @property
    def name(self) -> str:
        return f"{self.topic}-{self.partition}"


class GroupVerdict(NamedTuple):
    """One group in one scan."""

    group: str
    state: LagState
    kafka_state: str
    lag: int | None
    """Messages over what could be read, abandoned topics left out; None = nothing could be."""
    age: Age
    partitions: int
    unread: int = 0
    """Partitions that could not be read."""
    unknown: int = 0
    """Partitions whose state or age cannot be told, the unread among them."""
    entries: tuple[EntryVerdict, ...] = ()
    """Those that are not plainly fine, worst first."""
    words: str = ""
    """Why the whole group could not be read."""
    rebalancing_seconds: float | None = None
    ran: bool = True
    """Somebody ran it, or it committed, while it was watched."""

    @property
    def forgotten(self) -> bool:
        """Nobody runs it, and nobody did since the watch began: its offsets only wait to expire."""
        return self.kafka_state in GONE_STATES and not self.ran

    def of(self, *states: LagState) -> tuple[EntryVerdict, ...]:
        return tuple(one for one in self.entries if one.state in states)


__all__ = [
    "BADNESS",
    "GONE_STATES",
    "TABLE",
    "EntryVerdict",
    "GroupVerdict",
    "LagState",
    "verdicts",
]

S = TypeVar("S", bound=LagSettings)


def verdicts(
    history: LagHistory, seen: Seen, now: datetime, tuned: Tuned[S]
) -> Mapping[str, GroupVerdict]:
    """Every group of this round and those that could not be read, worked out once however many ask."""
    plain = Tuned(_plain(tuned.base), tuple((name, _plain(one)) for name, one in tuned.exceptions))
    key = ("verdicts", id(seen), seen.at, now, plain)
    kept: Mapping[str, GroupVerdict] | None = history.kept.get(key)
    if kept is None:
        kept = _Round(history, seen, now.timestamp()).verdicts(plain)
        history.kept[key] = kept
    return kept


@lru_cache(maxsize=256)
def _plain(settings: LagSettings) -> LagSettings:
    """Without what a rule added for itself: rules with the same figures share the verdicts."""
    return LagSettings(**{name: getattr(settings, name) for name in LagSettings.model_fields})


class _Round:
    """What all groups of one round share."""

    def __init__(self, history: LagHistory, seen: Seen, now: float) -> None:
        self.history, self.seen, self.now = history, seen, now
        self.committed, self.ends, self.starts = history.newest()
        self.lines: dict[TopicPartition, EndLine] = {}
        self.moving_starts = _moving_starts(history)
        self.topics = None if seen.partitions is None else {one.topic for one in seen.partitions}

    def verdicts(self, tuned: Tuned[LagSettings]) -> dict[str, GroupVerdict]:
        scan = self.seen.lag
        if scan is None or not self.history.times or self.history.times[-1] != scan.at.timestamp():
            why = self.seen.blind.get("lag") or self.history.remark or "offsets were not read"
            return {name: self._unread(name, why) for name in self.history.groups()}
        found = {
            name: self._unread(name, read.error)
            if read.error
            else self._judged(name, read, tuned.of(name))
            for name, read in scan.groups.items()
        }
        for name in self.history.groups():
            if name not in found:
                found[name] = self._unread(name, "its coordinator did not tell of it")
        return found

    def _unread(self, group: str, why: str) -> GroupVerdict:
        count = len(self.history.slots(group))
        states = self.history.states(group)
        return GroupVerdict(
            group=group,
            state=LagState.NO_DATA,
            kafka_state=states[-1][1] if states else "",
            lag=None,
            age=Age(),
            partitions=count,
            unread=count,
            unknown=count,
            words=why,
        )

    def _judged(self, group: str, read: GroupRead, settings: LagSettings) -> GroupVerdict:
        read = self._as_told_last(group, read)
        rebalancing = self._rebalancing_seconds(group, read.state)
        lag, slow = self._sift(group, settings)
        fast = len(self.history.slots(group)) - len(slow)
        entries: list[EntryVerdict] = []
        # What could not be read from the first scan on has no place in the history.
        strangers = len(read.errors.keys() - self.history.slots(group).keys())
        ages = [NONE_UNREAD if lag == 0 else Age(0.0, _fresh_seconds(settings))] if fast else []
        unread = unknown = strangers
        for place, slot in slow:
            if self.topics is not None and place[0] not in self.topics:
                continue  # the topic is gone, its offsets will follow
            it = self._figures(group, read, place, slot, rebalancing, settings)
            one = _entry(it)
            entries.append(one)
            unread += one.state is LagState.NO_DATA
            unknown += one.state in (LagState.NO_DATA, LagState.UNKNOWN)
            if one.state not in (LagState.NO_DATA, LagState.ABANDONED, LagState.NO_COMMIT):
                lag += one.lag
                ages.append(one.age)
        entries.sort(key=lambda one: (BADNESS[one.state], -one.lag))
        states = [one.state for one in entries] + [LagState.OK] * bool(fast or not unread)
        nothing = unread > 0 and unread == len(entries) + strangers and not fast
        return GroupVerdict(
            group=group,
            state=min(states, key=BADNESS.__getitem__, default=LagState.NO_DATA),
            kafka_state=read.state,
            lag=None if nothing else lag,
            age=oldest(ages) if ages else Age(),
            partitions=fast + len(entries) + strangers,
            unread=unread,
            unknown=unknown,
            entries=tuple(entries),
            rebalancing_seconds=rebalancing,
            ran=self._ran(group, read.state),
        )

    def _as_told_last(self, group: str, read: GroupRead) -> GroupRead:
        """Members are asked for after the scan, whose states may be some scans old: where there are none,
        nobody is there."""
        gone = self.seen.members.get(group) == () and read.state not in GONE_STATES
        return replace(read, state=EMPTY) if gone else read

    def _ran(self, group: str, state: str) -> bool:
        states = (state, *(one for _, one in self.history.states(group)))
        if not GONE_STATES.issuperset(states):
            return True
        pace = self.history.pace
        return any(
            pace.changed_at[slot] > pace.entered_at[slot]
            for slot in self.history.slots(group).values()
        )

    def _sift(
        self, group: str, settings: LagSettings
    ) -> tuple[int, list[tuple[TopicPartition, int]]]:
        """The lag of all that are plainly fine, and the entries that must be looked at.

        Plainly fine: lag up to the floor, or everything read that was there a moment ago; and the
        log start is below and, within hours, stays so. This loop runs for every entry.
        """
        committed, ends, starts = self.committed, self.ends, self.starts
        partition_of, falls = self.history.partition_slots, self.history.pace.falls
        then = self.history.ends_since(self.now - _fresh_seconds(settings))
        known, floor, moving = len(then), settings.floor_messages, self.moving_starts
        risk_seconds = settings.at_risk_hours * 3600
        lag, slow = 0, []
        for place, slot in self.history.slots(group).items():
            offset, partition = committed[slot], partition_of[slot]
            behind = ends[partition] - offset
            if offset >= 0 and ends[partition] >= 0 and starts[partition] <= offset:
                if behind <= floor:
                    lag += behind if behind > 0 else 0
                    continue
                fresh = partition < known and 0 <= then[partition] <= offset
                soon = starts[partition] + moving.get(partition, 0.0) * risk_seconds
                if fresh and slot not in falls and soon <= offset:
                    lag += behind
                    continue
            slow.append((place, slot))
        return lag, slow

    def _figures(
        self,
        group: str,
        read: GroupRead,
        place: TopicPartition,
        slot: int,
        rebalancing: float | None,
        settings: LagSettings,
    ) -> Figures:
        owner, owned = self._owner(group, read, place, slot)
        topic = self.seen.topics.get(place[0])
        return Figures(
            history=self.history,
            slot=slot,
            place=place,
            line=self._line(place),
            state=read.state,
            rebalancing_seconds=rebalancing,
            owner=owner,
            owned=owned,
            start_moves=self.history.partition_slots[slot] in self.moving_starts,
            compacted=topic is not None and bool(topic.compacted),
            retention_seconds=_retention_seconds(topic),
            stable_end=self.seen.stable_ends.get(place),
            rungs=self.seen.rungs,
            now=self.now,
            scan_seconds=self.seen.scan_seconds,
            settings=settings,
            error=read.errors.get(place, ""),
        )

    def _line(self, place: TopicPartition) -> EndLine:
        """Groups share partitions, so each partition's ends are gathered once."""
        if place not in self.lines:
            self.lines[place] = end_line(self.history.end_samples(*place))
        return self.lines[place]

    def _owner(
        self, group: str, read: GroupRead, place: TopicPartition, slot: int
    ) -> tuple[Member | None, bool | None]:
        """Its owner as last told, and whether it has one now (None = not known).

        A topic of which the group's members own nothing at all is abandoned; one partition without
        an owner is a rebalance in the making. Who committed since the members were asked owned it:
        there was a rebalance that no scan saw.
        """
        owners = self.history.owners(group)
        if owners is None:
            return None, None
        owner = next((one for one in owners.members if place in one.owns), None)
        states = self.history.states(group)
        settled = read.state == "Stable" and bool(states) and states[-1][0] <= owners.at
        owning = any(one.owns for one in owners.members)
        committed = self.history.pace.changed_at[slot] > owners.at
        if owner is not None or not settled or not owning or committed:
            return owner, None
        topics = {topic for one in owners.members for topic, _ in one.owns}
        return None, place[0] in topics

    def _rebalancing_seconds(self, group: str, state: str) -> float | None:
        if state not in REBALANCING:
            return None
        began = self.now
        for at, one in reversed(self.history.states(group)):
            if one not in REBALANCING:
                break
            began = at
        return max(0.0, self.now - began)  # the scan is a moment younger than the round


def _entry(it: Figures) -> EntryVerdict:
    pace = it.history.pace
    state = state_of(it)
    beside = state in (LagState.LOST, LagState.AT_RISK, LagState.REWOUND)
    motion = motion_of(it) if beside else state
    unread = state is LagState.NO_DATA
    changed = pace.changed_at[it.slot]
    return EntryVerdict(
        topic=it.place[0],
        partition=it.place[1],
        state=state,
        motion=motion,
        committed=it.committed,
        lag=0 if unread else it.lag,
        age=Age() if unread or it.committed < 0 else it.age,
        stuck_seconds=it.stuck_seconds,
        last_commit_at=changed if changed > pace.entered_at[it.slot] else 0.0,
        owner=it.owner,
        young=it.young,
        rates=it.rates if motion in MOVING else None,
        eta_seconds=it.eta_seconds if motion is LagState.CATCHING_UP else None,
        lost=it.lost,
        lost_since=pace.crossed.get(it.slot) if state is LagState.LOST else None,
        retention_left_seconds=it.retention_left_seconds if state is LagState.AT_RISK else math.inf,
        fall=it.fall,
        cycle=it.cycle,
    )


def _retention_seconds(topic: TopicSettings | None) -> float:
    """Infinite = for ever, or not known. Compaction deletes by other rules."""
    if topic is None or topic.compacted or not topic.retention_ms or topic.retention_ms < 0:
        return math.inf
    return topic.retention_ms / 1000


def _fresh_seconds(settings: LagSettings) -> float:
    """Who is no older than this is neither stopped nor falling behind."""
    return min(settings.slo_seconds / 2, settings.silent_seconds)


def _moving_starts(history: LagHistory) -> dict[int, float]:
    """Messages per second by which the log start of a partition moved, where it did."""
    columns, times = history.start_columns(), history.times
    moving: dict[int, float] = {}
    for at, column in zip(times[:-1], columns[:-1], strict=True):
        if column is columns[-1]:
            continue
        for place, (was, start) in enumerate(zip(column, columns[-1], strict=False)):
            if 0 <= was < start and place not in moving:
                moving[place] = (start - was) / (times[-1] - at)
    return moving
