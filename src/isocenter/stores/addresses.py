"""Addresses: loads, stores and copies of raw memory for the kernels that decode chunks.

A kernel that is given addresses is compiled once for every type and stride; whoever calls it has checked that
what lies there is long enough. Words are little-endian, as in every file of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BYTE, HALF, WORD, LONG = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)
_BOOL = ir.IntType(1)


def pointer(builder: Any, address: Any, kind: Any) -> Any:
    """The address as a pointer to values of a kind."""
    return builder.inttoptr(address, kind.as_pointer())


def _copier(size: int) -> Any:
    """A copy of so many bytes at once."""

    def copy(_context: Any, _to: Any, _source: Any) -> tuple[Any, Callable[..., Any]]:
        kind = ir.VectorType(BYTE, size)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            loaded = builder.load(pointer(builder, args[1], kind), align=1)
            builder.store(loaded, pointer(builder, args[0], kind), align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return intrinsic(copy)


copy_16, copy_32, copy_64 = _copier(16), _copier(32), _copier(64)


def _loader(kind: Any) -> Any:
    """The value of a kind at an address, without a sign."""

    def load(_context: Any, _address: Any) -> tuple[Any, Callable[..., Any]]:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            loaded = builder.load(pointer(builder, args[0], kind), align=1)
            return loaded if kind == LONG else builder.zext(loaded, LONG)

        return types.int64(types.int64), generate

    return intrinsic(load)


byte_at, word_at, long_at = _loader(BYTE), _loader(WORD), _loader(LONG)


def _storer(kind: Any) -> Any:
    """Store the lowest bytes of a value as a kind."""

    def put(_context: Any, _address: Any, _value: Any) -> tuple[Any, Callable[..., Any]]:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            builder.store(builder.trunc(args[1], kind), pointer(builder, args[0], kind), align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return intrinsic(put)


put_byte, put_half, put_word = _storer(BYTE), _storer(HALF), _storer(WORD)


@intrinsic  # type: ignore[untyped-decorator]
def zeros_below(_context: Any, _value: Any) -> tuple[Any, Callable[..., Any]]:
    """How many bits of a value are 0 below the lowest that is not."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(_BOOL, 0))

    return types.int64(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def fill_64(_context: Any, _to: Any, _count: Any, _value: Any) -> tuple[Any, Callable[..., Any]]:
    """Store eight bytes over and over, 64 bytes at once, until at least so many are filled."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = ir.VectorType(LONG, 8)
        one = builder.insert_element(ir.Constant(kind, ir.Undefined), args[2], ir.Constant(WORD, 0))
        every = ir.Constant(ir.VectorType(WORD, 8), [0] * 8)
        whole = builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), every)
        times = builder.lshr(builder.add(args[1], ir.Constant(LONG, 63)), ir.Constant(LONG, 6))
        with cgutils.for_range(builder, times) as loop:
            at = builder.add(args[0], builder.shl(loop.index, ir.Constant(LONG, 6)))
            builder.store(whole, pointer(builder, at, kind), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def copy_bytes(_context: Any, _to: Any, _source: Any, _count: Any) -> tuple[Any, Callable[..., Any]]:
    """Copy so many bytes; the two places do not overlap."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        place = BYTE.as_pointer()
        copy = builder.module.declare_intrinsic("llvm.memcpy", [place, place, LONG])
        to, source = builder.inttoptr(args[0], place), builder.inttoptr(args[1], place)
        builder.call(copy, [to, source, args[2], ir.Constant(_BOOL, 0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def clear_bytes(_context: Any, _to: Any, _count: Any) -> tuple[Any, Callable[..., Any]]:
    """Set so many bytes to zero."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        place = BYTE.as_pointer()
        fill = builder.module.declare_intrinsic("llvm.memset", [place, LONG])
        to = builder.inttoptr(args[0], place)
        builder.call(fill, [to, ir.Constant(BYTE, 0), args[1], ir.Constant(_BOOL, 0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def read_at(
    _context: Any, _descriptor: Any, _to: Any, _count: Any, _offset: Any
) -> tuple[Any, Callable[..., Any]]:
    """Read bytes of a file into memory by `pread`; how many came, less than 0 where it failed."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        place = BYTE.as_pointer()
        kind = ir.FunctionType(LONG, [WORD, place, LONG, LONG])
        pread = cgutils.get_or_insert_function(builder.module, kind, "pread")
        return builder.call(
            pread, [builder.trunc(args[0], WORD), builder.inttoptr(args[1], place), args[2], args[3]]
        )

    return types.int64(types.int64, types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def expect_write(_context: Any, _address: Any) -> tuple[Any, Callable[..., Any]]:
    """Tell the processor that something will be stored there soon; any address will do."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        place = BYTE.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [place, WORD, WORD, WORD])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(
            prefetch,
            [
                builder.inttoptr(args[0], place),
                ir.Constant(WORD, 1),
                ir.Constant(WORD, 3),
                ir.Constant(WORD, 1),
            ],
        )
        return context.get_dummy_value()

    return types.void(types.int64), generate
