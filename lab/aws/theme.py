"""Colours and sizes of a picture. Sizes grow with its width: on a phone every picture is shown
some 360 pixels wide, whatever it measured, and must still be read there."""

from __future__ import annotations

from dataclasses import dataclass

DPI = 100
POINTS_PER_INCH = 72
BASE_WIDTH, BASE_HEIGHT = 440, 290

# The order CloudWatch itself uses.
PALETTE = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd",
    "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
    "#aec7e8", "#ffbb78", "#98df8a", "#ff9896", "#c5b0d5",
    "#c49c94", "#f7b6d2", "#c7c7c7", "#dbdb8d", "#9edae5",
)  # fmt: skip


@dataclass(frozen=True)
class Theme:
    """One of CloudWatch's two looks."""

    ground: str
    ink: str
    faint: str
    grid: str
    alarm: str
    mark: str


LIGHT = Theme("#ffffff", "#16191f", "#545b64", "#e3e6e8", "#d13212", "#5f6b7a")
DARK = Theme("#0f1b2a", "#eaeded", "#b6bec9", "#2a3a4f", "#ff5d4a", "#9ba7b6")


@dataclass(frozen=True)
class Sizes:
    """Lengths in pixels for one picture."""

    scale: float

    @classmethod
    def of(cls, width: int, height: int) -> Sizes:
        return cls(min(max(min(width / BASE_WIDTH, height / BASE_HEIGHT), 0.45), 3.0))

    def points(self, pixels: float) -> float:
        """Pixels at the base size as matplotlib's points here."""
        return pixels * self.scale * POINTS_PER_INCH / DPI

    @property
    def tick(self) -> float:
        return self.points(15)

    @property
    def title(self) -> float:
        return self.points(16)

    @property
    def label(self) -> float:
        return self.points(14)

    @property
    def line(self) -> float:
        return self.points(2.8)
