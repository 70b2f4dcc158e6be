"""Offsets of every group and partition over the last scans."""

from __future__ import annotations

from watch.seen import Seen


class LagHistory:
    """The last 40 scans."""

    def add(self, seen: Seen) -> None:
        """Remember one scan."""
