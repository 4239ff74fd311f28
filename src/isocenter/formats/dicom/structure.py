"""The walk over the structure of one DICOM data set (PS3.5 7): no values, no recursion, no objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.formats.dicom.elements import SQ, UN, head_at, is_text_vr, kernel, tag_at, whole
from isocenter.formats.dicom.once import MAX_HASHED, comes_otherwise, note_place

# Places in the state of a walk.
POSITION, OPEN, ELEMENTS, DEEPEST, MOST_ITEMS, LONGEST_TEXT, VALUE_BYTES, PIXELS, REPEATED, FOUND = range(10)
IMPLICIT, BIG, SYNTAX, SYNTAX_BYTES, GROUPS, GROUPS_END, FRAMES, IS_DAMAGED, IS_UNORDERED, MISFIT = range(
    10, 20
)
BASE, SIZE, ALL_ITEMS, GROUP_ELEMENTS, GROUP_ITEMS = range(20, 25)
HAS_REGIONS, TOP_AGAIN = 25, 26
STATE_SIZE = 27
# Columns of the stack of open sequences and items.
_KIND, _END, _BOUND, _COUNT, _TAG, _IMPLICIT, _SOFT, _FIRST, _ELEMENTS = range(9)
STACK_COLUMNS = 9
_SEQUENCE, _ITEM, _FRAGMENTS = 0, 1, 2
# Columns of what is found in functional groups; `FRAME` is -1 in the shared ones.
KEY, FRAME, OFFSET, LENGTH, VR = range(5)
FOUND_COLUMNS = 5
# Places in the limits of a walk.
MAX_ELEMENTS, MAX_DEPTH, MAX_ITEMS, MAX_TEXT, MAX_VALUE_BYTES = range(5)
# What a walk ends with: it goes on with other bytes or more room; the end; a limit; a fault.
MORE, FULL, DONE, BEYOND, LONGER, ENDLESS, LOST = 1, 2, 3, 20, 21, 22, 23
TOO_MANY_ELEMENTS, TOO_DEEP, TOO_MANY_ITEMS, TOO_LONG, TOO_LARGE = range(10, 15)
_GO, _STRAY = 0, 24
SHARED_GROUPS, FRAME_GROUPS = 0x52009229, 0x52009230
# What the dictionary says of a tag: text, a sequence, or neither.
OTHER, TEXT, SEQUENCE = 0, 1, 2

_Array = NDArray[np.int64]
_Tables = tuple[_Array, NDArray[np.uint8], _Array, _Array, _Array, _Array, _Array]
_UNDEFINED = 0xFFFFFFFF
_ITEM_TAG, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_SYNTAX_TAG = 0x00020010
# Of a DICOMDIR no more is wanted than that it is one, so its records may be broken.
_RECORDS = 0x00041220
# The heads of an item and of its first element, and the tag that this one may begin with.
_AHEAD = 24
# Values up to this length are part of what a header costs; longer ones are jumped over, unless they are text.
_MAX_KEPT = 64 << 10
# An object of 10,000 frames has a million elements.
_MORE_IN_GROUPS = 10


@kernel
def _known(tags: NDArray[np.int64], classes: NDArray[np.uint8], tag: int) -> Any:
    """What the dictionary says of a tag, -1 where it does not know it."""
    place = np.searchsorted(tags, tag)
    if place < len(tags) and tags[place] == tag:
        return np.int64(classes[place])
    return -1


@kernel
def _is_in_groups(state: NDArray[np.int64], stack: NDArray[np.int64]) -> int:
    """1 inside functional groups, else 0."""
    return 1 if state[OPEN] and stack[0, _TAG] in (SHARED_GROUPS, FRAME_GROUPS) else 0


@kernel
def _is_too_much(count: int, in_groups: int, limits: NDArray[np.int64]) -> Any:
    """Whether there are too many elements or items; of functional groups no object is made, so there may be more."""
    most = limits[MAX_ELEMENTS]
    return count - in_groups > most or in_groups > _MORE_IN_GROUPS * most


@kernel
def _push(
    state: NDArray[np.int64], stack: NDArray[np.int64], kind: int, tag: int, end: int, is_soft: bool
) -> None:
    """Open a sequence, an item or fragments; `end` is -1 where a delimiter ends them."""
    n = state[OPEN]
    row = stack[n]
    row[_KIND], row[_TAG], row[_END], row[_COUNT], row[_ELEMENTS] = kind, tag, end, 0, state[ELEMENTS]
    row[_SOFT] = 1 if is_soft else 0
    row[_FIRST], row[_IMPLICIT] = 1, state[IMPLICIT]
    bound = state[SIZE]
    if n:
        parent = stack[n - 1]
        row[_IMPLICIT], bound = parent[_IMPLICIT], parent[_BOUND]
        is_frame = kind == _ITEM and n == 1
        row[_FIRST] = 1 if is_frame or (parent[_FIRST] and parent[_COUNT] <= 1) else 0
    row[_BOUND] = bound if end < 0 else end
    state[OPEN] = n + 1


@kernel
def _pop(state: NDArray[np.int64], stack: NDArray[np.int64]) -> None:
    state[OPEN] -= 1
    if state[OPEN] == 0 and stack[0, _TAG] in (SHARED_GROUPS, FRAME_GROUPS):
        state[GROUPS_END] = state[POSITION]


@kernel
def _recover(state: NDArray[np.int64], stack: NDArray[np.int64], fault: int) -> int:
    """Give up what was taken for a sequence, or the rest of one whose length is known, and go on behind it."""
    for n in range(state[OPEN] - 1, -1, -1):
        row = stack[n]
        is_way_out = row[_SOFT] == 1 or (fault == _STRAY and row[_KIND] == _SEQUENCE)
        if row[_END] >= 0 and is_way_out:
            if row[_SOFT] == 1:
                state[ELEMENTS] = row[_ELEMENTS]
            if stack[0, _TAG] in (SHARED_GROUPS, FRAME_GROUPS):
                state[IS_DAMAGED] = 1
            state[POSITION], state[OPEN] = row[_END], n + 1
            _pop(state, stack)
            return _GO
    return LOST if fault == _STRAY else fault


@kernel
def _close(state: NDArray[np.int64], stack: NDArray[np.int64]) -> int:
    """Close what ends here; a sequence without its delimiter is a fault."""
    while state[OPEN]:
        n = state[OPEN] - 1
        at_end = stack[n, _END] >= 0 and state[POSITION] >= stack[n, _END]
        if not at_end:
            if state[POSITION] < stack[n, _BOUND]:
                break
            # the last item of a sequence of known length may lack its delimiter
            if stack[n, _KIND] != _ITEM or stack[n - 1, _END] < 0:
                return ENDLESS
        _pop(state, stack)
    return _GO


@kernel
def _shut(state: NDArray[np.int64], stack: NDArray[np.int64]) -> int:
    """A delimiter closes the innermost sequence or item; one of known length is left at its stated end."""
    end = stack[state[OPEN] - 1, _END]
    state[POSITION] = state[POSITION] + 8 if end < 0 else end
    _pop(state, stack)
    return _GO


@kernel
def _item(
    data: NDArray[np.uint8], state: NDArray[np.int64], stack: NDArray[np.int64], limits: NDArray[np.int64]
) -> int:
    """One item, fragment or delimiter of the innermost sequence."""
    top, at, is_big = stack[state[OPEN] - 1], state[POSITION] - state[BASE], state[BIG] == 1
    tag, length = tag_at(data, at, is_big), whole(data, at + 4, 4, is_big)
    if tag == _SEQUENCE_END:
        return _shut(state, stack)
    if tag != _ITEM_TAG:
        return _STRAY
    top[_COUNT] += 1
    state[ALL_ITEMS] += 1
    state[MOST_ITEMS] = max(state[MOST_ITEMS], top[_COUNT])
    if top[_COUNT] > limits[MAX_ITEMS]:
        return TOO_MANY_ITEMS
    state[GROUP_ITEMS] += _is_in_groups(state, stack)
    if _is_too_much(state[ALL_ITEMS], state[GROUP_ITEMS], limits):
        return TOO_MANY_ELEMENTS
    end = -1 if length == _UNDEFINED else state[POSITION] + 8 + length
    if end > top[_BOUND]:
        state[MISFIT] = end
        return BEYOND if top[_BOUND] == state[SIZE] else LONGER
    if state[OPEN] == 1 and top[_TAG] == FRAME_GROUPS:
        state[FRAMES] = top[_COUNT]
    state[POSITION] += 8
    if top[_KIND] == _FRAGMENTS:
        if end < 0:
            return _STRAY
        state[POSITION] = end
        return _GO
    _push(state, stack, _ITEM, _ITEM_TAG, end, False)
    at += 8
    if not stack[state[OPEN] - 1, _IMPLICIT] and at + 6 <= len(data):
        # an item may be implicit in an explicit data set (PS3.5 6.2.2, and writers who switch)
        first, second = data[at + 4], data[at + 5]
        is_written = 0x40 < first < 0x5B and 0x40 < second < 0x5B
        stack[state[OPEN] - 1, _IMPLICIT] = 0 if is_written else 1
    return _GO


@kernel
def _remember(
    data: NDArray[np.uint8],
    state: NDArray[np.int64],
    tags: NDArray[np.int64],
    known: NDArray[np.int64],
    head: tuple[int, int, int, int, int],
) -> int:
    """Remember the value of what may be there once only; told is the tag that came again with another value."""
    tag, _, length, start, _ = head
    place = np.searchsorted(tags, tag)
    if place == len(tags) or tags[place] != tag:
        return _GO
    # an undefined length, or one beyond the file, is told by what comes next
    count, at = min(length, MAX_HASHED, state[SIZE] - start), start - state[BASE]
    if at + count > len(data):
        return MORE
    if comes_otherwise(data, known[place], at, count, length):
        state[REPEATED] = tag
    return _GO


@kernel
def _note(
    state: NDArray[np.int64],
    stack: NDArray[np.int64],
    wanted: NDArray[np.int64],
    found: NDArray[np.int64],
    head: tuple[int, int, int, int, int],
) -> int:
    """Write down where a wanted element of the functional groups is."""
    n, bottom = state[OPEN], stack[0, _TAG]
    if n < 4 or bottom not in (SHARED_GROUPS, FRAME_GROUPS) or not stack[n - 1, _FIRST]:
        return _GO
    if bottom == SHARED_GROUPS and stack[0, _COUNT] > 1:
        return _GO
    tag, vr, length, start, _ = head
    key = stack[n - 2, _TAG] << 32 | tag
    place = np.searchsorted(wanted, key)
    if place == len(wanted) or wanted[place] != key:
        return _GO
    if state[FOUND] == len(found):
        return FULL
    row = found[state[FOUND]]
    row[KEY], row[OFFSET], row[LENGTH], row[VR] = place, start, length, vr
    row[FRAME] = -1 if bottom == SHARED_GROUPS else stack[0, _COUNT] - 1
    state[FOUND] += 1
    return _GO


@kernel
def _open(
    data: NDArray[np.uint8],
    state: NDArray[np.int64],
    stack: NDArray[np.int64],
    limits: NDArray[np.int64],
    head: tuple[int, int, int, int, int],
) -> int:
    """Go into an element that is a sequence or made of fragments; -1 if it is neither."""
    tag, vr, length, start, known = head
    at, is_undefined = start - state[BASE], length == _UNDEFINED
    begins = at + 4 <= len(data) and tag_at(data, at, state[BIG] == 1) == _ITEM_TAG
    is_sequence = vr == SQ or (vr in (0, UN) and known == SEQUENCE and (is_undefined or begins))
    if is_undefined and not is_sequence:
        # of UN and of what no dictionary knows the value tells (PS3.5 6.2.2)
        is_sequence = vr == UN or (vr == 0 and known < 0 and begins)
    is_soft = vr in (0, UN) and begins and not is_undefined and (known < 0 or (is_sequence and vr == UN))
    is_soft = is_soft or (tag == _RECORDS and not is_undefined)
    if length == 0 or not (is_sequence or is_soft):
        if not is_undefined:
            return -1
        if not begins:
            return _STRAY
        _push(state, stack, _FRAGMENTS, tag, -1, False)
        state[POSITION] = start
        return _GO
    depth = 1
    for n in range(state[OPEN]):
        depth += 1 if stack[n, _KIND] == _SEQUENCE else 0
    state[DEEPEST] = max(state[DEEPEST], depth)
    if depth > limits[MAX_DEPTH]:
        return TOO_DEEP
    if state[OPEN] == 0 and tag in (SHARED_GROUPS, FRAME_GROUPS):
        if tag == FRAME_GROUPS and state[FRAMES]:
            state[IS_DAMAGED] = 1
        state[GROUPS] = state[POSITION] if state[GROUPS] < 0 else state[GROUPS]
    _push(state, stack, _SEQUENCE, tag, -1 if is_undefined else start + length, is_soft)
    state[POSITION] = start
    return _GO


@kernel
def _count(
    data: NDArray[np.uint8],
    state: NDArray[np.int64],
    stack: NDArray[np.int64],
    limits: NDArray[np.int64],
    head: tuple[int, int, int, int, int],
) -> int:
    """Add an element to what the header costs, and go to its end or into it."""
    tag, vr, length, start, known = head
    is_text = is_text_vr(vr) or (known == TEXT and length != _UNDEFINED)
    state[ELEMENTS] += 1
    state[GROUP_ELEMENTS] += _is_in_groups(state, stack)
    state[VALUE_BYTES] += start - state[POSITION]
    if state[OPEN] == 0:
        if tag == _SYNTAX_TAG:
            state[SYNTAX], state[SYNTAX_BYTES] = start, length
        if tag in (0x30060010, 0x30060020, 0x30060039):
            state[HAS_REGIONS] = 1
        if state[GROUPS] >= 0 and tag < SHARED_GROUPS:
            state[IS_UNORDERED] = 1
    status = _open(data, state, stack, limits, head)
    if status == -1:
        status = _GO
        state[POSITION] = start + length
        if is_text or length <= _MAX_KEPT:
            state[VALUE_BYTES] += length
        if is_text:
            state[LONGEST_TEXT] = max(state[LONGEST_TEXT], length)
    if _is_too_much(state[ELEMENTS], state[GROUP_ELEMENTS], limits):
        return TOO_MANY_ELEMENTS
    if state[LONGEST_TEXT] > limits[MAX_TEXT]:
        return TOO_LONG
    return TOO_LARGE if state[VALUE_BYTES] > limits[MAX_VALUE_BYTES] else status


@kernel
def _element(
    data: NDArray[np.uint8],
    state: NDArray[np.int64],
    stack: NDArray[np.int64],
    limits: NDArray[np.int64],
    tables: _Tables,
    found: NDArray[np.int64],
) -> int:
    """One element of the innermost item, or of the data set itself."""
    n, at, is_big = state[OPEN], state[POSITION] - state[BASE], state[BIG] == 1
    is_implicit = (stack[n - 1, _IMPLICIT] if n else state[IMPLICIT]) == 1
    tag = tag_at(data, at, is_big)
    if tag == _ITEM_END:
        if n == 0:
            return DONE
        return _shut(state, stack) if stack[n - 1, _END] < 0 else _STRAY
    if tag in (_SEQUENCE_END, _ITEM_TAG):
        return _STRAY
    if n == 0 and tag in (0x7FE00008, 0x7FE00009, 0x7FE00010):
        state[PIXELS] = state[POSITION]
        return DONE
    vr, length, count = head_at(data, at, is_big, is_implicit)
    if length < 0:
        return _STRAY
    start = state[POSITION] + count
    known = _known(tables[0], tables[1], tag) if vr in (0, UN) else OTHER
    bound = stack[n - 1, _BOUND] if n else state[SIZE]
    if length != _UNDEFINED and start + length > bound:
        state[MISFIT] = start + length
        return BEYOND if bound == state[SIZE] else LONGER
    head = (tag, vr, length, start, known)
    if n:
        status = _note(state, stack, tables[2], found, head)
    else:
        status = _remember(data, state, tables[3], tables[4], head)
        if status == _GO and note_place(tables[5], tables[6], tag, vr, start, length):
            state[TOP_AGAIN] = 1
    return status if status != _GO else _count(data, state, stack, limits, head)


@kernel
def walk(
    data: NDArray[np.uint8],
    only_group: int,
    state: NDArray[np.int64],
    stack: NDArray[np.int64],
    limits: NDArray[np.int64],
    tables: _Tables,
    found: NDArray[np.int64],
) -> int:
    """Walk on from where the state is, over the bytes at hand, and say why it stopped.

    Args:
        data: Bytes of the file.
        only_group: Stop at the first element of another group; -1: at the pixel data.
        state: What is known so far, and where in the file the bytes begin, by the names above.
        stack: Open sequences and items.
        limits: What a header may cost.
        tables: Tags of the dictionary and their classes, the wanted (sequence << 32 | tag), and the tags that may be
            there once only, all in order; and what is known of the latter, a row for each. Then the wanted tags of the
            data set itself, in order, and a row for each.
        found: Where wanted elements are, a row for each.
    """
    while True:
        status = _close(state, stack)
        at = state[POSITION]
        if status == _GO:
            base, size, n = state[BASE], state[SIZE], state[OPEN]
            if at >= size:
                return DONE
            if at < base or min(at + _AHEAD, size) > base + len(data):
                return MORE
            if (stack[n - 1, _BOUND] if n else size) - at < 8:
                status = _STRAY
            elif n and stack[n - 1, _KIND] != _ITEM:
                status = _item(data, state, stack, limits)
            elif n == 0 and only_group >= 0 and tag_at(data, at - base, False) >> 16 != only_group:
                return DONE
            else:
                status = _element(data, state, stack, limits, tables, found)
        if status >= BEYOND:
            status = _recover(state, stack, status)
        if status != _GO:
            return status
