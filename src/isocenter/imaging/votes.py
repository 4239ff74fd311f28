"""Votes: the compiled kernels that resample label maps, where no value between two labels may arise.

Each of the eight source voxels around a position votes for its label with its trilinear weight; the label
of the largest share wins. Of equal shares a label wins over background, then the smaller label, so that a
single mask is inside where its share is at least one half (IBSI reference manual, interpolation of masks).

No volume is made per label. Where the eight agree, which is nearly everywhere, nothing is weighed, and rows
of background are looked at once: the time hardly depends on the number of labels.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.interpolate import clamp, is_in_image, locate

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

# Shares are sums of at most eight float32 products; what is nearer than this is equal.
TIE = np.float32(1e-6)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def find_spans(source: NDArray[Any], spans: NDArray[np.int32]) -> None:
    """Fill spans (K, J, 2) with the first marked voxel of each row and the one after the last; 0, 0 if none."""
    for k in range(source.shape[0]):
        for j in range(source.shape[1]):
            row = source[k, j]
            seen = row[0]
            for i in range(row.size):
                seen |= row[i]
            first, stop = 0, 0
            if seen != 0:
                stop = row.size
                while row[first] == 0:
                    first += 1
                while row[stop - 1] == 0:
                    stop -= 1
            spans[k, j, 0], spans[k, j, 1] = first, stop


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def vote_separable(
    source: NDArray[Any],
    spans: NDArray[np.int32],
    k_low: Indices,
    k_share: Floats,
    j_low: Indices,
    j_share: Floats,
    i_low: Indices,
    i_share: Floats,
    reach: Indices,
    out: NDArray[Any],
) -> None:
    """Vote where source and target axes are parallel; `out` is all background before.

    Args:
        source: Labels (K, J, I).
        spans: Where its rows are marked, see `find_spans`.
        k_low: The lower of the two source slices of each target slice, (N,): from -1, as the border goes on
            outwards; -2 where the source does not reach.
        k_share: The share of the upper of them, (N,).
        j_low: As `k_low`, of rows.
        j_share: As `k_share`, of rows.
        i_low: As `k_low`, of columns.
        i_share: As `k_share`, of columns.
        reach: First and last + 1 of the target columns whose lower source column is at or past the nth - 1,
            (2, I + 1), in the direction the axis runs.
        out: Labels of the target.
    """
    size_k, size_j, size_i = source.shape
    differs = np.zeros(size_i + 1, np.bool_)
    near, weight = np.empty(8, source.dtype), np.empty(8, np.float32)
    for k in range(out.shape[0]):
        if k_low[k] < -1:
            continue
        below, above = max(k_low[k], 0), min(k_low[k] + 1, size_k - 1)
        compared = -2
        for j in range(out.shape[1]):
            if j_low[j] < -1:
                continue
            front, back = max(j_low[j], 0), min(j_low[j] + 1, size_j - 1)
            first, stop = _join(spans, below, above, front, back)
            if first >= stop:
                continue
            row00, row01 = source[below, front], source[below, back]
            row10, row11 = source[above, front], source[above, back]
            if compared != j_low[j]:  # rows of a fine target share their rows of the source
                _compare(row00, row01, row10, row11, first, stop, differs)
                compared = j_low[j]
            start = min(reach[0, first], reach[0, stop])
            end = max(reach[1, first], reach[1, stop])
            target = out[k, j]
            for i in range(start, end):
                a, b = max(i_low[i], 0), min(i_low[i] + 1, size_i - 1)
                if not differs[i_low[i] + 1]:
                    target[i] = row00[a]
                    continue
                near[0], near[1], near[2], near[3] = row00[a], row00[b], row01[a], row01[b]
                near[4], near[5], near[6], near[7] = row10[a], row10[b], row11[a], row11[b]
                _weigh(k_share[k], j_share[j], i_share[i], weight)
                target[i] = _elect(near, weight)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def vote_affine(
    source: NDArray[Any],
    matrix: NDArray[np.float64],
    first_k: int,
    box: Indices,
    out: NDArray[Any],
) -> None:
    """Vote at matrix @ (i, j, first_k + k, 1) of the target voxels in a box (k, j, i; first, last + 1).

    `out` is all background before, and remains so outside the box and outside the source.
    """
    size_k, size_j, size_i = source.shape
    near, weight = np.empty(8, source.dtype), np.empty(8, np.float32)
    for k in range(box[0, 0], box[0, 1]):
        for j in range(box[1, 0], box[1, 1]):
            for i in range(box[2, 0], box[2, 1]):
                z, y, x = locate(matrix, first_k + k, j, i)
                if not is_in_image(source, z, y, x):
                    continue
                base_k, base_j, base_i = np.floor(z), np.floor(y), np.floor(x)
                below, above = clamp(base_k, size_k), clamp(base_k + 1, size_k)
                front, back = clamp(base_j, size_j), clamp(base_j + 1, size_j)
                a, b = clamp(base_i, size_i), clamp(base_i + 1, size_i)
                near[0], near[1] = source[below, front, a], source[below, front, b]
                near[2], near[3] = source[below, back, a], source[below, back, b]
                near[4], near[5] = source[above, front, a], source[above, front, b]
                near[6], near[7] = source[above, back, a], source[above, back, b]
                _weigh(np.float32(z - base_k), np.float32(y - base_j), np.float32(x - base_i), weight)
                out[k, j, i] = _elect(near, weight)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _join(spans: NDArray[np.int32], below: int, above: int, front: int, back: int) -> Any:
    """First and last + 1 of what is marked in four rows; the last is 0 if nothing is."""
    first, stop = np.int32(0x7FFFFFFF), np.int32(0)
    for k in (below, above):
        for j in (front, back):
            if spans[k, j, 1] > spans[k, j, 0]:
                first, stop = min(first, spans[k, j, 0]), max(stop, spans[k, j, 1])
    return first, stop


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _compare(
    row00: NDArray[Any],
    row01: NDArray[Any],
    row10: NDArray[Any],
    row11: NDArray[Any],
    first: int,
    stop: int,
    differs: NDArray[np.bool_],
) -> None:
    """Note for each two columns of four rows whether the eight voxels differ."""
    last = row00.size - 1
    low, high = max(first, 1), min(stop, last) + 1
    a, b, c, d = row00[low - 1 : high], row01[low - 1 : high], row10[low - 1 : high], row11[low - 1 : high]
    found = differs[low:high]
    for n in range(found.size):
        one = a[n]
        found[n] = (
            (one != a[n + 1])
            | (one != b[n])
            | (one != b[n + 1])
            | (one != c[n])
            | (one != c[n + 1])
            | (one != d[n])
            | (one != d[n + 1])
        )
    for cell, i in ((0, 0), (last + 1, last)):  # beyond the border, where the border goes on
        differs[cell] = (row00[i] != row01[i]) | (row00[i] != row10[i]) | (row00[i] != row11[i])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _weigh(c: np.float32, b: np.float32, a: np.float32, weight: Floats) -> None:
    """The eight weights; c, b, a are the shares of the upper slice, row and column."""
    one = np.float32(1)
    lower, upper = (one - c) * (one - b), (one - c) * b
    weight[0], weight[1] = lower * (one - a), lower * a
    weight[2], weight[3] = upper * (one - a), upper * a
    lower, upper = c * (one - b), c * b
    weight[4], weight[5] = lower * (one - a), lower * a
    weight[6], weight[7] = upper * (one - a), upper * a


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _elect(near: NDArray[Any], weight: Floats) -> Any:
    """The label of the largest share; of those that tie with it the smallest, background last of all."""
    one = other = near[0]
    mine, theirs, count = np.float32(0), np.float32(0), 0
    for n in range(8):
        if near[n] == one:
            mine += weight[n]
        elif other == one or near[n] == other:
            other = near[n]
            theirs += weight[n]
        else:
            count += 1
    if count == 0:
        if abs(mine - theirs) > TIE:
            return one if mine > theirs else other
        return max(one, other) if one == 0 or other == 0 else min(one, other)
    largest = np.float32(0)
    for n in range(8):
        largest = max(largest, _share(near, weight, n))
    best = one * 0
    for n in range(8):
        label = near[n]
        is_preferred = label != 0 and (best == 0 or label < best)
        if is_preferred and _share(near, weight, n) >= largest - TIE:
            best = label
    return best


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _share(near: NDArray[Any], weight: Floats, of: int) -> np.float32:
    """The share of the label of one of the eight voxels."""
    total = np.float32(0)
    for n in range(8):
        if near[n] == near[of]:
            total += weight[n]
    return total
