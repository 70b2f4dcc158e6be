"""Annotations in a picture: limits across it, moments down it, with their words never clipped.

Words of moments stand above the plot like flags on poles, see `flags`.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from lab.aws.annotations import Horizontal, Vertical
from lab.aws.flags import Flag, arranged
from lab.aws.look import Look
from lab.aws.typeset import drawable
from lab.aws.widget import Widget

ROW_PIXELS = 21
FOOT_PIXELS = 10  # so that words to the left stand above the highest value of the axis
PAD_PIXELS = 5  # between a pole and its words
PLOT_SHARE = 0.84  # of the picture's width, about what axis labels leave
WORDS_SHARE_MAX = 0.7


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
    inside.sort(key=lambda note: note.at)
    for note in inside:
        _draw_vertical(plot, note, widget, look)
    worded = [note for note in inside if note.label]
    span = widget.end - widget.start
    poles = [(note.at - widget.start) / span for note in worded]
    widths = [_width(note, widget, look) for note in worded]
    flags = arranged(list(zip(poles, widths, strict=True)))
    for note, flag in zip(worded, flags, strict=True):
        text = _fitted(note, look, pixels=(flag.ends - flag.begins) * widget.width * PLOT_SHARE)
        _write(plot, text, flag, look, color=note.color or look.theme.mark)


def _fitted(note: Vertical, look: Look, *, pixels: float) -> str:
    room = pixels - PAD_PIXELS * look.sizes.scale + 1  # a rounding must not cost a letter
    return look.ruler.fitted(note.label, points=look.sizes.label, pixels=room)


def _width(note: Vertical, widget: Widget, look: Look) -> float:
    """Of the words and the space beside their pole, in shares of the plot."""
    plot = widget.width * PLOT_SHARE
    text = _fitted(note, look, pixels=plot * WORDS_SHARE_MAX)
    pixels = look.ruler.pixels(text, points=look.sizes.label) + PAD_PIXELS * look.sizes.scale
    return pixels / plot


def _draw_vertical(plot: Axes, note: Vertical, widget: Widget, look: Look) -> None:
    color = note.color or look.theme.mark
    plot.axvline(note.at, color=color, linewidth=look.sizes.points(1.6))
    until = note.until
    if until is None and note.fill != "none":
        until = widget.end if note.fill == "after" else widget.start
    if until is not None:
        until = min(max(until, widget.start), widget.end)
        plot.axvspan(note.at, until, color=color, alpha=0.12, linewidth=0)


def _write(plot: Axes, text: str, flag: Flag, look: Look, *, color: str) -> None:
    """The pole from the plot's top to the middle of its row, and the words beside it."""
    foot = look.sizes.points(FOOT_PIXELS + flag.row * ROW_PIXELS)
    plot.annotate(
        "",
        xy=(flag.pole, 1.0),
        xycoords="axes fraction",
        xytext=(0, foot + look.sizes.points(ROW_PIXELS * 0.7)),
        textcoords="offset points",
        arrowprops={
            "arrowstyle": "-",
            "color": color,
            "linewidth": look.sizes.points(1.6),
            "shrinkA": 0,
            "shrinkB": 0,
        },
    )
    leftwards = flag.begins < flag.pole and flag.ends <= flag.pole
    pad = look.sizes.points(PAD_PIXELS)
    plot.annotate(
        text,
        xy=(flag.ends if leftwards else flag.begins, 1.0),
        xycoords="axes fraction",
        xytext=(-pad if leftwards else pad, foot),
        textcoords="offset points",
        horizontalalignment="right" if leftwards else "left",
        fontsize=look.sizes.label,
        color=color,
    )
