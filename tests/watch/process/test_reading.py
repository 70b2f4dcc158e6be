"""One part of a round: a value, or words; never an old value for a failed reading."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from changes.ports import Unreachable
from watch.reading import AGAIN_SECONDS, Part

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


async def seven() -> int:
    return 7


async def away() -> int:
    raise Unreachable("asking broker 2 of orders-prod: no connection to it")


async def never() -> int:
    await asyncio.sleep(60)
    return 0


async def broken() -> int:
    raise KeyError("ClusterInfo")


async def test_what_was_read_is_carried_over_until_it_is_due() -> None:
    part: Part[int] = Part("msk", 60, 1)
    assert part.due(1000)
    assert await part.read(seven, now=NOW, mono=1000) == 7
    assert (part.value, part.words, part.read_at) == (7, "", NOW)
    assert not part.due(1059)
    assert part.due(1059.6), "clocks tremble"


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (away, "asking broker 2 of orders-prod: no connection to it"),
        (never, "reading msk: no answer in 0.01 s"),
        (broken, "reading msk failed (reference "),
    ],
)
async def test_a_failed_reading_leaves_words_and_no_value(
    reading: object, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    part: Part[int] = Part("msk", 300, 0.01)
    await part.read(seven, now=NOW, mono=0)
    with caplog.at_level(logging.ERROR):
        assert await part.read(reading, now=NOW, mono=300) is None  # type: ignore[arg-type]
    assert part.words.startswith(words)
    assert (part.value, part.read_at) == (None, None)
    assert not part.due(300 + AGAIN_SECONDS - 1)
    assert part.due(300 + AGAIN_SECONDS), "sooner than its period"
    assert bool(caplog.records) is (reading is broken), "a trace only for what nobody planned"
    assert await part.read(seven, now=NOW, mono=330) == 7
    assert part.words == ""
