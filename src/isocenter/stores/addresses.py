"""Addresses: loads, stores and copies of raw memory for the kernels that decode chunks.

A kernel that is given addresses is compiled once for every type and stride; whoever calls it has checked that
what lies there is long enough. Words are little-endian, as in every file of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

BYTE, WORD, LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)
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
            return builder.zext(builder.load(pointer(builder, args[0], kind), align=1), LONG)

        return types.int64(types.int64), generate

    return intrinsic(load)


byte_at, word_at = _loader(BYTE), _loader(WORD)


@intrinsic  # type: ignore[untyped-decorator]
def put_byte(_context: Any, _address: Any, _value: Any) -> tuple[Any, Callable[..., Any]]:
    """Store the lowest byte of a value."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        builder.store(builder.trunc(args[1], BYTE), pointer(builder, args[0], BYTE))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


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
