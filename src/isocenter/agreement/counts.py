"""Counts: voxels of two masks, or of two label maps, in one pass over both."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_LANES = 255  # so many ones fit a byte
_EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
_EVEN_PAIRS = np.uint64(0x0000FFFF0000FFFF)


def count_masks(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Voxels of one mask, of the other, and of both."""
    one, other = _flat(first, second)
    words = one.size // 8 * 8
    counts = np.zeros(3, dtype=np.int64)
    _count_words(one[:words].view(np.uint64), other[:words].view(np.uint64), counts)
    rest = one[words:], other[words:]
    counts += [np.count_nonzero(rest[0]), np.count_nonzero(rest[1]), np.count_nonzero(rest[0] & rest[1])]
    return int(counts[0]), int(counts[1]), int(counts[2])


def count_labels(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.int64]:
    """Voxels of every label in one label map, in the other, and in both, (labels, 3), background the first row.

    Args:
        first: Label map, uint8 or uint16.
        second: Another of the same type and shape.
    """
    if first.dtype != second.dtype or first.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"label maps are uint8 or uint16, not {first.dtype} and {second.dtype}")
    one, other = _flat(first, second)
    in_first = np.zeros(int(np.iinfo(first.dtype).max) + 1, dtype=np.int64)
    in_second, in_both = np.zeros_like(in_first), np.zeros_like(in_first)
    words = one.size * one.itemsize // 8 * (8 // one.itemsize)
    _count_runs(
        one[:words].view(np.uint64), other[:words].view(np.uint64), one, other, in_first, in_second, in_both
    )
    _count_each(one[words:], other[words:], in_first, in_second, in_both)
    marked = np.flatnonzero(in_first + in_second)
    stop = int(marked[-1]) + 1 if marked.size else 0
    return np.stack((in_first[:stop], in_second[:stop], in_both[:stop]), axis=1)


def _flat(first: NDArray[Any], second: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    if first.shape != second.shape:
        raise ValueError(f"masks are {first.shape} and {second.shape}")
    one, other = np.ascontiguousarray(first).reshape(-1), np.ascontiguousarray(second).reshape(-1)
    return _aligned(one), _aligned(other)


def _aligned(flat: NDArray[Any]) -> NDArray[Any]:
    """The same values where words of eight bytes may be read; only a layer of a larger array is copied."""
    return flat if flat.ctypes.data % 8 == 0 else flat.copy()


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count_words(first: NDArray[np.uint64], second: NDArray[np.uint64], counts: NDArray[np.int64]) -> None:
    """Eight voxels at a time: bytes of 0 and 1 are added up side by side until one of them could overflow."""
    for start in range(0, first.size, _LANES):
        some, others = first[start : start + _LANES], second[start : start + _LANES]
        one, other, both = np.uint64(0), np.uint64(0), np.uint64(0)
        for n in range(some.size):
            one += some[n]
            other += others[n]
            both += some[n] & others[n]
        counts[0] += _bytes(one)
        counts[1] += _bytes(other)
        counts[2] += _bytes(both)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _bytes(word: Any) -> Any:
    """The sum of the eight bytes of a word."""
    pairs = (word & _EVEN_BYTES) + ((word >> np.uint64(8)) & _EVEN_BYTES)
    fours = (pairs & _EVEN_PAIRS) + ((pairs >> np.uint64(16)) & _EVEN_PAIRS)
    return np.int64((fours & np.uint64(0xFFFFFFFF)) + (fours >> np.uint64(32)))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count_runs(
    words: NDArray[np.uint64],
    other_words: NDArray[np.uint64],
    first: NDArray[Any],
    second: NDArray[Any],
    in_first: NDArray[np.int64],
    in_second: NDArray[np.int64],
    in_both: NDArray[np.int64],
) -> None:
    """Runs of one pair of labels are counted at once; where they go on, eight bytes are compared at a time."""
    each = 8 // first.itemsize
    spread = np.uint64(0x0101010101010101 if each == 8 else 0x0001000100010001)
    one, other, run = np.uint64(0), np.uint64(0), 0
    for n in range(words.size):
        if words[n] == one * spread and other_words[n] == other * spread:
            run += each
            continue
        for v in range(n * each, (n + 1) * each):
            if first[v] != one or second[v] != other:
                _add(one, other, run, in_first, in_second, in_both)
                one, other, run = np.uint64(first[v]), np.uint64(second[v]), 0
            run += 1
    _add(one, other, run, in_first, in_second, in_both)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add(
    label: Any,
    other: Any,
    count: int,
    in_first: NDArray[np.int64],
    in_second: NDArray[np.int64],
    in_both: NDArray[np.int64],
) -> None:
    in_first[label] += count
    in_second[other] += count
    if label == other:
        in_both[label] += count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count_each(
    first: NDArray[Any],
    second: NDArray[Any],
    in_first: NDArray[np.int64],
    in_second: NDArray[np.int64],
    in_both: NDArray[np.int64],
) -> None:
    for n in range(first.size):
        _add(first[n], second[n], 1, in_first, in_second, in_both)
