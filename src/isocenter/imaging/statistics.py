"""Statistics: count, mean, spread and percentiles of the values of a volume, exact and in one reading.

Integers of up to 16 bits are counted in a histogram, so every number is exact. Floats are summed in
float64 in blocks, in two passes; no float64 copy of the voxels is made.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError

PERCENTILES = {
    "p0.5": 0.5,
    "p1": 1.0,
    "p5": 5.0,
    "p25": 25.0,
    "median": 50.0,
    "p75": 75.0,
    "p95": 95.0,
    "p99": 99.0,
    "p99.5": 99.5,
}

_BLOCK = 4096


def foreground_of(unit: str) -> float | str:
    """The threshold above which a voxel counts as foreground, per unit of a volume.

    HU: -500, halfway between air (-1000) and water (0), where a blurred skin surface lies; it leaves out
    the air of lung and bowel as well. SUV: 0, as voxels outside the reconstructed field hold 0. All
    else (MR, radiographs) has no absolute scale: the mean of all voxels, as z-scores of MR are commonly
    taken (background of MR is noise, not 0).
    """
    if unit.startswith("SUV"):
        return 0.0
    return -500.0 if unit == "HU" else "mean"


def describe(
    array: NDArray[Any], *, valid: NDArray[np.bool_] | None = None, foreground: float | str | None = None
) -> dict[str, float]:
    """Describe the values of an array (K, J, I).

    Args:
        array: Numbers of any type; NaN and infinities are left out.
        valid: False where a voxel is padding.
        foreground: Only values above this number are described; "mean" stands for the mean of all that
            are valid, None for no threshold (see `foreground_of`).

    Returns:
        `count`, then, unless it is 0, `mean`, `std` (of the population, divided by the count), `min`,
        `max` and the `PERCENTILES` (linear between the two nearest ranks, Hyndman and Fan's type 7).
    """
    if isinstance(foreground, str) and foreground != "mean":
        raise ConfigError(f"foreground is a number, 'mean' or None, not {foreground!r}")
    if valid is not None and valid.shape != array.shape:
        raise ValueError(f"valid is {valid.shape}, the array {array.shape}")
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2:
        return _describe_counts(*_histogram(array, valid), foreground)
    chosen = array.reshape(-1) if valid is None else array[valid]
    if chosen.dtype.kind == "f" and not np.isfinite(chosen).all():
        chosen = chosen[np.isfinite(chosen)]
    if foreground is not None and chosen.size:
        threshold = _sum(chosen, 0.0, 1) / chosen.size if foreground == "mean" else float(foreground)
        chosen = chosen[chosen > threshold]
    return _describe_values(chosen)


def histogram(
    array: NDArray[Any], *, valid: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The values that occur in an array of integers of up to 16 bits, ascending, and how often."""
    levels, counts = _histogram(array, valid)
    is_seen = counts > 0
    return levels[is_seen], counts[is_seen]


def _histogram(
    array: NDArray[Any], valid: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    info = np.iinfo(array.dtype)
    counts = np.zeros(int(info.max) - int(info.min) + 1, dtype=np.int64)
    flat = array.reshape(-1)
    _count(
        flat,
        flat[:0].view(np.uint8) if valid is None else valid.reshape(-1).view(np.uint8),
        -int(info.min),
        counts,
    )
    return np.arange(int(info.min), int(info.max) + 1, dtype=np.int64), counts


def _describe_counts(
    levels: NDArray[np.int64], counts: NDArray[np.int64], foreground: float | str | None
) -> dict[str, float]:
    total = int(counts.sum())
    if foreground is not None and total:
        threshold = int(levels @ counts) / total if foreground == "mean" else float(foreground)
        counts = np.where(levels > threshold, counts, 0)
        total = int(counts.sum())
    if total == 0:
        return {"count": 0.0}
    mean = int(levels @ counts) / total
    # whole numbers to the end: a sum of floats would depend on how many threads share it
    first, second = int(levels @ counts), int((levels * levels) @ counts)
    spread = float(np.sqrt((total * second - first * first) / (total * total)))
    below = np.cumsum(counts)

    def at(rank: int) -> float:
        return float(levels[np.searchsorted(below, rank, side="right")])

    facts = {"count": float(total), "mean": mean, "std": spread, "min": at(0), "max": at(total - 1)}
    for name, percent in PERCENTILES.items():
        low, high, share = _ranks(total, percent)
        facts[name] = at(low) + share * (at(high) - at(low))
    return facts


def _describe_values(values: NDArray[Any]) -> dict[str, float]:
    total = values.size
    if total == 0:
        return {"count": 0.0}
    mean = _sum(values, 0.0, 1) / total
    ranks = {name: _ranks(total, percent) for name, percent in PERCENTILES.items()}
    wanted = sorted({0, total - 1} | {r for low, high, _ in ranks.values() for r in (low, high)})
    ordered = np.partition(values, wanted)
    facts = {
        "count": float(total),
        "mean": mean,
        "std": float(np.sqrt(_sum(values, mean, 2) / total)),
        "min": float(ordered[0]),
        "max": float(ordered[-1]),
    }
    for name, (low, high, share) in ranks.items():
        facts[name] = float(ordered[low]) + share * (float(ordered[high]) - float(ordered[low]))
    return facts


def _ranks(total: int, percent: float) -> tuple[int, int, float]:
    """The two ranks around a percentile, and how far it lies towards the upper one."""
    rank = (total - 1) * percent / 100.0
    low = int(rank)
    return low, min(low + 1, total - 1), rank - low


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count(values: NDArray[Any], valid: NDArray[np.uint8], offset: int, counts: NDArray[np.int64]) -> None:
    if valid.size == 0:
        for n in range(values.size):
            counts[values[n] + offset] += 1
    else:
        for n in range(values.size):
            counts[values[n] + offset] += valid[n]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sum(values: NDArray[Any], centre: float, power: int) -> float:
    """Sum of the values, or of their squared distances from a centre, block by block."""
    total = 0.0
    for start in range(0, values.size, _BLOCK):
        part = 0.0
        for n in range(start, min(start + _BLOCK, values.size)):
            distance = np.float64(values[n]) - centre
            part += distance if power == 1 else distance * distance
        total += part
    return total
