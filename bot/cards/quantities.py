"""Numbers as an engineer reads them at night: few digits, a unit, a range."""

from __future__ import annotations

BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def in_bytes(count: float) -> str:
    """Decimal units, as AWS and disks are sold: 41.2 GB."""
    size, unit = float(count), 0
    while round(abs(size), 1) >= 1000 and unit < len(BYTE_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    digits = 0 if unit == 0 or abs(size) >= 100 else 1
    return f"{size:,.{digits}f} {BYTE_UNITS[unit]}"


def counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def lasting(seconds: float) -> str:
    """8 s, 12 min, 2 h 30 min, 3 d 4 h."""
    whole = max(0, round(seconds))
    if whole < MINUTE + MINUTE // 2:
        return f"{whole} s"
    minutes = round(whole / MINUTE)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 36:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def between(low: float, high: float) -> str:
    """A range of durations; one figure where both ends read the same."""
    first, last = lasting(low), lasting(high)
    if first == last:
        return f"about {first}"
    figure, *unit = first.split(" ")
    if len(unit) == 1 and unit == last.split(" ")[1:]:
        return f"{figure}–{last}"
    return f"{first} – {last}"


def dollars_per_month(change: float | None) -> str:
    if change is None:
        return "price of this type not known"
    if round(change) == 0:
        return "no change"
    return f"{'+' if change > 0 else '−'}${abs(change):,.0f} / month"
