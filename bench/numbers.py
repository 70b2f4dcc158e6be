"""What a story measured, beside what it should be, as one table."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

HEAD = ("story", "measured", "target", "")


@dataclass(frozen=True, slots=True)
class Number:
    """One measured figure; `target` is the most it may be (None: for the record only)."""

    story: str
    measured: float
    unit: str
    target: float | None = None

    @property
    def kept(self) -> bool:
        return self.target is None or self.measured <= self.target

    def cells(self) -> tuple[str, ...]:
        wanted = "–" if self.target is None else f"≤ {_short(self.target)} {self.unit}".rstrip()
        word = "" if self.target is None else ("kept" if self.kept else "MISSED")
        return (self.story, f"{_short(self.measured)} {self.unit}".rstrip(), wanted, word)


def table(numbers: Sequence[Number]) -> str:
    """Markdown, aligned for a terminal."""
    lines = [HEAD, *(one.cells() for one in numbers)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    drawn = [
        "| " + " | ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    ruler = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([drawn[0], f"|{ruler}|", *drawn[1:]])


def as_json(numbers: Sequence[Number]) -> list[dict[str, object]]:
    return [{**asdict(one), "kept": one.kept} for one in numbers]


def circumstances() -> str:
    """When, on what, and how busy it was: figures without these cannot be compared."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{now}, {os.cpu_count()} cores, load {load}, Python {platform.python_version()}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
