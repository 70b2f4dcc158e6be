"""Counts what was acknowledged, read back and missing, one bit a record; no I/O.

The surprising truth: a record may be read before its acknowledgement arrives, and a record whose send
failed may still be in the log. Only acknowledged records can go missing; a second reading is a duplicate,
never a loss.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """One topic's numbers at one moment. `unconfirmed` were read though never acknowledged."""

    sent: int
    acknowledged: int
    read_back: int
    missing: int
    duplicates: int
    unconfirmed: int


class _Bits:
    """A set of small integers in one bit each, growing as needed."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __contains__(self, number: int) -> bool:
        index = number >> 3
        return index < len(self._bytes) and bool(self._bytes[index] & (1 << (number & 7)))

    def add(self, number: int) -> None:
        index = number >> 3
        if index >= len(self._bytes):
            self._bytes.extend(bytes(max(1024, index + 1 - len(self._bytes))))
        self._bytes[index] |= 1 << (number & 7)


class Tally:
    """The numbers of one topic, kept up to date record by record."""

    def __init__(self) -> None:
        self._acknowledged, self._read = _Bits(), _Bits()
        self._sent = self._acknowledged_count = self._read_count = 0
        self._both_count = self._duplicates = 0

    def next_sequence(self) -> int:
        """The number of the next record to send."""
        self._sent += 1
        return self._sent - 1

    def acknowledged(self, sequence: int) -> None:
        if sequence in self._acknowledged:
            return
        self._acknowledged.add(sequence)
        self._acknowledged_count += 1
        self._both_count += sequence in self._read

    def read(self, sequence: int) -> None:
        if sequence in self._read:
            self._duplicates += 1
            return
        self._read.add(sequence)
        self._read_count += 1
        self._both_count += sequence in self._acknowledged

    def counts(self) -> Counts:
        return Counts(
            sent=self._sent,
            acknowledged=self._acknowledged_count,
            read_back=self._read_count,
            missing=self._acknowledged_count - self._both_count,
            duplicates=self._duplicates,
            unconfirmed=self._read_count - self._both_count,
        )
