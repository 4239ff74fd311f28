"""Times: dates and numbers as they stand in tables, put in order."""

from __future__ import annotations

from collections.abc import Iterable

from isocenter.base.errors import ConfigError
from isocenter.model.times import comparable


def in_order(texts: Iterable[str]) -> dict[str, int]:
    """Rank of each time; equal ones share it.

    >>> in_order(["2020-03-01", "20200115", "2020-03-01T08:00"])
    {'20200115': 0, '2020-03-01': 1, '2020-03-01T08:00': 1}
    >>> in_order(["30", "7"])
    {'7': 0, '30': 1}

    Raises:
        ConfigError: they are neither all dates nor all numbers.
    """
    keys = comparable(texts)
    if keys is None:
        raise ConfigError("times must all be dates (YYYY-MM-DD) or all be numbers (years, days)")
    ranks = {k: n for n, k in enumerate(sorted(set(keys.values())))}
    return {t: rank for rank, t in sorted((ranks[k], t) for t, k in keys.items())}
