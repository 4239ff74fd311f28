"""Interpolate: the compiled kernels behind resampling, one pass from source to target.

Values are summed in float32 and written once; integers are rounded half to even and kept in range. A
source plane is resampled within the plane when it is first needed and kept until the planes that need it
are done, so each source voxel is read once.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def interpolate_separable(
    source: NDArray[Any],
    k_start: Indices,
    k_weights: Floats,
    j_start: Indices,
    j_weights: Floats,
    i_start: Indices,
    i_weights: Floats,
    low: float,
    high: float,
    is_integer: bool,
    out: NDArray[Any],
) -> None:
    """Weighted sums along each axis in turn (rows, then columns, then slices)."""
    width = k_weights.shape[0]
    ring = np.empty((width, j_start.size, i_start.size), np.float32)
    held = np.full(width, -1, np.int64)
    line = np.empty(source.shape[2], np.float32)
    total = np.empty(j_start.size * i_start.size, np.float32)
    for k in range(k_start.size):
        for t in range(width):
            plane = k_start[k] + t
            if held[plane % width] != plane:
                _resample_plane(
                    source[plane], j_start, j_weights, i_start, i_weights, line, ring[plane % width]
                )
                held[plane % width] = plane
        target = out[k].reshape(-1)
        first = ring[k_start[k] % width].reshape(-1)
        weight = k_weights[0, k]
        if width == 2:
            second = ring[(k_start[k] + 1) % 2].reshape(-1)
            other = k_weights[1, k]
            for n in range(total.size):
                total[n] = weight * first[n] + other * second[n]
        else:
            for n in range(total.size):
                total[n] = weight * first[n]
            for t in range(1, width):
                _add(ring[(k_start[k] + t) % width].reshape(-1), k_weights[t, k], total)
        _write(total, np.float32(low), np.float32(high), is_integer, target)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _resample_plane(
    plane: NDArray[Any],
    j_start: Indices,
    j_weights: Floats,
    i_start: Indices,
    i_weights: Floats,
    line: Floats,
    out: Floats,
) -> None:
    for j in range(j_start.size):
        row = plane[j_start[j]]
        weight = j_weights[0, j]
        if j_weights.shape[0] == 2:
            following = plane[j_start[j] + 1]
            other = j_weights[1, j]
            for n in range(line.size):
                line[n] = weight * np.float32(row[n]) + other * np.float32(following[n])
        else:
            for n in range(line.size):
                line[n] = weight * np.float32(row[n])
            for t in range(1, j_weights.shape[0]):
                _add(plane[j_start[j] + t], j_weights[t, j], line)
        target = out[j]
        if i_weights.shape[0] == 2:
            for n in range(target.size):
                i = i_start[n]
                target[n] = i_weights[0, n] * line[i] + i_weights[1, n] * line[i + 1]
        else:
            for n in range(target.size):
                target[n] = i_weights[0, n] * line[i_start[n]]
            for t in range(1, i_weights.shape[0]):
                for n in range(target.size):
                    target[n] += i_weights[t, n] * line[i_start[n] + t]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add(values: NDArray[Any], weight: np.float32, total: Floats) -> None:
    for n in range(total.size):
        total[n] += weight * np.float32(values[n])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _write(total: Floats, low: np.float32, high: np.float32, is_integer: bool, target: NDArray[Any]) -> None:
    if is_integer:
        for n in range(total.size):
            target[n] = min(max(np.rint(total[n]), low), high)
    else:
        for n in range(total.size):
            target[n] = total[n]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def pick_separable(
    source: NDArray[Any], k_start: Indices, j_start: Indices, i_start: Indices, out: NDArray[Any]
) -> None:
    """Copy one source voxel to each target voxel."""
    for k in range(k_start.size):
        for j in range(j_start.size):
            row = source[k_start[k], j_start[j]]
            target = out[k, j]
            for i in range(i_start.size):
                target[i] = row[i_start[i]]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def interpolate_affine(
    source: NDArray[Any],
    matrix: NDArray[np.float64],
    low: float,
    high: float,
    is_integer: bool,
    out: NDArray[Any],
    inside: NDArray[np.bool_],
) -> None:
    """Trilinear values at matrix @ (i, j, k, 1) of every target voxel; the border goes on outwards."""
    line = np.zeros(out.shape[2], np.float32)
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                z, y, x = locate(matrix, k, j, i)
                inside[k, j, i] = is_in_image(source, z, y, x)
                if inside[k, j, i]:
                    line[i] = _trilinear(source, z, y, x)
            _write(line, np.float32(low), np.float32(high), is_integer, out[k, j])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def pick_affine(
    source: NDArray[Any], matrix: NDArray[np.float64], out: NDArray[Any], inside: NDArray[np.bool_]
) -> None:
    """Values of the nearest source voxel at matrix @ (i, j, k, 1) of every target voxel."""
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                z, y, x = locate(matrix, k, j, i)
                inside[k, j, i] = is_in_image(source, z, y, x)
                if inside[k, j, i]:
                    out[k, j, i] = source[
                        clamp(np.floor(z + 0.5), source.shape[0]),
                        clamp(np.floor(y + 0.5), source.shape[1]),
                        clamp(np.floor(x + 0.5), source.shape[2]),
                    ]


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
        -0.5 - 1e-6 <= z <= size_k - 0.5 + 1e-6
        and -0.5 - 1e-6 <= y <= size_j - 0.5 + 1e-6
        and -0.5 - 1e-6 <= x <= size_i - 0.5 + 1e-6
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def clamp(position: float, count: int) -> int:
    """The nearest index that exists."""
    return int(min(max(position, 0.0), count - 1.0))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _trilinear(source: NDArray[Any], z: float, y: float, x: float) -> np.float32:
    base_k, base_j, base_i = np.floor(z), np.floor(y), np.floor(x)
    k0, k1 = clamp(base_k, source.shape[0]), clamp(base_k + 1, source.shape[0])
    j0, j1 = clamp(base_j, source.shape[1]), clamp(base_j + 1, source.shape[1])
    i0, i1 = clamp(base_i, source.shape[2]), clamp(base_i + 1, source.shape[2])
    c, b, a = np.float32(z - base_k), np.float32(y - base_j), np.float32(x - base_i)
    one = np.float32(1)
    near = (one - b) * (
        (one - a) * np.float32(source[k0, j0, i0]) + a * np.float32(source[k0, j0, i1])
    ) + b * ((one - a) * np.float32(source[k0, j1, i0]) + a * np.float32(source[k0, j1, i1]))
    far = (one - b) * (
        (one - a) * np.float32(source[k1, j0, i0]) + a * np.float32(source[k1, j0, i1])
    ) + b * ((one - a) * np.float32(source[k1, j1, i0]) + a * np.float32(source[k1, j1, i1]))
    return (one - c) * near + c * far
