"""Offsets of every group and partition over the last scans, in columns of plain integers.

A scan is one column of committed offsets, one of ends and one of log starts; an entry (a group on a
partition) keeps its place in them as long as it lives. The surprising truth: a gap is neither zero nor
old. What a scan could not read is a gap in its column, and nothing is drawn across it.

Twenty thousand entries over 40 scans take less than 32 MiB. Time never runs backwards in here: an older
scan is left out, and after `AGAIN_AFTER` of them in a row the clock is believed and history begins
again. After a pause of more than `PAUSE_SCANS` scans no rate is drawn across it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from changes.lag import NO_OFFSET, GroupRead, LagScan, Member, TopicPartition
from watch import lag_memory
from watch.end_columns import UNKNOWN, EndColumns
from watch.pace import Memory, Pace
from watch.seen import Seen

SCANS = 40
GAP = -2
"""Not read in that scan; `NO_OFFSET` (-1) is Kafka's own "never committed"."""
PAUSE_SCANS = 5
AGAIN_AFTER = 3
ABSENT_SCANS = 3
"""A group its coordinator does not list is forgotten after this many scans: lists lag when
coordinators move."""
STATES_KEPT = 40
OWNED_GROUPS_MAX = 5_000
"""Of so many groups the last members are remembered, to name them once they are gone."""

STANDING_AT_ALL = -1.0
"""However short somebody stands still: for memories that replace the scans themselves."""
EMPTY = "Empty"
GONE_STATES = frozenset({EMPTY, "Dead"})


class Sample(NamedTuple):
    """One entry in one scan that could read it."""

    at: float
    """Seconds since 1970."""
    committed: int
    end: int
    start: int


class Owners(NamedTuple):
    """Who the members of a group were when they were last asked for."""

    at: float
    members: tuple[Member, ...]


class LagHistory:
    """The last 40 scans."""

    def __init__(self, *, scans: int = SCANS) -> None:
        self.scans = scans
        self.remark = ""
        """Why the newest scan was left out, or history began again; empty = all is well."""
        self.kept: dict[object, Any] = {}
        """What was worked out of it in this round; emptied by the next."""
        self.forget()

    def forget(self) -> None:
        """Begin again with nothing."""
        self.times: list[float] = []
        self.unbroken_from = 0.0
        """Rates are drawn from this moment on."""
        self.pace = Pace()
        self._committed: list[array[int]] = []
        self._logs = EndColumns()
        self._entries: dict[str, dict[TopicPartition, int]] = {}
        self._partition_of: array[int] = array("q")
        self._free: list[int] = []
        self._states: dict[str, deque[tuple[float, str]]] = {}
        self._absent: dict[str, int] = {}
        self._homes: dict[str, int] = {}
        """By group: the broker that told of it last."""
        self._owners: dict[str, Owners] = {}
        self._older = 0
        self._memories: lag_memory.Memories | None = None

    # What is asked of it.

    def groups(self) -> tuple[str, ...]:
        return tuple(self._states)

    def entries(self, group: str) -> tuple[TopicPartition, ...]:
        return tuple(self._entries.get(group, ()))

    def samples(self, group: str, topic: str, partition: int) -> tuple[Sample, ...]:
        """Oldest first, without the scans that could not read the commit."""
        slot = self._entries.get(group, {}).get((topic, partition))
        return () if slot is None else self.samples_at(slot)

    def end_samples(self, topic: str, partition: int) -> tuple[tuple[float, int], ...]:
        """(seconds, end) of a partition any group committed on, oldest first, without gaps."""
        slot = self._logs.places.get((topic, partition))
        if slot is None:
            return ()
        return tuple(
            (at, column[slot])
            for at, column in zip(self.times, self._logs.ends, strict=True)
            if slot < len(column) and column[slot] != UNKNOWN
        )

    def states(self, group: str) -> tuple[tuple[float, str], ...]:
        """(seconds, Kafka's state) whenever it was another one, oldest first, at most 40."""
        return tuple(self._states.get(group, ()))

    def owners(self, group: str) -> Owners | None:
        """Its members when last asked for; they may be gone since."""
        return self._owners.get(group)

    def partitions(self) -> tuple[TopicPartition, ...]:
        return tuple(self._logs.places)

    # For whoever judges thousands of entries: places in the columns instead of copies.

    def slots(self, group: str) -> Mapping[TopicPartition, int]:
        """Where each entry of the group stands in a column; not to be changed."""
        return self._entries.get(group, {})

    @property
    def partition_slots(self) -> Sequence[int]:
        """By entry: where its partition stands in the columns of ends and starts."""
        return self._partition_of

    def ends_since(self, moment: float) -> Sequence[int]:
        """The column of ends of the first scan at or after a moment; empty = there is none."""
        place = bisect_left(self.times, moment)
        return self._logs.ends[place] if place < len(self.times) else ()

    def newest(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """Columns of commits, ends and starts of the newest scan."""
        if not self.times:
            return (), (), ()
        return self._committed[-1], self._logs.ends[-1], self._logs.starts[-1]

    def start_columns(self) -> Sequence[Sequence[int]]:
        return self._logs.starts

    def samples_at(self, slot: int) -> tuple[Sample, ...]:
        place = self._partition_of[slot]
        found: list[Sample] = []
        for at, committed, ends, starts in zip(
            self.times, self._committed, self._logs.ends, self._logs.starts, strict=True
        ):
            if slot < len(committed) and committed[slot] != GAP:
                known = place < len(ends)
                end, start = (ends[place], starts[place]) if known else (UNKNOWN, UNKNOWN)
                found.append(Sample(at, committed[slot], end, start))
        return tuple(found)

    def scans_of(self, slot: int, *, most: int) -> int:
        """How many scans since the last pause could read this commit, counted up to `most`."""
        found = 0
        for at, column in zip(reversed(self.times), reversed(self._committed), strict=True):
            if at < self.unbroken_from or found == most:
                break
            found += slot < len(column) and column[slot] != GAP
        return found

    # What outlives the scans.

    def pack(self) -> bytes:
        """What the kept scans do not know: see `watch/lag_memory.py`."""
        at = self.times[-1] if self.times else 0.0
        return lag_memory.packed(at, self._memories_at(at))

    def recall(self, data: bytes) -> None:
        """After the scans that are kept were added, before new ones; bytes of no use leave a remark."""
        found = lag_memory.unpacked(data)
        if isinstance(found, str):
            self.remark = found
            return
        if self.times and not found.hold_at(self.times[-1]):
            return
        later = {}
        for (group, place), memory in found.entries.items():
            slot = self.slots(group).get(place)
            if slot is None:
                later[group, place] = memory
            else:
                self.pace.merge(slot, memory)
        self._memories = found._replace(entries=later)

    def begin_afresh(self, *, seconds: float) -> None:
        """The clock was set by so much: offsets of before cannot be compared with those that follow, but
        who stands still, has lost records or went back has done so all the same."""
        if not self.times:
            return
        at = self.times[-1]
        kept = {
            key: one.moved(seconds) for key, one in self._memories_at(at, standing=STANDING_AT_ALL)
        }
        states = {
            group: deque(((since + seconds, one) for since, one in own), maxlen=STATES_KEPT)
            for group, own in self._states.items()
        }
        owners = {group: one._replace(at=one.at + seconds) for group, one in self._owners.items()}
        homes = self._homes
        self.forget()
        self._states, self._owners, self._homes = states, owners, homes
        self._memories = lag_memory.Memories(at + seconds, kept)

    def _memories_at(
        self, at: float, *, standing: float = lag_memory.STANDING_SECONDS
    ) -> Iterator[tuple[lag_memory.Key, Memory]]:
        for group, slots in self._entries.items():
            for place, slot in slots.items():
                memory = self.pace.memory(slot, at=at, standing_seconds=standing)
                if memory is not None:
                    yield (group, place), memory

    # What fills it.

    def add(self, seen: Seen) -> None:
        """Remember one scan; a round that could not read offsets leaves nothing."""
        self.remark = ""
        self.kept.clear()
        if seen.lag is not None and self._in_time(seen.lag.at):
            self._add(seen.lag, seen.scan_seconds)
        self._keep_owners(seen)

    def _in_time(self, moment: datetime) -> bool:
        at = moment.timestamp()
        if not self.times or at > self.times[-1]:
            self._older = 0
            return True
        back = f"{self.times[-1] - at:,.0f} s"
        self._older += 1
        if self._older < AGAIN_AFTER:
            self.remark = f"a scan was left out: it is {back} older than the newest one"
            return False
        self.begin_afresh(seconds=at - self.times[-1])
        self.remark = f"the clock went back by {back}: the history of offsets begins again"
        return True

    def _add(self, scan: LagScan, scan_seconds: float) -> None:
        at = scan.at.timestamp()
        if self._memories and not self._memories.hold_at(at):
            self._memories = None
        if not self.times or at - self.times[-1] > PAUSE_SCANS * scan_seconds:
            self.unbroken_from = at
        self._leave(scan)
        self._logs.read(scan)
        committed = self._read_commits(scan, at)
        self.pace.look(
            committed,
            self._partition_of,
            ends=self._logs.ends[-1],
            starts=self._logs.starts[-1],
            starts_before=self._logs.starts[-2] if self.times else (),
            at=at,
            scan_seconds=scan_seconds,
        )
        self._measure_falls(at)
        self.times.append(at)
        self._committed.append(committed)
        self._memories = None  # they were for the first scan, and are for no other
        if len(self.times) > self.scans:
            del self.times[0], self._committed[0]
            self._logs.drop_oldest()

    def _read_commits(self, scan: LagScan, at: float) -> array[int]:
        column = array("q", [GAP]) * len(self._partition_of)
        for group, read in scan.groups.items():
            self._homes[group] = read.coordinator
            if read.error:
                self._states.setdefault(group, deque(maxlen=STATES_KEPT))
                continue
            self._read_state(group, read.state, at)
            self._read_group(group, read, column)
        return column

    def _read_group(self, group: str, read: GroupRead, column: array[int]) -> None:
        slots = self._entries.get(group)
        if slots is None:
            slots = self._entries[group] = {}
        if tuple(slots) == tuple(read.committed):  # no hashing where nothing came or went
            for slot, offset in zip(slots.values(), read.committed.values(), strict=True):
                column[slot] = offset
            return
        for partition, committed in read.committed.items():
            if partition not in slots:
                slots[partition] = self._enter(group, partition)
                if slots[partition] == len(column):
                    column.append(GAP)
            column[slots[partition]] = committed
        if len(slots) > len(read.committed):
            for partition in slots.keys() - read.committed.keys() - read.errors.keys():
                self._free_slot(slots.pop(partition))

    def _measure_falls(self, at: float) -> None:
        """What went back just now is compared with how far it had come before."""
        for slot, fall in self.pace.falls.items():
            if fall.at == at:
                known = [
                    column[slot]
                    for column in self._committed
                    if slot < len(column) and column[slot] >= 0
                ]
                progress = fall.before - min([fall.before, *known])
                self.pace.falls[slot] = fall._replace(progress=progress)

    def _read_state(self, group: str, state: str, at: float) -> None:
        states = self._states.get(group)
        if states is None:
            states = self._states[group] = deque(maxlen=STATES_KEPT)
        if not states or states[-1][1] != state:
            states.append((at, state))

    def _keep_owners(self, seen: Seen) -> None:
        for group, members in seen.members.items():
            if members and group in self._states:
                self._owners.pop(group, None)
                self._owners[group] = Owners(seen.at.timestamp(), members)
        while len(self._owners) > OWNED_GROUPS_MAX:
            del self._owners[next(iter(self._owners))]

    # Who comes, and who goes.

    def _enter(self, group: str, partition: TopicPartition) -> int:
        place = self._logs.place(partition)
        if self._free:
            slot = self._free.pop()
            self._partition_of[slot] = place
        else:
            slot = len(self._partition_of)
            self._partition_of.append(place)
        self.pace.enter(slot)
        memory = self._memories and self._memories.entries.get((group, partition))
        if memory:
            self.pace.recall(slot, memory)
        return slot

    def _leave(self, scan: LagScan) -> None:
        """Forget what is gone for good. Nobody is whose coordinator is silent, however long that lasts;
        of the others it is no reason to remember every job that came and went meanwhile."""
        blind = scan.blind_brokers
        gone = self._states.keys() - scan.groups.keys() - scan.missing_groups
        seen_gone = {group for group in gone if self._homes.get(group) not in blind}
        self._absent = {group: self._absent.get(group, 0) + 1 for group in seen_gone}
        for group in seen_gone:
            if self._absent[group] >= ABSENT_SCANS:
                self._leave_group(group)
        if not blind:
            self._leave_partitions(scan)

    def _leave_group(self, group: str) -> None:
        for slot in self._entries.pop(group, {}).values():
            self._free_slot(slot)
        for kept in (self._states, self._absent, self._homes, self._owners):
            kept.pop(group, None)

    def _free_slot(self, slot: int) -> None:
        """Its place may be another's soon, who must not inherit a past."""
        for column in self._committed:
            if slot < len(column):
                column[slot] = GAP
        self.pace.leave(slot)
        self._partition_of[slot] = 0
        self._free.append(slot)

    def _leave_partitions(self, scan: LagScan) -> None:
        gone = self._logs.places.keys() - scan.ends.keys() - scan.end_errors.keys()
        if not gone:
            return
        used = {
            partition
            for slots in self._entries.values()
            for partition in slots
            if partition in gone
        }
        self._logs.leave(gone - used)


__all__ = ["GAP", "NO_OFFSET", "UNKNOWN", "LagHistory", "Owners", "Sample"]
