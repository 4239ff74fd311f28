"""Part: what an index asks for of a chunked array, and the array that receives it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import StoreCorrupt
from isocenter.stores.decoding import AXES, SPARE, decode
from isocenter.stores.fetching import fetch
from isocenter.stores.plan import touched
from isocenter.stores.scratch import scratch
from isocenter.stores.shard import ArrayFacts, Index

_ItemT = TypeVar("_ItemT")


class Part:
    """The box of voxels that an index needs, and the array that it is decoded into.

    Args:
        facts: Shape and type of the whole array.
        chunk: Shape of its chunks.
        index: What NumPy takes between square brackets: integers, slices with a positive step, an ellipsis.
        out: Receives the part; a new array where it is None.

    Attributes:
        places: Of the chunks that are touched in the grid of chunks (N, AXES).
        numbers: Of these chunks, counted in C order (N,).
    """

    def __init__(
        self, facts: ArrayFacts, chunk: tuple[int, ...], index: Index, out: NDArray[Any] | None
    ) -> None:
        low, high, steps, kept = _box(index, facts.shape)
        shape = tuple([(b - a + s - 1) // s for a, b, s in zip(low, high, steps, strict=True)])
        wanted = tuple([shape[axis] for axis in kept])
        if out is not None and (out.shape != wanted or out.dtype != facts.dtype or not out.flags.writeable):
            raise ValueError(f"out must be a writeable array of {facts.dtype} {wanted}")
        self._out, self._steps, self._shape, self._wanted = out, steps, shape, wanted
        if out is not None and len(kept) == len(shape) and max(steps) == 1:
            self._box = out
        elif out is not None and max(steps) == 1:
            self._box = out[tuple([slice(None) if axis in kept else None for axis in range(len(shape))])]
        else:
            self._box = np.empty([b - a for a, b in zip(low, high, strict=True)], facts.dtype)
        size, lead = facts.dtype.itemsize, AXES - len(chunk)
        self._bytes = size
        for c in chunk:
            self._bytes *= c
        self._geometry = np.array(
            [
                [1] * lead + list(chunk),
                [0] * lead + low,
                [1] * lead + high,
                [0] * lead + list(self._box.strides),
                [size, 0, 0, 0],
            ],
            np.int64,
        )
        counts = [1] * lead + [-(-n // c) for n, c in zip(facts.shape, chunk, strict=True)]
        self.places, self.numbers = touched(self._geometry, np.array(counts, np.int64))

    def decode(
        self, chunks: slice, addresses: NDArray[np.int64], sizes: NDArray[np.int64], *, summed: int
    ) -> None:
        """Decode some of the chunks, whose payloads are at the addresses; each with its check sum if `summed` is 4.

        Raises:
            StoreCorrupt: a payload is not one of ours.
        """
        bad = decode(
            addresses,
            sizes,
            self.places[chunks],
            summed,
            self._geometry,
            self._box.ctypes.data,
            buffers_for(self._bytes),
        )
        if bad >= 0:
            raise StoreCorrupt(f"chunk {self.numbers[chunks][bad]} is not what was written")

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
        """Read and decode batches of the chunks (see `isocenter.stores.fetching.fetch`), each payload `at` a place in a buffer.

        Returns:
            The first run that could not be read, -1 where there is none.

        Raises:
            StoreCorrupt: a payload is not one of ours.
        """
        start = buffer.ctypes.data
        failed, bad = fetch(
            descriptor, found, batches, at + start, sizes, self.places, summed, self._geometry,
            self._box.ctypes.data, start, buffers_for(self._bytes),
        )  # fmt: skip
        if bad >= 0:
            raise StoreCorrupt(f"chunk {self.numbers[bad]} is not what was written")
        return int(failed)

    def result(self) -> NDArray[Any]:
        """The part, when all of its chunks are decoded."""
        if self._out is None and max(self._steps) == 1:
            return self._box.reshape(self._wanted)
        if max(self._steps) > 1:
            steps = self._box[tuple([slice(None, None, s) for s in self._steps])].reshape(self._wanted)
            if self._out is None:
                return np.ascontiguousarray(steps)
            self._out[...] = steps
        return self._out  # type: ignore[return-value]  # given, where the box is not the part


def buffers_for(count: int) -> tuple[int, int]:
    """Addresses of what chunks of so many bytes are decoded in."""
    inflated, joined = scratch("inflated", count + SPARE), scratch("joined", count + SPARE)
    return inflated.ctypes.data, joined.ctypes.data


def each_batch(do: Callable[[_ItemT], None], batches: Sequence[_ItemT], threads: int) -> None:
    """Do something with each batch, in as many threads; what one of them raises is raised."""
    if threads < 2 or len(batches) < 2:
        for batch in batches:
            do(batch)
        return
    # of one call alone: a pool that lives on would be dead in a forked child
    with ThreadPoolExecutor(min(threads, len(batches))) as pool:
        list(pool.map(do, batches))


def _box(index: Index, shape: tuple[int, ...]) -> tuple[list[int], list[int], list[int], list[int]]:
    """First and last + 1 index of the box along each axis, the steps in it, and the axes that are kept."""
    parts: tuple[Any, ...] = index if isinstance(index, tuple) else (index,)
    given = [p for p in parts if p is not Ellipsis]
    if len(parts) - len(given) > 1 or len(given) > len(shape):
        raise IndexError(f"{len(shape)} axes cannot be indexed with {index}")
    if len(given) < len(shape):
        at = next((n for n, p in enumerate(parts) if p is Ellipsis), len(given))
        given[at:at] = [slice(None)] * (len(shape) - len(given))
    low, high, steps, kept = [], [], [], []
    for axis, (part, n) in enumerate(zip(given, shape, strict=True)):
        if isinstance(part, slice):
            start, stop, step = part.indices(n)
            if step < 1:
                raise IndexError("a slice of a stored array has a positive step")
            kept.append(axis)
        else:
            start, step = range(n)[_integer(part)], 1
            stop = start + 1
        low.append(start)
        high.append(max(start, stop))
        steps.append(step)
    return low, high, steps, kept


def _integer(part: Any) -> int:
    if not isinstance(part, bool):
        try:
            return operator.index(part)
        except TypeError:
            pass
    raise IndexError(
        f"a stored array is indexed with integers, slices and an ellipsis, not with {part!r:.40}; what else NumPy takes,"
        " numpy.asarray(array) does"
    )
