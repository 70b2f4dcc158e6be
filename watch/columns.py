"""Whole numbers as bytes that compress well: each column is stored byte by byte of all its numbers.

Neighbouring offsets share their high bytes; put side by side they cost next to nothing.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence

WIDTH = 8
"""Signed 64 bits."""
NOTHING = -(2**63)
"""No number at this place."""


def packed(numbers: Iterable[int]) -> bytes:
    column = array("q", numbers)
    if sys.byteorder == "big":
        column.byteswap()
    raw = column.tobytes()
    return b"".join(raw[byte::WIDTH] for byte in range(WIDTH))


def unpacked(planes: bytes) -> Sequence[int]:
    """Raises ValueError when these bytes are no column."""
    if len(planes) % WIDTH:
        raise ValueError(f"a column of {len(planes)} bytes is no multiple of {WIDTH}")
    length = len(planes) // WIDTH
    raw = bytearray(len(planes))
    for byte in range(WIDTH):
        raw[byte::WIDTH] = planes[byte * length : (byte + 1) * length]
    column = array("q")
    column.frombytes(bytes(raw))
    if sys.byteorder == "big":
        column.byteswap()
    return column
