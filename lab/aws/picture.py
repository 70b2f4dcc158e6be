"""One widget as a PNG, by matplotlib's own canvas and never by pyplot, which keeps figures alive.

From top to bottom: title, labels of moments, the plot, the legend. Gaps stay gaps: a line is broken
where a broker was silent, and a lonely point becomes a dot.
"""

from __future__ import annotations

import io
import math
from itertools import pairwise

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lab.aws.drawing import LinePoints
from lab.aws.legend import draw_legend
from lab.aws.marks import draw_horizontals, draw_verticals
from lab.aws.theme import DARK, DPI, LIGHT, PALETTE, Sizes, Theme
from lab.aws.timescale import ticks
from lab.aws.typeset import Ruler, drawable
from lab.aws.units import common_unit, tick_text
from lab.aws.widget import Axis, Line, Widget

# Titles and labels come from anybody; a dollar sign in them is not mathematics.
mpl.rcParams["text.parse_math"] = False

# Below this there is no room for words; the lines are still drawn.
WORDS_WIDTH_MIN, WORDS_HEIGHT_MIN = 240, 160
AXIS_LABEL_CHARACTERS = 24  # a longer one stands taller than the plot


def render(widget: Widget, points: list[LinePoints]) -> bytes:
    """The PNG's bytes, exactly width × height pixels."""
    theme = DARK if widget.dark else LIGHT
    sizes = Sizes.of(widget.width, widget.height)
    wordy = widget.width >= WORDS_WIDTH_MIN and widget.height >= WORDS_HEIGHT_MIN
    figure = Figure(
        figsize=(widget.width / DPI, widget.height / DPI), dpi=DPI, facecolor=theme.ground
    )
    canvas = FigureCanvasAgg(figure)
    plot = _new_plot(figure, sizes=sizes, wordy=wordy)
    _draw_lines(plot, widget, points, theme=theme, sizes=sizes, wordy=wordy)
    if wordy:
        ruler = Ruler(canvas=canvas, width=widget.width)
        draw_verticals(plot, widget, theme=theme, sizes=sizes, ruler=ruler)
        _draw_title(figure, widget, theme=theme, sizes=sizes, ruler=ruler)
        draw_legend(figure, widget, theme=theme, sizes=sizes, ruler=ruler)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI)
    return out.getvalue()


def _new_plot(figure: Figure, *, sizes: Sizes, wordy: bool) -> Axes:
    """All of the picture, or what the words around it leave."""
    if not wordy:
        return figure.add_axes((0, 0, 1, 1))
    pad = 0.07 * sizes.scale
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=pad, h_pad=pad, wspace=0, hspace=0))
    return figure.subplots()


def _draw_title(
    figure: Figure, widget: Widget, *, theme: Theme, sizes: Sizes, ruler: Ruler
) -> None:
    if not widget.title:
        return
    left = 12 * sizes.scale
    text = ruler.fitted(widget.title, points=sizes.title, pixels=widget.width - 2 * left, bold=True)
    figure.suptitle(
        text,
        x=left / widget.width,
        horizontalalignment="left",
        fontsize=sizes.title,
        fontweight="bold",
        color=theme.ink,
    )


def _draw_lines(
    plot: Axes,
    widget: Widget,
    points: list[LinePoints],
    *,
    theme: Theme,
    sizes: Sizes,
    wordy: bool,
) -> None:
    _frame(plot, widget, theme=theme, sizes=sizes, wordy=wordy)
    sides = {"left": plot}
    if any(line.axis == "right" for line in widget.lines):
        sides["right"] = plot.twinx()
        _bare(sides["right"], widget, theme=theme)
    for side, axes in sides.items():
        mine = [
            (line, found, color_of(widget, index))
            for index, (line, found) in enumerate(zip(widget.lines, points, strict=True))
            if line.axis == side
        ]
        draw = _stack if widget.stacked else _trace
        draw(axes, mine, sizes=sizes)
        if wordy:
            draw_horizontals(axes, widget, side=side, theme=theme, sizes=sizes)
        _value_axis(axes, widget, mine, side=side, theme=theme, sizes=sizes, wordy=wordy)
    if not any(points):
        _say_no_data(plot, theme=theme, sizes=sizes, wordy=wordy)


def color_of(widget: Widget, index: int) -> str:
    """A line's own colour, or the palette's."""
    return widget.lines[index].color or PALETTE[index % len(PALETTE)]


Drawn = tuple[Line, LinePoints, str]


def _trace(axes: Axes, lines: list[Drawn], *, sizes: Sizes) -> None:
    for line, found, color in lines:
        broken = _with_gaps(found, period_seconds=line.period_seconds)
        times = [at for at, _ in broken]
        values = [value for _, value in broken]
        axes.plot(times, values, color=color, linewidth=sizes.line, solid_capstyle="round")
        lonely = _lonely(broken)
        axes.plot(
            [at for at, _ in lonely],
            [value for _, value in lonely],
            color=color,
            linestyle="none",
            marker="o",
            markersize=sizes.points(5),
        )


def _with_gaps(found: LinePoints, *, period_seconds: int) -> LinePoints:
    """A hole wherever more than one bucket is missing; a single late sample is no outage."""
    broken = list(found[:1])
    for (before, _), (at, value) in pairwise(found):
        if at - before > 2.5 * period_seconds:
            broken.append((before + period_seconds, math.nan))
        broken.append((at, value))
    return broken


def _lonely(broken: LinePoints) -> LinePoints:
    """Points without a neighbour, which no line would show."""
    padded = [math.nan, *(value for _, value in broken), math.nan]
    return [
        point
        for index, point in enumerate(broken)
        if not math.isnan(point[1]) and math.isnan(padded[index]) and math.isnan(padded[index + 2])
    ]


def _stack(axes: Axes, lines: list[Drawn], *, sizes: Sizes) -> None:
    moments = sorted({at for _, found, _ in lines for at, _ in found})
    if not moments:
        return
    rows = [[dict(found).get(at, 0.0) for at in moments] for _, found, _ in lines]
    colors = [color for _, _, color in lines]
    areas = axes.stackplot(moments, rows, colors=colors, alpha=0.75)
    for area in areas:
        area.set_linewidth(sizes.points(1))


def _frame(plot: Axes, widget: Widget, *, theme: Theme, sizes: Sizes, wordy: bool) -> None:
    _bare(plot, widget, theme=theme)
    plot.set_facecolor(theme.ground)
    plot.grid(axis="y", color=theme.grid, linewidth=sizes.points(1))
    plot.set_axisbelow(True)
    plot.spines["bottom"].set_visible(True)
    plot.spines["bottom"].set_color(theme.mark)
    marks = ticks(widget.start, widget.end, widget.zone)
    plot.set_xticks([at for at, _ in marks], [text for _, text in marks])
    plot.tick_params(axis="x", labelsize=sizes.tick, colors=theme.faint, labelbottom=wordy)


def _bare(axes: Axes, widget: Widget, *, theme: Theme) -> None:
    axes.set_xlim(widget.start, widget.end)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, colors=theme.faint)


def _value_axis(
    axes: Axes,
    widget: Widget,
    lines: list[Drawn],
    *,
    side: str,
    theme: Theme,
    sizes: Sizes,
    wordy: bool,
) -> None:
    unit = common_unit({line.metric.name for line, _, _ in lines})
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_text(value, unit)))
    axes.tick_params(axis="y", labelsize=sizes.tick, colors=theme.faint)
    axes.yaxis.set_tick_params(labelleft=wordy and side == "left", labelright=side == "right")
    wanted = widget.axes[side]
    if wanted.label and wordy:
        axes.set_ylabel(
            drawable(wanted.label)[:AXIS_LABEL_CHARACTERS], fontsize=sizes.label, color=theme.faint
        )
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


def _say_no_data(plot: Axes, *, theme: Theme, sizes: Sizes, wordy: bool) -> None:
    if wordy:
        plot.text(
            0.5,
            0.5,
            "No data in this time range",
            transform=plot.transAxes,
            horizontalalignment="center",
            verticalalignment="center",
            fontsize=sizes.title,
            color=theme.faint,
        )
