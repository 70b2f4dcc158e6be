"""Where pictures are drawn: one thread of its own, so that a slow picture holds up no other call.

matplotlib is imported inside that thread, a while after the start: it costs a second of processor
time, which on a laptop busy with brokers becomes many, and the first picture should not wait for it.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from lab.aws.series import SeriesStore
from lab.aws.statistics import bucketed
from lab.aws.widget import Line, Widget

WARM_UP_SECONDS = 15.0

LinePoints = list[tuple[float, float]]


class Easel:
    """Draws one picture at a time: matplotlib's font cache is not for several threads."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lab-aws-easel")
        self._warm_up: asyncio.TimerHandle | None = None

    def warm_up_later(self) -> None:
        """Import what drawing needs once the lab's first rush is over."""
        loop = asyncio.get_running_loop()
        self._warm_up = loop.call_later(WARM_UP_SECONDS, self._thread.submit, _warm_up)

    async def draw(self, widget: Widget, *, series: SeriesStore, newest: float) -> bytes:
        """The PNG of a widget; points are gathered here, since the store belongs to this thread."""
        points = [_points(line, widget, series=series, newest=newest) for line in widget.lines]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, _draw, widget, points)

    def close(self) -> None:
        if self._warm_up is not None:
            self._warm_up.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)


def _points(line: Line, widget: Widget, *, series: SeriesStore, newest: float) -> LinePoints:
    start = widget.start // line.period_seconds * line.period_seconds
    times, values = series.between(line.metric, start=start, end=min(widget.end, newest))
    found = bucketed(times, values, period_seconds=line.period_seconds, reduce=line.reduce)
    return [(float(at), value) for at, value in found]


def _warm_up() -> None:
    import lab.aws.picture  # noqa: F401  # imported for its weight alone, in this thread


def _draw(widget: Widget, points: list[LinePoints]) -> bytes:
    from lab.aws.picture import render  # the late import is the point, see above

    return render(widget, points)
