"""Estimates: quartiles, and a proportion with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Spread:
    """How values are spread: their number, range, median and quartiles."""

    count: int
    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float


def spread_of(values: Sequence[float]) -> Spread:
    """The spread of at least one finite value."""
    five = np.percentile(np.asarray(values, dtype=np.float64), [0, 25, 50, 75, 100])
    return Spread(len(values), *(float(v) for v in five))


def wilson(part: int, whole: int) -> tuple[float, float]:
    """95% interval of a proportion (Wilson 1927, JASA 22:209), which stays within 0 and 1; (0, 1) of nothing."""
    if not whole:
        return 0.0, 1.0
    p, z2 = part / whole, _Z95**2
    centre = (p + z2 / (2 * whole)) / (1 + z2 / whole)
    half = _Z95 * math.sqrt(p * (1 - p) / whole + z2 / (4 * whole**2)) / (1 + z2 / whole)
    return max(0.0, centre - half), min(1.0, centre + half)
