"""Normals: fresh Gaussian numbers that are functions of a key and of where they are needed.

The generator is Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011), the numbers are
made by the transform of Box and Muller (1958). Written so that the compiler makes vectors of it, and without any
function of a mathematical library: the same bytes on every machine.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_FIRST, _SECOND = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL, _OTHER_WEYL = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_ROUNDS = 10
_f, _i, _u = np.float32, np.int32, np.uint32


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def philox(a: Any, b: Any, c: Any, d: Any, key: Any, other_key: Any) -> Any:
    """Four words of 32 bits from a counter and a key of four and two, all in uint64."""
    for _ in range(_ROUNDS):
        first, second = _FIRST * a, _SECOND * c
        a, b = (second >> _HALF) ^ b ^ key, second & _LOW
        c, d = (first >> _HALF) ^ d ^ other_key, first & _LOW
        key, other_key = (key + _WEYL) & _LOW, (other_key + _OTHER_WEYL) & _LOW
    return a, b, c, d


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def fill_normals(row: Any, lane: Any, key: Any, words: Any, out: Any) -> None:
    """Fill one row (4 N,) with normal numbers.

    Args:
        row: Number of the row.
        lane: Which of several that are independent: channel, and part of a complex number.
        key: uint64.
        words: uint32 (4, N), for what is in between.
        out: float32.
    """
    count = words.shape[1]
    a, b, c, d = words[0], words[1], words[2], words[3]
    low, high = np.uint64(key) & _LOW, np.uint64(key) >> _HALF
    at, which, none = np.uint64(row), np.uint64(lane), np.uint64(0)
    for n in range(count):
        w, x, y, z = philox(np.uint64(n), at, which, none, low, high)
        a[n], b[n], c[n], d[n] = _u(w), _u(x), _u(y), _u(z)
    _pairs(a, b, out[:count], out[count : 2 * count])
    _pairs(c, d, out[2 * count : 3 * count], out[3 * count :])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _pairs(first: Any, second: Any, out: Any, other: Any) -> None:
    """Two normal numbers of two words: a radius of 24 bits, up to 5.9, and an angle of 32 bits.

    The angle is one in the first quadrant and a sign for each coordinate. Polynomials are those of the Cephes library
    (logf, sinf, cosf; S. Moshier), of about one unit in the last place.
    """
    for n in range(first.size):
        radius = np.sqrt(_f(-2) * _logarithm(_f(_i(first[n] >> _u(8))) * _f(2**-24) + _f(2**-25)))
        word = second[n]
        t = _f(_i(word & _u(0x3FFFFFFF))) * _f(np.pi * 2**-31) - _f(np.pi / 4)
        s = t * t
        sine = ((_f(-1.9515295891e-4) * s + _f(8.3321608736e-3)) * s - _f(1.6666654611e-1)) * s * t + t
        cosine = (
            ((_f(2.443315711809948e-5) * s - _f(1.388731625493765e-3)) * s + _f(4.166664568298827e-2)) * s * s
            - _f(0.5) * s
            + _f(1)
        )
        x, y = (cosine - sine) * _f(np.sqrt(0.5)) * radius, (cosine + sine) * _f(np.sqrt(0.5)) * radius
        out[n] = x if word & _u(0x80000000) else -x
        other[n] = y if word & _u(0x40000000) else -y


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _logarithm(x: Any) -> Any:
    """The natural logarithm of a number from 2^-25 to 1."""
    bits = np.float32(x).view(np.int32)
    exponent = (bits >> _i(23)) - _i(126)
    m = np.int32((bits & _i(0x007FFFFF)) | _i(0x3F000000)).view(np.float32)  # from 0.5 to 1
    is_low = m < _f(0.70710678)
    e = _f(exponent) - (_f(1) if is_low else _f(0))
    m = (m + m if is_low else m) - _f(1)
    p = _f(7.0376836292e-2) * m - _f(1.1514610310e-1)
    p = p * m + _f(1.1676998740e-1)
    p = p * m - _f(1.2420140846e-1)
    p = p * m + _f(1.4249322787e-1)
    p = p * m - _f(1.6668057665e-1)
    p = p * m + _f(2.0000714765e-1)
    p = p * m - _f(2.4999993993e-1)
    p = p * m + _f(3.3333331174e-1)
    s = m * m
    return m * s * p + e * _f(-2.12194440e-4) - _f(0.5) * s + m + e * _f(0.693359375)
