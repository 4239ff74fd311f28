"""The walk over the elements of many DICOM headers at once, in machine code: where each wanted value lies.

It follows PS3.5 7 and PS3.10 7 to the letter; a file with anything else in it is left to the slow reader. A file
is walked through windows: its first bytes, then what is asked for where a value or a jump leads beyond them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from isocenter.formats.dicom.nesting import (
    AHEAD,
    FLAT,
    ODD,
    fragments,
    is_too_long,
    level_of,
    nested,
    open_level,
)
from isocenter.formats.dicom.preface import meta, start
from isocenter.formats.dicom.steps import (
    BEGUN,
    BLOCKS,
    CHARACTERS,
    CLASS,
    DATASET,
    DONE,
    ELEMENTS,
    ENCAPSULATED,
    EXPLICIT,
    FRAGMENTS,
    HEADER_BYTES,
    ITEMS,
    LAST,
    LENGTH,
    LONG,
    MAX_ELEMENTS,
    NEED,
    NESTED,
    NEVER,
    OFFSET,
    PHASE,
    PIECES,
    PIXELS,
    POSITION,
    PRESENCE,
    SHIFT,
    START,
    SYNTAX,
    TEXT_BYTES,
    UNDEFINED,
    UNKNOWN,
    WHOLE,
    begins,
    code_of,
    element_at,
    is_plain,
    is_reserved,
    kernel,
    vr_at,
    wait,
)

_FLOAT_PIXELS, _DOUBLE_PIXELS, _PIXEL_DATA = 0x7FE00008, 0x7FE00009, 0x7FE00010
_FIRST_TAG, _TOO_HIGH = 0x00030000, 0xFFFE0000
_RADIOTHERAPY = np.frombuffer(b"1.2.840.10008.5.1.4.1.1.481.", np.uint8)
# Bytes that are read at once of a sequence whose end nobody knows; of a larger one the value is not kept.
_WHOLE_BYTES = 2048
_DELIMITER_BYTES = 8
_CS, _SV, _UN, _UV = code_of("CS"), code_of("SV"), code_of("UN"), code_of("UV")


@kernel
def _dataset(window: Any, s: Any, stack: Any, want: Any, cell: Any, tables: Any, limits: Any) -> Any:
    """Walk the elements of the data set itself up to the pixel data, the end, or a sequence."""
    b, delta, high, size = window
    tags, is_explicit = want[0], s[EXPLICIT] != 0
    at, last, elements, k, phase = s[POSITION], s[LAST], s[ELEMENTS], np.uint64(0), DATASET
    while True:
        if at + AHEAD > high:
            if at + 8 > size:
                phase = DONE if at == size else UNKNOWN
                break
            if high < size:
                wait(s, at, min(AHEAD, size - at))
                break
        p = at + delta
        element = element_at(b, p, high - at, is_explicit)
        tag, kind, head, length = element
        if tag < _FIRST_TAG or tag >= _TOO_HIGH or kind == 0:
            return UNKNOWN
        if tag in (_PIXEL_DATA, _FLOAT_PIXELS, _DOUBLE_PIXELS):
            s[POSITION], s[ELEMENTS] = at, elements
            return _pixels(b, p, size, s, element) if at <= limits[HEADER_BYTES] else UNKNOWN
        elements += 1
        k = np.uint64(0) if tag <= last else k
        while tags[k] < tag:
            k += np.uint64(1)
        last = tag
        level = level_of(b, p, high - at, tables, element, is_explicit)
        stop = at + head + length
        is_odd = level == ODD or (length != UNDEFINED and stop > size)
        if is_odd or is_too_long(tag, kind, length, is_explicit, tables, limits):
            return UNKNOWN
        if tags[k] == tag:
            needed = _needed(want[1][k], head, length, size - at, limits)
            if at + needed > high:
                wait(s, at, needed)
                elements -= 1
                break
            if not _take(b, p, element, s, want, cell, k, is_explicit, limits):
                return UNKNOWN
        elif is_reserved(tag):
            s[BLOCKS] |= 1 if tag >> 16 == 9 else 2
        at = stop
        if level != FLAT:
            at = p - delta + head
            if length == UNDEFINED and tags[k] == tag and want[1][k] == WHOLE:
                s[BEGUN] = at
            open_level(s, stack, level, -1 if length == UNDEFINED else stop, is_explicit)
            phase = NESTED
            break
    s[POSITION], s[LAST], s[ELEMENTS] = at, last, elements
    return phase


@kernel
def _needed(role: Any, head: Any, length: Any, left: Any, limits: Any) -> Any:
    """How many bytes of a wanted element must be at hand."""
    if role in (PRESENCE, NEVER):
        return 0
    if role == WHOLE and length == UNDEFINED:
        return min(_WHOLE_BYTES, left)
    return head + length if length <= limits[TEXT_BYTES] else 0


@kernel
def _keep(s: Any, want: Any, cell: Any) -> Any:
    """Note how long a value is that was walked through to its delimiter."""
    cell[1][np.searchsorted(want[0], s[LAST])] = s[POSITION] - s[BEGUN] - _DELIMITER_BYTES
    s[BEGUN] = 0


@kernel
def _take(
    b: Any, p: Any, element: Any, s: Any, want: Any, cell: Any, k: Any, is_explicit: Any, limits: Any
) -> Any:
    """Note where a wanted value lies; False where it is not one that is understood."""
    _, _, head, length = element
    role, starts, counts, vrs = want[1][k], cell[0], cell[1], cell[2]
    if role == NEVER or starts[k] >= 0:
        return False
    vr = vr_at(b, p + 4) if is_explicit else 0
    starts[k], counts[k], vrs[k] = p + head + s[SHIFT], length, vr
    if role == PRESENCE or (role == WHOLE and length == UNDEFINED):
        return True
    if length > limits[TEXT_BYTES]:
        return False
    if role == CLASS:
        return not _is_elsewhere(b, p + head, length)
    return role != CHARACTERS or (vr in (0, _CS) and is_plain(b, p + head, length))


@kernel
def _is_elsewhere(b: Any, at: Any, length: Any) -> Any:
    """Whether a SOP Class is one of those for which the slow reader makes other rows: RT Structure Set, RT Dose."""
    end = at + length
    if not begins(b, at, end, _RADIOTHERAPY):
        return False
    at += _RADIOTHERAPY.size
    return at < end and b[at] in (50, 51) and (at + 1 == end or b[at + 1] in (0, 32))


@kernel
def _pixels(b: Any, p: Any, size: Any, s: Any, element: Any) -> Any:
    """Note where the pixel data lie; the header is over."""
    _, kind, head, length = element
    vr = vr_at(b, p + 4)
    if s[EXPLICIT]:
        is_right = kind == PIECES or vr == _UN or (kind == LONG and vr not in (_SV, _UV))
    else:
        # an odd length might be read as letters
        is_right = b[p + 4] not in (79, 85)
    if not is_right:
        return UNKNOWN
    s[POSITION] += head
    s[OFFSET], s[LENGTH], s[ITEMS] = s[POSITION], length, 0
    if length != UNDEFINED:
        s[PIXELS] = 1
        return DONE if s[POSITION] + length <= size else UNKNOWN
    s[PIXELS] = 2
    return FRAGMENTS if s[SYNTAX] == ENCAPSULATED else UNKNOWN


@kernel
def walk(
    b: Any,
    shift: Any,
    which: Any,
    windows: Any,
    sizes: Any,
    state: Any,
    stacks: Any,
    want: Any,
    cells: Any,
    tables: Any,
    limits: Any,
) -> Any:
    """Walk on in some files as far as their windows reach.

    Args:
        b: Bytes of the windows, (B,).
        shift: What is added to a place in them to make an address.
        which: Numbers of the files.
        windows: Where each window begins in `b`, and where it begins and ends in its file, (N, 3).
        sizes: Size of every file.
        state: State of every file, (F, STATES); zeros at first.
        stacks: Open sequences of every file, (F, 2 * MAX_DEPTH).
        want: Wanted tags in order, with one above all at the end, and what each is wanted for; the first two are
            those of group 0002.
        cells: Address, length and value representation of each wanted value, (F, W) each; address -1 at first.
        tables: Tags of all sequences and of all texts in order.
        limits: What may be spent, as `bounds_of` says it.
    """
    for n in range(which.size):
        i = which[n]
        s, stack = state[i], stacks[i]
        cell = (cells[0][i], cells[1][i], cells[2][i])
        window = (b, windows[n, 0] - windows[n, 1], windows[n, 2], sizes[i])
        # what is half in another window is not in one piece
        s[NEED], s[SHIFT], s[BEGUN], phase = 0, shift, 0, s[PHASE]
        while s[NEED] == 0 and phase < DONE:
            if phase == DATASET:
                phase = _dataset(window, s, stack, want, cell, tables, limits)
            elif phase == NESTED:
                phase = nested(window, s, stack, tables, limits)
                if phase == DATASET and s[BEGUN] > 0:
                    _keep(s, want, cell)
            elif phase == FRAGMENTS:
                phase = fragments(window, s)
            elif phase == START:
                phase = start(window, s)
            else:
                phase = meta(window, s, want, cell)
            is_header = phase < FRAGMENTS or (phase == DONE and s[PIXELS] == 0)
            if s[ELEMENTS] > limits[MAX_ELEMENTS] or (is_header and s[POSITION] > limits[HEADER_BYTES]):
                phase = UNKNOWN
        s[PHASE] = phase
