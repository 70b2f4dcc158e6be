"""The ports in memory, once, for tests, bench and docs."""

from tests.fakes.offsets import FakeOffsets

__all__ = ["FakeOffsets"]
