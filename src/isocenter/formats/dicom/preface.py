"""The walk over what precedes a data set: the preamble and group 0002 (PS3.10 7.1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from isocenter.formats.dicom.steps import (
    DATASET,
    ELEMENTS,
    ENCAPSULATED,
    EXPLICIT,
    META,
    NATIVE,
    NOT_STATED,
    PIECES,
    POSITION,
    SEQUENCE,
    SHIFT,
    SHORT,
    SYNTAX,
    UNKNOWN,
    begins,
    class_of,
    code_of,
    is_upper,
    kernel,
    u16,
    u32,
    vr_at,
    wait,
)

_PREAMBLE = 132
# Bytes of an empty element at which a data set without preamble may begin, as the format's sniff has it.
_MAX_EMPTY, _MAX_FIRST = 4, 256
_UL, _UI = code_of("UL"), code_of("UI")
_DICM = np.frombuffer(b"DICM", np.uint8)
# 1.2.840.10008.1.2 is implicit, with .1 explicit little endian; .2 is big endian, .1.99 deflated (PS3.5 A).
_IMPLICIT = np.frombuffer(b"1.2.840.10008.1.2", np.uint8)
_OTHERS = np.frombuffer(b".1.99", np.uint8)
_MOST_BYTES = 0xFFFF


@kernel
def start(window: Any, s: Any) -> Any:
    """Where the elements begin: behind the preamble or at the first byte, as the format's sniff has it."""
    b, at, high, _ = window
    if high < _PREAMBLE + 8:
        return UNKNOWN
    if begins(b, at + 128, at + high, _DICM):
        s[POSITION] = _PREAMBLE
        return META
    s[POSITION] = 0
    if u32(b, at) == 2 and vr_at(b, at + 4) == _UL:
        return META
    for _ in range(_MAX_EMPTY + 1):
        if u16(b, at) != 8 or u16(b, at + 2) > 0xFF:
            return UNKNOWN
        length = u16(b, at + 6) if is_upper(b, at + 4) else u32(b, at + 4)
        if length:
            return META if length <= _MAX_FIRST else UNKNOWN
        at += 8
    return UNKNOWN


@kernel
def _syntax(b: Any, at: Any, count: Any) -> Any:
    """Class of a transfer syntax; `NOT_STATED` for one that is not walked here."""
    while count and (b[at + count - 1] == 0 or b[at + count - 1] == 32):
        count -= 1
    if not 0 < count <= 64:
        return NOT_STATED
    for n in range(at, at + count):
        if not (48 <= b[n] <= 57 or b[n] == 46):
            return NOT_STATED
    if not begins(b, at, at + count, _IMPLICIT):
        return ENCAPSULATED
    at, count = at + _IMPLICIT.size, count - _IMPLICIT.size
    if count == 0:
        return NATIVE
    if count == 2 and b[at] == 46 and b[at + 1] == 49:
        return NATIVE
    if count == 2 and b[at] == 46 and b[at + 1] == 50:
        return NOT_STATED
    if count == _OTHERS.size and begins(b, at, at + count, _OTHERS):
        return NOT_STATED
    return ENCAPSULATED


@kernel
def meta(window: Any, s: Any, want: Any, cell: Any) -> Any:
    """Walk group 0002, which is in explicit little endian, up to the data set."""
    b, delta, high, size = window
    at = s[POSITION]
    while at + 12 <= size:
        if at + 12 > high:
            wait(s, at, 12)
            return META
        p = at + delta
        if u16(b, p) != 2:
            return _encoding(b, p, at, s)
        kind, number, vr = class_of(b, p + 4), u16(b, p + 2), vr_at(b, p + 4)
        length, head = (u32(b, p + 8), 12) if kind > SHORT else (u16(b, p + 6), 8)
        if kind in (0, SEQUENCE) or length > _MOST_BYTES or at + head + length > size:
            return UNKNOWN
        # pydicom converts the first element and the length of the group
        if (vr == _UL and length != 4) or (number == 0 and vr != _UL):
            return UNKNOWN
        if s[ELEMENTS] == 0 and vr not in (_UL, _UI) and kind != PIECES:
            return UNKNOWN
        if at + head + length > high:
            wait(s, at, head + length)
            return META
        if not _take(b, p + head, length, vr, number, s, want, cell):
            return UNKNOWN
        s[ELEMENTS] += 1
        at += head + length
    return UNKNOWN


@kernel
def _take(b: Any, p: Any, length: Any, vr: Any, number: Any, s: Any, want: Any, cell: Any) -> Any:
    """Note a wanted element of group 0002; False where it is odd."""
    starts, counts, vrs = cell
    for k in range(2):
        if want[0][k] == 0x00020000 | number:
            if starts[k] >= 0 or vr != _UI:
                return False
            starts[k], counts[k], vrs[k] = p + s[SHIFT], length, vr
            if k == 1:
                s[SYNTAX] = _syntax(b, p, length)
                return s[SYNTAX] != NOT_STATED
    return True


@kernel
def _encoding(b: Any, p: Any, at: Any, s: Any) -> Any:
    """How the data set that begins here is encoded: its first element shows it, whatever group 0002 says."""
    group, is_explicit = u16(b, p), is_upper(b, p + 4)
    # without a transfer syntax a high group may be a low one in big endian
    if not 4 <= group < 0x7FE0 or (s[SYNTAX] == NOT_STATED and is_explicit and group >= 1024):
        return UNKNOWN
    s[POSITION], s[EXPLICIT] = at, is_explicit
    return DATASET
