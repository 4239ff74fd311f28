"""Kernels that find the elements of a surface, and the nearest of another for each of them.

The nearest are found exactly, one plane of the other surface at a time: in each column of that plane the lower
envelope of parabolas (P. Felzenszwalb and D. Huttenlocher, Theory of Computing 8, 2012) tells the nearest row for
every element asked about. No volume of distances is made, so that memory is that of a plane.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_FAR = np.int32(1 << 30)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_elements(voxels: NDArray[np.uint8], whole: int, planes: int, counts: NDArray[np.int64]) -> None:
    """Elements in each row of positions (planes, J + 1) of a mask (K, J, I)."""
    codes = np.empty(voxels.shape[2] + 1, np.uint8)
    rows = voxels.shape[1] + 1
    for row in range(planes * rows):
        _row_codes(voxels, row // rows, row % rows, codes)
        count = np.int64(0)
        for i in range(codes.size):
            count += np.int64((codes[i] != 0) & (codes[i] != whole))
        counts[row] = count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def find_elements(
    voxels: NDArray[np.uint8],
    whole: int,
    planes: int,
    table: NDArray[np.float64],
    starts: NDArray[np.int64],
    columns: NDArray[np.int32],
    areas: NDArray[np.float64],
) -> None:
    """The column and the area of every element, row by row."""
    codes = np.empty(voxels.shape[2] + 1, np.uint8)
    rows = voxels.shape[1] + 1
    for row in range(planes * rows):
        at = starts[row]
        if at == starts[row + 1]:
            continue
        _row_codes(voxels, row // rows, row % rows, codes)
        for i in range(codes.size):
            if codes[i] != 0 and codes[i] != whole:
                columns[at], areas[at] = i, table[codes[i]]
                at += 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _row_codes(voxels: NDArray[np.uint8], k: int, j: int, codes: NDArray[np.uint8]) -> None:
    """Which of the eight voxels around each position of a row are marked; voxel (k, j, i) is bit 7."""
    codes[:] = 0
    size_k, size_j, size_i = voxels.shape
    for step_k in range(2):
        for step_j in range(2):
            at_k, at_j = k - 1 + step_k, j - 1 + step_j
            if not (0 <= at_k < size_k and 0 <= at_j < size_j):
                continue
            line = voxels[at_k, at_j]
            bit = np.uint8(1 << (4 * step_k + 2 * step_j))
            before, after = codes[1:], codes[:size_i]
            for i in range(size_i):
                before[i] |= line[i] * bit
            for i in range(size_i):
                after[i] |= line[i] * np.uint8(2 * bit)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def near_squares(
    asked: NDArray[np.int32],
    shape: tuple[int, int, int],
    starts: NDArray[np.int64],
    columns: NDArray[np.int32],
    spacing_mm: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Squared distances to the nearest element in the nine rows around each position asked about, or infinity."""
    out = np.full(asked.shape[1], np.inf)
    for n in range(out.size):
        k, j, i = asked[0, n], asked[1, n], asked[2, n]
        for at_k in range(max(k - 1, 0), min(k + 2, shape[0])):
            for at_j in range(max(j - 1, 0), min(j + 2, shape[1])):
                row = at_k * shape[1] + at_j
                nearest = _FAR
                for at in range(starts[row], starts[row + 1]):
                    nearest = min(nearest, abs(columns[at] - i))
                    if columns[at] >= i:
                        break
                if nearest < _FAR:
                    square = _square(k - at_k, j - at_j, nearest, spacing_mm)
                    out[n] = min(out[n], square)
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def nearest_squares(
    asked: NDArray[np.int32],
    column_starts: NDArray[np.int64],
    shape: tuple[int, int, int],
    starts: NDArray[np.int64],
    columns: NDArray[np.int32],
    spacing_mm: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None:
    """Lower squared distances to those of the nearest element anywhere; positions are sorted by column, then row."""
    near = np.empty((shape[1], shape[2]), np.int32)
    filled = np.empty(shape[1], np.int32)
    lowest, limits = np.empty(shape[1], np.int32), np.empty(shape[1] + 1)
    for k in range(shape[0]):
        if starts[k * shape[1]] == starts[(k + 1) * shape[1]]:
            continue
        count = -1
        for i in range(column_starts.size - 1):
            first, last = _open(asked, column_starts[i], column_starts[i + 1], k, spacing_mm[0], squares)
            if first == last:
                continue
            if count < 0:
                count = _fill_plane(k, shape, starts, columns, near, filled)
            size = _envelope(near[:, i], filled[:count], spacing_mm, lowest, limits)
            at = 0
            for n in range(first, last):
                step = (asked[0, n] - k) * spacing_mm[0]
                if step * step >= squares[n]:
                    continue
                place = asked[1, n] * spacing_mm[1]
                while at + 1 < size and limits[at + 1] < place:
                    at += 1
                row = lowest[at]
                square = _square(asked[0, n] - k, asked[1, n] - row, near[row, i], spacing_mm)
                squares[n] = min(squares[n], square)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _open(
    asked: NDArray[np.int32], start: int, stop: int, k: int, spacing_mm: float, squares: NDArray[np.float64]
) -> Any:
    """From which to which position a plane may still hold something nearer."""
    first, last = stop, stop
    for n in range(start, stop):
        step = (asked[0, n] - k) * spacing_mm
        if step * step < squares[n]:
            if first == stop:
                first = n
            last = n + 1
    return first, last


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill_plane(
    k: int,
    shape: tuple[int, int, int],
    starts: NDArray[np.int64],
    columns: NDArray[np.int32],
    near: NDArray[np.int32],
    filled: NDArray[np.int32],
) -> Any:
    """Steps along the row to its nearest element; the rows that have one are listed, and counted."""
    count = 0
    for j in range(shape[1]):
        row = k * shape[1] + j
        if starts[row] == starts[row + 1]:
            continue
        filled[count] = j
        count += 1
        line, at, stop = near[j], starts[row], starts[row + 1]
        for i in range(shape[2]):
            while at + 1 < stop and columns[at + 1] - i <= abs(i - columns[at]):
                at += 1
            line[i] = abs(columns[at] - i)
    return count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _envelope(
    near: NDArray[np.int32],
    filled: NDArray[np.int32],
    spacing_mm: NDArray[np.float64],
    lowest: NDArray[np.int32],
    limits: NDArray[np.float64],
) -> Any:
    """Which row of a column is the nearest from where on; how many are the nearest somewhere."""
    step_j, step_i = spacing_mm[1], spacing_mm[2]
    lowest[0], limits[0] = filled[0], -np.inf
    size = 1
    for n in range(1, filled.size):
        row = filled[n]
        place, height = row * step_j, (near[row] * step_i) ** 2
        while True:
            last = lowest[size - 1]
            before, other = last * step_j, (near[last] * step_i) ** 2
            limit = ((height - other) / (place - before) + (place + before)) / 2.0
            if limit > limits[size - 1]:
                break
            size -= 1
        lowest[size], limits[size] = row, limit
        size += 1
    return size


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _square(k: int, j: int, i: int, spacing_mm: NDArray[np.float64]) -> Any:
    one, two, three = k * spacing_mm[0], j * spacing_mm[1], i * spacing_mm[2]
    return one * one + two * two + three * three
