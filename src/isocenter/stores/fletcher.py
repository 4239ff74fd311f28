"""Fletcher's check sum of chunks, as HDF5 has it (H5_checksum_fletcher32, 16-bit words, modulo 65535)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from isocenter.stores.addresses import LONG, WORD, byte_at, pointer

_LANES, _STEPS = 32, 256  # 256 * 257 / 2 * 65535 is just below 2^32: no lane runs over
_BLOCK = 2 * _LANES * _STEPS
_MODULUS = 65535


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def fletcher32(source: int, count: int) -> int:
    """The check sum of `count` bytes at an address."""
    low = high = at = 0
    is_zero = True
    while count - at >= 2 * _LANES:
        steps = min(_STEPS, (count - at) // (2 * _LANES))
        plain, weighted = _sums(source + at, steps)
        high = (high + steps * _LANES * low + weighted) % _MODULUS
        low = (low + plain) % _MODULUS
        is_zero = is_zero and plain == 0
        at += 2 * _LANES * steps
    while at < count:
        word = byte_at(source + at) | (byte_at(source + at + 1) << 8 if at + 1 < count else 0)
        is_zero = is_zero and word == 0
        low = (low + word) % _MODULUS
        high = (high + low) % _MODULUS
        at += 2
    if is_zero:
        return 0
    # HDF5 never folds a sum to 0, and its words are big-endian: bytes of sums modulo 65535 may be swapped at the end
    low, high = low or _MODULUS, high or _MODULUS
    low, high = (low << 8 | low >> 8) & 0xFFFF, (high << 8 | high >> 8) & 0xFFFF
    return high << 16 | low


@intrinsic  # type: ignore[untyped-decorator]
def _sums(_context: Any, _source: Any, _steps: Any) -> tuple[Any, Callable[..., Any]]:
    """Sum of words, and of words times the number of words from each to the end, in lanes side by side."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.VectorType(WORD, _LANES)
        zeros = ir.Constant(kind, [0] * _LANES)
        once, often = (cgutils.alloca_once_value(builder, zeros) for _ in range(2))
        with cgutils.for_range(builder, args[1]) as loop:
            at = builder.add(args[0], builder.mul(loop.index, ir.Constant(LONG, 2 * _LANES)))
            words = builder.load(pointer(builder, at, ir.VectorType(ir.IntType(16), _LANES)), align=1)
            total = builder.add(builder.load(once), builder.zext(words, kind))
            builder.store(total, once)
            builder.store(builder.add(builder.load(often), total), often)
        plain, weighted = ir.Constant(LONG, 0), ir.Constant(LONG, 0)
        first, second = builder.load(once), builder.load(often)
        for lane in range(_LANES):
            place = ir.Constant(WORD, lane)
            words = builder.zext(builder.extract_element(first, place), LONG)
            sums = builder.zext(builder.extract_element(second, place), LONG)
            plain = builder.add(plain, words)
            weighted = builder.add(weighted, builder.mul(sums, ir.Constant(LONG, _LANES)))
            weighted = builder.sub(weighted, builder.mul(words, ir.Constant(LONG, lane)))
        return context.make_tuple(builder, signature.return_type, (plain, weighted))

    return types.UniTuple(types.int64, 2)(types.int64, types.int64), generate
