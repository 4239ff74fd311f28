"""SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that names a million paths in a blink."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


def name_texts(
    key: bytes,
    label: bytes,
    prefix: bytes,
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """`label` and 16 hex digits of the keyed hash of each text behind a prefix, (N, len(label) + 16) characters.

    Args:
        key: 16 secret bytes.
        label: What every name begins with.
        prefix: What stands in front of every text while it is hashed.
        data: All texts, one after the other.
        offsets: Where each begins, (N + 1,).
    """
    words = np.frombuffer(key, "<u8").astype(np.uint64)
    out = np.empty((len(offsets) - 1, len(label) + 16), np.uint8)
    out[:, : len(label)] = np.frombuffer(label, np.uint8)
    longest = int(np.diff(offsets).max(initial=0))
    text = np.zeros(len(prefix) + longest, np.uint8)
    text[: len(prefix)] = np.frombuffer(prefix, np.uint8)
    _name_all(words, text, len(prefix), data, offsets, out, len(label), _HEX)
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _name_all(
    words: Any, text: Any, before: Any, data: Any, offsets: Any, out: Any, label: Any, digits: Any
) -> Any:
    for n in range(offsets.size - 1):
        start, end = offsets[n], offsets[n + 1]
        for at in range(end - start):
            text[before + at] = data[start + at]
        hashed = siphash(words, text, before + end - start)
        for byte in range(8):
            value = np.int64((hashed >> np.uint64(8 * byte)) & np.uint64(0xFF))
            out[n, label + 2 * byte] = digits[value >> 4]
            out[n, label + 2 * byte + 1] = digits[value & 15]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def siphash(words: Any, text: Any, length: Any) -> Any:
    """The 64-bit hash of the first `length` bytes of a text under a key of two words."""
    v0 = words[0] ^ np.uint64(0x736F6D6570736575)
    v1 = words[1] ^ np.uint64(0x646F72616E646F6D)
    v2 = words[0] ^ np.uint64(0x6C7967656E657261)
    v3 = words[1] ^ np.uint64(0x7465646279746573)
    whole = length - length % 8
    for at in range(0, whole, 8):
        word = _word(text, at, 8)
        v3 ^= word
        v0, v1, v2, v3 = _rounds(v0, v1, v2, v3, 2)
        v0 ^= word
    word = _word(text, whole, length - whole) | np.uint64(length & 0xFF) << np.uint64(56)
    v3 ^= word
    v0, v1, v2, v3 = _rounds(v0, v1, v2, v3, 2)
    v0 ^= word
    v2 ^= np.uint64(0xFF)
    v0, v1, v2, v3 = _rounds(v0, v1, v2, v3, 4)
    return v0 ^ v1 ^ v2 ^ v3


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _word(text: Any, at: Any, count: Any) -> Any:
    out = np.uint64(0)
    for n in range(count):
        out |= np.uint64(text[at + n]) << np.uint64(8 * n)
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rounds(v0: Any, v1: Any, v2: Any, v3: Any, count: Any) -> Any:
    for _ in range(count):
        v0 += v1
        v1 = _turned(v1, 13) ^ v0
        v0 = _turned(v0, 32)
        v2 += v3
        v3 = _turned(v3, 16) ^ v2
        v0 += v3
        v3 = _turned(v3, 21) ^ v0
        v2 += v1
        v1 = _turned(v1, 17) ^ v2
        v2 = _turned(v2, 32)
    return v0, v1, v2, v3


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _turned(value: Any, bits: Any) -> Any:
    return value << np.uint64(bits) | value >> np.uint64(64 - bits)
