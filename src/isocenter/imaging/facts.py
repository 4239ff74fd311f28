"""Facts: lowest and highest values and what lies beyond a CT's range, counted slice by slice in one pass."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.model.volume import Volume, VolumeFacts

# Ends of the range of HU (PS3.3 C.8.2.1 knows 12 bits): values below, and values at or above, are counted.
FLOOR, CEILING = -1024, 3071
# The kernels count in 16 bits, so that one instruction works on as many values as there is room for; a run of so many
# cannot overflow them. Within a run nothing branches and nothing changes its type: only then is it compiled so.
RUN = 8192


class Seen(NamedTuple):
    """What was seen of the values of one plane; see `VolumeFacts`."""

    minimum: float
    maximum: float
    n_valid: int
    n_below: int
    n_above: int
    n_not_finite: int = 0


# What is seen of a plane of padding.
NOTHING = Seen(np.nan, np.nan, 0, 0, 0)


def facts_of(volume: Volume) -> VolumeFacts:
    """What reading saw of a volume's values, or what is seen now where the reader did not look."""
    return volume.facts or facts_of_array(volume.array, volume.valid)


def facts_of_array(array: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> VolumeFacts:
    """Facts of an array (K, J, I), slice by slice, in one pass.

    Args:
        array: The values.
        valid: False where a voxel is padding; None where all are real.
    """
    flags = [None] * len(array) if valid is None else valid
    return facts_of_planes(look(plane, real) for plane, real in zip(array, flags, strict=True))


def facts_of_planes(planes: Iterable[Seen]) -> VolumeFacts:
    """Facts of a volume from those of its planes."""
    low, high, *counts = zip(*planes, strict=True)
    n_valid, n_below, n_above, n_not_finite = (np.array(column, np.int64) for column in counts)
    return VolumeFacts(
        minimum=np.array(low, np.float64),
        maximum=np.array(high, np.float64),
        n_valid=n_valid,
        n_below=n_below,
        n_above=n_above,
        n_not_finite=n_not_finite,
    )


def look(plane: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> Seen:
    """What is to be seen of one plane, (J, I)."""
    values = np.ascontiguousarray(plane).reshape(-1)
    flags = None if valid is None else np.ascontiguousarray(valid).reshape(-1)
    if values.dtype.kind in "iu" and values.dtype.isnative:
        ends = limits_of(values.dtype, 0)
        if ends is not None and values.size:
            return _look_at_integers(values, flags, ends)
    return Seen(*_count(values, np.empty(0, np.bool_) if flags is None else flags))


@lru_cache(maxsize=256)
def limits_of(dtype: np.dtype[Any], offset: int) -> tuple[Any, Any] | None:
    """Floor and the last value below the ceiling, as integers of a type to which an offset is yet to be added.

    A value below the first, or above the second, is beyond the range. None where the type cannot say so, because all
    of its values are beyond.
    """
    info = np.iinfo(dtype)
    floor, top = max(FLOOR - offset, info.min), min(CEILING - 1 - offset, info.max)
    return None if floor > info.max or top < info.min else (dtype.type(floor), dtype.type(top))


def _look_at_integers(values: NDArray[Any], flags: NDArray[np.bool_] | None, limits: tuple[Any, Any]) -> Seen:
    if flags is None:
        low, high, below, above = sweep(values, None, *limits)
        return Seen(float(low), float(high), values.size, below, above)
    info = np.iinfo(values.dtype)
    most, least = values.dtype.type(info.max), values.dtype.type(info.min)
    low, high, n_valid, below, above = _look_flagged(values, flags, *limits, most, least)
    return Seen(float(low), float(high), n_valid, below, above) if n_valid else NOTHING


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def sweep(values: Any, change: Any, floor: Any, top: Any) -> Any:
    """Lowest and highest of some integers, and how many are below and above two limits.

    A change is added to each once it was looked at; where it is None, nothing of that is compiled.
    """
    low, high, n_below, n_above = values[0], values[0], 0, 0
    for start in range(0, values.size, RUN):
        run = values[start : start + RUN]
        least, most, below, above = run[0], run[0], np.int16(0), np.int16(0)
        for n in range(run.size):
            value = run[n]
            least = min(least, value)
            most = max(most, value)
            below = np.int16(below + np.int16(value < floor))
            above = np.int16(above + np.int16(value > top))
            if change is not None:
                run[n] = value + change
        low, high = min(low, least), max(high, most)
        n_below += int(below)
        n_above += int(above)
    return low, high, n_below, n_above


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _look_flagged(values: Any, flags: Any, floor: Any, top: Any, largest: Any, smallest: Any) -> Any:
    """As `sweep`, of the flagged ones alone, and how many these are."""
    low, high, n_valid, n_below, n_above = largest, smallest, 0, 0, 0
    for start in range(0, values.size, RUN):
        run, real = values[start : start + RUN], flags[start : start + RUN]
        least, most, count, below, above = largest, smallest, np.int16(0), np.int16(0), np.int16(0)
        for n in range(run.size):
            up, down = run[n] if real[n] else largest, run[n] if real[n] else smallest
            least = min(least, up)
            most = max(most, down)
            below = np.int16(below + np.int16(up < floor))
            above = np.int16(above + np.int16(down > top))
            count = np.int16(count + np.int16(real[n]))
        low, high = min(low, least), max(high, most)
        n_below += int(below)
        n_above += int(above)
        n_valid += int(count)
    return low, high, n_valid, n_below, n_above


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count(values: Any, flags: Any) -> Any:
    low, high = np.inf, -np.inf
    n_valid = n_below = n_above = n_not_finite = 0
    for n in range(values.size):
        value = values[n]
        if flags.size and not flags[n]:
            continue
        n_valid += 1
        if not np.isfinite(value):
            n_not_finite += 1
            continue
        low, high = min(low, value), max(high, value)
        n_below += int(value < FLOOR)
        n_above += int(value >= CEILING)
    if low > high:
        low = high = np.nan
    return low, high, n_valid, n_below, n_above, n_not_finite
