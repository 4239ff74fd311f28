"""Boxes of masks: the smallest part of a volume that holds all that is marked."""

from __future__ import annotations

from collections.abc import Iterable

import numba
import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, slice, slice]


def box_of(masks: Iterable[NDArray[np.bool_]]) -> Box | None:
    """The smallest box (k, j, i) around the marked voxels of all masks (K, J, I); None where nothing is marked."""
    bounds = np.empty((3, 2), dtype=np.int64)
    bounds[:, 0], bounds[:, 1] = np.iinfo(np.int64).max, -1
    for mask in masks:
        _widen(np.ascontiguousarray(mask).view(np.uint8), bounds)
    if bounds[0, 1] < 0:
        return None
    k, j, i = (slice(int(low), int(high) + 1) for low, high in bounds)
    return k, j, i


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _widen(voxels: NDArray[np.uint8], bounds: NDArray[np.int64]) -> None:
    for k in range(voxels.shape[0]):
        for j in range(voxels.shape[1]):
            row = voxels[k, j]
            seen = np.uint8(0)
            for i in range(row.size):
                seen |= row[i]
            if seen == 0:
                continue
            bounds[0, 0], bounds[0, 1] = min(bounds[0, 0], k), max(bounds[0, 1], k)
            bounds[1, 0], bounds[1, 1] = min(bounds[1, 0], j), max(bounds[1, 1], j)
            i = 0
            while i < bounds[2, 0] and i < row.size and row[i] == 0:
                i += 1
            bounds[2, 0] = min(bounds[2, 0], i)
            i = row.size - 1
            while i > bounds[2, 1] and row[i] == 0:
                i -= 1
            bounds[2, 1] = max(bounds[2, 1], i)
