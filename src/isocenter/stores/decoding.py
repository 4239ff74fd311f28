"""Decoding: payloads of chunks, straight into the part of an array that was asked for.

A payload is what the Blosc filter of HDF5 writes (https://github.com/Blosc/c-blosc, README_CHUNK_FORMAT.rst): a head of
16 bytes, where each block begins, and blocks that LZ4 made shorter; the bits of their numbers were sorted before
(`isocenter.stores.bitplanes`). Of a block only the rows that are wanted are put together again.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.stores import lz4
from isocenter.stores.addresses import (
    byte_at,
    clear_bytes,
    copy_16,
    copy_32,
    copy_64,
    copy_bytes,
    expect_write,
    put_byte,
    word_at,
)
from isocenter.stores.bitplanes import GROUP, LINE, gather, interleave_2, interleave_4, interleave_8
from isocenter.stores.fletcher import fletcher32

AXES = 4
HEAD = 16
SPARE = 8 * LINE * GROUP + lz4.SPARE
"""Bytes that a buffer for a decoded chunk needs beyond the chunk: also for a line of the largest numbers, put together or not."""

FORMAT, LZ4_FORMAT = 2, 1
IS_COPY, HAS_PLANES, _IS_UNSPLIT = 0x02, 0x04, 0x10
_CODEC, LZ4 = 0xE1, 0x20  # with the bit of byte shuffle, which we do not use
_LEAST_SPLIT = 128


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def decode(
    addresses: NDArray[np.int64],
    sizes: NDArray[np.int64],
    places: NDArray[np.int64],
    summed: int,
    geometry: NDArray[np.int64],
    out: int,
    buffers: tuple[int, int],
) -> int:
    """Decode what is wanted of each chunk.

    Args:
        addresses: Of payloads (N,).
        sizes: Of payloads (N,) in bytes, without their check sums; 0 for a chunk of zeros, less than 0 for one whose numbers
            are stored as they are.
        places: Of the chunks in the grid of chunks (N, AXES).
        summed: 4 where a check sum (see `fletcher32`) follows each payload, else 0.
        geometry: Rows of AXES numbers: shape of a chunk; first and last + 1 index wanted; strides of `out` in bytes;
            and, first in the last row, bytes of a number.
        out: Address of the first wanted number.
        buffers: Addresses of two buffers for a decoded chunk and `SPARE` bytes.

    Returns:
        Number of the first chunk whose payload is not one of ours; -1 where there is none.
    """
    chunk, strides, size = geometry[0], geometry[3], geometry[4, 0]
    first, beyond, streams_at = np.empty(AXES, np.int64), np.empty(AXES, np.int64), np.empty(8, np.int64)
    count = size
    for axis in range(AXES):
        count *= chunk[axis]
    for n in range(sizes.size):
        to = out
        for axis in range(AXES):
            corner = places[n, axis] * chunk[axis]
            first[axis] = max(geometry[1, axis] - corner, 0)
            beyond[axis] = min(geometry[2, axis] - corner, chunk[axis])
            to += (corner + first[axis] - geometry[1, axis]) * strides[axis]
        if sizes[n] == 0:
            clear_bytes(buffers[0], chunk[3] * size)
            _scatter(buffers[0], 0, chunk, first, beyond, to, strides, size)
            continue
        _expect_rows(to, strides[2], beyond[2] - first[2], (beyond[3] - first[3]) * size)
        source, length = addresses[n], abs(sizes[n])
        if summed and fletcher32(source, length) != word_at(source + length):
            return n
        if sizes[n] < 0 and length == count:
            _scatter(source, chunk[3] * size, chunk, first, beyond, to, strides, size)
        elif sizes[n] < 0 or not _decode_chunk(
            source, length, count, chunk, first, beyond, to, strides, size, buffers, streams_at
        ):
            return n
    return -1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _decode_chunk(
    source: int,
    length: int,
    count: int,
    chunk: NDArray[np.int64],
    first: NDArray[np.int64],
    beyond: NDArray[np.int64],
    to: int,
    strides: NDArray[np.int64],
    size: int,
    buffers: tuple[int, int],
    streams_at: NDArray[np.int64],
) -> bool:
    if length < HEAD or byte_at(source) != FORMAT or byte_at(source + 3) != size:
        return False
    flags, block = byte_at(source + 2), word_at(source + 8)
    if word_at(source + 4) != count or word_at(source + 12) != length:
        return False
    if flags & IS_COPY:
        if length != HEAD + count:
            return False
        _scatter(source + HEAD, chunk[3] * size, chunk, first, beyond, to, strides, size)
        return True
    if (
        flags & _CODEC != LZ4
        or byte_at(source + 1) != LZ4_FORMAT
        or block <= 0
        or block > count
        or block % size
    ):
        return False
    if not _inflate(source, length, count, block, size, flags, buffers[0], streams_at):
        return False
    stage = buffers[0] + count + lz4.SPARE
    if not flags & HAS_PLANES:
        _scatter(buffers[0], chunk[3] * size, chunk, first, beyond, to, strides, size)
    elif _is_by_planes(flags, block, count, size):
        _scatter_planes(streams_at, count, chunk, first, beyond, to, strides, size, buffers[1], stage)
    else:
        for at in range(0, count, block):
            _join(buffers[0] + at, min(block, count - at), size, buffers[1] + at, stage, streams_at)
        _scatter(buffers[1], chunk[3] * size, chunk, first, beyond, to, strides, size)
    return True


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _is_by_planes(flags: int, block: int, count: int, size: int) -> bool:
    """Whether rows can be put together one by one: a single block whose bits were sorted in whole groups."""
    return bool(flags & HAS_PLANES) and block == count and count % (GROUP * size) == 0


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _inflate(
    source: int,
    length: int,
    count: int,
    block: int,
    size: int,
    flags: int,
    to: int,
    streams_at: NDArray[np.int64],
) -> bool:
    """Decompress all blocks of a payload; whether they are as they should be.

    Where there is one block, `streams_at` gets the address of the planes of each byte of the numbers: in the payload
    itself where they are kept as they are, as those of noise are.
    """
    blocks = (count + block - 1) // block
    is_direct = blocks == 1 and _is_by_planes(flags, block, count, size)
    if length < HEAD + 4 * blocks:
        return False
    for n in range(blocks):
        at, whole = word_at(source + HEAD + 4 * n), min(block, count - n * block)
        # a block of many numbers is kept as one stream for each of their bytes
        is_split = not flags & _IS_UNSPLIT and size <= 16 and block // size >= _LEAST_SPLIT and whole == block
        streams = size if is_split else 1
        each = whole // streams
        for stream in range(streams):
            if at < HEAD + 4 * blocks or at + 4 > length:
                return False
            used = word_at(source + at)
            at += 4
            if used > length - at:
                return False
            place = to + n * block + stream * each
            if blocks == 1:
                for byte in range(stream, size if streams == 1 else stream + 1):
                    streams_at[byte] = to + byte * (count // size)
            if used == each and is_direct and is_split and at + each + 64 <= length:
                streams_at[stream] = source + at
            elif used == each:
                copy_bytes(place, source + at, each)
            elif not lz4.decompress(source + at, used, place, each):
                return False
            at += used
    return True


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _join(source: int, count: int, size: int, to: int, stage: int, streams_at: NDArray[np.int64]) -> None:
    """Put the numbers of a block together; Blosc leaves blocks of other than a multiple of 8 numbers as they are."""
    if count // size % 8:
        copy_bytes(to, source, count)
        return
    for byte in range(size):
        streams_at[byte] = source + byte * (count // size)
    _gather(streams_at, count // size // 8, 0, (count // size + GROUP - 1) // GROUP, size, to, stage)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _gather(
    streams_at: NDArray[np.int64], stride: int, first: int, beyond: int, size: int, to: int, stage: int
) -> None:
    """Put groups of numbers together, from the first one on; up to `LINE` more than these."""
    for start in range(first, beyond, LINE):
        place = to + (start - first) * GROUP * size
        for byte in range(size):
            line = place if size == 1 else stage + byte * LINE * GROUP
            gather(line, streams_at[byte] + 8 * start, stride)
        for group in range(LINE if size > 1 else 0):
            if size == 2:
                interleave_2(place + 2 * GROUP * group, stage + GROUP * group)
            elif size == 4:
                interleave_4(place + 4 * GROUP * group, stage + GROUP * group)
            else:
                interleave_8(place + 8 * GROUP * group, stage + GROUP * group)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _scatter_planes(
    streams_at: NDArray[np.int64],
    count: int,
    chunk: NDArray[np.int64],
    first: NDArray[np.int64],
    beyond: NDArray[np.int64],
    to: int,
    strides: NDArray[np.int64],
    size: int,
    buffer: int,
    stage: int,
) -> None:
    """Put together the wanted rows of each plane (j, i), and copy them."""
    stride, line = count // size // 8, chunk[3] * size
    rows, width = beyond[2] - first[2], beyond[3] - first[3]
    for c in range(first[0], beyond[0]):
        for k in range(first[1], beyond[1]):
            start = ((c * chunk[1] + k) * chunk[2] + first[2]) * chunk[3]
            group = start // GROUP
            _gather(
                streams_at, stride, group, (start + rows * chunk[3] + GROUP - 1) // GROUP, size, buffer, stage
            )
            row = buffer + (start - group * GROUP + first[3]) * size
            place = to + (c - first[0]) * strides[0] + (k - first[1]) * strides[1]
            if k + 1 < beyond[1]:
                _expect_rows(place + strides[1], strides[2], rows, width * size)
            _copy_rows(row, line, place, strides[2], rows, width, size, strides[3])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _scatter(
    source: int,
    line: int,
    chunk: NDArray[np.int64],
    first: NDArray[np.int64],
    beyond: NDArray[np.int64],
    to: int,
    strides: NDArray[np.int64],
    size: int,
) -> None:
    """Copy the wanted box of a decoded chunk, the bytes of whose rows are `line`: 0 to repeat the first."""
    width = beyond[3] - first[3]
    for c in range(first[0], beyond[0]):
        for k in range(first[1], beyond[1]):
            row = source + ((c * chunk[1] + k) * chunk[2] + first[2]) * line + first[3] * size
            place = to + (c - first[0]) * strides[0] + (k - first[1]) * strides[1]
            _copy_rows(row, line, place, strides[2], beyond[2] - first[2], width, size, strides[3])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _expect_rows(to: int, step: int, rows: int, count: int) -> None:
    """Have the processor fetch the places of rows that will be written: it cannot guess places so far apart."""
    for j in range(rows):
        expect_write(to + j * step)
        expect_write(to + j * step + count - 1)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _copy_rows(
    source: int, line: int, to: int, step: int, rows: int, width: int, size: int, stride: int
) -> None:
    """Copy rows that begin `line` bytes apart to places `step` bytes apart, without a call for each of them."""
    count = width * size
    if stride != size:
        for j in range(rows):
            for i in range(width):
                for byte in range(size):
                    put_byte(to + j * step + i * stride + byte, byte_at(source + j * line + i * size + byte))
    elif count == 64:
        for j in range(rows):
            copy_64(to + j * step, source + j * line)
    elif 32 <= count < 64:  # two copies that may overlap
        for j in range(rows):
            copy_32(to + j * step, source + j * line)
            copy_32(to + j * step + count - 32, source + j * line + count - 32)
    elif 16 <= count < 32:
        for j in range(rows):
            copy_16(to + j * step, source + j * line)
            copy_16(to + j * step + count - 16, source + j * line + count - 16)
    elif count < 16:
        for j in range(rows):
            for byte in range(count):
                put_byte(to + j * step + byte, byte_at(source + j * line + byte))
    else:
        for j in range(rows):
            copy_bytes(to + j * step, source + j * line, count)
