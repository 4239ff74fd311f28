"""Splines: uniform cubic B-splines, on which a free-form deformation stands (Rueckert et al., IEEE TMI 18, 1999)."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray


def weights(at: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Weights (N, count) of the control points at positions from 0 to `count` - 3; the first one stands at -1."""
    cell, t = _cells(at, count)
    return _spread(cell, count, (1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)


def slopes(at: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Derivatives (N, count) of the weights."""
    cell, t = _cells(at, count)
    return _spread(cell, count, -3 * (1 - t) ** 2, 9 * t**2 - 12 * t, -9 * t**2 + 6 * t + 3, 3 * t**2)


def _cells(at: NDArray[np.float64], count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    cell = np.clip(np.floor(at), 0, count - 4).astype(np.int64)
    return cell, at - cell


def _spread(cell: NDArray[np.int64], count: int, *four: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.zeros((len(cell), count))
    for n, each in enumerate(four):
        out[np.arange(len(cell)), cell + n] = each / 6
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _of(t: Any, out: Any) -> None:
    out[0] = (1 - t) ** 3 / 6
    out[1] = (3 * t**3 - 6 * t**2 + 4) / 6
    out[2] = (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6
    out[3] = t**3 / 6


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _value(lattice: Any, at: Any, four: Any, out: Any) -> None:
    """The spline (3,) of a lattice (3, Gk, Gj, Gi) at (k, j, i); beyond its ends it goes on as it ends."""
    cell = np.zeros(3, np.int64)
    for axis in range(3):
        count = lattice.shape[axis + 1]
        t = min(max(at[axis], 0.0), count - 3.0)
        cell[axis] = min(int(t), count - 4)
        _of(t - cell[axis], four[axis])
    out[:] = 0.0
    for c in range(3):
        for k in range(4):
            for j in range(4):
                row = 0.0
                for i in range(4):
                    row += four[2, i] * lattice[c, cell[0] + k, cell[1] + j, cell[2] + i]
                out[c] += four[0, k] * four[1, j] * row


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def settle(lattice: Any, to_cells: Any, middle: Any, points: Any, most: Any, near: Any) -> None:
    """Bring each point q (N, 3) to the place y where y + d(y) = q, in place, by y <- q - d(y).

    Args:
        lattice: Displacements d of the control points, mm.
        to_cells: Matrix (3, 3) from mm to (k, j, i) in cells.
        middle: (k, j, i) in cells of the place 0.
        points: mm.
        most: How many rounds at most.
        near: A step as short as this is none, mm.
    """
    four, at, d, y = np.empty((3, 4)), np.empty(3), np.empty(3), np.empty(3)
    for n in range(points.shape[0]):
        y[:] = points[n]
        for _ in range(most):
            for axis in range(3):
                at[axis] = middle[axis]
                for c in range(3):
                    at[axis] += to_cells[axis, c] * y[c]
            _value(lattice, at, four, d)
            step = 0.0
            for c in range(3):
                step = max(step, abs(points[n, c] - d[c] - y[c]))
                y[c] = points[n, c] - d[c]
            if step <= near:
                break
        points[n] = y
