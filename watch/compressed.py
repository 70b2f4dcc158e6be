"""Compressed bytes back to plain ones, with a limit: what is damaged must not fill the memory."""

from __future__ import annotations

import zlib

BYTES_MAX = 256 * 1024 * 1024


class Damaged(ValueError):
    """These bytes are not what was written."""


def inflated(data: bytes, *, bytes_max: int = BYTES_MAX) -> bytes:
    """Raises `Damaged`."""
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(data, bytes_max)
    except zlib.error as error:
        raise Damaged(str(error)) from error
    if not stream.eof:
        raise Damaged("it ends too early, or is too large")
    return plain
