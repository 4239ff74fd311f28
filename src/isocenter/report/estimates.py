"""Estimates: how values are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


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
