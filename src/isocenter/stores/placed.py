"""Placed: where the chunks of an array lie in a file, and how their bytes come from there to the voxels."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import StoreCorrupt
from isocenter.stores.chunks import BATCH_BYTES, Position
from isocenter.stores.decoding import HEAD
from isocenter.stores.encoding import SUM_BYTES
from isocenter.stores.part import Part, each_batch
from isocenter.stores.plan import runs
from isocenter.stores.scratch import scratch
from isocenter.stores.shard import ArrayFacts
from isocenter.stores.whole import Whole

_GAP = 4096
_SKIPPED = 1  # filter mask of a chunk that the first filter, Blosc, was left out of


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Where the chunks of an array lie in a file.

    Attributes:
        offsets: In the file, of each chunk of the grid in C order (N,).
        sizes: Bytes of each with its check sum (N,); 0 for a chunk that is not stored, and less than 0 for one that
            is stored as it is: HDF5 leaves Blosc out where it gains nothing.
    """

    facts: ArrayFacts
    chunk: tuple[int, ...]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int32]

    @property
    def nbytes(self) -> int:
        """Bytes that this takes."""
        return self.offsets.nbytes + self.sizes.nbytes

    @classmethod
    def of(cls, dataset: Any, facts: ArrayFacts, file_bytes: int) -> Placed:
        """Of an HDF5 dataset.

        Raises:
            StoreCorrupt: a chunk is said to lie outside the file, or to be what a chunk of ours never is.
        """
        chunk = tuple(int(c) for c in dataset.chunks)
        counts = [-(-n // c) for n, c in zip(facts.shape, chunk, strict=True)]
        found: list[int] = []
        ndim = len(chunk)

        def note(info: Any) -> None:
            found.extend(info.chunk_offset)
            found.extend((info.byte_offset, info.size, info.filter_mask))

        dataset.id.chunk_iter(note)
        table = np.array(found, np.uint64).reshape(-1, ndim + 3)
        corners, offsets, sizes = table[:, :ndim].astype(np.int64), table[:, ndim], table[:, ndim + 1]
        most = math.prod(chunk) * facts.dtype.itemsize + HEAD + SUM_BYTES
        if (
            (table[:, -1] > _SKIPPED).any()
            or (sizes > most).any()
            or (sizes <= SUM_BYTES).any()
            or (offsets > file_bytes).any()
            or (offsets + sizes > file_bytes).any()
            or (corners // chunk >= counts).any()
        ):
            raise StoreCorrupt("holds chunks that cannot be ours")
        numbers = np.ravel_multi_index(tuple((corners // chunk).T), counts)
        placed = cls(
            facts, chunk, np.zeros(math.prod(counts), np.int64), np.zeros(math.prod(counts), np.int32)
        )
        placed.offsets[numbers] = offsets
        placed.sizes[numbers] = np.where(table[:, -1] == _SKIPPED, -1, 1) * sizes.astype(np.int32)
        return placed


def read_part(descriptor: int, placed: Placed, part: Part, threads: int) -> None:
    """Read and decode the chunks of a part, some at a time.

    Raises:
        StoreCorrupt: the file ends early, or bytes are not those that were written.
    """
    plan = _Plan(descriptor, placed, part.numbers)

    def do(batches: NDArray[np.int64]) -> None:
        plan.carry_out(batches, functools.partial(part.fetch, summed=SUM_BYTES))

    each_batch(do, [plan.batches] if threads < 2 else np.split(plan.batches, len(plan.batches)), threads)


def read_contents(descriptor: int, placed: Placed) -> NDArray[np.int64]:
    """Check sums of the voxels of all chunks (N,), decoded from the file; 0 for zeros alone.

    Raises:
        StoreCorrupt: the file ends early, or bytes are not those that were written.
    """
    plan = _Plan(descriptor, placed, np.arange(placed.offsets.size))
    whole = Whole(placed.facts, placed.chunk)
    plan.carry_out(plan.batches, functools.partial(whole.fetch, summed=SUM_BYTES))
    return whole.sums


class _Plan:
    """What is read of a file for some chunks of an array, in batches that fit the processor's cache."""

    def __init__(self, descriptor: int, placed: Placed, numbers: NDArray[np.int64]) -> None:
        offsets, sizes = placed.offsets[numbers], placed.sizes[numbers].astype(np.int64)
        self._descriptor = descriptor
        self._found, self.batches, self._at = runs(offsets, np.abs(sizes), BATCH_BYTES, _GAP)
        self._sizes = sizes - SUM_BYTES * np.sign(sizes)
        self._most = int(self._found[:, 1:].sum(axis=1).max(initial=1))

    def carry_out(self, batches: NDArray[np.int64], fetch: Callable[..., int]) -> None:
        """Read and decode some of the batches.

        Args:
            batches: Rows of `batches`.
            fetch: Takes descriptor, runs, batches, places of payloads in a buffer, their sizes, and the buffer; gives the
                number of the first run that could not be read, -1 where there is none.
        """
        buffer, before = scratch("payloads", self._most), -1
        while True:
            failed = fetch(self._descriptor, self._found, batches, self._at, self._sizes, buffer)
            if failed < 0:
                return
            # read once more, where Python says what is wrong; it may have been but a signal
            offset, count, place = self._found[failed].tolist()
            came = os.preadv(self._descriptor, [buffer.data[place : place + count]], offset)
            if came != count or failed == before:
                raise StoreCorrupt("the file ends early")
            batches, before = batches[batches[:, 3] > failed], failed


def read_payloads(descriptor: int, placed: Placed) -> Iterator[tuple[Position, bytes, int]]:
    """Positions of the stored chunks, in C order, their bytes with their check sums, and their filter masks."""
    counts = [-(-n // c) for n, c in zip(placed.facts.shape, placed.chunk, strict=True)]
    for number in np.flatnonzero(placed.sizes):
        size = abs(int(placed.sizes[number]))
        payload = os.pread(descriptor, size, int(placed.offsets[number]))
        if len(payload) != size:
            raise StoreCorrupt("the file ends early")
        position = tuple(int(p) for p in np.unravel_index(number, counts))
        yield position, payload, _SKIPPED if placed.sizes[number] < 0 else 0
