"""Annotations in a picture: limits across it, moments down it, with their words never clipped.

Words of moments stand above the plot, in as many rows as it takes for none to cover another.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from lab.aws.annotations import Horizontal, Vertical
from lab.aws.look import Look
from lab.aws.typeset import drawable
from lab.aws.widget import Widget

ROW_PIXELS = 20
PLOT_SHARE = 0.84  # of the picture's width, about what axis labels leave
ROWS_MAX = 4


def draw_horizontals(axes: Axes, widget: Widget, look: Look, *, side: str) -> None:
    """Limits and bands of one axis."""
    for note in widget.horizontals:
        if note.axis == side:
            _draw_horizontal(axes, note, look)


def _draw_horizontal(axes: Axes, note: Horizontal, look: Look) -> None:
    color = note.color or look.theme.alarm
    axes.axhline(note.value, color=color, linewidth=look.sizes.points(1.6), linestyle=(0, (5, 3)))
    if note.until is not None:
        axes.axhspan(note.value, note.until, color=color, alpha=0.12, linewidth=0)
    elif note.fill != "none":
        far = 1e300 if note.fill == "above" else -1e300
        axes.axhspan(note.value, far, color=color, alpha=0.10, linewidth=0)
    if note.label:
        axes.annotate(
            drawable(note.label),
            # Not quite the edge, which would count as outside; outside, a label is left out, as it
            # would push the plot away.
            xy=(0.999, max(note.value, note.until if note.until is not None else note.value)),
            xycoords=("axes fraction", "data"),
            annotation_clip=True,
            xytext=(-look.sizes.points(4), look.sizes.points(3)),
            textcoords="offset points",
            horizontalalignment="right",
            fontsize=look.sizes.label,
            color=color,
            # Its own ground, so that lines passing behind do not strike the words through.
            bbox={"facecolor": look.theme.ground, "alpha": 0.75, "linewidth": 0, "pad": 1.0},
        )


def draw_verticals(plot: Axes, widget: Widget, look: Look) -> None:
    """Moments inside the picture's time; those outside would only squeeze it."""
    inside = [note for note in widget.verticals if widget.start <= note.at <= widget.end]
    rows: list[list[tuple[float, float]]] = []
    for note in sorted(inside, key=lambda each: each.at):
        color = note.color or look.theme.mark
        _draw_vertical(plot, note, widget, look, color=color)
        if note.label:
            _write(plot, note, widget, rows, look, color=color)


def _draw_vertical(plot: Axes, note: Vertical, widget: Widget, look: Look, *, color: str) -> None:
    plot.axvline(note.at, color=color, linewidth=look.sizes.points(1.6))
    until = note.until
    if until is None and note.fill != "none":
        until = widget.end if note.fill == "after" else widget.start
    if until is not None:
        until = min(max(until, widget.start), widget.end)
        plot.axvspan(note.at, until, color=color, alpha=0.12, linewidth=0)


def _write(
    plot: Axes,
    note: Vertical,
    widget: Widget,
    rows: list[list[tuple[float, float]]],
    look: Look,
    *,
    color: str,
) -> None:
    plot_pixels = widget.width * PLOT_SHARE
    text = look.ruler.fitted(note.label, points=look.sizes.label, pixels=plot_pixels * 0.7)
    width = look.ruler.pixels(text, points=look.sizes.label) / plot_pixels
    share = (note.at - widget.start) / (widget.end - widget.start)
    # Towards the side that has room, so that no word leaves the picture.
    leftwards = share + width > 1.0
    begins = max(share - width, 0.0) if leftwards else share
    row = _free_row(rows, begins, begins + width)
    plot.annotate(
        text,
        xy=(begins + width if leftwards else begins, 1.0),
        xycoords="axes fraction",
        xytext=(0, look.sizes.points(4 + row * ROW_PIXELS)),
        textcoords="offset points",
        horizontalalignment="right" if leftwards else "left",
        fontsize=look.sizes.label,
        color=color,
    )


def _free_row(rows: list[list[tuple[float, float]]], begins: float, ends: float) -> int:
    """The lowest row in which this stretch covers nothing; the last one takes what is left over."""
    for index, taken in enumerate(rows):
        if all(ends + 0.02 < first or last + 0.02 < begins for first, last in taken):
            taken.append((begins, ends))
            return index
    if len(rows) < ROWS_MAX:
        rows.append([(begins, ends)])
    return len(rows) - 1
