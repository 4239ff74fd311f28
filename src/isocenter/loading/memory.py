"""Memory: large arrays of samples, in memory that is used again, or where the batch has its place for them.

New memory is costly: the system clears every page of it before it is touched first, which takes as long as a fifth of the
reading of a patch, and pieces of all sizes that come and go leave gaps. So what nobody holds any longer is handed out
again.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LEAST_BYTES = 1 << 18
"""Smaller arrays are made anew: for them the allocator has memory at hand."""

MOST_IDLE_BYTES, MOST_KNOWN_BYTES = 64 << 20, 192 << 20
"""What each thread keeps at most of memory that nobody holds, and how much of what it handed out it looks at again."""


class Tray:
    """A batch that is being made: of each of its arrays (B, ...) every sample fills its own part.

    Args:
        arrays: By the name that they have in a sample.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = arrays
        self.number = 0

    def place(self, name: str, shape: Sequence[int], kind: np.dtype[Any]) -> NDArray[Any] | None:
        """Where the sample that is being made has its place for an array; None where it has none for such a one."""
        whole = self._arrays.get(name)
        if whole is None or whole.shape[1:] != tuple(shape) or whole.dtype != kind:
            return None
        part: NDArray[Any] = whole[self.number]
        return part


class _Own(threading.local):
    """What a thread has: the batch that it is making, and memory that it has handed out, the newest last."""

    def __init__(self) -> None:
        self.tray: Tray | None = None
        self.blocks: list[NDArray[np.uint8]] = []


_own = _Own()


def empty(shape: Sequence[int], dtype: DTypeLike, name: str = "") -> NDArray[Any]:
    """An array of any values: a place in the batch that is being made, or memory that nobody holds any longer, or new.

    Args:
        shape: Of the array.
        dtype: Of the array.
        name: What it will be called in a sample; "" for what is in none.
    """
    kind = np.dtype(dtype)
    place = None if _own.tray is None else _own.tray.place(name, shape, kind)
    if place is not None:
        return place
    count = math.prod(shape) * kind.itemsize
    return np.empty(shape, kind) if count < LEAST_BYTES else _block(count).view(kind).reshape(shape)


@contextmanager
def filling(tray: Tray) -> Iterator[None]:
    """Have the samples that this thread makes put where the batch has its places for them."""
    before, _own.tray = _own.tray, tray
    try:
        yield
    finally:
        _own.tray = before


def _block(count: int) -> NDArray[np.uint8]:
    """Bytes that nobody else holds."""
    blocks = _own.blocks
    idle = [n for n in range(len(blocks)) if _holders(blocks, n) == _IDLE]
    found = next((n for n in reversed(idle) if blocks[n].size == count), None)
    block = np.empty(count, np.uint8) if found is None else blocks[found]
    known, held, unused = [block], count, 0
    for n in reversed(range(len(blocks))):
        held += blocks[n].size
        unused += blocks[n].size if n in idle else 0
        if n != found and held <= MOST_KNOWN_BYTES and unused <= MOST_IDLE_BYTES:
            known.append(blocks[n])
    _own.blocks = known[::-1]
    return block


def _holders(blocks: list[NDArray[np.uint8]], number: int) -> int:
    """Who refers to a block: every view of it does, and every tensor of PyTorch that was made of one."""
    return sys.getrefcount(blocks[number])


_IDLE = _holders([np.empty(1, np.uint8)], 0)
