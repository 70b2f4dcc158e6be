"""How wide a text is, and what to do when it is too wide or the font has no such letters."""

from __future__ import annotations

from functools import cache

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import FontProperties, findfont, get_font

_MISSING = "□"


@cache
def _letters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def drawable(text: str) -> str:
    """The text on one line, letters the font lacks shown as boxes rather than as warnings."""
    line = " ".join(text.split())
    return "".join(letter if ord(letter) in _letters() else _MISSING for letter in line)


class Ruler:
    """Measures and shortens texts for one picture."""

    def __init__(self, *, canvas: FigureCanvasAgg) -> None:
        self._renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]  # untyped in its stubs

    def pixels(self, text: str, *, points: float, bold: bool = False) -> float:
        font = FontProperties(size=points, weight="bold" if bold else "normal")
        width, _, _ = self._renderer.get_text_width_height_descent(text, font, ismath=False)
        return float(width)

    def fitted(self, text: str, *, points: float, pixels: float, bold: bool = False) -> str:
        """The text, cut with an ellipsis where it is wider than the room."""
        text = drawable(text)
        if self.pixels(text, points=points, bold=bold) <= pixels:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            fits = self.pixels(text[:middle] + "…", points=points, bold=bold) <= pixels
            low, high = (middle, high) if fits else (low, middle - 1)
        return text[:low].rstrip() + "…"
