"""Overlay: two arrays laid over each other by small steps of Gauss and Newton.

A step moves, turns and, where that is allowed, stretches one array so that it differs least from the other (Lucas
and Kanade, IJCAI 1981). Both are contrasts of about unit size, so that brightness need not be fitted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np
from numpy.typing import NDArray

_STEADY = 1e-3
# Sums that a round leaves behind.
_COUNT, _A, _B, _AA, _BB, _AB = range(6)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Fit:
    """Where pixels of one array lie in another, and how alike the two are there.

    Args:
        matrix: (3, 3): takes steps from the middle of the first array, in pixels (k, j, i), to pixels of the second.
        offset: (3,): where the middle of the first lies in the second.
        steps: Size of a pixel of either, (3,) each, in one unit.
        may_stretch: Whether axes may be scaled.
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
    moves = _moves(second.shape[0] == 1, may_stretch)
    square, pull, sums = np.zeros((9, 9)), np.zeros(9), np.zeros(6)
    best, best_count = -1.0, 0.0
    now, at = matrix.copy(), offset.copy()
    for _ in range(rounds):
        _gather(first, second, now, at, step, moves, square, pull, sums)
        score = _correlation(sums)
        if score > best:
            best, best_count = score, sums[_COUNT]
            matrix[:] = now
            offset[:] = at
        if score < best - 0.05 or sums[_COUNT] < 0.2 * first.size:
            break
        change = _solved(square, pull, len(moves))
        largest = _moved(now, at, step, moves, change, first.shape)
        if largest < 0.02:
            break
    return best, best_count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _moves(is_flat: bool, may_stretch: bool) -> NDArray[np.int64]:
    """What may be changed, one row each: 0 and an axis to move along, 1 and two axes to turn in, 2 and one to scale."""
    out = np.zeros((9, 3), np.int64)
    count = 0
    for axis in range(1 if is_flat else 0, 3):
        out[count, 0], out[count, 1] = 0, axis
        count += 1
    for axis in range(1 if is_flat else 0, 2):
        for other in range(axis + 1, 3):
            out[count, 0], out[count, 1], out[count, 2] = 1, axis, other
            count += 1
    if may_stretch:
        for axis in range(1 if is_flat else 0, 3):
            out[count, 0], out[count, 1] = 2, axis
            count += 1
    return out[:count]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _gather(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    step: NDArray[np.float64],
    moves: NDArray[np.int64],
    square: NDArray[np.float64],
    pull: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """The normal equations of one step, and the sums of a correlation, over all pixels that overlap."""
    square[:] = 0.0
    pull[:] = 0.0
    sums[:] = 0.0
    depth, height, width = first.shape
    slope, seen, way = np.zeros(3), np.zeros(3), np.zeros(9)
    where = np.zeros(3)
    for k in range(depth):
        for j in range(height):
            for i in range(width):
                x = k - (depth - 1) / 2, j - (height - 1) / 2, i - (width - 1) / 2
                for axis in range(3):
                    seen[axis] = matrix[axis, 0] * x[0] + matrix[axis, 1] * x[1] + matrix[axis, 2] * x[2]
                    where[axis] = seen[axis] + offset[axis]
                if not _is_within(where, second.shape):
                    continue
                value = _sampled(second, where, slope)
                other = np.float64(first[k, j, i])
                sums[_COUNT] += 1
                sums[_A] += other
                sums[_B] += value
                sums[_AA] += other * other
                sums[_BB] += value * value
                sums[_AB] += other * value
                for n in range(len(moves)):
                    kind, p, q = moves[n]
                    if kind == 0:
                        way[n] = slope[p]
                    elif kind == 1:
                        way[n] = (
                            slope[q] * seen[p] * step[p] / step[q] - slope[p] * seen[q] * step[q] / step[p]
                        )
                    else:
                        way[n] = slope[p] * seen[p]
                for n in range(len(moves)):
                    pull[n] += way[n] * (other - value)
                    for m in range(n + 1):
                        square[n, m] += way[n] * way[m]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _is_within(where: NDArray[np.float64], shape: tuple[int, int, int]) -> bool:
    """Whether a place lies in a field of view; between its border and the middles of outer pixels it is moved in."""
    for axis in range(3):
        if where[axis] < -0.501 or where[axis] > shape[axis] - 0.499:
            return False
    for axis in range(3):
        where[axis] = min(max(where[axis], 0.0), shape[axis] - 1.0)
    return True


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sampled(array: NDArray[np.float32], where: NDArray[np.float64], slope: NDArray[np.float64]) -> float:
    """The value between eight pixels, and its slope along (k, j, i)."""
    depth, height, width = array.shape
    k0, j0, i0 = int(where[0]), int(where[1]), int(where[2])
    k1, j1, i1 = min(k0 + 1, depth - 1), min(j0 + 1, height - 1), min(i0 + 1, width - 1)
    k, j, i = where[0] - k0, where[1] - j0, where[2] - i0
    a, b = array[k0, j0, i0], array[k0, j0, i1]
    c, d = array[k0, j1, i0], array[k0, j1, i1]
    e, f = array[k1, j0, i0], array[k1, j0, i1]
    g, h = array[k1, j1, i0], array[k1, j1, i1]
    ab, cd, ef, gh = a + (b - a) * i, c + (d - c) * i, e + (f - e) * i, g + (h - g) * i
    near, far = ab + (cd - ab) * j, ef + (gh - ef) * j
    slope[0] = far - near
    slope[1] = (cd - ab) * (1 - k) + (gh - ef) * k
    slope[2] = ((b - a) * (1 - j) + (d - c) * j) * (1 - k) + ((f - e) * (1 - j) + (h - g) * j) * k
    return float(near + (far - near) * k)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _correlation(sums: NDArray[np.float64]) -> float:
    count = sums[_COUNT]
    if count < 20:
        return 0.0
    spread = (sums[_AA] - sums[_A] ** 2 / count) * (sums[_BB] - sums[_B] ** 2 / count)
    return (sums[_AB] - sums[_A] * sums[_B] / count) / np.sqrt(spread) if spread > 1e-9 else 0.0


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _solved(square: NDArray[np.float64], pull: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Solve the normal equations, held steady a little, by Cholesky's decomposition."""
    trace = 0.0
    for n in range(count):
        trace += square[n, n]
    steady = _STEADY * trace / count + 1e-9
    lower, out = np.zeros((count, count)), np.zeros(count)
    for n in range(count):
        for m in range(n + 1):
            rest = square[n, m] + (steady if n == m else 0.0)
            for p in range(m):
                rest -= lower[n, p] * lower[m, p]
            lower[n, m] = np.sqrt(max(rest, 1e-12)) if n == m else rest / lower[m, m]
    for n in range(count):
        rest = pull[n]
        for p in range(n):
            rest -= lower[n, p] * out[p]
        out[n] = rest / lower[n, n]
    for n in range(count - 1, -1, -1):
        rest = out[n]
        for p in range(n + 1, count):
            rest -= lower[p, n] * out[p]
        out[n] = rest / lower[n, n]
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _moved(
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    step: NDArray[np.float64],
    moves: NDArray[np.int64],
    change: NDArray[np.float64],
    shape: tuple[int, int, int],
) -> float:
    """Carry out a step in place; returns by how many pixels about the largest of its parts moves anything."""
    largest = 0.0
    reach = max(shape[0], shape[1], shape[2]) / 2
    for n in range(len(moves)):
        kind, p, q = moves[n]
        if kind == 0:
            offset[p] += change[n]
            largest = max(largest, abs(change[n]))
            continue
        largest = max(largest, abs(change[n]) * reach)
        for column in range(3):
            if kind == 2:
                matrix[p, column] *= np.exp(change[n])
            else:
                one, two = matrix[p, column] * step[p], matrix[q, column] * step[q]
                matrix[p, column] = (np.cos(change[n]) * one - np.sin(change[n]) * two) / step[p]
                matrix[q, column] = (np.sin(change[n]) * one + np.cos(change[n]) * two) / step[q]
    return largest
