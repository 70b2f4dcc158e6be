"""The bytes of pictures, kept for some days.

A picture's key is the hash of its bytes: a tick that is repeated keeps the same picture once.
"""

from __future__ import annotations

import hashlib
import re

from ledger import keys
from ledger.door import Door
from ledger.replies import content as bytes_of

BYTES_MAX = 5 * 1024 * 1024
"""A CloudWatch picture has 20 to 200 kB."""


class Snapshots(Door):
    def keep_picture(self, *, content: bytes, days: int = 14) -> str:
        """Keep it for so many days (again); the key it is found by."""
        if not 0 < len(content) <= BYTES_MAX:
            raise ValueError(f"a picture has 1 to {BYTES_MAX} bytes, not {len(content)}")
        if not 1 <= days <= 400:
            raise ValueError(f"a picture is kept for 1 to 400 days, not {days}")
        key = hashlib.sha256(content).hexdigest()
        with self._reach("keeping a picture") as redis:
            redis.set(keys.picture(key), content, ex=days * keys.DAY_SECONDS)
        return key

    def picture(self, key: str) -> bytes | None:
        """None = its days are over, or there never was one."""
        if not re.fullmatch(r"[0-9a-f]{64}", key):
            return None
        with self._reach("reading a picture") as redis:
            return bytes_of(redis.get(keys.picture(key)))
