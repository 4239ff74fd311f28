"""Overlay: two arrays laid over each other by small steps of Gauss and Newton.

A step moves, turns and, where that is allowed, stretches one array so that it differs least from the other (Lucas
and Kanade, IJCAI 1981). Both are contrasts of about unit size, so that brightness need not be fitted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.correlation import AA, AB, BB, COUNT, A, B, correlation_of, is_within, row_of, sampled

_STEADY = 1e-3
# Moves along three axes, turns in three planes, and scales of the two axes that a plane has.
_WAYS = 8


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Fit:
    """Where pixels of one array lie in another, and how alike the two are there.

    Args:
        matrix: (3, 3): takes steps from the middle of the first array, in pixels (k, j, i), to pixels of the second.
        offset: (3,): where the middle of the first lies in the second.
        steps: Size of a pixel of either, (3,) each, in one unit.
        may_stretch: Whether the axes j and i may be scaled.
        is_mirrored: Whether the start was.
        is_by_field: Whether sizes are shares of the fields of view, not millimetres.
        score: Correlation where they overlap.
        count: Pixels of the first that lie within the second.
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    steps: tuple[NDArray[np.float64], NDArray[np.float64]]
    may_stretch: bool
    is_mirrored: bool
    is_by_field: bool = False
    score: float = 0.0
    count: int = 0


def fit(first: NDArray[np.float32], second: NDArray[np.float32], start: Fit, *, rounds: int) -> Fit:
    """The overlay after some rounds, the best that was met on the way."""
    matrix, offset = start.matrix.copy(), start.offset.astype(np.float64)
    score, count = _improve(first, second, matrix, offset, start.steps[1], start.may_stretch, rounds)
    return replace(start, matrix=matrix, offset=offset, score=float(score), count=int(count))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _improve(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    step: NDArray[np.float64],
    may_stretch: bool,
    rounds: int,
) -> tuple[float, float]:
    """Improve `matrix` and `offset` in place; returns the best correlation and the number of pixels behind it."""
    square, pull, sums = np.zeros((_WAYS, _WAYS)), np.zeros(_WAYS), np.zeros(6)
    free = (3 if second.shape[0] == 1 else 6) + (2 if may_stretch else 0)
    best, best_count = -1.0, 0.0
    now, at = matrix.copy(), offset.copy()
    for _ in range(rounds):
        _gather(first, second, now, at, step, may_stretch, square, pull, sums)
        score = correlation_of(sums)
        if score > best:
            best, best_count = score, sums[COUNT]
            matrix[:] = now
            offset[:] = at
        if score < best - 0.05 or sums[COUNT] < 0.2 * first.size:
            break
        change = _solved(square, pull, free)
        if _moved(now, at, step, change, first.shape) < 0.02:
            break
    return best, best_count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _gather(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    step: NDArray[np.float64],
    may_stretch: bool,
    square: NDArray[np.float64],
    pull: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """The normal equations of one step, of which the lower half, and the sums of a correlation, where both overlap."""
    square[:] = 0.0
    pull[:] = 0.0
    depth, height, width = first.shape
    count, a, b, aa, bb, ab = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    way, ratio, free = np.zeros(_WAYS), np.outer(step, 1 / step), np.float64(may_stretch)
    for k in range(depth):
        for j in range(height):
            row = row_of(matrix, k - (depth - 1) / 2, j - (height - 1) / 2)
            for i in range(width):
                x = i - (width - 1) / 2
                p, q, r = row[0] + matrix[0, 2] * x, row[1] + matrix[1, 2] * x, row[2] + matrix[2, 2] * x
                at = p + offset[0], q + offset[1], r + offset[2]
                if not is_within(at[0], at[1], at[2], second.shape):
                    continue
                value, way[0], way[1], way[2] = sampled(second, at[0], at[1], at[2])
                other = np.float64(first[k, j, i])
                count += 1
                a += other
                b += value
                aa += other * other
                bb += value * value
                ab += other * value
                way[3] = way[1] * p * ratio[0, 1] - way[0] * q * ratio[1, 0]
                way[4] = way[2] * p * ratio[0, 2] - way[0] * r * ratio[2, 0]
                way[5] = way[2] * q * ratio[1, 2] - way[1] * r * ratio[2, 1]
                way[6], way[7] = free * way[1] * q, free * way[2] * r
                for n in range(_WAYS):
                    pull[n] += way[n] * (other - value)
                    for m in range(n + 1):
                        square[n, m] += way[n] * way[m]
    sums[COUNT], sums[A], sums[B], sums[AA], sums[BB], sums[AB] = count, a, b, aa, bb, ab


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _solved(square: NDArray[np.float64], pull: NDArray[np.float64], free: int) -> NDArray[np.float64]:
    """Solve the normal equations, held steady a little, by Cholesky's decomposition; `free` ways are more than 0."""
    trace = 0.0
    for n in range(_WAYS):
        trace += square[n, n]
    steady = _STEADY * trace / free + 1e-9
    lower, out = np.zeros((_WAYS, _WAYS)), np.zeros(_WAYS)
    for n in range(_WAYS):
        for m in range(n + 1):
            rest = square[n, m] + (steady if n == m else 0.0)
            for p in range(m):
                rest -= lower[n, p] * lower[m, p]
            lower[n, m] = np.sqrt(max(rest, 1e-12)) if n == m else rest / lower[m, m]
    for n in range(_WAYS):
        rest = pull[n]
        for p in range(n):
            rest -= lower[n, p] * out[p]
        out[n] = rest / lower[n, n]
    for n in range(_WAYS - 1, -1, -1):
        rest = out[n]
        for p in range(n + 1, _WAYS):
            rest -= lower[p, n] * out[p]
        out[n] = rest / lower[n, n]
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _moved(
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    step: NDArray[np.float64],
    change: NDArray[np.float64],
    shape: tuple[int, int, int],
) -> float:
    """Carry out a step in place; returns by how many pixels about the largest of its parts moves anything."""
    reach = max(shape[0], shape[1], shape[2]) / 2
    largest = 0.0
    for axis in range(3):
        offset[axis] += change[axis]
        largest = max(largest, abs(change[axis]))
    for n in range(3, _WAYS):
        largest = max(largest, abs(change[n]) * reach)
    for n, p, q in ((3, 0, 1), (4, 0, 2), (5, 1, 2)):
        cosine, sine = np.cos(change[n]), np.sin(change[n])
        for column in range(3):
            one, two = matrix[p, column] * step[p], matrix[q, column] * step[q]
            matrix[p, column] = (cosine * one - sine * two) / step[p]
            matrix[q, column] = (sine * one + cosine * two) / step[q]
    for n, p in ((6, 1), (7, 2)):
        for column in range(3):
            matrix[p, column] *= np.exp(change[n])
    return largest
