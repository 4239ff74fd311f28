"""Bit planes: numbers whose bits were sorted by their place, put together again (bit shuffle).

Sorting the bits (Masui et al. 2015, doi:10.1016/j.ascom.2015.07.002) makes the still upper bits of an image long runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from isocenter.stores.addresses import BYTE, LONG, WORD, copy_64, copy_bytes, pointer

GROUP = 64
"""Numbers that are put together at once."""
STAGED = 8
"""Groups of a line: planes often lie 4096 bytes apart, where all of them fall upon one set of the processor's nearest cache
and drive each other out, so a line of each goes by way of a stage."""
STAGE = 64 * 64
"""Bytes of the stage: a line of each of the planes of the largest numbers."""


def _gatherer(size: int) -> Any:
    """Numbers of `size` bytes: `GROUP` of them at `to`, of the planes at `source`, `source + stride`, ..."""

    def gather(_context: Any, _to: Any, _source: Any, _stride: Any) -> tuple[Any, Callable[..., Any]]:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            at, bytes_of = args[1], []
            for _ in range(size):
                joined, at = _joined(builder, at, args[2])
                bytes_of.append(joined)
            whole = _interleaved(builder, bytes_of)
            builder.store(whole, pointer(builder, args[0], whole.type), align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    return intrinsic(gather)


def _joined(builder: Any, at: Any, stride: Any) -> tuple[Any, Any]:
    """One byte of each number of a group, of eight planes, and where the next plane is."""
    kind = ir.VectorType(BYTE, GROUP)
    zeros, joined = ir.Constant(kind, [0] * GROUP), None
    for bit in range(8):
        plane = builder.load(pointer(builder, at, LONG), align=1)
        is_set = builder.bitcast(plane, ir.VectorType(ir.IntType(1), GROUP))
        ones = builder.select(is_set, ir.Constant(kind, [1 << bit] * GROUP), zeros)
        joined = ones if joined is None else builder.or_(joined, ones)
        at = builder.add(at, stride)
    return joined, at


def _interleaved(builder: Any, parts: list[Any]) -> Any:
    """First elements of all parts, then second ones, ...: in pairs, for which processors have instructions."""
    width = 8
    while len(parts) > 1:
        order = [n + half * GROUP for n in range(GROUP) for half in range(2)]
        chosen = ir.Constant(ir.VectorType(WORD, 2 * GROUP), order)
        doubled = ir.VectorType(ir.IntType(2 * width), GROUP)
        pairs = [(parts[n], parts[n + 1]) for n in range(0, len(parts), 2)]
        parts = [builder.bitcast(builder.shuffle_vector(low, high, chosen), doubled) for low, high in pairs]
        width *= 2
    return parts[0]


gather_1, gather_2, gather_4, gather_8 = (_gatherer(size) for size in (1, 2, 4, 8))


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
        stage: Address of `STAGE` bytes (see `STAGED`).
    """
    groups, stride = count // GROUP, count // 8
    for start in range(0, groups, STAGED):
        here = min(STAGED, groups - start)
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
            if here == STAGED:
                copy_64(line, stage + 64 * plane)
            else:
                copy_bytes(line, stage + 64 * plane, 8 * here)
