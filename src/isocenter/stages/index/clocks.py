"""Clocks: dates, times and time zones as headers write them (PS3.5 6.2: DA, TM, DT), as seconds."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

DAY = 86_400.0
_DATE = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
# Hours alone are legal, and an hour is too much to be wrong by.
_TIME = re.compile(r"(\d{2}):?(\d{2})(?::?(\d{2})(\.\d{1,6})?)?")
_DATE_TIME = re.compile(r"(\d{8})(\d{4,6}(?:\.\d{1,6})?)([+-]\d{4})?")
_ZONE = re.compile(r"([+-])(\d{2})(\d{2})")
# Offsets from UTC that a time zone may have (PS3.5 6.2), in seconds.
_ZONES = (-12 * 3600.0, 14 * 3600.0)


class Instant(NamedTuple):
    """A moment: seconds of UTC where its time zone is known, else of a clock that hangs who knows where.

    Args:
        seconds: From a day that is the same for all; of moments without a date, from midnight.
        zone: Offset from UTC in seconds, None where nobody says.
    """

    seconds: float
    zone: float | None = None


def zone_of(text: str | None) -> float | None:
    """Offset from UTC in seconds, as Timezone Offset From UTC (0008,0201) writes it; None where it says none.

    >>> zone_of("+0530"), zone_of("-0100"), zone_of("CET"), zone_of("+9900")
    (19800.0, -3600.0, None, None)
    """
    match = _ZONE.fullmatch(text or "")
    if match is None or int(match[3]) > 59:
        return None
    seconds = int(match[1] + "1") * (int(match[2]) * 3600.0 + int(match[3]) * 60.0)
    return seconds if _ZONES[0] <= seconds <= _ZONES[1] else None


def instant_of_date_time(text: str | None, zone: float | None) -> Instant | None:
    """A moment of one text; None where it is none, or where minutes are missing.

    Args:
        text: Date, time, and perhaps a time zone, which is then the one that counts.
        zone: That of the object.
    """
    match = _DATE_TIME.fullmatch(text or "")
    if match is None:
        return None
    day, clock = _day_of(match[1]), clock_of(match[2])
    own = zone_of(match[3]) if match[3] else zone
    if day is None or clock is None or (match[3] and own is None):
        return None
    return Instant(day + clock - (own or 0.0), own)


def instant_of(day: str | None, clock: str | None, zone: float | None) -> Instant | None:
    """A moment of a date and a time; without a date, of the day.

    Args:
        day: The date.
        clock: The time; without it there is no moment.
        zone: That of the object.
    """
    seconds = clock_of(clock)
    return None if seconds is None else Instant((_day_of(day) or 0.0) + seconds - (zone or 0.0), zone)


def clock_of(text: str | None) -> float | None:
    """Seconds since midnight; None for what is no time, or has no minutes.

    >>> clock_of("093015.5"), clock_of("09:30"), clock_of("09"), clock_of("0960")
    (34215.5, 34200.0, None, None)
    """
    match = _TIME.fullmatch(text or "")
    if match is None:
        return None
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3] or 0)
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return hours * 3600.0 + minutes * 60.0 + seconds + float(match[4] or 0)


def _day_of(text: str | None) -> float | None:
    match = _DATE.fullmatch(text or "")
    try:
        return None if match is None else date(int(match[1]), int(match[2]), int(match[3])).toordinal() * DAY
    except ValueError:
        return None
