"""Ids and timestamps in Slack's shapes, the same ones on every run with the same seed.

A message's `ts` is its id: it must be unique and strictly rising, however fast messages arrive.
"""

import random
import uuid

from lab.slack.clock import Clock

BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Minter:
    def __init__(self, *, clock: Clock, random_seed: int) -> None:
        self._clock = clock
        self._random = random.Random(random_seed)
        self._last_ts_micros = 0

    def id(self, prefix: str) -> str:
        return prefix + "".join(self._random.choices(BASE36, k=10))

    def short(self) -> str:
        """Five characters, as Slack gives to blocks that came without a block_id."""
        alphabet = BASE36 + BASE36.lower()
        return "".join(self._random.choices(alphabet, k=5))

    def hex(self, length: int = 32) -> str:
        return "".join(self._random.choices("0123456789abcdef", k=length))

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def ts(self) -> str:
        micros = max(int(self._clock.now() * 1_000_000), self._last_ts_micros + 1)
        self._last_ts_micros = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def trigger_id(self) -> str:
        first = self._random.randrange(10**12, 10**13)
        return f"{first}.{self._random.randrange(10**12, 10**13)}.{self.hex()}"

    def choice(self, count: int) -> int:
        return self._random.randrange(count)
