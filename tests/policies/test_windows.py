"""Weekly windows and freezes, over midnight and over the change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.windows import Dated, Weekly, first_moment, weekdays


def weekly(days: str, start: str, end: str, tz: str = "UTC") -> Weekly:
    return Weekly.model_validate({"days": tuple(days.split()), "from": start, "to": end, "tz": tz})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "moment", "holds"),
    [
        (weekly("Mon-Fri", "09:00", "17:00"), "2026-11-23 09:00", True),
        (weekly("Mon-Fri", "09:00", "17:00"), "2026-11-23 08:59:59", False),
        (weekly("Mon-Fri", "09:00", "17:00"), "2026-11-23 16:59:59", True),
        (weekly("Mon-Fri", "09:00", "17:00"), "2026-11-23 17:00", False),
        (weekly("Mon-Fri", "09:00", "17:00"), "2026-11-28 12:00", False),
        (weekly("Sat-Mon", "00:00", "24:00"), "2026-11-23 23:59", True),
        (weekly("Sat-Mon", "00:00", "24:00"), "2026-11-24 00:00", False),
        (weekly("Fri", "22:00", "04:00"), "2026-11-27 23:00", True),
        (weekly("Fri", "22:00", "04:00"), "2026-11-28 03:59", True),
        (weekly("Fri", "22:00", "04:00"), "2026-11-28 04:00", False),
        (weekly("Fri", "22:00", "04:00"), "2026-11-27 03:00", False),
        (weekly("Mon", "09:00", "10:00", "Asia/Tokyo"), "2026-11-23 00:30", True),
        (weekly("Mon", "09:00", "10:00", "Asia/Tokyo"), "2026-11-23 09:30", False),
        # Berlin, 29 March 2026: 02:00 to 03:00 does not exist.
        (weekly("Sun", "02:00", "03:00", "Europe/Berlin"), "2026-03-29 01:00", False),
        (weekly("Sun", "02:30", "03:30", "Europe/Berlin"), "2026-03-29 01:15", True),
        # Berlin, 25 October 2026: 02:30 happens twice, and both are inside.
        (weekly("Sun", "02:00", "03:00", "Europe/Berlin"), "2026-10-25 00:30", True),
        (weekly("Sun", "02:00", "03:00", "Europe/Berlin"), "2026-10-25 01:30", True),
        (weekly("Sun", "02:00", "03:00", "Europe/Berlin"), "2026-10-25 02:00", False),
    ],
)
def test_a_weekly_window_holds(window: Weekly, moment: str, holds: bool) -> None:
    assert window.holds(at(moment)) is holds


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-12-23 16:59", False),
        ("2026-12-23 17:00", True),
        ("2026-12-28 06:59", True),
        ("2026-12-28 07:00", False),
    ],
)
def test_a_dated_freeze_is_local_time(moment: str, holds: bool) -> None:
    freeze = Dated.model_validate(
        {"from": "2026-12-23 18:00", "to": "2026-12-28 08:00", "tz": "Europe/Berlin"}
    )
    assert freeze.holds(at(moment)) is holds


@given(
    st.integers(0, 6),
    st.integers(0, 6),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
)
def test_a_window_and_its_rest_of_the_day_cover_every_moment_once(
    first: int, last: int, moment: datetime
) -> None:
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    days = f"{names[first]}-{names[last]}"
    early = weekly(days, "00:00", "09:30", "Europe/Berlin")
    late = weekly(days, "09:30", "24:00", "Europe/Berlin")
    now = moment.replace(tzinfo=UTC)
    inside = now.astimezone(ZoneInfo("Europe/Berlin")).weekday() in weekdays(days)
    assert early.holds(now) + late.holds(now) == inside


def test_the_first_moment_is_the_first() -> None:
    window = weekly("Sun", "02:30", "03:30", "Europe/Berlin")
    opens = first_moment(at("2026-03-28 12:00"), window.holds)
    assert opens == at("2026-03-29 01:00")
    assert first_moment(at("2026-03-28 12:00"), lambda _: False) is None
