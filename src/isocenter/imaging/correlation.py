"""Correlation: how alike two arrays are where they overlap, as they lie."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

COUNT, A, B, AA, BB, AB = range(6)
"""Sums that a correlation is made of, over all pixels that overlap."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def correlations(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    matrices: NDArray[np.float64],
    offsets: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How alike both are in each of some overlays.

    Args:
        first: (K, J, I).
        second: (K, J, I).
        matrices: (N, 3, 3), each of which takes steps from the middle of the first array to pixels of the second.
        offsets: (N, 3): where the middle of the first lies in the second.
    """
    out, sums = np.zeros(len(offsets)), np.zeros(6)
    for n in range(len(offsets)):
        _compare(first, second, matrices[n], offsets[n], sums)
        out[n] = correlation_of(sums)
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def unturned_correlations(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    scales: NDArray[np.float64],
    offsets: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The same of overlays that turn nothing, of which there may be hundreds.

    Args:
        first: (K, J, I).
        second: (K, J, I).
        scales: (N, 3): how many pixels of the second a pixel of the first is, less than 0 where mirrored.
        offsets: (N, 3): where the middle of the first lies in the second.
    """
    longest = max(first.shape[0], first.shape[1], first.shape[2])
    low, part = np.zeros((3, longest), np.int64), np.zeros((3, longest))
    line = np.zeros(second.shape[2])
    out, sums = np.zeros(len(offsets)), np.zeros(6)
    for n in range(len(offsets)):
        for axis in range(3):
            size, last = first.shape[axis], second.shape[axis] - 1
            for x in range(size):
                place = scales[n, axis] * (x - (size - 1) / 2) + offsets[n, axis]
                is_in = -0.501 <= place <= last + 0.501
                place = min(max(place, 0.0), np.float64(last))
                low[axis, x] = int(place) if is_in else -1
                part[axis, x] = place - int(place)
        _compare_lines(first, second, low, part, line, sums)
        out[n] = correlation_of(sums)
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _compare_lines(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    low: NDArray[np.int64],
    part: NDArray[np.float64],
    line: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """The sums of a correlation, line by line: each axis has its pixels and how far beyond them it lies."""
    depth, height, width = first.shape
    deep, high, wide = second.shape
    count, a, b, aa, bb, ab = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(depth):
        for j in range(height):
            k0, j0 = low[0, k], low[1, j]
            if k0 < 0 or j0 < 0:
                continue
            k1, j1 = min(k0 + 1, deep - 1), min(j0 + 1, high - 1)
            p, q = part[0, k], part[1, j]
            for x in range(wide):
                near = second[k0, j0, x] * (1 - q) + second[k0, j1, x] * q
                far = second[k1, j0, x] * (1 - q) + second[k1, j1, x] * q
                line[x] = near * (1 - p) + far * p
            for i in range(width):
                i0 = low[2, i]
                if i0 < 0:
                    continue
                value = line[i0] + (line[min(i0 + 1, wide - 1)] - line[i0]) * part[2, i]
                other = np.float64(first[k, j, i])
                count += 1
                a += other
                b += value
                aa += other * other
                bb += value * value
                ab += other * value
    sums[COUNT], sums[A], sums[B], sums[AA], sums[BB], sums[AB] = count, a, b, aa, bb, ab


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _compare(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """The sums of a correlation over all pixels that overlap."""
    depth, height, width = first.shape
    count, a, b, aa, bb, ab = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(depth):
        for j in range(height):
            row = row_of(matrix, k - (depth - 1) / 2, j - (height - 1) / 2)
            for i in range(width):
                x = i - (width - 1) / 2
                p = row[0] + matrix[0, 2] * x + offset[0]
                q = row[1] + matrix[1, 2] * x + offset[1]
                r = row[2] + matrix[2, 2] * x + offset[2]
                if not is_within(p, q, r, second.shape):
                    continue
                value = sampled(second, p, q, r)[0]
                other = np.float64(first[k, j, i])
                count += 1
                a += other
                b += value
                aa += other * other
                bb += value * value
                ab += other * value
    sums[COUNT], sums[A], sums[B], sums[AA], sums[BB], sums[AB] = count, a, b, aa, bb, ab


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def row_of(matrix: NDArray[np.float64], k: float, j: float) -> tuple[float, float, float]:
    """Where the middle of a row of pixels lies, from the middle of all."""
    return (
        matrix[0, 0] * k + matrix[0, 1] * j,
        matrix[1, 0] * k + matrix[1, 1] * j,
        matrix[2, 0] * k + matrix[2, 1] * j,
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def is_within(k: float, j: float, i: float, shape: tuple[int, int, int]) -> bool:
    """Whether a place lies in a field of view, whose border is half a pixel beyond the middles of outer pixels."""
    low = k >= -0.501 and j >= -0.501 and i >= -0.501
    return low and k <= shape[0] - 0.499 and j <= shape[1] - 0.499 and i <= shape[2] - 0.499


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def sampled(array: NDArray[np.float32], k: float, j: float, i: float) -> tuple[float, float, float, float]:
    """The value between eight pixels, and its slopes along (k, j, i); beyond the middles of outer pixels, theirs."""
    depth, height, width = array.shape
    k, j, i = min(max(k, 0.0), depth - 1.0), min(max(j, 0.0), height - 1.0), min(max(i, 0.0), width - 1.0)
    # what is not below zero is cheaper to look up
    k0, j0, i0 = np.uint32(k), np.uint32(j), np.uint32(i)
    k1, j1, i1 = min(k0 + 1, depth - 1), min(j0 + 1, height - 1), min(i0 + 1, width - 1)
    k, j, i = k - k0, j - j0, i - i0
    a, b = array[k0, j0, i0], array[k0, j0, i1]
    c, d = array[k0, j1, i0], array[k0, j1, i1]
    e, f = array[k1, j0, i0], array[k1, j0, i1]
    g, h = array[k1, j1, i0], array[k1, j1, i1]
    ab, cd, ef, gh = a + (b - a) * i, c + (d - c) * i, e + (f - e) * i, g + (h - g) * i
    near, far = ab + (cd - ab) * j, ef + (gh - ef) * j
    return (
        near + (far - near) * k,
        far - near,
        (cd - ab) * (1 - k) + (gh - ef) * k,
        ((b - a) * (1 - j) + (d - c) * j) * (1 - k) + ((f - e) * (1 - j) + (h - g) * j) * k,
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def correlation_of(sums: NDArray[np.float64]) -> float:
    """Pearson's correlation from the sums; 0 of too few pixels, and where there is nothing to see."""
    count = sums[COUNT]
    if count < 20:
        return 0.0
    spread = (sums[AA] - sums[A] ** 2 / count) * (sums[BB] - sums[B] ** 2 / count)
    return (sums[AB] - sums[A] * sums[B] / count) / np.sqrt(spread) if spread > 1e-9 else 0.0
