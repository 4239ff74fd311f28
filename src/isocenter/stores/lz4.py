"""LZ4: the block format, encoded and decoded without ever reading or writing outside of what was given.

Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md. Kernels of ours can be called for thousands of
blocks of a patch without coming back to Python, which no binding of the C library can. The encoder is made for the
decoder: it leaves repetitions of less than `LEAST` bytes alone, which save little and cost a jump that no processor guesses.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.stores.addresses import (
    byte_at,
    copy_16,
    copy_32,
    copy_64,
    copy_bytes,
    fill_64,
    long_at,
    put_byte,
    put_half,
    word_at,
    zeros_below,
)

SPARE = 64
"""Bytes that may be written after the last decoded one."""

TABLE = 1 << 12
"""Entries of the table in which the encoder keeps where it saw what."""

LEAST = 16
"""Bytes of the shortest repetition that is made use of."""

_FARTHEST = (1 << 16) - 1
_LAST_LITERALS, _LAST_MATCH = 5, 12  # the format's rules for the end of a block
_PATIENCE = 5  # 2^5 places are tried in vain before each step becomes longer by one


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def compress(source: int, count: int, to: int, most: int, table: NDArray[np.int32]) -> int:
    """Encode `count` bytes to no more than `most`.

    Args:
        source: Address of the bytes.
        count: How many there are.
        to: Address of the block.
        most: Bytes that it may take.
        table: `TABLE` entries, whatever they hold.

    Returns:
        Bytes of the block, 0 where it would take more.
    """
    table[:] = 0
    end, limit, at, literals, out = source + count, to + most, source + 1, source, to
    tried = 1 << _PATIENCE
    while at <= end - _LAST_MATCH - LEAST:
        word = long_at(at)
        slot = _slot(word)
        old = source + table[slot]
        table[slot] = at - source
        length, back = 0, 0
        if at - old <= _FARTHEST and long_at(old) == word:
            length = _same_after(at, old, end - _LAST_LITERALS)
            back = _same_before(at, old, literals, source)
        if length + back < LEAST:
            at += tried >> _PATIENCE
            tried += 1
            continue
        at, old, length = at - back, old - back, length + back
        out = _put_sequence(out, limit, literals, at - literals, at - old, length)
        if out < 0:
            return 0
        at += length
        literals, tried = at, 1 << _PATIENCE
        if at <= end - _LAST_MATCH:
            table[_slot(long_at(at - 2))] = at - 2 - source
    out = _put_sequence(out, limit, literals, end - literals, 0, 0)
    used: int = max(out - to, 0)
    return used


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _slot(word: int) -> int:
    """Where in the table eight bytes belong: Fibonacci's hash."""
    return int((np.uint64(word) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(52))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _same_after(at: int, old: int, end: int) -> int:
    """How many bytes are the same from two places on, whose first eight are."""
    length = 8
    while at + length + 8 <= end:
        differing = long_at(at + length) ^ long_at(old + length)
        if differing:
            more: int = zeros_below(differing) >> 3
            return length + more
        length += 8
    while at + length < end and byte_at(at + length) == byte_at(old + length):
        length += 1
    return length


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _same_before(at: int, old: int, first: int, first_old: int) -> int:
    """How many bytes are the same before two places."""
    length = 0
    while (
        at - length > first
        and old - length > first_old
        and byte_at(at - length - 1) == byte_at(old - length - 1)
    ):
        length += 1
    return length


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _put_sequence(out: int, limit: int, literals: int, count: int, offset: int, length: int) -> int:
    """Write literals and a repetition, none where the offset is 0; where it ends, -1 if that would be beyond the limit."""
    if out + 1 + count + count // 255 + 1 + 2 + length // 255 + 1 > limit:
        return -1
    put_byte(out, min(count, 15) << 4 | (min(length - 4, 15) if offset else 0))
    out = _put_more(out + 1, count)
    copy_bytes(out, literals, count)
    out += count
    if offset:
        put_half(out, offset)
        out = _put_more(out + 2, length - 4)
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _put_more(out: int, length: int) -> int:
    """Write what of a length does not go into the token; where it ends."""
    if length < 15:
        return out
    length -= 15
    while length >= 255:
        put_byte(out, 255)
        out += 1
        length -= 255
    put_byte(out, length)
    return out + 1


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
        if offset >= 64:
            for n in range(0, length, 64):
                copy_64(out + n, out + n - offset)
        else:
            _repeat(out, offset, length)
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
def _repeat(to: int, offset: int, length: int) -> None:
    """Repeat what was decoded less than 64 bytes before."""
    if offset == 1:
        fill_64(to, length, byte_at(to - 1) * 0x0101010101010101)
    elif offset == 2:
        fill_64(to, length, (byte_at(to - 2) | byte_at(to - 1) << 8) * 0x0001000100010001)
    elif offset == 4:
        fill_64(to, length, word_at(to - 4) * 0x0000000100000001)
    elif offset == 8:
        fill_64(to, length, long_at(to - 8))
    elif offset >= 32:
        for n in range(0, length, 32):
            copy_32(to + n, to + n - offset)
    elif offset >= 16:
        for n in range(0, length, 16):
            copy_16(to + n, to + n - offset)
    else:
        _repeat_odd(to, offset, length)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _repeat_odd(to: int, offset: int, length: int) -> None:
    """Repeat less than 16 bytes, some of them one by one until there is enough to copy."""
    # of whole repetitions, and no shorter than what is copied at once
    period = offset * ((15 + offset) // offset)
    for n in range(min(period, length)):
        put_byte(to + n, byte_at(to + n - offset))
    for n in range(period, length, 16):
        copy_16(to + n, to + n - period)
