"""Stored: the stored values of one plane made into values where they lie, with what is to be known of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.facts import NOTHING, RUN, Seen, limits_of, look, sweep


def mark_padding(stored: NDArray[Any], value: int, limit: int | None, flags: NDArray[np.bool_]) -> int:
    """Mark the pixels that are no padding; how many there are.

    Args:
        stored: (J, I), before slope and intercept.
        value: Pixel Padding Value (0028,0120), read with the sign of the pixels.
        limit: Pixel Padding Range Limit (0028,0121); all from the one to the other is padding, whichever
            is larger (PS3.3 C.7.5.1.1.2).
        flags: Where the marks go, (J, I).
    """
    low, high = (value, value) if limit is None else (min(value, limit), max(value, limit))
    info = np.iinfo(stored.dtype)
    if low > info.max or high < info.min:
        flags[...] = True
        return stored.size
    first, last = (stored.dtype.type(n) for n in (max(low, info.min), min(high, info.max)))
    return int(_mark(stored.reshape(-1), first, last, flags.reshape(-1)))


def add_in_place(
    stored: NDArray[Any],
    offset: int,
    dtype: np.dtype[Any],
    *,
    flags: NDArray[np.bool_] | None = None,
    background: int = 0,
) -> Seen | None:
    """Add a whole number to stored values where they lie, in the bits of a type of their size.

    Args:
        stored: (J, I), contiguous integers.
        offset: What is added.
        dtype: The type that the sums are of.
        flags: False where a pixel is padding, which becomes background; None where all are real.
        background: Value of padding.

    Returns:
        What is seen of the sums, or None where one does not fit; the stored values are as they were then.
    """
    values, limits = stored.reshape(-1), limits_of(stored.dtype, offset)
    room = _room_of(dtype)
    if limits is None or not values.size:
        return None
    change = _wrapped(offset, stored.dtype)
    if flags is None:
        low, high, below, above = sweep(values, change, *limits)
        if low + offset < room.min or high + offset > room.max:
            sweep(values, _wrapped(-offset, stored.dtype), *limits)
            return None
        return Seen(float(low + offset), float(high + offset), values.size, below, above)
    seen = look(stored, flags)
    if seen.n_valid and not room.min <= seen.minimum + offset <= seen.maximum + offset <= room.max:
        return None
    below, above = _add_flagged(
        values, flags.reshape(-1), change, _wrapped(background, stored.dtype), *limits
    )
    if not seen.n_valid:
        return NOTHING
    return Seen(seen.minimum + offset, seen.maximum + offset, seen.n_valid, below, above)


def count_beyond(
    values: NDArray[Any], low: float, high: float, flags: NDArray[np.bool_] | None = None
) -> int:
    """How many values that are no padding lie outside of two ends."""
    outside = (values < low) | (values > high)
    return int(np.count_nonzero(outside if flags is None else outside & flags))


def keep_low_bits(stored: NDArray[Any], bits: int) -> NDArray[Any]:
    """Stored values without what lies in the bits above them, such as an overlay (PS3.5 8.1.1).

    The highest of the stored bits is the sign of a signed value.
    """
    shift = 8 * stored.dtype.itemsize - bits
    return np.asarray((stored << shift) >> shift)


@lru_cache(maxsize=16)
def _room_of(dtype: np.dtype[Any]) -> np.iinfo[Any]:
    """The ends of an integer type: looking them up takes longer than one thinks."""
    return np.iinfo(dtype)


@lru_cache(maxsize=256)
def _wrapped(number: int, dtype: np.dtype[Any]) -> Any:
    """A whole number in the bits of a type: adding it there is the same as adding the number itself."""
    return np.int64(number).astype(dtype)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _mark(values: Any, first: Any, last: Any, flags: Any) -> Any:
    total = 0
    for start in range(0, values.size, RUN):
        run, real, count = values[start : start + RUN], flags[start : start + RUN], np.int16(0)
        for n in range(run.size):
            is_real = (run[n] < first) | (run[n] > last)
            real[n] = is_real
            count = np.int16(count + np.int16(is_real))
        total += int(count)
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_flagged(values: Any, flags: Any, change: Any, background: Any, floor: Any, top: Any) -> Any:
    """Add to the flagged ones and make the others background; how many were below and above two limits."""
    n_below, n_above = 0, 0
    for start in range(0, values.size, RUN):
        run, real = values[start : start + RUN], flags[start : start + RUN]
        below, above = np.int16(0), np.int16(0)
        for n in range(run.size):
            value, is_real = run[n], real[n]
            below = np.int16(below + np.int16((value < floor) & is_real))
            above = np.int16(above + np.int16((value > top) & is_real))
            run[n] = value + change if is_real else background
        n_below += int(below)
        n_above += int(above)
    return n_below, n_above
