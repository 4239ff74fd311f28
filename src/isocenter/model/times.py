"""Times: dates and plain numbers as they stand in tables, as numbers that can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?")


def is_time(text: str) -> bool:
    """Whether a text is a date or a finite number."""
    return _day(text) is not None or _number(text) is not None


def comparable(texts: Iterable[str]) -> dict[str, float] | None:
    """Each time as a number: the day if all are dates, else what it says; None if they are not of one kind.

    >>> comparable(["30", "-7"])
    {'30': 30.0, '-7': -7.0}
    >>> comparable(["20200102", "2020-01-01T08:00"])
    {'20200102': 737426.0, '2020-01-01T08:00': 737425.0}
    >>> comparable(["2020-01-01", "30"]) is None
    True
    """
    found = list(dict.fromkeys(texts))
    for read in (_day, _number):
        values = {t: value for t in found if (value := read(t)) is not None}
        if len(values) == len(found):
            return values
    return None


def _day(text: str) -> float | None:
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return float(date(*(int(g) for g in match.groups())).toordinal())
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value - value == 0 else None
