"""Interpolate: the compiled kernels behind resampling onto parallel axes, one pass from source to target.

Values are summed in float32 and written once; integers are rounded half to even and kept in range. A
source plane is resampled within the plane when it is first needed and kept until the planes that need it
are done.

Cost: each source voxel is read once (and those of the planes where two threads' pieces meet once more), each
target voxel is written once; what is kept is one float32 plane of the target's size for each slice tap.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.taps import EDGE_VOXELS

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
# An index that cannot be negative need not be looked at before it is used.
Unsigned = NDArray[np.uint64]
ONE = np.uint64(1)
# Rows are resampled four at a time: the place and the weights of a voxel are fetched once for all.
ROWS = 4

# How sums are written: as they are, as integers in range, or as whether they are at least `low`.
AS_FLOAT, AS_INTEGER, AS_SHARE = 0, 1, 2


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def interpolate_separable(
    source: NDArray[Any],
    k_start: Indices,
    k_weights: Floats,
    j_start: Indices,
    j_weights: Floats,
    i_start: Unsigned,
    i_weights: Floats,
    low: float,
    high: float,
    mode: int,
    begin: int,
    end: int,
    out: NDArray[Any],
) -> None:
    """Weighted sums along rows, columns and slices (each axis in turn) for target planes `begin` to `end`."""
    width = k_weights.shape[0]
    ring = np.empty((width, j_start.size, i_start.size), np.float32)
    stack = np.empty((width, i_start.size), np.float32)
    held = np.full(width, -1, np.int64)
    lines = np.zeros((ROWS, source.shape[2]), np.float32)
    spare = np.empty((ROWS, i_start.size), np.float32)
    row = np.empty(i_start.size, np.float32)
    for k in range(begin, end):
        for t in range(width):
            plane = k_start[k] + t
            if held[plane % width] != plane:
                target = ring[plane % width]
                for j in range(0, j_start.size, ROWS):
                    count = min(ROWS, j_start.size - j)
                    for r in range(count):
                        combine_rows(source[plane], j_start[j + r], j_weights[:, j + r], lines[r])
                    rows = target[j : j + ROWS] if count == ROWS else spare
                    gather_rows(lines, i_start, i_weights, rows)
                    if count < ROWS:
                        target[j:] = spare[:count]
                held[plane % width] = plane
        for j in range(j_start.size):
            if width == 1:
                write_row(ring[0, j], low, high, mode, out[k, j])
            elif width == 2:
                first, second = ring[k_start[k] % 2, j], ring[(k_start[k] + 1) % 2, j]
                a, b = k_weights[0, k], k_weights[1, k]
                for n in range(row.size):
                    row[n] = a * first[n] + b * second[n]
                write_row(row, low, high, mode, out[k, j])
            else:
                for t in range(width):
                    stack[t] = ring[(k_start[k] + t) % width, j]
                combine_rows(stack, 0, k_weights[:, k], row)
                write_row(row, low, high, mode, out[k, j])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def combine_rows(rows: NDArray[Any], start: int, weights: Floats, out: Floats) -> None:
    """The weighted sum of rows from `start` on."""
    width = weights.size
    a, first = weights[0], rows[start]
    if width == 1:
        for n in range(out.size):
            out[n] = a * np.float32(first[n])
        return
    b, second = weights[1], rows[start + 1]
    if width == 4:
        third, fourth, c, d = rows[start + 2], rows[start + 3], weights[2], weights[3]
        for n in range(out.size):
            out[n] = (a * np.float32(first[n]) + b * np.float32(second[n])) + (
                c * np.float32(third[n]) + d * np.float32(fourth[n])
            )
        return
    for n in range(out.size):
        out[n] = a * np.float32(first[n]) + b * np.float32(second[n])
    for t in range(2, width):
        c, third = weights[t], rows[start + t]
        for n in range(out.size):
            out[n] += c * np.float32(third[n])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def gather_rows(lines: Floats, start: Unsigned, weights: Floats, out: Floats) -> None:
    """The weighted sum of neighbours in each of four rows (4, I), for each target voxel (4, I')."""
    width = weights.shape[0]
    a, b, c, d = lines[0], lines[1], lines[2], lines[3]
    e, f, g, h = out[0], out[1], out[2], out[3]
    if width == 2:
        for n in range(start.size):
            i, j, v, w = start[n], start[n] + ONE, weights[0, n], weights[1, n]
            e[n] = v * a[i] + w * a[j]
            f[n] = v * b[i] + w * b[j]
            g[n] = v * c[i] + w * c[j]
            h[n] = v * d[i] + w * d[j]
        return
    for n in range(start.size):
        i, w = start[n], weights[0, n]
        p, q, r, s = w * a[i], w * b[i], w * c[i], w * d[i]
        for t in range(1, width):
            i += ONE
            w = weights[t, n]
            p += w * a[i]
            q += w * b[i]
            r += w * c[i]
            s += w * d[i]
        e[n], f[n], g[n], h[n] = p, q, r, s


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def write_row(row: Floats, low: float, high: float, mode: int, out: NDArray[Any]) -> None:
    """A finished row in the target's type."""
    if mode == AS_FLOAT:
        for n in range(out.size):
            out[n] = row[n]
    elif mode == AS_INTEGER and out.itemsize <= 2:
        # what is far out of range for 16 bits is in range for 32, and integers are compared faster
        bottom, top = np.int32(low), np.int32(high)
        for n in range(out.size):
            out[n] = min(max(np.int32(np.rint(row[n])), bottom), top)
    elif mode == AS_INTEGER:
        least, most = np.float32(low), np.float32(high)
        for n in range(out.size):
            out[n] = min(max(np.rint(row[n]), least), most)
    else:
        least = np.float32(low)
        for n in range(out.size):
            out[n] = row[n] >= least


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def pick_separable(
    source: NDArray[Any],
    k_start: Indices,
    j_start: Indices,
    i_start: Unsigned,
    begin: int,
    end: int,
    out: NDArray[Any],
) -> None:
    """Copy one source voxel to each voxel of target planes `begin` to `end`."""
    for k in range(begin, end):
        for j in range(j_start.size):
            row = source[k_start[k], j_start[j]]
            target = out[k, j]
            for i in range(i_start.size):
                target[i] = row[i_start[i]]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def locate(matrix: NDArray[np.float64], k: int, j: int, i: int) -> tuple[float, float, float]:
    """Where a target voxel lies in the source, as (k, j, i)."""
    x = matrix[0, 0] * i + (matrix[0, 1] * j + matrix[0, 2] * k + matrix[0, 3])
    y = matrix[1, 0] * i + (matrix[1, 1] * j + matrix[1, 2] * k + matrix[1, 3])
    z = matrix[2, 0] * i + (matrix[2, 1] * j + matrix[2, 2] * k + matrix[2, 3])
    return z, y, x


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def is_in_image(source: NDArray[Any], z: float, y: float, x: float) -> bool:
    """Whether a position lies within the outer faces of the border voxels."""
    size_k, size_j, size_i = source.shape
    return bool(
        -0.5 - EDGE_VOXELS <= z <= size_k - 0.5 + EDGE_VOXELS
        and -0.5 - EDGE_VOXELS <= y <= size_j - 0.5 + EDGE_VOXELS
        and -0.5 - EDGE_VOXELS <= x <= size_i - 0.5 + EDGE_VOXELS
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def clamp(position: float, count: int) -> int:
    """The nearest index that exists."""
    return int(min(max(position, 0.0), count - 1.0))
