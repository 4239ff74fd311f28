"""Plan of reading a part of an array: which chunks it touches, and which of them lie side by side in a file."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.stores.decoding import AXES


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def touched(
    geometry: NDArray[np.int64], grid: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Chunks that a part touches, in the order of a file: their places (N, AXES) and their numbers (N,) in the grid.

    Args:
        geometry: As `isocenter.stores.decoding.decode` takes it; only the first three rows are read.
        grid: Number of chunks along each axis.
    """
    low, high, count = np.empty(AXES, np.int64), np.empty(AXES, np.int64), 1
    for axis in range(AXES):
        low[axis] = geometry[1, axis] // geometry[0, axis]
        high[axis] = (geometry[2, axis] - 1) // geometry[0, axis] + 1
        count *= max(high[axis] - low[axis], 0)
    places, numbers = np.empty((count, AXES), np.int64), np.empty(count, np.int64)
    n = 0
    if not count:
        return places, numbers
    for c in range(low[0], high[0]):
        for k in range(low[1], high[1]):
            for j in range(low[2], high[2]):
                for i in range(low[3], high[3]):
                    places[n, 0], places[n, 1], places[n, 2], places[n, 3] = c, k, j, i
                    numbers[n] = ((c * grid[1] + k) * grid[2] + j) * grid[3] + i
                    n += 1
    return places, numbers


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def runs(
    offsets: NDArray[np.int64], sizes: NDArray[np.int64], most: int, gap: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Runs of bytes of a file that hold payloads, in batches that fit a buffer.

    Args:
        offsets: Of payloads in the file (N,).
        sizes: Of payloads (N,) in bytes; 0 where there is none.
        most: Bytes of a batch; one that is a single payload may be larger.
        gap: Bytes that are rather read than skipped.

    Returns:
        Rows (R, 3) of offset in the file, bytes, and offset in the buffer; rows (B, 4) of the first payload and run of
        a batch and those after its last; and where each payload lies in the buffer (N,).
    """
    found, batches = np.empty((offsets.size, 3), np.int64), np.empty((offsets.size + 1, 4), np.int64)
    at, n_runs, n_batches, used, end = np.zeros(offsets.size, np.int64), 0, 0, 0, -1
    batches[0, 0], batches[0, 1] = 0, 0
    for n in range(offsets.size):
        if sizes[n] == 0:
            continue
        skipped = offsets[n] - end
        is_next = end >= 0 and 0 <= skipped <= gap
        if used and used + sizes[n] + (skipped if is_next else 0) > most:
            batches[n_batches, 2], batches[n_batches, 3] = n, n_runs
            n_batches += 1
            batches[n_batches, 0], batches[n_batches, 1] = n, n_runs
            used, is_next = 0, False
        if is_next:
            found[n_runs - 1, 1] += skipped + sizes[n]
            used += skipped
        else:
            found[n_runs, 0], found[n_runs, 1], found[n_runs, 2] = offsets[n], sizes[n], used
            n_runs += 1
        at[n] = used
        used += sizes[n]
        end = offsets[n] + sizes[n]
    batches[n_batches, 2], batches[n_batches, 3] = offsets.size, n_runs
    return found[:n_runs], batches[: n_batches + 1], at
