"""LZ4: the block format, decoded without ever reading or writing outside of what was given.

Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md. A kernel of ours can be called for thousands of
blocks of a patch without coming back to Python, which no binding of the C library can.
"""

from __future__ import annotations

import numba

from isocenter.stores.addresses import byte_at, copy_16, copy_32, copy_64, copy_bytes, put_byte

SPARE = 64
"""Bytes that may be written after the last decoded one."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def decompress(source: int, count: int, to: int, size: int) -> bool:
    """Decode a block of `count` bytes to exactly `size` bytes, after which `SPARE` more may be written.

    Returns:
        Whether it is a block of that size.
    """
    at, end, out, beyond = source, source + count, to, to + size
    while at < end:
        token = byte_at(at)
        at += 1
        length = token >> 4
        if length == 15:
            at, length = _longer(at, end, length)
        if at < 0 or length > end - at or length > beyond - out:
            return False
        _literals(out, at, length, end)
        at += length
        out += length
        if at == end:
            return bool(out == beyond)
        if end - at < 2:
            return False
        offset = byte_at(at) | (byte_at(at + 1) << 8)
        at += 2
        length = token & 15
        if length == 15:
            at, length = _longer(at, end, length)
        length += 4
        if at < 0 or offset == 0 or offset > out - to or length > beyond - out:
            return False
        _match(out, offset, length)
        out += length
    return False


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _longer(at: int, end: int, length: int) -> tuple[int, int]:
    """Where a length that goes on in further bytes ends, and the length; -1 where the bytes end before."""
    while at < end:
        more = byte_at(at)
        at += 1
        length += more
        if more != 255:
            return at, length
    return -1, length


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _literals(to: int, source: int, length: int, end: int) -> None:
    """Copy bytes as they are, rounding up where the source goes on long enough."""
    if source + length + SPARE > end:
        copy_bytes(to, source, length)
        return
    if length <= 16:
        copy_16(to, source)
        return
    for n in range(0, length, 64):
        copy_64(to + n, source + n)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _match(to: int, offset: int, length: int) -> None:
    """Repeat what was decoded `offset` bytes before."""
    if offset >= 32:
        if length <= 32:
            copy_32(to, to - offset)
        elif offset >= 64:
            for n in range(0, length, 64):
                copy_64(to + n, to + n - offset)
        else:
            for n in range(0, length, 32):
                copy_32(to + n, to + n - offset)
        return
    if offset >= 16:
        for n in range(0, length, 16):
            copy_16(to + n, to + n - offset)
        return
    period = offset * (
        (15 + offset) // offset
    )  # of whole repetitions, and no shorter than what is copied at once
    done = min(period, length)
    for n in range(done):
        put_byte(to + n, byte_at(to + n - offset))
    wide = period * ((63 + period) // period)
    first = min(length, wide)
    while done < first:
        copy_16(to + done, to + done - period)
        done += 16
    if first < length:
        for n in range(first, length, 64):
            copy_64(to + n, to + n - wide)
