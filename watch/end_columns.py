"""Ends and log starts of every partition any group committed on, a column of each for every scan.

A partition keeps its place in the columns while any entry refers to it. Log starts are read every tenth
scan only, so scans in between share one column.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Set

from changes.lag import LagScan, TopicPartition

UNKNOWN = -1
"""An end or a start that was not read."""


class EndColumns:
    def __init__(self) -> None:
        self.places: dict[TopicPartition, int] = {}
        self.ends: list[array[int]] = []
        self.starts: list[array[int]] = []
        self._width = 0
        self._free: list[int] = []
        self._starts_read: Mapping[TopicPartition, int] = {}

    def read(self, scan: LagScan) -> None:
        """A new column of each."""
        for partition in scan.ends:
            if partition not in self.places:
                self._enter(partition)
        self.ends.append(self._column(scan.ends))
        self.starts.append(self._starts_of(scan))

    def place(self, partition: TopicPartition) -> int:
        """Where it stands; a partition whose end was not read enters with no figure."""
        found = self.places.get(partition)
        if found is None:
            found = self._enter(partition)
            for column in (self.ends[-1], self.starts[-1]):
                column.extend([UNKNOWN] * (self._width - len(column)))
        return found

    def drop_oldest(self) -> None:
        del self.ends[0], self.starts[0]

    def leave(self, gone: Set[TopicPartition]) -> None:
        """Their places may be others' soon, who must not inherit a past."""
        for partition in gone:
            place = self.places.pop(partition)
            for column in (*self.ends, *self.starts):
                if place < len(column):
                    column[place] = UNKNOWN
            self._free.append(place)

    def _enter(self, partition: TopicPartition) -> int:
        if self._free:
            place = self._free.pop()
        else:
            place = self._width
            self._width += 1
        self.places[partition] = place
        return place

    def _column(self, told: Mapping[TopicPartition, int]) -> array[int]:
        column = array("q", [UNKNOWN]) * self._width
        if tuple(self.places) == tuple(told):  # no hashing where nothing came or went
            for place, number in zip(self.places.values(), told.values(), strict=True):
                column[place] = number
            return column
        for partition, number in told.items():
            if partition in self.places:
                column[self.places[partition]] = number
        return column

    def _starts_of(self, scan: LagScan) -> array[int]:
        shared = self.starts[-1] if self.starts else array("q")
        if len(shared) == self._width and scan.starts == self._starts_read:
            return shared
        self._starts_read = scan.starts
        return self._column(scan.starts)
