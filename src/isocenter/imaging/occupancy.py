"""Occupancy: how much of every voxel's area in its plane lies inside contours, where the centre alone says too little."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from numpy.typing import NDArray

# Lines through each row of pixels; along a line the share is exact.
LINES = 64


def cover_plane(polygons: Sequence[NDArray[np.float64]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Share of each pixel (slow, fast) inside an odd number of polygons, of points (N, 2) in fast, slow order."""
    out = np.zeros(shape, dtype=np.float32)
    ends = [np.concatenate((p, np.roll(p, -1, axis=0)), axis=1) for p in polygons]
    if not ends:
        return out
    edges = np.ascontiguousarray(np.concatenate(ends))
    lines, places = _crossings(edges, shape[0])
    order = np.lexsort((places, lines))
    _cover(lines[order], places[order], out)
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _crossings(edges: NDArray[np.float64], rows: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where edges cross the lines: number of the line, and place along it."""
    count = 0
    for n in range(2):
        if n == 1:
            lines, places = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.float64)
            count = 0
        for x0, y0, x1, y1 in edges:
            if y0 == y1:
                continue
            low, high = min(y0, y1), max(y0, y1)
            first = max(0, int(np.ceil((low + 0.5) * LINES - 0.5)))
            beyond = min(rows * LINES, int(np.ceil((high + 0.5) * LINES - 0.5)))
            for line in range(first, beyond):
                if n == 1:
                    y = (line + 0.5) / LINES - 0.5
                    lines[count] = line
                    places[count] = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
                count += 1
    return lines, places


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _cover(lines: NDArray[np.int64], places: NDArray[np.float64], out: NDArray[np.float32]) -> None:
    """Add, line by line, what lies between the first and the second crossing, the third and the fourth, ..."""
    columns = out.shape[1]
    for n in range(0, len(lines) - 1, 2):
        row = lines[n] // LINES
        begin = min(max(places[n] + 0.5, 0.0), float(columns))
        end = min(max(places[n + 1] + 0.5, 0.0), float(columns))
        for column in range(int(begin), min(columns, int(np.ceil(end)))):
            share = min(end, column + 1.0) - max(begin, float(column))
            out[row, column] += np.float32(share / LINES)
