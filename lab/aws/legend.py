"""The legend below (or beside) the plot: as many columns as fit, never more than its share of height."""

from __future__ import annotations

import math
from typing import TypeVar

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lab.aws.theme import PALETTE, Sizes, Theme
from lab.aws.typeset import Ruler
from lab.aws.widget import Widget

Entry = TypeVar("Entry")

HANDLE_PIXELS = 44  # the coloured dash and the space around an entry
ROW_PIXELS = 22
HEIGHT_SHARE_MAX = 0.34


def draw_legend(
    figure: Figure, widget: Widget, *, theme: Theme, sizes: Sizes, ruler: Ruler
) -> None:
    """Nothing when hidden, when there are no lines, or when one line is named by the title."""
    labels = [line.label for line in widget.lines]
    if widget.legend == "hidden" or not labels or labels == [widget.title]:
        return
    beside = widget.legend == "right"
    room = widget.width * (0.30 if beside else 0.94) - HANDLE_PIXELS * sizes.scale
    labels = [ruler.fitted(label, points=sizes.label, pixels=room) for label in labels]
    columns = 1 if beside else _columns(labels, widget, sizes=sizes, ruler=ruler)
    rows = _rows(widget, sizes=sizes, beside=beside)
    handles: list[Artist] = [
        Line2D([], [], color=line.color or PALETTE[index % len(PALETTE)])
        for index, line in enumerate(widget.lines)
    ]
    if len(labels) > columns * rows:
        kept = max(columns * rows - 1, 0)
        labels = [*labels[:kept], f"and {len(labels) - kept} more"]
        handles = [*handles[:kept], Line2D([], [], color="none")]
    handles, labels = _by_rows(handles, columns), _by_rows(labels, columns)
    _place(figure, handles, labels, columns=columns, beside=beside, theme=theme, sizes=sizes)


def _columns(labels: list[str], widget: Widget, *, sizes: Sizes, ruler: Ruler) -> int:
    widest = max(ruler.pixels(label, points=sizes.label) for label in labels)
    fitting = max(1, int(widget.width * 0.94 / (widest + HANDLE_PIXELS * sizes.scale)))
    rows = math.ceil(len(labels) / fitting)
    return math.ceil(len(labels) / rows)


def _by_rows(entries: list[Entry], columns: int) -> list[Entry]:
    """matplotlib fills a legend column by column; people read it row by row."""
    return [entry for column in range(columns) for entry in entries[column::columns]]


def _rows(widget: Widget, *, sizes: Sizes, beside: bool) -> int:
    share = 0.85 if beside else HEIGHT_SHARE_MAX
    return max(1, int(widget.height * share / (ROW_PIXELS * sizes.scale)))


def _place(
    figure: Figure,
    handles: list[Artist],
    labels: list[str],
    *,
    columns: int,
    beside: bool,
    theme: Theme,
    sizes: Sizes,
) -> None:
    legend = figure.legend(
        handles,
        # matplotlib leaves out labels that begin with an underscore, which groups' names may do.
        [f"\u200a{label}" if label.startswith("_") else label for label in labels],
        loc="outside right upper" if beside else "outside lower left",
        ncols=columns,
        frameon=False,
        fontsize=sizes.label,
        labelcolor=theme.ink,
        handlelength=1.1,
        handletextpad=0.5,
        columnspacing=1.2,
        labelspacing=0.35,
        borderpad=0.2,
    )
    for handle in legend.legend_handles:
        if isinstance(handle, Line2D):
            handle.set_linewidth(sizes.line * 1.8)
