"""Rows: what is done to one row of a patch; each loop here is one that the compiler can keep short.

Sources are flat: (planes, voxels). What lies ahead in them is read once in the order of memory before it is read in
the order of a turned row, where no machine foresees what comes next: that halves the time of it all.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_NEAR = np.float32(1e-4)  # voxels: a position this near to the border is on it
_LINE_BYTES = 64
_f, _i, _u = np.float32, np.int32, np.uint64


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def touch(source: Any, low: Any, high: Any, size: Any) -> Any:
    """Bring elements of all planes of a size near; the sum is of no use but that it has to be made."""
    total, step = 0.0, _LINE_BYTES // source.itemsize
    for plane in range(source.size // size):
        for n in range(plane * size + low, plane * size + high, step):
            total += source[n]
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def locate(
    k: Any,
    j: Any,
    at: Any,
    placement: Any,
    moved: Any,
    corner: Any,
    nearest: Any,
    u: Any,
    v: Any,
    w: Any,
) -> None:
    """Find where the voxels of a row come from.

    Args:
        k: Of the row.
        j: Of the row.
        at: Where it begins in what is filled.
        placement: A `Placement`.
        moved: float32 (3, I): what the field adds along x, y, z.
        corner: int32, filled: the element of the voxel before the position along every axis.
        nearest: int32, filled: that of the nearest voxel; -1 outside.
        u: float32, filled: how far the position is beyond the corner along x.
        v: The same along y.
        w: The same along z.
    """
    start, drift, counts, steps = placement.start, placement.drift, placement.counts, placement.steps
    x0 = _f(start[0] + drift[0, 1] * j + drift[0, 2] * k)
    y0 = _f(start[1] + drift[1, 1] * j + drift[1, 2] * k)
    z0 = _f(start[2] + drift[2, 1] * j + drift[2, 2] * k)
    dx, dy, dz = _f(drift[0, 0]), _f(drift[1, 0]), _f(drift[2, 0])
    ex, ey, ez = _f(counts[0] - 1), _f(counts[1] - 1), _f(counts[2] - 1)
    # a corner has a voxel beyond it, but along an axis where none is needed
    bx = _i(max(counts[0] - (1 if placement.flat == 0 else 2), 0))
    by = _i(max(counts[1] - (1 if placement.flat == 1 else 2), 0))
    bz = _i(max(counts[2] - (1 if placement.flat == 2 else 2), 0))
    sx, sy, sz, origin = _i(steps[0]), _i(steps[1]), _i(steps[2]), _i(placement.origin)
    row, slice_, zero, half, nowhere = _f(j), _f(k), _f(0), _f(0.5), _i(-1)
    for i in range(moved.shape[1]):
        n, column = at + i, _f(_i(i))
        x = column + (x0 + dx * column + moved[0, i])
        y = row + (y0 + dy * column + moved[1, i])
        z = slice_ + (z0 + dz * column + moved[2, i])
        xc, yc, zc = x if x > zero else zero, y if y > zero else zero, z if z > zero else zero  # noqa: FURB136 - these become vectors
        xc, yc, zc = xc if xc < ex else ex, yc if yc < ey else ey, zc if zc < ez else ez  # noqa: FURB136 - these become vectors
        xa, ya, za = _i(xc), _i(yc), _i(zc)
        xa, ya, za = xa if xa < bx else bx, ya if ya < by else by, za if za < bz else bz  # noqa: FURB136 - these become vectors
        u[n], v[n], w[n] = xc - _f(xa), yc - _f(ya), zc - _f(za)
        corner[n] = origin + sx * xa + sy * ya + sz * za
        whole = origin + sx * _i(xc + half) + sy * _i(yc + half) + sz * _i(zc + half)
        is_out = (abs(x - xc) > _NEAR) | (abs(y - yc) > _NEAR) | (abs(z - zc) > _NEAR)
        nearest[n] = nowhere if is_out else whole


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def blend(
    source: Any,
    first: Any,
    count: Any,
    corner: Any,
    nearest: Any,
    u: Any,
    v: Any,
    w: Any,
    taps: Any,
    linear: Any,
    out: Any,
    at: Any,
) -> None:
    """Some rows of a plane from the eight voxels around each position, its values changed as `linear` says.

    Args:
        source: Flat; `first` is the first element of the plane.
        first: See there.
        count: Voxels.
        corner: As `locate` gives it, and so are the next four.
        nearest: See there.
        u: See there.
        v: See there.
        w: See there.
        taps: Elements to the next voxel along x, y, z.
        linear: Factor, shift, and background.
        out: Flat; the rows begin at `at`.
        at: See there.
    """
    x, y, z = taps
    d1, d2, d3 = _u(first + x), _u(first + y), _u(first + x + y)
    d0, d4, d5, d6, d7 = _u(first), _u(first + z), _u(first + z + x), _u(first + z + y), _u(first + z + x + y)
    factor, shift, fill = linear
    for i in range(count):
        n, ui, vi = _u(corner[i]), u[i], v[i]
        a, b, c, d = source[n + d0], source[n + d1], source[n + d2], source[n + d3]
        e, f, g, h = source[n + d4], source[n + d5], source[n + d6], source[n + d7]
        a, c, e, g = a + ui * (b - a), c + ui * (d - c), e + ui * (f - e), g + ui * (h - g)
        a, e = a + vi * (c - a), e + vi * (g - e)
        out[at + i] = (a + w[i] * (e - a)) * factor + shift if nearest[i] >= 0 else fill


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def blend_flat(
    source: Any,
    first: Any,
    count: Any,
    corner: Any,
    nearest: Any,
    u: Any,
    v: Any,
    x: Any,
    y: Any,
    linear: Any,
    out: Any,
    at: Any,
) -> None:
    """The same where one axis needs none: from four voxels, along two axes."""
    d0, d1, d2, d3 = _u(first), _u(first + x), _u(first + y), _u(first + x + y)
    factor, shift, fill = linear
    for i in range(count):
        n, ui = _u(corner[i]), u[i]
        a, b, c, d = source[n + d0], source[n + d1], source[n + d2], source[n + d3]
        a, c = a + ui * (b - a), c + ui * (d - c)
        out[at + i] = (a + v[i] * (c - a)) * factor + shift if nearest[i] >= 0 else fill


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def pick(source: Any, first: Any, count: Any, nearest: Any, out: Any, at: Any) -> None:
    """Some rows of a plane from the nearest voxel of each position; 0 outside."""
    for i in range(count):
        out[at + i] = source[_u(first + nearest[i])] if nearest[i] >= 0 else 0


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def mark(count: Any, nearest: Any, out: Any, at: Any) -> None:
    """1 where there is a voxel, else 0."""
    for i in range(count):
        out[at + i] = nearest[i] >= 0


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_noise(image: Any, at: Any, valid: Any, first: Any, sigma: Any, real: Any, columns: Any) -> None:
    """Gaussian noise to one row, where it is valid."""
    for i in range(columns):
        image[at + i] += sigma * real[i] if valid[first + i] else _f(0)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_magnitude_noise(
    image: Any,
    at: Any,
    valid: Any,
    first: Any,
    sigma: Any,
    no_signal: Any,
    real: Any,
    imaginary: Any,
    columns: Any,
) -> None:
    """Noise of a magnitude: Gaussian in both parts of the complex number of which it is the length.

    Gudbjartsson and Patz, The Rician distribution of noisy MRI data, Magn Reson Med 34, 1995.
    """
    for i in range(columns):
        value = image[at + i]
        along, across = value - no_signal + sigma * real[i], sigma * imaginary[i]
        noisy = no_signal + np.sqrt(along * along + across * across)
        image[at + i] = noisy if valid[first + i] else value
