"""What a chart of a broker's figure needs: at most 20 points, and the limit as a line of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from changes.incident import Trend, TrendLine
from watch.broker_history import BrokerHistory

POINTS_MAX = 20
Points = Sequence[tuple[datetime, float]]


def percent_trend(
    brokers: BrokerHistory, name: str, broker_id: int, *, title: str, limit: float
) -> Trend | None:
    """Hourly peaks, or the last rounds while there are not three hours yet; None = too little."""
    points = brokers.hourly_peaks(name, broker_id)
    if len(points) < 3:
        points = brokers.figures(name, broker_id)
    if len(points) < 2:
        return None
    drawn = tuple((at, round(value, 2)) for at, value in thinned(points))
    ends = (drawn[0][0], drawn[-1][0])
    return Trend(
        title=title,
        unit="%",
        lines=(
            TrendLine(name=f"broker {broker_id}", points=drawn),
            TrendLine(name=f"{limit:.0f} %", points=tuple((at, limit) for at in ends)),
        ),
    )


def thinned(points: Points) -> Points:
    """The last ones, at even distances when there are more than can be drawn."""
    if len(points) <= POINTS_MAX:
        return tuple(points)
    step = (len(points) - 1) / (POINTS_MAX - 1)
    return tuple(points[round(i * step)] for i in range(POINTS_MAX))


def recent(
    brokers: BrokerHistory, name: str, broker_id: int, *, now: datetime, minutes: float
) -> list[float]:
    """Values of the last minutes."""
    since = now - timedelta(minutes=minutes)
    return [value for at, value in brokers.figures(name, broker_id) if at >= since]
