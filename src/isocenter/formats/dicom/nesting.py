"""The walk through sequences, item by item (PS3.5 7.5), and through values in fragments (PS3.5 A.4)."""

from __future__ import annotations

from typing import Any

from isocenter.formats.dicom.steps import (
    DATASET,
    DEPTH,
    DONE,
    ELEMENTS,
    FRAGMENTS,
    ITEM,
    ITEM_END,
    ITEMS,
    LONG_TEXT,
    MAX_DEPTH,
    MAX_ITEMS,
    NEED,
    NESTED,
    NESTED_DEPTH,
    PIECES,
    POSITION,
    SEQUENCE,
    SEQUENCE_END,
    SHORT,
    TEXT_BYTES,
    UNDEFINED,
    UNKNOWN,
    code_of,
    element_at,
    is_plain,
    is_upper,
    is_within,
    kernel,
    tag_at,
    u32,
    vr_at,
    wait,
)

# Levels of nesting: the items of a sequence, the fragments of a value, the elements of an item; -1 is none of them,
# and -2 what nobody knows.
OF_ITEMS, OF_FRAGMENTS, OF_ELEMENTS, FLAT, ODD = 0, 1, 2, -1, -2
_CHARACTER_SET = 0x00080005
_CS, _SQ = code_of("CS"), code_of("SQ")
_MAX_FRAGMENTS = 100_000
# Bytes that must be at hand to look at an element and at what its value begins with.
AHEAD = 16


@kernel
def level_of(b: Any, p: Any, left: Any, tables: Any, element: Any, is_explicit: Any) -> Any:
    """What a value is made of: nothing to go into, items, or fragments."""
    tag, kind, head, length = element
    is_undefined = length == UNDEFINED
    is_sequence = is_explicit and kind == SEQUENCE and vr_at(b, p + 4) == _SQ
    if is_sequence:
        return OF_ITEMS
    has_items = length >= 8 and left >= head + 4 and tag_at(b, p + head) == ITEM
    if not is_undefined:
        return OF_ITEMS if has_items and (not is_explicit or kind == SEQUENCE) else FLAT
    if is_explicit:
        return OF_ITEMS if kind == SEQUENCE else OF_FRAGMENTS if kind == PIECES and has_items else ODD
    if tag >> 16 & 1:
        return OF_ITEMS if has_items else ODD
    return OF_ITEMS if is_within(tables[0], tag) else ODD


@kernel
def is_too_long(tag: Any, kind: Any, length: Any, is_explicit: Any, tables: Any, limits: Any) -> Any:
    """Whether a value is a text of more bytes than a text may have."""
    if length <= limits[TEXT_BYTES]:
        return False
    return kind in (SHORT, LONG_TEXT) if is_explicit else is_within(tables[1], tag)


@kernel
def open_level(s: Any, stack: Any, level: Any, end: Any, is_explicit: Any) -> Any:
    """Go one level deeper; `end` is -1 where a delimiter ends it."""
    depth = s[DEPTH]
    stack[depth], stack[MAX_DEPTH + depth] = end, level << 1 | (1 if is_explicit else 0)
    s[DEPTH] = depth + 1


@kernel
def nested(window: Any, s: Any, stack: Any, tables: Any, limits: Any) -> Any:
    """Walk what is inside an element of the data set to its end."""
    b, delta, high, size = window
    while s[DEPTH] > 0:
        at, top = s[POSITION], s[DEPTH] - 1
        end, level, is_explicit = stack[top], stack[MAX_DEPTH + top] >> 1, stack[MAX_DEPTH + top] & 1 == 1
        if 0 <= end <= at:
            if at > end:
                return UNKNOWN
            s[DEPTH] = top
            continue
        if at + AHEAD > high:
            if at + 8 > size:
                return UNKNOWN
            if high < size:
                wait(s, at, min(AHEAD, size - at))
                return NESTED
        p = at + delta
        if level != OF_ELEMENTS:
            is_right = _item(b, p, high, size, s, stack, end, level, is_explicit, limits)
        elif tag_at(b, p) == ITEM_END:
            s[POSITION], s[DEPTH] = at + 8, top
            is_right = end < 0
        else:
            is_right = _inner(b, p, high, size, s, stack, tables, end, is_explicit, limits)
        if not is_right:
            return UNKNOWN
        if s[NEED]:
            return NESTED
    return DATASET


@kernel
def _item(
    b: Any,
    p: Any,
    high: Any,
    size: Any,
    s: Any,
    stack: Any,
    end: Any,
    level: Any,
    is_explicit: Any,
    limits: Any,
) -> Any:
    """Walk the head of an item or the end of a sequence; False where there is something else."""
    at, depth, tag, length = s[POSITION], s[DEPTH], tag_at(b, p), u32(b, p + 4)
    s[POSITION] = at + 8
    if tag == SEQUENCE_END:
        s[DEPTH] = depth - 1
        return end < 0
    s[ITEMS] += 1
    if tag != ITEM or s[ITEMS] > limits[MAX_ITEMS]:
        return False
    stop = -1 if length == UNDEFINED else at + 8 + length
    if stop > size or (end >= 0 and stop > end):
        return False
    if level == OF_FRAGMENTS:
        s[POSITION] = stop
        return stop >= 0
    if length == 0:
        return True
    if depth >= limits[NESTED_DEPTH] or at + 14 > high:
        return False
    # an item may be in implicit VR within a data set that is not (PS3.5 6.2.2)
    open_level(s, stack, OF_ELEMENTS, stop, is_explicit and is_upper(b, p + 12))
    return True


@kernel
def _inner(
    b: Any,
    p: Any,
    high: Any,
    size: Any,
    s: Any,
    stack: Any,
    tables: Any,
    end: Any,
    is_explicit: Any,
    limits: Any,
) -> Any:
    """Walk an element of an item; False where it is odd."""
    at = s[POSITION]
    element = element_at(b, p, high - at, is_explicit)
    tag, kind, head, length = element
    s[ELEMENTS] += 1
    if kind == 0 or tag >= 0xFFFE0000:
        return False
    level, stop = level_of(b, p, high - at, tables, element, is_explicit), at + head + length
    if length != UNDEFINED and (stop > size or (end >= 0 and stop > end)):
        return False
    if level >= 0:
        s[POSITION] = at + head
        if s[DEPTH] >= limits[NESTED_DEPTH]:
            return False
        open_level(s, stack, level, -1 if length == UNDEFINED else stop, is_explicit)
        return True
    if level == ODD or is_too_long(tag, kind, length, is_explicit, tables, limits):
        return False
    if tag == _CHARACTER_SET:
        if length > 1024 or (is_explicit and vr_at(b, p + 4) != _CS):
            return False
        if stop > high:
            wait(s, at, head + length)
            return True
        if not is_plain(b, p + head, length):
            return False
    s[POSITION] = stop
    return True


@kernel
def fragments(window: Any, s: Any) -> Any:
    """Walk the fragments of encapsulated pixel data to their end without reading them."""
    b, delta, high, size = window
    at = s[POSITION]
    while at + 8 <= size:
        if at + 8 > high:
            wait(s, at, 8)
            return FRAGMENTS
        p = at + delta
        tag = tag_at(b, p)
        if tag == SEQUENCE_END:
            return DONE
        s[ITEMS] += 1
        if tag != ITEM or s[ITEMS] >= _MAX_FRAGMENTS:
            return UNKNOWN
        at += 8 + u32(b, p + 4)
    return UNKNOWN
