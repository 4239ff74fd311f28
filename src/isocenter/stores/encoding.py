"""Encoding: the payload of a chunk, which any Blosc can decode (see `isocenter.stores.decoding` for its parts).

What Blosc's own writer would do depends on the environment, and it compresses noise that a copy serves better.
"""

from __future__ import annotations

from typing import Any

import imagecodecs
import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.stores import lz4
from isocenter.stores.addresses import clear_bytes, copy_bytes, put_byte, put_word
from isocenter.stores.bitplanes import GROUP, STAGE, sort_bits
from isocenter.stores.decoding import AXES, FORMAT, HAS_PLANES, HEAD, IS_COPY, LZ4, LZ4_FORMAT
from isocenter.stores.fletcher import fletcher32
from isocenter.stores.scratch import scratch

SUM_BYTES = 4
"""Bytes of the check sum behind a payload."""

_blosc: Any = imagecodecs.blosc_encode
_WORTHWHILE = 0.97
_LEAST = 2 * GROUP


def is_by_blosc(voxels: int) -> bool:
    """Whether Blosc itself has to encode a chunk: numbers that do not go into whole groups, of small arrays."""
    return bool(voxels % GROUP or voxels < _LEAST)


def most_bytes(size: int, voxels: int) -> int:
    """Bytes that a payload and its check sum may take, of so many numbers of `size` bytes."""
    return HEAD + 4 + 4 * size + size * voxels + SUM_BYTES


def payload_of(block: NDArray[Any]) -> bytes:
    """The payload of a contiguous block of numbers."""
    size = block.dtype.itemsize
    if is_by_blosc(block.size):
        return by_blosc(block)
    out = np.empty(most_bytes(size, block.size), np.uint8)
    length = encode(block.ctypes.data, size, block.nbytes, out.ctypes.data, _buffers(block.nbytes), _table())
    return out[:length].tobytes()


def by_blosc(block: NDArray[Any]) -> bytes:
    """What Blosc makes of a contiguous block."""
    payload: bytes = _blosc(
        block.view(f"u{block.dtype.itemsize}"),  # it takes the size of numbers from the array's type
        5, compressor="lz4", shuffle="bitshuffle", typesize=block.dtype.itemsize, numthreads=1,
    )  # fmt: skip
    return payload


def encode_next(
    array: NDArray[Any], chunk: tuple[int, ...], first: int, out: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Encode chunks of an array, as many as there is room for, each followed by its check sum.

    Args:
        array: Up to `AXES` axes, the last of which is contiguous.
        chunk: Shape of a chunk.
        first: Number of the first chunk, in C order.
        out: Receives the payloads, one after the other; room for one at least.

    Returns:
        Rows (N, 2) of the bytes of each with its check sum, 0 for integers that are all 0, and the check sum of its
        voxels.
    """
    lead, size = AXES - array.ndim, array.dtype.itemsize
    shape = np.array([1] * lead + list(array.shape), np.int64)
    box = np.array([1] * lead + list(chunk), np.int64)
    strides = np.array([0] * lead + list(array.strides), np.int64)
    count = int(box.prod()) * size
    rows = np.empty((int((-(-shape // box)).prod()) - first, 2), np.int64)
    done = _encode_some(
        array.ctypes.data, strides, shape, box, size, first, array.dtype.kind == "f",
        scratch("collected", count).ctypes.data, out.ctypes.data, out.size, _buffers(count), _table(), rows,
    )  # fmt: skip
    return rows[:done]


def _buffers(count: int) -> tuple[int, int]:
    """Addresses of what `encode` works in, for chunks of so many bytes."""
    return scratch("planes", count).ctypes.data, scratch("stage", STAGE).ctypes.data


def _table() -> NDArray[np.int32]:
    return scratch("table", 4 * lz4.TABLE)[: 4 * lz4.TABLE].view(np.int32)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _encode_some(
    source: int,
    strides: NDArray[np.int64],
    shape: NDArray[np.int64],
    chunk: NDArray[np.int64],
    size: int,
    first: int,
    keeps_zeros: bool,
    whole: int,
    out: int,
    room: int,
    buffers: tuple[int, int],
    table: NDArray[np.int32],
    rows: NDArray[np.int64],
) -> int:
    """Encode chunks from the first one on; how many there was room for."""
    counts, voxels, used = np.empty(AXES, np.int64), chunk[0] * chunk[1] * chunk[2] * chunk[3], 0
    for n in range(rows.shape[0]):
        if used + HEAD + 4 + 4 * size + size * voxels + SUM_BYTES > room:
            return n
        number, at = first + n, source
        for axis in range(AXES - 1, -1, -1):
            across = (shape[axis] + chunk[axis] - 1) // chunk[axis]
            corner = number % across * chunk[axis]
            number //= across
            counts[axis] = min(chunk[axis], shape[axis] - corner)
            at += corner * strides[axis]
        collect(at, strides, counts, chunk, size, whole)
        rows[n, 0], rows[n, 1] = 0, fletcher32(whole, voxels * size)
        if rows[n, 1] or keeps_zeros:  # the sum is 0 for zeros alone; a float zero has a sign
            length = encode(whole, size, voxels * size, out + used, buffers, table)
            put_word(out + used + length, fletcher32(out + used, length))
            rows[n, 0] = length + SUM_BYTES
            used += length + SUM_BYTES
    return len(rows)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def encode(
    source: int, size: int, count: int, out: int, buffers: tuple[int, int], table: NDArray[np.int32]
) -> int:
    """Encode a chunk of whole groups; how many bytes its payload takes.

    Args:
        source: Address of the chunk.
        size: Bytes of a number.
        count: Bytes of the chunk.
        out: Receives the payload, see `most_bytes`.
        buffers: Addresses of as many bytes as the chunk has, and of `STAGE` bytes.
        table: See `isocenter.stores.lz4.compress`.
    """
    planes, each, at, flags = buffers[0], count // size, out + HEAD + 4, LZ4 | HAS_PLANES
    sort_bits(source, each, size, planes, buffers[1])
    for stream in range(size):
        used = lz4.compress(planes + stream * each, each, at + 4, int(_WORTHWHILE * each), table)
        if not used:
            used = each
            copy_bytes(at + 4, planes + stream * each, each)
        put_word(at, used)
        at += 4 + used
    if at - out >= HEAD + count:
        copy_bytes(out + HEAD, source, count)
        at, flags = out + HEAD + count, LZ4 | IS_COPY
    else:
        put_word(out + HEAD, HEAD + 4)
    put_byte(out, FORMAT)
    put_byte(out + 1, LZ4_FORMAT)
    put_byte(out + 2, flags)
    put_byte(out + 3, size)
    put_word(out + 4, count)
    put_word(out + 8, count)
    length: int = at - out
    put_word(out + 12, length)
    return length


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
