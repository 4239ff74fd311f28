"""Whole: all chunks of an array, decoded one by one to see whether they hold what was put into them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import StoreCorrupt
from isocenter.stores.decoding import AXES
from isocenter.stores.fetching import contents
from isocenter.stores.part import buffers_for
from isocenter.stores.scratch import scratch
from isocenter.stores.shard import ArrayFacts


class Whole:
    """All chunks of an array, decoded one by one for the check sums of their voxels.

    Args:
        facts: Shape and type of the array.
        chunk: Shape of its chunks.

    Attributes:
        sums: Of chunks, in C order (N,); good when all of them were fetched.
    """

    def __init__(self, facts: ArrayFacts, chunk: tuple[int, ...]) -> None:
        size, lead = facts.dtype.itemsize, AXES - len(chunk)
        counts = [1] * lead + [-(-n // c) for n, c in zip(facts.shape, chunk, strict=True)]
        strides = [size * math.prod(chunk[axis + 1 :]) for axis in range(len(chunk))]
        self._bytes = size * math.prod(chunk)
        self._geometry = np.zeros((5, AXES), np.int64)
        self._geometry[0] = [1] * lead + list(chunk)
        self._geometry[3] = [0] * lead + strides
        self._geometry[4, 0] = size
        self._places = np.stack(np.unravel_index(np.arange(math.prod(counts)), counts), axis=1)
        self.sums = np.zeros(math.prod(counts), np.int64)

    def fetch(
        self,
        descriptor: int,
        found: NDArray[np.int64],
        batches: NDArray[np.int64],
        at: NDArray[np.int64],
        sizes: NDArray[np.int64],
        buffer: NDArray[np.uint8],
        *,
        summed: int,
    ) -> int:
        """Read batches of the chunks and sum up their voxels; as `Part.fetch`."""
        start, block = buffer.ctypes.data, scratch("collected", self._bytes)
        failed, bad = contents(
            descriptor, found, batches, at + start, sizes, self._places, summed, self._geometry,
            block.ctypes.data, start, buffers_for(self._bytes), self.sums,
        )  # fmt: skip
        if bad >= 0:
            raise StoreCorrupt(f"chunk {bad} is not what was written")
        return int(failed)
