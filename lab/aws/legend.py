"""The legend below (or beside) the plot: as many columns as fit, never more than its share of height."""

from __future__ import annotations

import math
from typing import TypeVar

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lab.aws.look import Look
from lab.aws.theme import PALETTE
from lab.aws.widget import Widget

Entry = TypeVar("Entry")

HANDLE_PIXELS = 44  # the coloured dash and the space around an entry
ROW_PIXELS = 22
HEIGHT_SHARE_MAX = 0.34


def draw_legend(figure: Figure, widget: Widget, look: Look) -> None:
    """Nothing when hidden, when there are no lines, or when one line is named by the title."""
    labels = [line.label for line in widget.lines]
    if widget.legend == "hidden" or not labels or labels == [widget.title]:
        return
    beside = widget.legend == "right"
    room = widget.width * (0.30 if beside else 0.94) - HANDLE_PIXELS * look.sizes.scale
    labels = [look.ruler.fitted(label, points=look.sizes.label, pixels=room) for label in labels]
    columns = 1 if beside else _columns(labels, widget, look)
    rows = _rows(widget, look, beside=beside)
    handles: list[Artist] = [
        Line2D([], [], color=line.color or PALETTE[index % len(PALETTE)])
        for index, line in enumerate(widget.lines)
    ]
    if len(labels) > columns * rows:
        kept = max(columns * rows - 1, 0)
        labels = [*labels[:kept], f"and {len(labels) - kept} more"]
        handles = [*handles[:kept], Line2D([], [], color="none")]
    handles, labels = _by_rows(handles, columns), _by_rows(labels, columns)
    _place(figure, handles, labels, look, columns=columns, beside=beside)


def _columns(labels: list[str], widget: Widget, look: Look) -> int:
    widest = max(look.ruler.pixels(label, points=look.sizes.label) for label in labels)
    fitting = max(1, int(widget.width * 0.94 / (widest + HANDLE_PIXELS * look.sizes.scale)))
    rows = math.ceil(len(labels) / fitting)
    return math.ceil(len(labels) / rows)


def _by_rows(entries: list[Entry], columns: int) -> list[Entry]:
    """matplotlib fills a legend column by column; people read it row by row."""
    return [entry for column in range(columns) for entry in entries[column::columns]]


def _rows(widget: Widget, look: Look, *, beside: bool) -> int:
    share = 0.85 if beside else HEIGHT_SHARE_MAX
    return max(1, int(widget.height * share / (ROW_PIXELS * look.sizes.scale)))


def _place(
    figure: Figure,
    handles: list[Artist],
    labels: list[str],
    look: Look,
    *,
    columns: int,
    beside: bool,
) -> None:
    legend = figure.legend(
        handles,
        # matplotlib leaves out labels that begin with an underscore, which groups' names may do.
        [f"\u200a{label}" if label.startswith("_") else label for label in labels],
        loc="outside right upper" if beside else "outside lower left",
        ncols=columns,
        frameon=False,
        fontsize=look.sizes.label,
        labelcolor=look.theme.ink,
        handlelength=1.1,
        handletextpad=0.5,
        columnspacing=1.2,
        labelspacing=0.35,
        borderpad=0.2,
    )
    for handle in legend.legend_handles:
        if isinstance(handle, Line2D):
            handle.set_linewidth(look.sizes.line * 1.8)
