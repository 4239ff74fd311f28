"""Intensity: from stored values to Hounsfield units and other units, slice by slice, rounded once.

The order is that of DICOM PS3.3: padding is found among stored values (C.7.5.1.1.2), then slope and
intercept are applied (C.11.1), then values are clipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.facts import look

PerSlice = float | Sequence[float] | NDArray[np.float64]


def valid_of_padding(
    stored: NDArray[Any], value: float, limit: float | None = None
) -> NDArray[np.bool_] | None:
    """Where stored values are no padding; None if that is everywhere.

    Args:
        stored: (K, J, I), before slope and intercept.
        value: Pixel Padding Value (0028,0120), read with the sign of the pixels.
        limit: Pixel Padding Range Limit (0028,0121); all from the one to the other is padding, whichever
            is larger (PS3.3 C.7.5.1.1.2).
    """
    low, high = (value, value) if limit is None else (min(value, limit), max(value, limit))
    is_padding = (stored >= low) & (stored <= high) if low != high else stored == value
    return ~is_padding if is_padding.any() else None


def to_hounsfield(
    stored: NDArray[Any],
    slope: PerSlice,
    intercept: PerSlice,
    *,
    valid: NDArray[np.bool_] | None = None,
    background: int = -1024,
    out: NDArray[np.int16] | None = None,
) -> tuple[NDArray[np.int16], int]:
    """Stored values (K, J, I) in HU, computed in float64, rounded half to even, once.

    Args:
        stored: Values as stored.
        slope: Rescale Slope (0028,1053), one or one a slice.
        intercept: Rescale Intercept (0028,1052), one or one a slice.
        valid: False where a voxel is padding; it becomes background.
        background: HU of padding.
        out: Where the HU go, of the shape of `stored`; new memory where it is not given.

    Returns:
        The HU, and how many valid voxels did not fit 16 bits and were set to the nearest end.

    Raises:
        FormatError: a slope is 0 or no number, or an intercept is no number.
    """
    slopes, intercepts = _rescale(stored, slope, intercept)
    out = np.empty(stored.shape, dtype=np.int16) if out is None else out
    flags, saturated = _flags(stored, valid), 0
    for k, plane in enumerate(np.ascontiguousarray(stored)):
        values, target = plane.reshape(-1), out[k].reshape(-1)
        real = flags[k].reshape(-1) if flags.size else flags.reshape(-1)
        if _fits(values, slopes[k], intercepts[k]):
            _to_whole(values, slopes[k], intercepts[k], target)
            if real.size:
                _blank(target, real, np.int16(background))
        else:
            saturated += _to_int16(values, slopes[k], intercepts[k], real, background, target)
    return out, int(saturated)


def to_float(
    stored: NDArray[Any],
    slope: PerSlice,
    intercept: PerSlice,
    *,
    valid: NDArray[np.bool_] | None = None,
    background: float = 0.0,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Stored values (K, J, I) times slope plus intercept as float32, computed in float64, rounded once.

    PET changes its slope from slice to slice (PS3.3 C.8.9.4). See `to_hounsfield` for the rest.
    """
    slopes, intercepts = _rescale(stored, slope, intercept)
    out = np.empty(stored.shape, dtype=np.float32) if out is None else out
    flags = _flags(stored, valid)
    for k, plane in enumerate(np.ascontiguousarray(stored)):
        _to_float32(plane.reshape(-1), slopes[k], intercepts[k], out[k].reshape(-1))
        if flags.size:
            _blank(out[k].reshape(-1), flags[k].reshape(-1), np.float32(background))
    return out


def clip_counts(
    array: NDArray[Any], low: float, high: float, *, valid: NDArray[np.bool_] | None = None
) -> tuple[int, int]:
    """Clip an array in place; how many valid voxels were below the lower and above the upper end."""
    flags = _flags(array, valid).reshape(-1)
    below, above = _clip(array.reshape(-1), low, high, flags)
    return int(below), int(above)


def invert_monochrome1(
    stored: NDArray[Any],
    bits_stored: int,
    *,
    is_signed: bool = False,
    valid: NDArray[np.bool_] | None = None,
) -> NDArray[Any]:
    """A MONOCHROME1 radiograph with bright for dense, inverted in its stored range (C.7.6.3.1.2).

    The range is that of Bits Stored (0028,0101), not that of the image, so that two images of one
    detector stay comparable. Not for CT: the meaning of HU does not depend on how they are shown. Padding,
    which may lie beyond that range, comes out as anything.

    Raises:
        FormatError: a value needs more bits than are stored.
    """
    low = -(1 << (bits_stored - 1)) if is_signed else 0
    high = low + (1 << bits_stored) - 1
    seen = look(stored, valid)
    if seen.n_valid and not (low <= seen.minimum and seen.maximum <= high):
        raise FormatError(
            "read/values",
            "stored values need more bits than the header says",
            measured=f"{seen.minimum:.0f} to {seen.maximum:.0f}",
            expected=f"{low} to {high}",
        )
    with np.errstate(over="ignore"):  # padding alone
        return np.asarray(np.array(low + high, dtype=stored.dtype) - stored)


def _rescale(
    stored: NDArray[Any], slope: PerSlice, intercept: PerSlice
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = stored.shape[0]
    slopes = np.broadcast_to(np.asarray(slope, dtype=np.float64), (count,)).copy()
    intercepts = np.broadcast_to(np.asarray(intercept, dtype=np.float64), (count,)).copy()
    if not (np.isfinite(slopes).all() and slopes.all() and np.isfinite(intercepts).all()):
        raise FormatError(
            "read/values",
            "a rescale slope is 0 or no number, or an intercept is no number",
            measured=f"slope {slopes.min()} to {slopes.max()}, intercept {intercepts.min()} to {intercepts.max()}",
        )
    return slopes, intercepts


def _flags(array: NDArray[Any], valid: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """The valid mask, or an empty one that says all are valid, as kernels take it."""
    if valid is None:
        return np.empty((0,) + (0,) * (array.ndim - 1), dtype=np.bool_)
    if valid.shape != array.shape:
        raise ValueError(f"valid is {valid.shape}, the array {array.shape}")
    return np.ascontiguousarray(valid)


def _fits(stored: NDArray[Any], slope: float, intercept: float) -> bool:
    """Whether no value leaves 16 bits, which its ends tell: multiplying, adding and rounding keep the order."""
    if stored.dtype.kind not in "iu" or not stored.size:
        return False
    seen = look(stored)
    ends = np.rint(slope * np.array([seen.minimum, seen.maximum]) + intercept)
    return bool(ends.min() >= -32768 and ends.max() <= 32767)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _to_whole(stored: Any, slope: Any, intercept: Any, out: Any) -> None:
    """Values that all fit 16 bits: nothing branches, so that several are worked on at once."""
    for n in range(stored.size):
        out[n] = np.int16(np.rint(slope * stored[n] + intercept))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _to_int16(stored: Any, slope: Any, intercept: Any, valid: Any, background: Any, out: Any) -> Any:
    saturated = 0
    for n in range(stored.size):
        is_real = valid.size == 0 or valid[n]
        value = np.rint(slope * stored[n] + intercept) if is_real else np.float64(background)
        saturated += int(value < -32768.0 or value > 32767.0)
        out[n] = np.int16(min(max(value, -32768.0), 32767.0))
    return saturated


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _to_float32(stored: Any, slope: Any, intercept: Any, out: Any) -> None:
    for n in range(stored.size):
        out[n] = slope * stored[n] + intercept


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _blank(values: Any, valid: Any, background: Any) -> None:
    for n in range(values.size):
        values[n] = values[n] if valid[n] else background


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _clip(values: NDArray[Any], low: float, high: float, valid: NDArray[np.bool_]) -> tuple[int, int]:
    below = above = 0
    for n in range(values.size):
        is_counted = valid.size == 0 or valid[n]
        if values[n] < low:
            below += int(is_counted)
            values[n] = low
        elif values[n] > high:
            above += int(is_counted)
            values[n] = high
    return below, above
