"""Where in a structure set the values stand that its row is made of (PS3.3 C.8.8.5, C.8.8.6), without its objects.

A parser makes an object of every contour, and only a few points of them are wanted. What is not
written as the standard says is left to the parser: the walk gives up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from isocenter.formats.dicom.elements import SQ, UN, head_at, kernel, tag_at, whole

# Columns of what is found; `ITEM` counts the items of the Structure Set ROI Sequence.
WHAT, ITEM, OFFSET, LENGTH = range(4)
# What is found: texts of frames of reference, series and images, those of a ROI, contours of three points or more,
# character sets, and wanted elements of the data set itself with their heads.
FRAME, SERIES, IMAGE, NUMBER, NAME, ROI_FRAME, CONTOUR, CHARACTER_SET, _OTHER_SET, PLAIN = range(10, 20)
# Sequences on the way to them.
_TOP, _FRAMES, _STUDIES, _ALL_SERIES, _IMAGES, _ROIS, _DRAWN, _CONTOURS = range(8)
_UI, _IS, _LO, _DS, _CS = 0x5549, 0x4953, 0x4C4F, 0x4453, 0x4353
# In which sequence which tag is which sequence or text, of which VR.
_PATHS = np.array(
    [
        (_TOP, 0x30060010, _FRAMES, SQ),
        (_TOP, 0x30060020, _ROIS, SQ),
        (_TOP, 0x30060039, _DRAWN, SQ),
        (_FRAMES, 0x00200052, FRAME, _UI),
        (_FRAMES, 0x30060012, _STUDIES, SQ),
        (_STUDIES, 0x30060014, _ALL_SERIES, SQ),
        (_ALL_SERIES, 0x0020000E, SERIES, _UI),
        (_ALL_SERIES, 0x30060016, _IMAGES, SQ),
        (_IMAGES, 0x00081155, IMAGE, _UI),
        (_ROIS, 0x00080005, CHARACTER_SET, _CS),
        (_ROIS, 0x30060022, NUMBER, _IS),
        (_ROIS, 0x30060024, ROI_FRAME, _UI),
        (_ROIS, 0x30060026, NAME, _LO),
        (_DRAWN, 0x30060040, _CONTOURS, SQ),
        (_CONTOURS, 0x30060050, CONTOUR, _DS),
    ],
    np.int64,
)
# By the names that the parser knows (PS3.3 C.12.1.1.2).
_CHARACTER_SETS = {name.encode() for name in pydicom.charset.python_encoding if name}
_DONE, _FULL, _ODD = range(3)
_OFF_PATH = -1
_UNDEFINED, _ITEM_TAG, _ITEM_END, _SEQUENCE_END = 0xFFFFFFFF, 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_CHARACTER_SET, _DELIMITERS = 0x00080005, 0xFFFE
# Columns of the stack of open sequences and items; the last tag of a sequence is -1.
_PATH, _END, _BOUND, _LAST = range(4)
_MOST_OPEN = 64
# The sequences of the data set itself that are walked through, and are not parsed then.
REGIONS = frozenset(int(tag) for path, tag, _, _ in _PATHS.tolist() if path == _TOP)
# Three points, the first of which is taken, have eight separators.
_SEPARATOR, _SEPARATORS = 0x5C, 8
# A million points, the most that one contour may have, in decimal strings of 16 characters.
MAX_CONTOUR_BYTES = 3 * 17 * 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regions:
    """The sequences of one structure set, as they are stored.

    Args:
        data: Bytes of the data set, up to its pixel data.
        rows: What is found, in the order of the file: what, its item, its offset in `data` and its length.
        is_implicit: Whether VRs are not written.
    """

    data: bytes
    rows: NDArray[np.int64]
    is_implicit: bool


def find_regions(
    data: bytes, wanted: NDArray[np.int64], sequences: NDArray[np.int64], *, is_implicit: bool
) -> Regions | None:
    """Find what is wanted of a structure set; None where it is not written as the standard says.

    Args:
        data: Bytes of the data set, little endian, up to its pixel data.
        wanted: Tags of wanted elements of the data set itself, in order.
        sequences: Tags of the dictionary that are sequences, in order.
        is_implicit: Whether VRs are not written.
    """
    array = np.frombuffer(data, np.uint8)
    room = 4096
    while True:
        rows = np.zeros((room, 4), np.int64)
        stack = np.zeros((_MOST_OPEN, 4), np.int64)
        status, count = _walk(array, is_implicit, (sequences, _PATHS, wanted), stack, rows)
        if status == _DONE:
            found = Regions(data=data, rows=rows[:count], is_implicit=is_implicit)
            return found if _are_known_sets(found) else None
        if status == _ODD:
            return None
        room *= 8


def _are_known_sets(regions: Regions) -> bool:
    """Whether all items that state a character set state a plain one."""
    what = regions.rows[:, WHAT]
    places = regions.rows[(what == CHARACTER_SET) | (what == _OTHER_SET)]
    stated = {regions.data[at : at + count] for _, _, at, count in places.tolist()}
    return all(raw.strip(b" ") in _CHARACTER_SETS for raw in stated)


@kernel
def _step(paths: NDArray[np.int64], path: int, tag: int) -> tuple[int, int]:
    """Where a tag leads to from a sequence, and the VR it must have."""
    for n in range(len(paths) if path >= 0 else 0):
        if paths[n, 0] == path and paths[n, 1] == tag:
            return paths[n, 2], paths[n, 3]
    return (_OTHER_SET, _CS) if tag == _CHARACTER_SET and path != _TOP else (_OFF_PATH, 0)


@kernel
def _has_points(data: NDArray[np.uint8], start: int, length: int) -> bool:
    """Whether a contour has three points or more."""
    count = 0
    for at in range(start, start + length):
        if data[at] == _SEPARATOR:
            count += 1
            if count == _SEPARATORS:
                return True
    return False


@kernel
def _open(stack: NDArray[np.int64], n: int, path: int, end: int, last: int) -> Any:
    """Open a sequence or an item; told is how many are open then, 0 if that is too many or it is too long."""
    if n + 1 == len(stack) or end > stack[n, _BOUND]:
        return 0
    stack[n + 1, _PATH], stack[n + 1, _END], stack[n + 1, _LAST] = path, end, last
    stack[n + 1, _BOUND] = stack[n, _BOUND] if end < 0 else end
    return n + 1


@kernel
def _is_odd(tag: int, vr: int, length: int, is_implicit: bool) -> bool:
    """Whether an element's head is not one that everybody reads in the same way."""
    if tag >> 16 == _DELIMITERS or length < 0:
        return True
    if is_implicit:
        return False
    first, second = vr >> 8, vr & 255
    return not (0x40 < first < 0x5B and 0x40 < second < 0x5B)


@kernel
def _is_in(tags: NDArray[np.int64], tag: int) -> Any:
    place = np.searchsorted(tags, tag)
    return place < len(tags) and tags[place] == tag


@kernel
def _is_sequence(vr: int, tag: int, is_implicit: bool, sequences: NDArray[np.int64]) -> Any:
    """Whether an element of undefined length is surely a sequence."""
    return _is_in(sequences, tag) if is_implicit else vr == SQ


@kernel
def _item(data: NDArray[np.uint8], at: int, stack: NDArray[np.int64], n: int) -> tuple[int, int]:
    """An item or the end of a sequence: how many are open then, -1 if it is odd, and where to go on."""
    tag, length = tag_at(data, at, False), whole(data, at + 4, 4, False)
    if tag == _SEQUENCE_END:
        return (n - 1 if length == 0 and stack[n, _END] < 0 else -1), at + 8
    if tag != _ITEM_TAG:
        return -1, at
    n = _open(stack, n, stack[n, _PATH], -1 if length == _UNDEFINED else at + 8 + length, 0)
    return (n or -1), at + 8


@kernel
def _element(
    data: NDArray[np.uint8],
    at: int,
    is_implicit: bool,
    tables: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    stack: NDArray[np.int64],
    n: int,
) -> tuple[int, int, int, int, int]:
    """An element: how many are open then, -1 if it is odd, where to go on, and what is found where, how long."""
    top, tag = stack[n], tag_at(data, at, False)
    if tag == _ITEM_END and n and top[_END] < 0 and whole(data, at + 4, 4, False) == 0:
        return n - 1, at + 8, _OFF_PATH, 0, 0
    vr, length, size = head_at(data, at, False, is_implicit)
    if tag <= top[_LAST] or _is_odd(tag, vr, length, is_implicit):
        return -1, at, _OFF_PATH, 0, 0
    top[_LAST], start = tag, at + size
    step, expected = _step(tables[1], top[_PATH], tag)
    if step >= 0 and not is_implicit and vr != expected and not (step == CONTOUR and vr == UN):
        return -1, at, _OFF_PATH, 0, 0
    is_plain = n == 0 and step == _OFF_PATH and _is_in(tables[2], tag)
    if length == _UNDEFINED:
        if is_plain:
            return -1, at, _OFF_PATH, 0, 0
        # an odd one is as if none could be opened
        n = _open(stack, n, step, -1, -1) if _is_sequence(vr, tag, is_implicit, tables[0]) else 0
        return (n or -1), start, _OFF_PATH, 0, 0
    if 0 <= step < FRAME:
        n = _open(stack, n, step, start + length, -1)
        return (n or -1), start, _OFF_PATH, 0, 0
    if start + length > top[_BOUND] or (step == CONTOUR and length > MAX_CONTOUR_BYTES):
        return -1, at, _OFF_PATH, 0, 0
    if is_plain:
        return n, start + length, PLAIN, at, size + length
    is_found = step != CONTOUR or _has_points(data, start, length)
    return n, start + length, (step if is_found else _OFF_PATH), start, length


@kernel
def _walk(
    data: NDArray[np.uint8],
    is_implicit: bool,
    tables: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    stack: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> tuple[int, int]:
    """Fill the rows; told is how it ended, and how many rows there are. The stack is to be all zeros."""
    stack[0, _END] = stack[0, _BOUND] = len(data)
    n, at, count, item = 0, 0, 0, -1
    while True:
        while n and stack[n, _END] == at:
            n -= 1
        if n == 0 and at == len(data):
            return _DONE, count
        if stack[n, _BOUND] - at < 8:
            return _ODD, count
        if stack[n, _LAST] < 0:
            n, at = _item(data, at, stack, n)
            if n >= 0 and stack[n, _PATH] == _ROIS and stack[n, _LAST] == 0:
                item += 1
        else:
            n, at, what, start, length = _element(data, at, is_implicit, tables, stack, n)
            if what >= FRAME:
                if count == len(rows):
                    return _FULL, count
                row = rows[count]
                row[WHAT], row[ITEM], row[OFFSET], row[LENGTH] = what, item, start, length
                count += 1
        if n < 0:
            return _ODD, count
