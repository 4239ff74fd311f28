"""Bit planes: numbers whose bits were sorted by their place, put together again (bit shuffle).

Sorting the bits (Masui et al. 2015, doi:10.1016/j.ascom.2015.07.002) makes the still upper bits of an image long runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from isocenter.stores.addresses import BYTE, LONG, WORD, copy_64, copy_bytes, pointer

GROUP = 64
"""Numbers whose bits of one place are a word."""
LINE = 8
"""Groups that are sorted or put together at once: of each plane, 64 bytes."""
STAGE = 64 * 64
"""Bytes of a line of each of the planes of the largest numbers."""

_ROW, _BYTES = ir.VectorType(LONG, LINE), ir.VectorType(BYTE, GROUP)


@intrinsic  # type: ignore[untyped-decorator]
def gather(_context: Any, _to: Any, _planes: Any, _stride: Any) -> tuple[Any, Callable[..., Any]]:
    """Put one byte of each number of a line together, of eight planes that are `stride` bytes apart."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        at, rows = args[1], []
        for _ in range(8):
            rows.append(builder.load(pointer(builder, at, _ROW), align=1))
            at = builder.add(at, args[2])
        for group, row in enumerate(_turned(builder, rows)):
            place = builder.add(args[0], ir.Constant(LONG, group * GROUP))
            builder.store(_joined(context, builder, row), pointer(builder, place, _BYTES), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


def _interleaver(size: int) -> Any:
    """Put the bytes of a group's numbers side by side, of which each lies a line behind the one before."""

    def interleave(_context: Any, _to: Any, _source: Any) -> tuple[Any, Callable[..., Any]]:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            places = [builder.add(args[1], ir.Constant(LONG, byte * LINE * GROUP)) for byte in range(size)]
            parts = [builder.load(pointer(builder, place, _BYTES), align=1) for place in places]
            whole = _interleaved(builder, parts)
            builder.store(whole, pointer(builder, args[0], whole.type), align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return intrinsic(interleave)


interleave_2, interleave_4, interleave_8 = (_interleaver(size) for size in (2, 4, 8))


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Eight rows of eight words, as eight columns."""
    for n in (1, 2, 4):
        found = list(rows)
        for row in (r for r in range(8) if not r & n):
            upper = [i if not i & n else 8 + i - n for i in range(8)]
            lower = [i + n if not i & n else 8 + i for i in range(8)]
            found[row] = _shuffled(builder, rows[row], rows[row + n], upper)
            found[row + n] = _shuffled(builder, rows[row], rows[row + n], lower)
        rows = found
    return rows


def _joined(context: Any, builder: Any, words: Any) -> Any:
    """One byte of each number of a group, of a word of each of its eight planes."""
    planes = builder.bitcast(words, _BYTES)
    if _has_galois(context):
        # a product of matrices of bits, whose rows the instruction counts from the last one
        turned = _shuffled(builder, planes, planes, [8 * (7 - p) + q for q in range(8) for p in range(8)])
        kind = ir.FunctionType(_BYTES, [_BYTES, _BYTES, BYTE])
        multiply = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.vgf2p8affineqb.512")
        one = ir.Constant(_BYTES, [1 << n for n in range(8)] * 8)
        return builder.call(multiply, [one, turned, ir.Constant(BYTE, 0)])
    turned = _shuffled(builder, planes, planes, [8 * p + q for q in range(8) for p in range(8)])
    bits = builder.bitcast(turned, _ROW)
    # squares of 8 x 8 bits are turned by swapping parts of 1, 2 and 4 (Warren, Hacker's Delight, 7-3)
    for by, mask in ((7, 0x00AA00AA00AA00AA), (14, 0x0000CCCC0000CCCC), (28, 0x00000000F0F0F0F0)):
        shift, kept = ir.Constant(_ROW, [by] * LINE), ir.Constant(_ROW, [mask] * LINE)
        swapped = builder.and_(builder.xor(bits, builder.lshr(bits, shift)), kept)
        bits = builder.xor(builder.xor(bits, swapped), builder.shl(swapped, shift))
    return builder.bitcast(bits, _BYTES)


def _has_galois(context: Any) -> bool:
    """Whether the processor that is compiled for multiplies matrices of bits (GFNI), 64 bytes at once."""
    features = context.codegen().magic_tuple()[2].split(",")
    return {"+gfni", "+avx512f"} <= set(features)


def _shuffled(builder: Any, low: Any, high: Any, order: list[int]) -> Any:
    chosen = ir.Constant(ir.VectorType(WORD, len(order)), order)
    return builder.shuffle_vector(low, high, chosen)


def _interleaved(builder: Any, parts: list[Any]) -> Any:
    """First elements of all parts, then second ones, ...: in pairs, for which processors have instructions."""
    width = 8
    while len(parts) > 1:
        order = [n + half * GROUP for n in range(GROUP) for half in range(2)]
        doubled = ir.VectorType(ir.IntType(2 * width), GROUP)
        pairs = [(parts[n], parts[n + 1]) for n in range(0, len(parts), 2)]
        parts = [builder.bitcast(_shuffled(builder, low, high, order), doubled) for low, high in pairs]
        width *= 2
    return parts[0]


def _sorter(size: int) -> Any:
    """Sort the bits of `GROUP` numbers of `size` bytes into planes at `to`, `to + stride`, ..."""

    def sort(_context: Any, _source: Any, _to: Any, _stride: Any) -> tuple[Any, Callable[..., Any]]:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            kind, zeros = ir.VectorType(BYTE, GROUP), ir.Constant(ir.VectorType(BYTE, GROUP), [0] * GROUP)
            at = args[1]
            for byte in range(size):
                chosen = ir.Constant(ir.VectorType(WORD, GROUP), [n * size + byte for n in range(GROUP)])
                whole = builder.load(pointer(builder, args[0], ir.VectorType(BYTE, GROUP * size)), align=1)
                numbers = builder.shuffle_vector(whole, ir.Constant(whole.type, ir.Undefined), chosen)
                for bit in range(8):
                    masked = builder.and_(numbers, ir.Constant(kind, [1 << bit] * GROUP))
                    plane = builder.bitcast(builder.icmp_unsigned("!=", masked, zeros), LONG)
                    builder.store(plane, pointer(builder, at, LONG), align=1)
                    at = builder.add(at, args[2])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    return intrinsic(sort)


_sort_1, _sort_2, _sort_4, _sort_8 = (_sorter(size) for size in (1, 2, 4, 8))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def sort_bits(source: int, count: int, size: int, to: int, stage: int) -> None:
    """Sort the bits of numbers by their place.

    Args:
        source: Address of the numbers, of 1, 2, 4 or 8 bytes.
        count: How many, a multiple of `GROUP`.
        size: Bytes of one.
        to: Address of the planes.
        stage: Address of `STAGE` bytes. Planes often lie 4096 bytes apart, where all of them fall upon one set of the
            processor's nearest cache and drive each other out, so a line of each goes by way of it.
    """
    groups, stride = count // GROUP, count // 8
    for start in range(0, groups, LINE):
        here = min(LINE, groups - start)
        for group in range(here):
            place = source + (start + group) * GROUP * size
            if size == 1:
                _sort_1(place, stage + 8 * group, 64)
            elif size == 2:
                _sort_2(place, stage + 8 * group, 64)
            elif size == 4:
                _sort_4(place, stage + 8 * group, 64)
            else:
                _sort_8(place, stage + 8 * group, 64)
        for plane in range(8 * size):
            line = to + plane * stride + 8 * start
            if here == LINE:
                copy_64(line, stage + 64 * plane)
            else:
                copy_bytes(line, stage + 64 * plane, 8 * here)
