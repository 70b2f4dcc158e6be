"""The bytes of a record: who wrote it, its number, and padding no compressor can shrink; pure.

The surprising truth: the run's id is in every record, so records of another run, or of a person who
produced by hand, are never counted as ours.
"""

from __future__ import annotations

import os
import struct

_HEADER = struct.Struct(">4s8sQ")
_MAGIC = b"OTLA"
# Taken once and sliced: random bytes for every record would cost more than sending them.
_NOISE = os.urandom(200_000)
RUN_ID_BYTES = 8


def encode(*, run_id: bytes, sequence: int, size_bytes: int) -> bytes:
    padding = max(0, size_bytes - _HEADER.size)
    start = (sequence * 7_919) % (len(_NOISE) - padding)
    return _HEADER.pack(_MAGIC, run_id, sequence) + _NOISE[start : start + padding]


def sequence_of(value: bytes | None, *, run_id: bytes) -> int | None:
    """The record's number, or None when it is not one of this run's."""
    if value is None or len(value) < _HEADER.size:
        return None
    magic, found, sequence = _HEADER.unpack_from(value)
    return int(sequence) if (magic, found) == (_MAGIC, run_id) else None
