"""Statistics: count, mean, spread, percentiles and histogram of an image's foreground, without a copy of it.

Integers of up to 16 bits are counted in one reading, and every number is exact. Of floats, and of longer integers,
the histogram has bins; count, mean, spread and the percentiles named here are exact all the same: only the values of
those bins that hold a percentile are put in order. No float64 copy of the voxels is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging import counting
from isocenter.imaging.foreground import Foreground, found, known
from isocenter.imaging.histogram import NOTHING, Histogram, exponent_of, ranks

PERCENTILES = {
    "p0.5": 0.5,
    "p1": 1.0,
    "p5": 5.0,
    "p10": 10.0,
    "p20": 20.0,
    "p25": 25.0,
    "p30": 30.0,
    "p40": 40.0,
    "median": 50.0,
    "p60": 60.0,
    "p70": 70.0,
    "p75": 75.0,
    "p80": 80.0,
    "p90": 90.0,
    "p95": 95.0,
    "p99": 99.0,
    "p99.5": 99.5,
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """What was measured of an image.

    Args:
        facts: `count` of the foreground, then, unless it is 0, `mean`, `std` (of the population, divided by the
            count), `min`, `max` and the `PERCENTILES` (Hyndman and Fan's type 7).
        foreground: What counts as foreground, by its name, and its threshold in this image.
        inside: Histogram of the foreground.
        outside: Histogram of all other valid voxels: merged with it, of the image.
    """

    facts: dict[str, float]
    foreground: Foreground
    inside: Histogram
    outside: Histogram


def describe(
    array: NDArray[Any], *, valid: NDArray[np.bool_] | None = None, foreground: float | str | None = None
) -> dict[str, float]:
    """Describe the values of an array (K, J, I).

    Args:
        array: Numbers of any type; NaN and infinities are left out.
        valid: False where a voxel is padding.
        foreground: Only values above this number are described, or a foreground by its name (see
            `isocenter.imaging.foreground`); None for all that are valid.

    Returns:
        The facts of `Measured`.
    """
    name = "all" if foreground is None else foreground
    return measure(array, valid=valid, foreground=name if isinstance(name, str) else f">{name!r}").facts


def measure(array: NDArray[Any], *, valid: NDArray[np.bool_] | None = None, foreground: str) -> Measured:
    """Facts and histogram of the foreground of an array (K, J, I).

    Args:
        array: Numbers of any type; NaN and infinities are left out.
        valid: False where a voxel is padding.
        foreground: Its name, such as "hu>-500", "mean", "otsu", "nonzero" or "all".

    Raises:
        ConfigError: there is no foreground of that name.
    """
    known(foreground)
    if valid is not None and valid.shape != array.shape:
        raise ValueError(f"valid is {valid.shape}, the array {array.shape}")
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2:
        whole = _counted(array, valid)
        chosen = found(foreground, whole)
        if chosen.is_nonzero:
            inside, outside = whole.chosen(whole.values != 0), whole.chosen(whole.values == 0)
        else:
            inside, outside = whole.parted(chosen.threshold)
        return Measured(facts=_facts_of_levels(inside), foreground=chosen, inside=inside, outside=outside)
    return _measure_values(array.reshape(-1), _flags(valid), foreground)


def histogram(
    array: NDArray[Any], *, valid: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The values that occur in an array of integers of up to 16 bits, ascending, and how often."""
    counted = _counted(array, valid)
    seen = np.flatnonzero(counted.counts)
    return seen + counted.first, counted.counts[seen]


def _flags(valid: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    return np.empty(0, np.uint8) if valid is None else np.ascontiguousarray(valid).reshape(-1).view(np.uint8)


def _counted(array: NDArray[Any], valid: NDArray[np.bool_] | None) -> Histogram:
    info = np.iinfo(array.dtype)
    counts = np.zeros(int(info.max) - int(info.min) + 1, dtype=np.int64)
    counting.count_levels(array.reshape(-1), _flags(valid), -int(info.min), counts)
    return Histogram.of_counts(int(info.min), counts)


def _facts_of_levels(inside: Histogram) -> dict[str, float]:
    total, mean, spread = inside.moments()
    if not total:
        return {"count": 0.0}
    last = inside.first + inside.counts.size - 1
    facts = {
        "count": float(total),
        "mean": mean,
        "std": spread,
        "min": float(inside.first),
        "max": float(last),
    }
    return facts | {name: inside.percentile(percent) for name, percent in PERCENTILES.items()}


def _measure_values(values: NDArray[Any], flags: NDArray[np.uint8], name: str) -> Measured:
    low, high, total, count = counting.ends(values, flags)
    if not count:
        return Measured(
            facts={"count": 0.0}, foreground=Foreground(name=name), inside=NOTHING, outside=NOTHING
        )
    exponent = exponent_of(low, high)
    scale = math.ldexp(1.0, -exponent)
    first = math.floor(low * scale)
    counts = np.zeros((2, math.floor(high * scale) - first + 1), np.int64)

    def binned(row: NDArray[np.int64]) -> Histogram:
        return Histogram.of_counts(first, row, exponent=exponent, is_exact=False)

    if name == "otsu":  # between two bins, so that one reading is enough
        counting.count_bins(values, flags, counting.ABOVE, -math.inf, scale, first, counts)
        chosen = found(name, binned(counts[1]))
        inside, outside = binned(counts[1]).parted(chosen.threshold)
    else:
        chosen = found(name, Histogram(first=first, counts=counts[0]), mean=total / count)
        way = counting.NONZERO if chosen.is_nonzero else counting.ABOVE
        counting.count_bins(values, flags, way, chosen.threshold, scale, first, counts)
        inside, outside = binned(counts[1]), binned(counts[0])
    facts = _facts_of_values(values, flags, chosen, inside)
    return Measured(facts=facts, foreground=chosen, inside=inside, outside=outside)


def _facts_of_values(
    values: NDArray[Any], flags: NDArray[np.uint8], chosen: Foreground, inside: Histogram
) -> dict[str, float]:
    """Exact facts: the histogram says in which bins the ranks are, and only these are put in order."""
    total = inside.total
    if not total:
        return {"count": 0.0}
    way = counting.NONZERO if chosen.is_nonzero else counting.ABOVE
    mean = counting.sum_foreground(values, flags, way, chosen.threshold, 0.0, 1) / total
    squares = counting.sum_foreground(values, flags, way, chosen.threshold, mean, 2)
    around = {name: ranks(total, percent) for name, percent in PERCENTILES.items()}
    wanted = np.array(sorted({0, total - 1} | {r for low, high, _ in around.values() for r in (low, high)}))
    below = np.cumsum(inside.counts)
    bins = np.searchsorted(below, wanted, side="right")
    is_wanted = np.zeros(inside.counts.size, np.bool_)
    is_wanted[bins] = True
    picked = np.empty(int(inside.counts[is_wanted].sum()), values.dtype)
    counting.pick(values, flags, way, chosen.threshold, 1 / inside.step, inside.first, is_wanted, picked)
    picked.sort()
    skipped = np.cumsum(np.where(is_wanted, 0, inside.counts))[bins]
    at = {int(rank): float(picked[rank - gone]) for rank, gone in zip(wanted, skipped, strict=True)}
    facts = {
        "count": float(total),
        "mean": mean,
        "std": math.sqrt(squares / total),
        "min": at[0],
        "max": at[total - 1],
    }
    return facts | {n: at[low] + share * (at[high] - at[low]) for n, (low, high, share) in around.items()}
