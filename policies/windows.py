"""When a change may start: weekly windows, and freezes, each in its own time zone.

The surprising truth: a wall-clock time can happen twice or not at all (daylight saving). So a moment
is always turned into local time and compared there, never the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from changes.tagged import Value
from policies.vocabulary import WEEKDAYS

CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
LOOK_AHEAD = timedelta(days=8)


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"is no time zone; write it like Europe/Berlin; found `{name}`") from None


class Weekly(Value):
    """`days: [Mon-Fri], from: "22:00", to: "04:00"`: a span over midnight belongs to its first day."""

    days: tuple[str, ...] = ("Mon-Sun",)
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    tz: str = "UTC"
    reason: str = ""

    @field_validator("days")
    @classmethod
    def known_days(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        for one in days:
            weekdays(one)
        if not days:
            raise ValueError("must name at least one day")
        return days

    @field_validator("start", "end")
    @classmethod
    def clock(cls, text: str) -> str:
        if not CLOCK.fullmatch(text):
            raise ValueError(f'must be a time of day like "09:00"; found `{text}`')
        return text

    @field_validator("tz")
    @classmethod
    def zone(cls, name: str) -> str:
        zone_of(name)
        return name

    @model_validator(mode="after")
    def not_empty(self) -> Self:
        if self.start == self.end:
            raise ValueError("`from` and `to` are the same; a whole day is 00:00 to 24:00")
        return self

    def holds(self, now: datetime) -> bool:
        local = now.astimezone(zone_of(self.tz))
        minute = local.hour * 60 + local.minute
        start, end = minutes(self.start), minutes(self.end)
        today, before = local.weekday(), (local.weekday() - 1) % 7
        days = {day for one in self.days for day in weekdays(one)}
        if start < end:
            return today in days and start <= minute < end
        return (today in days and minute >= start) or (before in days and minute < end)

    def words(self) -> str:
        return f"{', '.join(self.days)} {self.start}–{self.end} {self.tz}"


class Dated(Value):
    """`from: 2026-12-20 00:00, to: 2027-01-02 00:00`: once, in the zone's local time."""

    start: str = Field(alias="from")
    end: str = Field(alias="to")
    tz: str = "UTC"
    reason: str = ""

    @field_validator("start", "end")
    @classmethod
    def moment(cls, text: str) -> str:
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"must be a date like 2026-12-20 18:00; found `{text}`") from None
        if when.tzinfo:
            raise ValueError("must be local time; name the zone in `tz`")
        return text

    @field_validator("tz")
    @classmethod
    def zone(cls, name: str) -> str:
        zone_of(name)
        return name

    @model_validator(mode="after")
    def forward(self) -> Self:
        if datetime.fromisoformat(self.start) >= datetime.fromisoformat(self.end):
            raise ValueError("`from` must be before `to`")
        return self

    def holds(self, now: datetime) -> bool:
        local = now.astimezone(zone_of(self.tz)).replace(tzinfo=None)
        return datetime.fromisoformat(self.start) <= local < datetime.fromisoformat(self.end)

    def words(self) -> str:
        return f"{self.start} to {self.end} {self.tz}"


def weekdays(text: str) -> tuple[int, ...]:
    """`Mon` or `Mon-Fri`; `Sat-Mon` goes over the week's end."""
    first, dash, last = text.partition("-")
    if first not in WEEKDAYS or (last if dash else first) not in WEEKDAYS:
        raise ValueError(f"must be days like Mon or Mon-Fri; found `{text}`")
    start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    return tuple((start + step) % 7 for step in range((end - start) % 7 + 1))


def minutes(clock: str) -> int:
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def first_moment(now: datetime, allowed: Callable[[datetime], bool]) -> datetime | None:
    """The first whole minute in the coming days at which it is allowed."""
    moment = now.replace(second=0, microsecond=0)
    while moment < now + LOOK_AHEAD:
        moment += timedelta(minutes=1)
        if allowed(moment):
            return moment
    return None
