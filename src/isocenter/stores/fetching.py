"""Fetching: payloads of chunks, read from a file and decoded without coming back to Python for each run of them."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.stores.addresses import read_at
from isocenter.stores.decoding import AXES, decode
from isocenter.stores.fletcher import fletcher32


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def fetch(
    descriptor: int,
    found: NDArray[np.int64],
    batches: NDArray[np.int64],
    addresses: NDArray[np.int64],
    sizes: NDArray[np.int64],
    places: NDArray[np.int64],
    summed: int,
    geometry: NDArray[np.int64],
    out: int,
    payloads: int,
    buffers: tuple[int, int],
) -> tuple[int, int]:
    """Read and decode batches of chunks, one after the other into the same buffer.

    Args:
        descriptor: Of the file.
        found: Runs (R, 3), see `isocenter.stores.plan.runs`.
        batches: Some of the batches (B, 4), see there.
        addresses: Of all payloads (N,) when their batch has been read.
        sizes: See `isocenter.stores.decoding.decode`, as for all that follow.
        places: Of all chunks (N, AXES).
        summed: 4 or 0.
        geometry: Of chunks and part.
        out: Address of the first wanted number.
        payloads: Address of the buffer that a batch is read into.
        buffers: To decode in.

    Returns:
        The first run that could not be read, and the first chunk whose payload is not one of ours; -1 where there is none.
    """
    for n in range(batches.shape[0]):
        first, beyond = batches[n, 0], batches[n, 2]
        failed = _read_runs(descriptor, found, batches[n, 1], batches[n, 3], payloads)
        if failed >= 0:
            return failed, -1
        bad = decode(
            addresses[first:beyond], sizes[first:beyond], places[first:beyond], summed, geometry, out, buffers
        )
        if bad >= 0:
            return -1, first + bad
    return -1, -1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def contents(
    descriptor: int,
    found: NDArray[np.int64],
    batches: NDArray[np.int64],
    addresses: NDArray[np.int64],
    sizes: NDArray[np.int64],
    places: NDArray[np.int64],
    summed: int,
    geometry: NDArray[np.int64],
    block: int,
    payloads: int,
    buffers: tuple[int, int],
    sums: NDArray[np.int64],
) -> tuple[int, int]:
    """Read and decode batches of chunks one by one, and sum up the voxels of each.

    Args:
        descriptor: As `fetch` has it, like all that follow.
        found: Runs.
        batches: Batches.
        addresses: Of payloads.
        sizes: Of payloads.
        places: Of chunks.
        summed: 4 or 0.
        geometry: Of a chunk; which part of the array is wanted is filled in here.
        block: Address of memory for a chunk.
        payloads: Address of the buffer for a batch.
        buffers: To decode in.
        sums: Receives the check sums (N,).

    Returns:
        What `fetch` returns.
    """
    count = geometry[4, 0]
    for axis in range(AXES):
        count *= geometry[0, axis]
    for n in range(batches.shape[0]):
        failed = _read_runs(descriptor, found, batches[n, 1], batches[n, 3], payloads)
        if failed >= 0:
            return failed, -1
        for one in range(batches[n, 0], batches[n, 2]):
            geometry[1] = places[one] * geometry[0]
            geometry[2] = geometry[1] + geometry[0]
            here = slice(one, one + 1)
            if decode(addresses[here], sizes[here], places[here], summed, geometry, block, buffers) >= 0:
                return -1, one
            sums[one] = fletcher32(block, count)
    return -1, -1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _read_runs(descriptor: int, found: NDArray[np.int64], first: int, beyond: int, payloads: int) -> int:
    """Read runs into a buffer; the first that did not come as a whole, -1 where all did."""
    for run in range(first, beyond):
        if read_at(descriptor, payloads + found[run, 2], found[run, 1], found[run, 0]) != found[run, 1]:
            return run
    return -1
