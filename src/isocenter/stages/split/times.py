"""Times: dates and numbers as they stand in tables, put in order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from isocenter.base.errors import ConfigError

_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?")


def in_order(texts: Iterable[str]) -> dict[str, int]:
    """Rank of each time; equal ones share it.

    >>> in_order(["2020-03-01", "20200115", "2020-03-01T08:00"])
    {'20200115': 0, '2020-03-01': 1, '2020-03-01T08:00': 1}
    >>> in_order(["30", "7"])
    {'7': 0, '30': 1}

    Raises:
        ConfigError: they are neither all dates nor all numbers.
    """
    found = sorted(set(texts))
    days = {t: _day(t) for t in found}
    keys = days if all(d is not None for d in days.values()) else {t: _number(t) for t in found}
    if any(k is None for k in keys.values()):
        raise ConfigError("times must all be dates (YYYY-MM-DD) or all be numbers (years, days)")
    ranks = {k: n for n, k in enumerate(sorted({k for k in keys.values() if k is not None}))}
    named = sorted(((ranks[k], t) for t, k in keys.items() if k is not None))
    return {t: rank for rank, t in named}


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
