"""Oblique: the compiled kernels behind resampling where no axis of the target runs along one of the source.

Along a target row the place in the source moves by a constant step, so that the voxels whose whole
neighbourhood lies in the source are one stretch of the row. There no index is checked; only at its ends, and
where the border goes on outwards, is each one brought back inside.

Cost: each target voxel and its mark are written once; each reads 8 (linear), 64 (cubic) or 216 (Lanczos)
source voxels, which mostly still lie in the processor's cache.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.interpolate import Floats, clamp, is_in_image, locate, write_row
from isocenter.imaging.prefilter import mirrored

Matrix = NDArray[np.float64]

# sin and cos of pi (2 - n) / 3 for the six taps of a Lanczos kernel.
_SINES, _COSINES = np.sin(np.pi * (2 - np.arange(6)) / 3), np.cos(np.pi * (2 - np.arange(6)) / 3)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def pick_affine(
    source: NDArray[Any], matrix: Matrix, begin: int, end: int, out: NDArray[Any], inside: NDArray[np.bool_]
) -> None:
    """Values of the nearest source voxel at matrix @ (i, j, k, 1) for target planes `begin` to `end`."""
    for k in range(begin, end):
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
def interpolate_affine(
    source: NDArray[Any],
    matrix: Matrix,
    low: float,
    high: float,
    mode: int,
    begin: int,
    end: int,
    out: NDArray[Any],
    inside: NDArray[np.bool_],
) -> None:
    """Trilinear values at matrix @ (i, j, k, 1) for target planes `begin` to `end`; the border goes on."""
    row = np.zeros(out.shape[2], np.float32)
    where = np.empty(out.shape[2], np.uint64)
    shares = np.empty((3, out.shape[2]), np.float32)
    for k in range(begin, end):
        for j in range(out.shape[1]):
            first, last = _stretch(source, matrix, k, j, row.size, 0, 1)
            inside[k, j, first:last] = True
            _blend_stretch(source, matrix, k, j, first, where[: last - first], shares, row[first:last])
            for n in range(row.size - (last - first)):
                i = n if n < first else n + last - first
                z, y, x = locate(matrix, k, j, i)
                inside[k, j, i] = is_in_image(source, z, y, x)
                if inside[k, j, i]:
                    row[i] = _trilinear(source, z, y, x)
            write_row(row, low, high, mode, out[k, j])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def convolve_affine(
    source: NDArray[Any],
    matrix: Matrix,
    width: int,
    low: float,
    high: float,
    mode: int,
    begin: int,
    end: int,
    out: NDArray[Any],
    inside: NDArray[np.bool_],
) -> None:
    """Values at matrix @ (i, j, k, 1) for target planes `begin` to `end` from `width` voxels along each axis.

    Args:
        source: Coefficients of a cubic B-spline (width 4), or voxels for a Lanczos kernel (width 6).
        matrix: Takes (i, j, k, 1) of the target to (i, j, k, 1) of the source.
        width: 4 mirrors at the border voxels, 6 lets them go on outwards.
        low: Least value, as `write_row` has it.
        high: Greatest value.
        mode: How to write.
        begin: First target plane.
        end: The plane after the last.
        out: (K, J, I) of the target.
        inside: Where the source reaches.
    """
    row = np.zeros(out.shape[2], np.float32)
    weights = np.empty((3, width), np.float32)
    taps = np.empty((3, width), np.int64)
    for k in range(begin, end):
        for j in range(out.shape[1]):
            first, last = _stretch(source, matrix, k, j, row.size, width // 2 - 1, width // 2)
            for i in range(row.size):
                place = locate(matrix, k, j, i)
                is_within = first <= i < last
                inside[k, j, i] = is_within or is_in_image(source, place[0], place[1], place[2])
                if not inside[k, j, i]:
                    continue
                _tap(source, place, width, weights, taps)
                if is_within and width == 4:
                    row[i] = _sum_four(source, taps, weights)
                else:
                    row[i] = _sum(source, taps, weights)
            write_row(row, low, high, mode, out[k, j])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _stretch(
    source: NDArray[Any], matrix: Matrix, k: int, j: int, count: int, before: int, after: int
) -> tuple[int, int]:
    """From where to where along a target row the voxels `before` and `after` each place exist on all axes."""
    first, last = 0.0, float(count)
    for axis in range(3):
        step = matrix[axis, 0]
        start = matrix[axis, 1] * j + matrix[axis, 2] * k + matrix[axis, 3]
        least, most = float(before), float(source.shape[2 - axis] - 1 - after)
        if abs(step) * count < 1e-6:
            if not least + 1e-6 < start < most + 1.0 - 1e-6:
                return 0, 0
            continue
        a, b = (least - start) / step, (most + 1.0 - start) / step
        # one voxel less at each end leaves no room for rounding
        first, last = max(first, np.ceil(min(a, b)) + 1.0), min(last, np.floor(max(a, b)))
    if last <= first:
        return 0, 0
    return int(first), int(last)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _blend_stretch(
    source: NDArray[Any],
    matrix: Matrix,
    k: int,
    j: int,
    first: int,
    where: NDArray[np.uint64],
    shares: Floats,
    out: Floats,
) -> None:
    """Trilinear values of a stretch of a target row whose neighbourhoods all exist."""
    voxels = source.reshape(-1)
    row, plane = source.shape[2], source.shape[1] * source.shape[2]
    for n in range(out.size):
        z, y, x = locate(matrix, k, j, first + n)
        base_k, base_j, base_i = int(z), int(y), int(x)
        where[n] = base_k * plane + base_j * row + base_i
        shares[0, n], shares[1, n], shares[2, n] = z - base_k, y - base_j, x - base_i
    one, along, over = np.uint64(1), np.uint64(row), np.uint64(plane)
    for n in range(out.size):
        m = where[n]
        c, b, a = shares[0, n], shares[1, n], shares[2, n]
        out[n] = _mix(
            _mix(
                _mix(voxels[m], voxels[m + one], a),
                _mix(voxels[m + along], voxels[m + along + one], a),
                b,
            ),
            _mix(
                _mix(voxels[m + over], voxels[m + over + one], a),
                _mix(voxels[m + over + along], voxels[m + over + along + one], a),
                b,
            ),
            c,
        )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _mix(first: Any, second: Any, share: np.float32) -> Any:
    return (np.float32(1) - share) * np.float32(first) + share * np.float32(second)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _trilinear(source: NDArray[Any], z: float, y: float, x: float) -> np.float32:
    base_k, base_j, base_i = np.floor(z), np.floor(y), np.floor(x)
    k0, k1 = clamp(base_k, source.shape[0]), clamp(base_k + 1, source.shape[0])
    j0, j1 = clamp(base_j, source.shape[1]), clamp(base_j + 1, source.shape[1])
    i0, i1 = clamp(base_i, source.shape[2]), clamp(base_i + 1, source.shape[2])
    c, b, a = np.float32(z - base_k), np.float32(y - base_j), np.float32(x - base_i)
    near = _mix(
        _mix(source[k0, j0, i0], source[k0, j0, i1], a), _mix(source[k0, j1, i0], source[k0, j1, i1], a), b
    )
    far = _mix(
        _mix(source[k1, j0, i0], source[k1, j0, i1], a), _mix(source[k1, j1, i0], source[k1, j1, i1], a), b
    )
    return np.float32(_mix(near, far, c))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _tap(
    source: NDArray[Any],
    place: tuple[float, float, float],
    width: int,
    weights: Floats,
    taps: NDArray[np.int64],
) -> None:
    """Which voxels along each axis (k, j, i), and with what weights."""
    for axis in range(3):
        count = source.shape[axis]
        position = place[axis]
        if width == 6:
            position = min(max(position, 0.0), count - 1.0)
        base = np.floor(position)
        first = int(base) - (width // 2 - 1)
        if width == 4:
            _weigh_cubic(position - base, weights[axis])
        else:
            _weigh_lanczos(position - base, weights[axis])
        for t in range(width):
            taps[axis, t] = mirrored(first + t, count) if width == 4 else clamp(first + t, count)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _weigh_cubic(share: float, weights: Floats) -> None:
    rest = 1.0 - share
    weights[0] = rest * rest * rest / 6.0
    weights[1] = 2.0 / 3.0 - share * share * (1.0 - share / 2.0)
    weights[2] = 2.0 / 3.0 - rest * rest * (1.0 - rest / 2.0)
    weights[3] = share * share * share / 6.0


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _weigh_lanczos(share: float, weights: Floats) -> None:
    """Three lobes to each side; sin(pi (s + n)) differs in sign only, which saves all sines but a few."""
    if share < 1e-9:
        weights[:] = np.float32(0)
        weights[2] = np.float32(1)
        return
    sine, wide, cosine = np.sin(np.pi * share), np.sin(np.pi * share / 3.0), np.cos(np.pi * share / 3.0)
    total = 0.0
    for n in range(6):
        away = share + 2.0 - n
        sign = 1.0 if n % 2 == 0 else -1.0
        slow = wide * _COSINES[n] + cosine * _SINES[n]
        value = 3.0 * sign * sine * slow / (np.pi * away) ** 2 if abs(away) > 1e-9 else 1.0
        weights[n] = value
        total += value
    for n in range(6):
        weights[n] /= np.float32(total)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sum_four(source: NDArray[Any], taps: NDArray[np.int64], weights: Floats) -> np.float32:
    """The weighted sum of 4 x 4 x 4 neighbours that all exist."""
    total = np.float32(0)
    first = taps[2, 0]
    a, b, c, d = weights[2, 0], weights[2, 1], weights[2, 2], weights[2, 3]
    for k in range(4):
        plane = source[taps[0, k]]
        part = np.float32(0)
        for j in range(4):
            row = plane[taps[1, j]]
            part += weights[1, j] * (
                (a * np.float32(row[first]) + b * np.float32(row[first + 1]))
                + (c * np.float32(row[first + 2]) + d * np.float32(row[first + 3]))
            )
        total += weights[0, k] * part
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sum(source: NDArray[Any], taps: NDArray[np.int64], weights: Floats) -> np.float32:
    total = np.float32(0)
    for k in range(weights.shape[1]):
        for j in range(weights.shape[1]):
            row = source[taps[0, k], taps[1, j]]
            part = np.float32(0)
            for i in range(weights.shape[1]):
                part += weights[2, i] * np.float32(row[taps[2, i]])
            total += weights[0, k] * weights[1, j] * part
    return total
