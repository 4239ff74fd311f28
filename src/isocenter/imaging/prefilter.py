"""Prefilter: the coefficients of the cubic B-spline that goes through every voxel, and values out of them.

M. Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Processing Magazine 16(6),
1999: the coefficients are the samples divided by the filter (z + 4 + 1/z) / 6, whose one pole inside the unit
circle is sqrt(3) - 2. The image is mirrored at the centres of its border voxels. What the pole leaves after
`REACH` voxels, 1e-11, is far below the last bit of float32, so sums end there.

Slices and columns are filtered recursively, a whole row at a time. Along a row the same filter is written as
four short sums, which a processor does many at once where a recursion waits for itself.

Cost: `resample_planes` reads each source voxel once and writes one float32 for each voxel of the target's
rows and columns on the source's slices; `resample_columns` reads those and writes each target voxel once.
`filter_planes` and `filter_columns` write one float32 a source voxel and read and write it once more.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.interpolate import (
    ROWS,
    Floats,
    Indices,
    Unsigned,
    combine_rows,
    gather_rows,
    write_row,
)

POLE = np.float32(np.sqrt(3.0) - 2.0)
# Powers of the pole as the sums along a row need them, those of the last sum times the gain of the filter.
_P2, _P3, _P4, _P8, _P12 = (np.float32((np.sqrt(3.0) - 2.0) ** n) for n in (2, 3, 4, 8, 12))
_G0, _G4, _G8, _G12 = (np.float32(-6.0 * (np.sqrt(3.0) - 2.0) ** (n + 1)) for n in (0, 4, 8, 12))
_END_GAIN = np.float32((np.sqrt(3.0) - 2.0) / ((np.sqrt(3.0) - 2.0) ** 2 - 1.0))
REACH = 20
MARGIN = 16
# Columns filtered together: their rows stay in the processor's second cache from one sweep to the next.
BLOCK_FLOATS = 96 * 1024


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def resample_planes(
    source: NDArray[Any],
    j_start: Indices,
    j_weights: Floats,
    i_start: Unsigned,
    i_weights: Floats,
    begin: int,
    end: int,
    out: Floats,
) -> None:
    """Rows and columns of planes `begin` to `end`, filtered and brought to the target, into out (K, J', I')."""
    plane = np.empty(source.shape[1:], np.float32)
    lines = np.zeros((ROWS, source.shape[2]), np.float32)
    spare = np.empty((ROWS, i_start.size), np.float32)
    ends = np.empty((2, source.shape[2] + 2 * MARGIN), np.float32)
    for k in range(begin, end):
        _load(source[k], plane)
        _filter_down(plane)
        for j in range(0, j_start.size, ROWS):
            count = min(ROWS, j_start.size - j)
            for r in range(count):
                combine_rows(plane, j_start[j + r], j_weights[:, j + r], lines[r])
                _filter_line(lines[r], ends)
            rows = out[k, j : j + ROWS] if count == ROWS else spare
            gather_rows(lines, i_start, i_weights, rows)
            if count < ROWS:
                out[k, j:] = spare[:count]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def resample_columns(
    planes: Floats,
    k_start: Indices,
    k_weights: Floats,
    low: float,
    high: float,
    mode: int,
    begin: int,
    end: int,
    out: NDArray[Any],
) -> None:
    """Columns `begin` to `end` of planes (K, N), filtered and brought to the target, into out (K', N)."""
    width = columns_at_once(planes.shape[0])
    line = np.empty(width, np.float32)
    block = np.empty((planes.shape[0], width), np.float32)
    for first in range(begin, end, width):
        size = min(width, end - first)
        for k in range(planes.shape[0]):
            block[k][:size] = planes[k][first : first + size]
        _recur(block, 0, size)
        row = line[:size]
        for k in range(k_start.size):
            combine_rows(block, k_start[k], k_weights[:, k], row)
            write_row(row, low, high, mode, out[k][first : first + size])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def filter_planes(source: NDArray[Any], begin: int, end: int, out: Floats) -> None:
    """Rows and columns of planes `begin` to `end` turned into coefficients."""
    ends = np.empty((2, source.shape[2] + 2 * MARGIN), np.float32)
    for k in range(begin, end):
        _load(source[k], out[k])
        _filter_down(out[k])
        for j in range(source.shape[1]):
            _filter_line(out[k, j], ends)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def filter_columns(planes: Floats, begin: int, end: int) -> None:
    """Columns `begin` to `end` of planes (K, N) turned into coefficients, in place."""
    width = columns_at_once(planes.shape[0])
    for first in range(begin, end, width):
        _recur(planes, first, min(first + width, end))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def columns_at_once(count: int) -> int:
    """How many columns of `count` voxels are filtered together."""
    return int(max(64, BLOCK_FLOATS // count // 16 * 16))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _load(source: NDArray[Any], out: Floats) -> None:
    for j in range(source.shape[0]):
        row, target = source[j], out[j]
        for n in range(target.size):
            target[n] = row[n]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _filter_down(plane: Floats) -> None:
    width = columns_at_once(plane.shape[0])
    for first in range(0, plane.shape[1], width):
        _recur(plane, first, min(first + width, plane.shape[1]))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _recur(rows: Floats, first: int, last: int) -> None:
    """Filter columns `first` to `last` along the first axis: down, then up (Unser 1999, box 2)."""
    count, width = rows.shape[0], last - first
    if count == 1:
        return
    six = np.float32(6)
    start = np.zeros(width, np.float32)
    power = six
    for n in range(REACH):
        row = rows[mirrored(n, count)][first:last]
        for i in range(width):
            start[i] += power * row[i]
        power *= POLE
    rows[0][first:last] = start
    for n in range(1, count):
        before, row = rows[n - 1][first:last], rows[n][first:last]
        for i in range(width):
            row[i] = six * row[i] + POLE * before[i]
    before, row = rows[count - 2][first:last], rows[count - 1][first:last]
    for i in range(width):
        row[i] = _END_GAIN * (row[i] + POLE * before[i])
    for n in range(count - 2, -1, -1):
        after, row = rows[n + 1][first:last], rows[n][first:last]
        for i in range(width):
            row[i] = POLE * (after[i] - row[i])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _filter_line(line: Floats, ends: Floats) -> None:
    """Filter one row; `ends` (2, size + 2 MARGIN) is room for it with its mirror images.

    1 / (1 - p z) is (1 + p z + p^2 z^2 + p^3 z^3)(1 + p^4 z^4 + p^8 z^8 + p^12 z^12) up to p^16.
    """
    size = line.size
    if size == 1:
        return
    a, b = ends[0], ends[1]
    a[MARGIN : MARGIN + size] = line
    for n in range(1, MARGIN):
        a[MARGIN - n] = line[mirrored(n, size)]
        a[MARGIN + size - 1 + n] = line[mirrored(size - 1 + n, size)]
    _add_four(a[1:], a[2:], a[3:], a[4:], _P3, _P2, POLE, np.float32(1), b[4 : size + 31])
    _add_four(b[4:], b[8:], b[12:], b[16:], _P12, _P8, _P4, np.float32(1), a[16 : size + 31])
    _add_four(a[19:], a[18:], a[17:], a[16:], _P3, _P2, POLE, np.float32(1), b[16 : size + 28])
    _add_four(b[28:], b[24:], b[20:], b[16:], _G12, _G8, _G4, _G0, line)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_four(
    a: Floats,
    b: Floats,
    c: Floats,
    d: Floats,
    p: np.float32,
    q: np.float32,
    r: np.float32,
    s: np.float32,
    out: Floats,
) -> None:
    for n in range(out.size):
        out[n] = (p * a[n] + q * b[n]) + (r * c[n] + s * d[n])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def mirrored(index: int, count: int) -> int:
    """The index that exists where the image is mirrored at the centres of its border voxels."""
    if 0 <= index < count:
        return index
    if count == 1:
        return 0
    folded = abs(index) % (2 * count - 2)
    return int(folded if folded < count else 2 * count - 2 - folded)
