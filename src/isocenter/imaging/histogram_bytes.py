"""Histograms as few bytes, the same for the same histogram on every machine: for the tables of a store.

A byte tells the kind (0 nothing, 1 whole numbers, 2 bins); then follow exponent and first step, each with its sign in
the lowest bit, and the counts; a count of 0 is followed by how many of them there are. Every number is written in
groups of 7 bits, the lowest first, as unsigned LEB128 (DWARF 5, section 7.6). Nothing is compressed here: the table
is, and a library of one machine may compress otherwise than that of another.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.histogram import NOTHING, Histogram

# int16 and uint16 together; what claims to be longer is no histogram of ours.
MOST_LEVELS = 1 << 17
_LONGEST = 10  # bytes of a 64-bit number


def pack(histogram: Histogram) -> bytes:
    """A histogram as bytes."""
    if not histogram.counts.size:
        return b"\0"
    head = [1 if histogram.is_exact else 2, _unsigned(histogram.exponent), _unsigned(histogram.first)]
    out = np.empty((histogram.counts.size * 2 + len(head)) * _LONGEST, np.uint8)
    length = _write(np.array(head, np.uint64), histogram.counts, out)
    return out[:length].tobytes()


def unpack(data: bytes) -> Histogram:
    """The histogram of some bytes.

    Raises:
        ValueError: they are not those of a histogram.
    """
    if data == b"\0":
        return NOTHING
    head, counts = np.zeros(3, np.uint64), np.zeros(MOST_LEVELS, np.int64)
    length = _read(np.frombuffer(data, np.uint8), head, counts)
    kind, exponent, first = int(head[0]), _signed(int(head[1])), _signed(int(head[2]))
    if length < 1 or kind not in {1, 2} or abs(exponent) > 1100 or (kind == 1 and exponent):
        raise ValueError("these bytes are no histogram")
    return Histogram(first=first, counts=counts[:length].copy(), exponent=exponent, is_exact=kind == 1)


def _unsigned(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def _signed(number: int) -> int:
    return -(number + 1) // 2 if number % 2 else number // 2


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _put(number: np.uint64, out: NDArray[np.uint8], at: int) -> int:
    while number >= np.uint64(128):
        out[at] = np.uint8(number & np.uint64(127)) | np.uint8(128)
        number >>= np.uint64(7)
        at += 1
    out[at] = np.uint8(number)
    return at + 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _write(head: NDArray[np.uint64], counts: NDArray[np.int64], out: NDArray[np.uint8]) -> int:
    at = 0
    for number in head:
        at = _put(number, out, at)
    n = 0
    while n < counts.size:
        at = _put(np.uint64(counts[n]), out, at)
        start = n
        n += 1
        if counts[start] == 0:
            while n < counts.size and counts[n] == 0:
                n += 1
            at = _put(np.uint64(n - start), out, at)
    return at


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _take(data: NDArray[np.uint8], at: int) -> tuple[np.uint64, int]:
    """The number that begins at a byte, and where the next one does; a place of -1 where it never ends."""
    number, shift = np.uint64(0), np.uint64(0)
    while at < data.size and shift < np.uint64(64):
        byte = data[at]
        number |= np.uint64(byte & np.uint8(127)) << shift
        at += 1
        if byte < np.uint8(128):
            return number, at
        shift += np.uint64(7)
    return np.uint64(0), -1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _read(data: NDArray[np.uint8], head: NDArray[np.uint64], counts: NDArray[np.int64]) -> int:
    """How many counts there are, -1 where the bytes are none of ours."""
    at = 0
    for n in range(head.size):
        head[n], at = _take(data, at)
        if at < 0:
            return -1
    length = 0
    while at < data.size:
        number, at = _take(data, at)
        if at < 0 or length >= counts.size or number >= np.uint64(1) << np.uint64(62):
            return -1
        if number > np.uint64(0):
            counts[length] = np.int64(number)
            length += 1
            continue
        number, at = _take(data, at)
        if at < 0 or number > np.uint64(counts.size - length):
            return -1
        length += int(number)
    return length
