"""The watch's newest view of each cluster, kept for the bot's answers.

One value per cluster, compressed: five thousand groups are a megabyte of JSON, and a tenth of it here.
A view that another version of Ottla wrote counts as none: the next round writes a new one.
"""

from __future__ import annotations

import logging
import zlib

from pydantic import ValidationError

from changes.view import ClusterView
from ledger import keys
from ledger.door import Door
from ledger.replies import content

log = logging.getLogger(__name__)

LEVEL = 1
"""Written every few seconds: speed counts, and the first level already leaves a tenth."""
BYTES_MAX = 16 * 1024 * 1024


class Views(Door):
    def keep_view(self, view: ClusterView) -> None:
        """The newest is the only one."""
        packed = zlib.compress(view.model_dump_json().encode(), LEVEL)
        with self._reach(f"keeping the view of {view.cluster}") as redis:
            redis.set(keys.view(view.cluster), packed, ex=keys.VIEW_SECONDS)

    def view(self, cluster: str) -> ClusterView | None:
        """None = the watch has not looked at this cluster for a week, or ever."""
        with self._reach(f"reading the view of {cluster}") as redis:
            packed = content(redis.get(keys.view(cluster)))
        return None if packed is None else _unpacked(packed, cluster)


def _unpacked(packed: bytes, cluster: str) -> ClusterView | None:
    try:
        text = zlib.decompressobj().decompress(packed, BYTES_MAX)
        return ClusterView.model_validate_json(text)
    except (zlib.error, ValidationError) as unreadable:
        log.error("the view of %s cannot be read and is passed over: %s", cluster, unreadable)
        return None
