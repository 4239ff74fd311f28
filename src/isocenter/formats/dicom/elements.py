"""How one DICOM element is written (PS3.5 7.1): its tag, VR, length and value, read out of bytes by compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

UN, SQ = 0x554E, 0x5351
_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile a function that makes no arrays of its own: references to those of its callers are not counted.

    Atomic operations on every look at a row would take most of the time of a walk.
    """
    compiled: _Function = numba.njit(cache=True, nogil=True, _nrt=False)(function)
    return compiled


@kernel
def whole(data: NDArray[np.uint8], at: int, count: int, is_big: bool) -> Any:
    """An unsigned number of so many bytes."""
    out: Any = 0
    for n in range(count):
        out |= np.int64(data[at + n]) << (8 * (count - 1 - n) if is_big else 8 * n)
    return out


@kernel
def tag_at(data: NDArray[np.uint8], at: int, is_big: bool) -> Any:
    """Group and element as one number."""
    return whole(data, at, 2, is_big) << 16 | whole(data, at + 2, 2, is_big)


@kernel
def _is_long(vr: int) -> bool:
    """Whether the length of a VR has four bytes (PS3.5 table 7.1-1): OB OD OF OL OV OW SQ SV UC UN UR UT UV."""
    first, second = vr >> 8, vr & 255
    if first == 0x4F:
        return second in (0x42, 0x44, 0x46, 0x4C, 0x56, 0x57)
    if first == 0x53:
        return second in (0x51, 0x56)
    return first == 0x55 and second in (0x43, 0x4E, 0x52, 0x54, 0x56)


@kernel
def is_text_vr(vr: int) -> bool:
    """AE AS CS DA DT LO LT PN SH ST TM UC UI UR UT; numbers in text (DS, IS) may rightly be many."""
    return vr in (
        *(0x4145, 0x4153, 0x4353, 0x4441, 0x4454, 0x4C4F, 0x4C54, 0x504E, 0x5348, 0x5354),
        *(0x544D, 0x5543, 0x5549, 0x5552, 0x5554),
    )


@kernel
def head_at(data: NDArray[np.uint8], at: int, is_big: bool, is_implicit: bool) -> tuple[int, int, int]:
    """VR (0 where it is not written), length and bytes of an element's head; length -1 where the head is cut."""
    vr = 0 if is_implicit else whole(data, at + 4, 2, True)
    if not 0x4141 <= vr <= 0x5A5A:
        return 0, whole(data, at + 4, 4, is_big), 8
    if not _is_long(vr):
        return vr, whole(data, at + 6, 2, is_big), 8
    if at + 12 > len(data):
        return vr, -1, 12
    return vr, whole(data, at + 8, 4, is_big), 12


@kernel
def hash_of(data: NDArray[np.uint8], at: int, length: int) -> Any:
    """FNV-1a of a text without the spaces and nulls around it; never 0."""
    end = at + length
    while end > at and data[end - 1] in (0, 32):
        end -= 1
    while at < end and data[at] in (0, 32):
        at += 1
    out = np.uint64(0xCBF29CE484222325)
    for n in range(at, end):
        out = (out ^ np.uint64(data[n])) * np.uint64(0x100000001B3)
    return np.int64(out | np.uint64(1))
