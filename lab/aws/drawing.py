"""Where pictures are drawn: one thread of its own, so that a slow picture holds up no other call.

matplotlib is imported on the first picture, inside that thread: it costs a second and 40 MB, which
a lab that never draws does not pay.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from lab.aws.series import SeriesStore
from lab.aws.statistics import bucketed
from lab.aws.widget import Line, Widget

LinePoints = list[tuple[float, float]]


class Easel:
    """Draws one picture at a time: matplotlib's font cache is not for several threads."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lab-aws-easel")

    async def draw(self, widget: Widget, *, series: SeriesStore, newest: float) -> bytes:
        """The PNG of a widget; points are gathered here, since the store belongs to this thread."""
        points = [_points(line, widget, series=series, newest=newest) for line in widget.lines]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, _draw, widget, points)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _points(line: Line, widget: Widget, *, series: SeriesStore, newest: float) -> LinePoints:
    start = widget.start // line.period_seconds * line.period_seconds
    times, values = series.between(line.metric, start=start, end=min(widget.end, newest))
    found = bucketed(times, values, period_seconds=line.period_seconds, reduce=line.reduce)
    return [(float(at), value) for at, value in found]


def _draw(widget: Widget, points: list[LinePoints]) -> bytes:
    from lab.aws.picture import render  # the late import is the point, see above

    return render(widget, points)
