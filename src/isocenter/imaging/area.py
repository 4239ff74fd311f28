"""Area: means over equal boxes of an image, whatever the number of voxels to a box."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray


def area_mean(
    values: NDArray[Any], shape: tuple[int, ...], *, valid: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Means of an image (K, J, I) over the boxes of a coarser one; a voxel counts by its share of a box.

    Only what is valid and finite counts. A box without any such voxel has the lowest mean of the others.

    Args:
        values: The image.
        shape: How many boxes along (k, j, i), at most as many as there are voxels.
        valid: Which voxels count; all of them by default.
    """
    sums, weights = np.zeros(shape), np.zeros(shape)
    flags = np.empty((0, 0, 0), np.uint8) if valid is None else np.ascontiguousarray(valid).view(np.uint8)
    _add(np.ascontiguousarray(values), flags, sums, weights)
    is_filled = weights > 1e-9
    lowest = float((sums[is_filled] / weights[is_filled]).min()) if is_filled.any() else 0.0
    means: NDArray[np.float64] = np.divide(sums, weights, out=np.full(shape, lowest), where=is_filled)
    return means


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _place(voxel: int, voxels: int, boxes: int) -> tuple[int, float]:
    """The first box that a voxel lies in, and which share of it does; the rest lies in the next one."""
    first = voxel * boxes // voxels
    edge = (first + 1) * voxels / boxes
    return first, min(1.0, edge - voxel)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add(
    values: NDArray[Any], valid: NDArray[np.uint8], sums: NDArray[np.float64], weights: NDArray[np.float64]
) -> None:
    """Add every voxel, and its weight, to the one to eight boxes that it lies in."""
    depth, height, width = values.shape
    columns = sums.shape[2]
    box = np.empty(width, np.int64)
    share = np.empty(width, np.float64)
    for i in range(width):
        box[i], share[i] = _place(i, width, columns)
    line, mass = np.empty(columns + 1), np.empty(columns + 1)
    for k in range(depth):
        to_k, part_k = _place(k, depth, sums.shape[0])
        for j in range(height):
            to_j, part_j = _place(j, height, sums.shape[1])
            line[:] = 0.0
            mass[:] = 0.0
            for i in range(width):
                value = np.float64(values[k, j, i])
                if not np.isfinite(value) or (valid.size and not valid[k, j, i]):
                    continue
                at, part = box[i], share[i]
                line[at] += part * value
                line[at + 1] += (1.0 - part) * value
                mass[at] += part
                mass[at + 1] += 1.0 - part
            for step_k in range(2):
                weight_k = part_k if step_k == 0 else 1.0 - part_k
                if weight_k <= 0.0:
                    continue
                for step_j in range(2):
                    weight = weight_k * (part_j if step_j == 0 else 1.0 - part_j)
                    if weight <= 0.0:
                        continue
                    for at in range(columns):
                        sums[to_k + step_k, to_j + step_j, at] += weight * line[at]
                        weights[to_k + step_k, to_j + step_j, at] += weight * mass[at]
