"""Counting: the kernels that bring the voxels of an image into a histogram, and pick out what it needs of them."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_BLOCK = 4096
# Ways of a foreground, as numbers that the kernels understand.
ABOVE, NONZERO = 0, 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_levels(
    values: NDArray[Any], valid: NDArray[np.uint8], offset: int, counts: NDArray[np.int64]
) -> None:
    """Count whole numbers one by one; `valid` may be empty, where all are."""
    if valid.size == 0:
        for n in range(values.size):
            counts[values[n] + offset] += 1
    else:
        for n in range(values.size):
            counts[values[n] + offset] += valid[n]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def ends(values: NDArray[Any], valid: NDArray[np.uint8]) -> tuple[float, float, float, int]:
    """Lowest and highest value, sum and number of those that are valid and finite."""
    low, high, total, count = np.inf, -np.inf, 0.0, 0
    for start in range(0, values.size, _BLOCK):
        part = 0.0
        for n in range(start, min(start + _BLOCK, values.size)):
            value = np.float64(values[n])
            if (valid.size == 0 or valid[n]) and np.isfinite(value):
                low, high = min(low, value), max(high, value)
                part += value
                count += 1
        total += part
    return low, high, total, count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def is_in(value: float, way: int, threshold: float) -> bool:
    """Whether a value is foreground."""
    return value != 0.0 if way == NONZERO else value > threshold


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_bins(
    values: NDArray[Any],
    valid: NDArray[np.uint8],
    way: int,
    threshold: float,
    scale: float,
    first: int,
    counts: NDArray[np.int64],
) -> None:
    """Count values (2, N) in bins: what is background, and what is foreground. `scale` is 1 / width."""
    for n in range(values.size):
        value = np.float64(values[n])
        if (valid.size == 0 or valid[n]) and np.isfinite(value):
            place = int(np.floor(value * scale)) - first
            counts[int(is_in(value, way, threshold)), place] += 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def sum_foreground(
    values: NDArray[Any], valid: NDArray[np.uint8], way: int, threshold: float, centre: float, power: int
) -> float:
    """Sum of the foreground's values, or of their squared distances from a centre, block by block."""
    total = 0.0
    for start in range(0, values.size, _BLOCK):
        part = 0.0
        for n in range(start, min(start + _BLOCK, values.size)):
            value = np.float64(values[n])
            if (valid.size == 0 or valid[n]) and np.isfinite(value) and is_in(value, way, threshold):
                distance = value - centre
                part += distance if power == 1 else distance * distance
        total += part
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def pick(
    values: NDArray[Any],
    valid: NDArray[np.uint8],
    way: int,
    threshold: float,
    scale: float,
    first: int,
    wanted: NDArray[np.bool_],
    out: NDArray[Any],
) -> None:
    """The values of the foreground that lie in wanted bins, in the order in which they come."""
    at = 0
    for n in range(values.size):
        value = np.float64(values[n])
        if (valid.size == 0 or valid[n]) and np.isfinite(value) and is_in(value, way, threshold):
            place = int(np.floor(value * scale)) - first
            if 0 <= place < wanted.size and wanted[place]:
                out[at] = values[n]
                at += 1
