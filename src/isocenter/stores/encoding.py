"""Encoding: the payload of a chunk, which any Blosc can decode (see `isocenter.stores.decoding` for its parts).

The blocks of LZ4 are made by the C library; what is around them is put together here, since Blosc's own writer
compresses noise that a copy serves better, and takes settings from the environment.
"""

from __future__ import annotations

import struct
from typing import Any

import imagecodecs
import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.stores.addresses import clear_bytes, copy_bytes
from isocenter.stores.bitplanes import GROUP, sort_bits
from isocenter.stores.decoding import FORMAT, HAS_PLANES, HEAD, IS_COPY, LZ4, LZ4_FORMAT
from isocenter.stores.scratch import scratch

_lz4: Any = imagecodecs.lz4_encode  # whose stubs do not know that any buffer will do
_blosc: Any = imagecodecs.blosc_encode
_ACCELERATION = 5
_WORTHWHILE = 0.97
_LEAST = 2 * GROUP


def payload_of(block: NDArray[Any]) -> bytes:
    """The payload of a contiguous block of numbers."""
    size, count = block.dtype.itemsize, block.nbytes
    if block.size % GROUP or block.size < _LEAST:
        return _by_blosc(block)
    planes = scratch("planes", count)[:count]
    sort_bits(block.ctypes.data, block.size, size, planes.ctypes.data)
    parts = [b"", struct.pack("<I", HEAD + 4)]
    for stream in planes.reshape(size, -1):
        shorter = bytes(_lz4(stream, level=_ACCELERATION, header=False))
        kept = shorter if len(shorter) < _WORTHWHILE * stream.size else stream.tobytes()
        parts += [struct.pack("<I", len(kept)), kept]
    length = HEAD + sum(map(len, parts))
    flags = LZ4 | HAS_PLANES
    if length >= HEAD + count:
        parts, length, flags = [b"", block.tobytes()], HEAD + count, LZ4 | IS_COPY
    parts[0] = struct.pack("<4B3I", FORMAT, LZ4_FORMAT, flags, size, count, count, length)
    return b"".join(parts)


def _by_blosc(block: NDArray[Any]) -> bytes:
    """What Blosc makes of numbers that do not go into whole groups: small arrays, and text."""
    payload: bytes = _blosc(
        block.view(f"u{block.dtype.itemsize}"),  # it takes the size of numbers from the array's type
        5, compressor="lz4", shuffle="bitshuffle", typesize=block.dtype.itemsize, numthreads=1,
    )  # fmt: skip
    return payload


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def collect(
    source: int,
    strides: NDArray[np.int64],
    counts: NDArray[np.int64],
    chunk: NDArray[np.int64],
    size: int,
    to: int,
) -> None:
    """Copy a box of an array of four axes, whose rows are contiguous, into a chunk; zeros where it is no longer there.

    Args:
        source: Address of the box's first number.
        strides: Of the array in bytes.
        counts: Numbers of the box along each axis.
        chunk: Shape of a chunk.
        size: Bytes of a number.
        to: Address of the chunk.
    """
    line = chunk[3] * size
    if counts[0] * counts[1] * counts[2] * counts[3] < chunk[0] * chunk[1] * chunk[2] * chunk[3]:
        clear_bytes(to, chunk[0] * chunk[1] * chunk[2] * line)
    for c in range(counts[0]):
        for k in range(counts[1]):
            row = to + (c * chunk[1] + k) * chunk[2] * line
            place = source + c * strides[0] + k * strides[1]
            for j in range(counts[2]):
                copy_bytes(row + j * line, place + j * strides[2], counts[3] * size)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def is_zero(block: NDArray[np.uint8]) -> bool:
    """Whether all bytes of a block are 0."""
    for start in range(0, block.size, 64):  # in pieces that can be told at once
        found = 0
        for byte in block[start : start + 64]:
            found |= byte
        if found:
            return False
    return True
