"""Memory of large arrays that is used again when they are gone: pages that are new to a process cost more than reading into them."""

from __future__ import annotations

import math
import mmap
import weakref
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Smaller arrays are kept by the allocator itself; larger ones are given back at once.
LEAST_BYTES, MOST_BYTES = 4 << 20, 512 << 20
# A deque drops the oldest by itself, and takes and gives in one step, whatever thread an array dies in.
_free: deque[mmap.mmap] = deque(maxlen=2)


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array of any values, as `numpy.empty` gives it, in memory that an earlier one had where some is free.

    Memory comes back when the last view of its array is gone; the system may take it whenever it is short of it.

    Args:
        shape: Its shape.
        dtype: Its type, of numbers.
    """
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if not LEAST_BYTES <= size <= MOST_BYTES or not hasattr(mmap, "MADV_FREE"):
        return np.empty(shape, kind)
    block = _fitting(size) or _new(size)
    owner = np.frombuffer(block, np.uint8)
    weakref.finalize(owner, _give_back, block).atexit = False
    return owner[:size].view(kind).reshape(shape)


def release() -> None:
    """Give the memory that is free back to the system at once."""
    _free.clear()


def _fitting(size: int) -> mmap.mmap | None:
    """A free block that is large enough and not more than half empty."""
    for _ in range(len(_free)):
        try:
            block = _free.popleft()
        except IndexError:  # another thread took it
            return None
        if size <= len(block) <= 2 * size:
            return block
        _free.append(block)
    return None


def _new(size: int) -> mmap.mmap:
    block = mmap.mmap(
        -1, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    )
    if hasattr(mmap, "MADV_HUGEPAGE"):
        block.madvise(mmap.MADV_HUGEPAGE)
    return block


def _give_back(block: mmap.mmap) -> None:
    block.madvise(mmap.MADV_FREE)
    _free.append(block)
