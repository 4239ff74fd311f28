"""Canonical pixels: one digest for an image, in whatever order, slope or type its values are stored."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.base.digests import digest_of, digest_of_bytes
from isocenter.imaging.affine import canonical
from isocenter.model.grid import Grid

# A table of levels of this length costs less than looking through the voxels does.
_MOST_LEVELS = 1 << 22


def pixel_digest(values: NDArray[Any], grid: Grid) -> str:
    """Digest of an image's pixels in RAS+ order; "" of an image that has one value only, as all blank ones are equal.

    Whole numbers are counted through from the lowest level that occurs: the same picture has the same digest as
    stored values, as Hounsfield units and with any other slope and intercept that keeps levels apart: what counts is their order. Fractions are
    taken as they are, in single precision.
    """
    array = canonical(grid).view(values)
    ranks = _ranks(np.ascontiguousarray(array))
    if ranks is None:
        floats = np.ascontiguousarray(array, np.float32) + np.float32(0)  # there is one zero
        ranks = np.where(np.isnan(floats), np.float32(np.nan), floats)
    elif not ranks.any():
        return ""
    pixels = digest_of_bytes(ranks.reshape(-1).view(np.uint8).data)
    return digest_of([list(ranks.shape), str(ranks.dtype), pixels])


def _ranks(array: NDArray[Any]) -> NDArray[Any] | None:
    """For every voxel how many levels lie below its own; None where values are not whole numbers."""
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        if not (np.isfinite(low) and np.isfinite(high) and high - low < _MOST_LEVELS and abs(low) < 2**53):
            return None
        whole = array.astype(np.int64)
        if not np.array_equal(whole, array):
            return None
        array = whole
    first, last = int(array.min()), int(array.max())
    if last - first >= _MOST_LEVELS:
        levels, places = np.unique(array, return_inverse=True)
        return places.reshape(array.shape).astype(_narrow(len(levels)))
    flat = array.reshape(-1)
    is_seen = np.zeros(last - first + 1, np.bool_)
    _see(flat, first, is_seen)
    rank = np.cumsum(is_seen) - 1
    out = np.empty(flat.size, _narrow(int(rank[-1]) + 1))
    _replace(flat, first, rank.astype(out.dtype), out)
    return out.reshape(array.shape)


def _narrow(levels: int) -> np.dtype[Any]:
    return np.dtype(np.uint16 if levels <= 1 << 16 else np.uint32)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _see(values: NDArray[Any], first: int, is_seen: NDArray[np.bool_]) -> None:
    for n in range(values.size):
        is_seen[np.int64(values[n]) - first] = True


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _replace(values: NDArray[Any], first: int, rank: NDArray[Any], out: NDArray[Any]) -> None:
    for n in range(values.size):
        out[n] = rank[np.int64(values[n]) - first]
