"""Numbers in words."""

from __future__ import annotations

import pytest

from bot.cards.quantities import between, counted, dollars_per_month, in_bytes, lasting


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (41_200_000_000, "41.2 GB"),
        (123_400_000_000, "123 GB"),
        (2_000_000_000_000, "2.0 TB"),
        (10**19, "10,000 PB"),
    ],
)
def test_bytes(count: int, words: str) -> None:
    assert in_bytes(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (41 * 60, "41 min"),
        (2 * 3600, "2 h"),
        (9000, "2 h 30 min"),
        (40 * 3600, "1 d 16 h"),
        (48 * 3600, "2 d"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (2100, 3000, "35–50 min"),
        (20, 20, "about 20 s"),
        (20, 600, "20 s – 10 min"),
        (3 * 3600, 5 * 3600, "3–5 h"),
        (6 * 3600, 8 * 3600, "6–8 h"),
        (5400, 9000, "1 h 30 min – 2 h 30 min"),
    ],
)
def test_ranges(low: float, high: float, words: str) -> None:
    assert between(low, high) == words


def test_money_and_counts() -> None:
    assert dollars_per_month(1234.4) == "+$1,234 / month"
    assert dollars_per_month(-99.6) == "−$100 / month"
    assert dollars_per_month(0.2) == "no change"
    assert dollars_per_month(None) == "price of this type not known"
    assert counted(1, "batch", "batches") == "1 batch"
    assert counted(1200, "batch", "batches") == "1,200 batches"
