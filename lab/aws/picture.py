"""One widget as a PNG, by matplotlib's own canvas and never by pyplot, which keeps figures alive.

From top to bottom: title, labels of moments, the plot, the legend.
"""

from __future__ import annotations

import io

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lab.aws.drawing import LinePoints
from lab.aws.legend import draw_legend
from lab.aws.look import Look
from lab.aws.marks import PLOT_SHARE, draw_horizontals, draw_verticals
from lab.aws.theme import DARK, DPI, LIGHT, PALETTE, POINTS_PER_INCH, Sizes
from lab.aws.timescale import fitting, ticks
from lab.aws.traces import Drawn, draw_stack, draw_traces
from lab.aws.typeset import Ruler
from lab.aws.units import common_unit, tick_text
from lab.aws.widget import Axis, Widget

# Titles and labels come from anybody; a dollar sign in them is not mathematics.
mpl.rcParams["text.parse_math"] = False

# Below this there is no room for words; the lines are still drawn.
WORDS_WIDTH_MIN, WORDS_HEIGHT_MIN = 240, 160


def render(widget: Widget, points: list[LinePoints]) -> bytes:
    """The PNG's bytes, exactly width × height pixels."""
    theme = DARK if widget.dark else LIGHT
    figure = Figure(
        figsize=(widget.width / DPI, widget.height / DPI), dpi=DPI, facecolor=theme.ground
    )
    look = Look(
        theme=theme,
        sizes=Sizes.of(widget.width, widget.height),
        ruler=Ruler(canvas=FigureCanvasAgg(figure)),
        wordy=widget.width >= WORDS_WIDTH_MIN and widget.height >= WORDS_HEIGHT_MIN,
    )
    plot = _new_plot(figure, look)
    _draw_lines(plot, widget, points, look)
    if look.wordy:
        draw_verticals(plot, widget, look)
        _draw_title(figure, widget, look)
        draw_legend(figure, widget, look)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI)
    return out.getvalue()


def _new_plot(figure: Figure, look: Look) -> Axes:
    """All of the picture, or what the words around it leave."""
    if not look.wordy:
        return figure.add_axes((0, 0, 1, 1))
    pad = 0.07 * look.sizes.scale
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=pad, h_pad=pad, wspace=0, hspace=0))
    return figure.subplots()


def _draw_title(figure: Figure, widget: Widget, look: Look) -> None:
    if not widget.title:
        return
    left = 12 * look.sizes.scale
    text = look.ruler.fitted(
        widget.title, points=look.sizes.title, pixels=widget.width - 2 * left, bold=True
    )
    figure.suptitle(
        text,
        x=left / widget.width,
        horizontalalignment="left",
        fontsize=look.sizes.title,
        fontweight="bold",
        color=look.theme.ink,
    )


def _draw_lines(
    plot: Axes,
    widget: Widget,
    points: list[LinePoints],
    look: Look,
) -> None:
    _frame(plot, widget, look)
    sides = {"left": plot}
    if any(line.axis == "right" for line in widget.lines):
        sides["right"] = plot.twinx()
        _bare(sides["right"], widget, look)
    for side, axes in sides.items():
        mine = [
            (line, found, color_of(widget, index))
            for index, (line, found) in enumerate(zip(widget.lines, points, strict=True))
            if line.axis == side
        ]
        draw = draw_stack if widget.stacked else draw_traces
        draw(axes, mine, sizes=look.sizes)
        if look.wordy:
            draw_horizontals(axes, widget, look, side=side)
        _value_axis(axes, widget, mine, look, side=side)
    if not any(points):
        _say_no_data(plot, look)


def color_of(widget: Widget, index: int) -> str:
    """A line's own colour, or the palette's."""
    return widget.lines[index].color or PALETTE[index % len(PALETTE)]


def _frame(plot: Axes, widget: Widget, look: Look) -> None:
    _bare(plot, widget, look)
    plot.set_facecolor(look.theme.ground)
    plot.grid(axis="y", color=look.theme.grid, linewidth=look.sizes.points(1))
    plot.set_axisbelow(True)
    plot.spines["bottom"].set_visible(True)
    plot.spines["bottom"].set_color(look.theme.mark)
    room = fitting(
        plot_pixels=widget.width * PLOT_SHARE, letter_pixels=look.sizes.tick * DPI / POINTS_PER_INCH
    )
    marks = ticks(widget.start, widget.end, widget.zone, most=room)
    plot.set_xticks([at for at, _ in marks], [text for _, text in marks])
    plot.tick_params(
        axis="x", labelsize=look.sizes.tick, colors=look.theme.faint, labelbottom=look.wordy
    )


def _bare(axes: Axes, widget: Widget, look: Look) -> None:
    axes.set_xlim(widget.start, widget.end)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, colors=look.theme.faint)


def _value_axis(
    axes: Axes,
    widget: Widget,
    lines: list[Drawn],
    look: Look,
    *,
    side: str,
) -> None:
    unit = common_unit({line.metric.name for line, _, _ in lines})
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_text(value, unit)))
    axes.tick_params(axis="y", labelsize=look.sizes.tick, colors=look.theme.faint)
    axes.yaxis.set_tick_params(labelleft=look.wordy and side == "left", labelright=side == "right")
    wanted = widget.axes[side]
    if wanted.label and look.wordy:
        text = look.ruler.fitted(wanted.label, points=look.sizes.label, pixels=widget.height * 0.4)
        axes.set_ylabel(text, fontsize=look.sizes.label, color=look.theme.faint)
    axes.set_ylim(*_limits(axes, wanted, _extent(widget, lines, side=side)))


def _extent(widget: Widget, lines: list[Drawn], *, side: str) -> tuple[float, float]:
    """Lowest and highest value the plot has to hold."""
    values = [value for _, found, _ in lines for _, value in found]
    if widget.stacked:
        sums: dict[float, float] = {}
        for _, found, _ in lines:
            for at, value in found:
                sums[at] = sums.get(at, 0.0) + value
        values += sums.values()
    for note in widget.horizontals:
        if note.axis == side:
            values += [note.value] if note.until is None else [note.value, note.until]
    return (min(values), max(values)) if values else (0.0, 1.0)


def _limits(axes: Axes, wanted: Axis, extent: tuple[float, float]) -> tuple[float, float]:
    """From zero unless values go below it: a cut axis makes a ripple look like a storm."""
    lowest, highest = extent
    bottom = min(lowest * 1.1, 0.0) if wanted.minimum is None else wanted.minimum
    room = (highest - bottom) * 0.08
    top = highest + room if wanted.maximum is None else wanted.maximum
    if top <= bottom:
        top = bottom + 1.0
    # Whole ticks at the top keep the highest line inside the grid.
    ticks = axes.yaxis.get_major_locator().tick_values(bottom, top)
    if wanted.maximum is None and len(ticks):
        top = max(top, float(ticks[-1]))
    return bottom, top


def _say_no_data(plot: Axes, look: Look) -> None:
    if look.wordy:
        plot.text(
            0.5,
            0.5,
            "No data in this time range",
            transform=plot.transAxes,
            horizontalalignment="center",
            verticalalignment="center",
            fontsize=look.sizes.title,
            color=look.theme.faint,
        )
