"""Figures of every broker: the last rounds closely, the last two days by hourly peak."""

from __future__ import annotations

from watch.seen import Seen


class BrokerHistory:
    """Disk, CPU, traffic per broker."""

    def add(self, seen: Seen) -> None:
        """Remember one round."""
