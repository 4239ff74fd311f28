"""What the walk over DICOM headers is made of: its states, and how it looks at one element (PS3.5 7.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.formats.limits import Limits

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function that works on arrays of its callers and makes none of its own.

    References to these are not counted: the atomic operations would take nine tenths of the time of the walk.
    """
    return cast("Function", numba.njit(cache=True, nogil=True, _nrt=False)(function))


# What has been reached in a file.
START, META, DATASET, NESTED, FRAGMENTS, DONE, UNKNOWN = range(7)
# Columns of the state of a file.
(
    PHASE,
    POSITION,  # where the walk stands, in bytes of the file
    NEED,  # bytes that are wanted from there on; 0 where none are
    EXPLICIT,
    SYNTAX,  # one of those below
    DEPTH,
    ELEMENTS,
    ITEMS,
    PIXELS,  # 0 none, 1 of a stated length, 2 in fragments
    OFFSET,
    LENGTH,
    SHIFT,  # what makes a place in the window an address
    LAST,  # the tag that was looked at last
    BEGUN,  # where the value lies that is walked through and wanted whole, in bytes of the file; 0 where none is at hand
    BLOCKS,  # whether makers of PET reserve another block than the first: 1 in group 0009, 2 in 7053, 3 in both
) = range(15)
STATES = 15
# Transfer syntaxes: not stated, native, encapsulated.
NOT_STATED, NATIVE, ENCAPSULATED = range(3)
# Limits, in this order.
HEADER_BYTES, MAX_ELEMENTS, NESTED_DEPTH, MAX_ITEMS, TEXT_BYTES = range(5)
# What a wanted tag is wanted for.
VALUE, PRESENCE, NEVER, CHARACTERS, CLASS, WHOLE = range(6)
MAX_DEPTH = 32
# Headers of more elements than these are left to the slow reader.
_MOST_ELEMENTS = 100_000

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

# Value representations by their two letters: with a length of 2 or of 4 bytes (PS3.5 7.1.2), and which of the latter
# are texts, may be sequences (UN, too: PS3.5 6.2.2), or may be in fragments.
SHORT, LONG, LONG_TEXT, SEQUENCE, PIECES = range(1, 6)
_NAMES = {
    SHORT: "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US",
    LONG: "OD OF OL OV SV UV",
    LONG_TEXT: "UC UR UT",
    SEQUENCE: "SQ UN",
    PIECES: "OB OW",
}


def bounds_of(limits: Limits) -> NDArray[np.int64]:
    """What may be spent on a header, as the walk takes it."""
    elements, depth = min(limits.elements, _MOST_ELEMENTS), min(limits.depth, MAX_DEPTH)
    return np.array([limits.header_bytes, elements, depth, limits.items, limits.value_bytes], np.int64)


def code_of(vr: str) -> int:
    """A value representation as the number that its two letters are."""
    return ord(vr[0]) << 8 | ord(vr[1])


def name_of_code(code: int) -> str:
    """The two letters of a value representation, "" for 0."""
    return chr(code >> 8) + chr(code & 0xFF) if code else ""


def table_of(values: dict[str, int]) -> NDArray[np.uint8]:
    """A table of numbers for value representations, at the place of their two letters in 26 x 26."""
    out = np.zeros(26 * 26, np.uint8)
    for vr, value in values.items():
        out[(ord(vr[0]) - 65) * 26 + ord(vr[1]) - 65] = value
    return out


_CLASSES = table_of({vr: kind for kind, names in _NAMES.items() for vr in names.split()})


@kernel
def byte_at(b: Any, at: Any) -> Any:
    """One byte; the place has no sign, so that nobody need look whether it is counted from the end."""
    return b[np.uint64(at)]


@kernel
def u16(b: Any, at: Any) -> Any:
    """Two bytes as a number."""
    i = np.uint64(at)
    return np.int64(b[i]) | np.int64(b[i + np.uint64(1)]) << 8


@kernel
def u32(b: Any, at: Any) -> Any:
    """Four bytes as a number."""
    i = np.uint64(at)
    low = np.int64(b[i]) | np.int64(b[i + np.uint64(1)]) << 8
    return low | np.int64(b[i + np.uint64(2)]) << 16 | np.int64(b[i + np.uint64(3)]) << 24


@kernel
def tag_at(b: Any, at: Any) -> Any:
    """Group and element as one number."""
    return u16(b, at) << 16 | u16(b, at + 2)


@kernel
def vr_at(b: Any, at: Any) -> Any:
    """Two letters as a number."""
    i = np.uint64(at)
    return np.int64(b[i]) << 8 | np.int64(b[i + np.uint64(1)])


@kernel
def is_upper(b: Any, at: Any) -> Any:
    """Whether two capital letters stand here."""
    i = np.uint64(at)
    return 65 <= b[i] <= 90 and 65 <= b[i + np.uint64(1)] <= 90


@kernel
def class_of(b: Any, at: Any) -> Any:
    """Class of the value representation that stands here; 0 where there is no such one."""
    if not is_upper(b, at):
        return 0
    i = np.uint64(at)
    return np.int64(_CLASSES[np.uint64((np.int64(b[i]) - 65) * 26 + np.int64(b[i + np.uint64(1)]) - 65)])


@kernel
def element_at(b: Any, at: Any, left: Any, is_explicit: Any) -> Any:
    """Tag, class (0 unknown), and bytes of the head and of the value of an element; 8 bytes are left or more."""
    if not is_explicit:
        return tag_at(b, at), SHORT, 8, u32(b, at + 4)
    kind = class_of(b, at + 4)
    if kind <= SHORT:
        return tag_at(b, at), kind, 8, u16(b, at + 6)
    if left < 12:
        return tag_at(b, at), 0, 12, 0
    return tag_at(b, at), kind, 12, u32(b, at + 8)


@kernel
def begins(b: Any, at: Any, end: Any, text: Any) -> Any:
    """Whether a text stands here."""
    if at + text.size > end:
        return False
    n = 0
    while n < text.size and byte_at(b, at + n) == byte_at(text, n):
        n += 1
    return n == text.size


@kernel
def wait(s: Any, at: Any, count: Any) -> Any:
    """Note that so many bytes are wanted before the walk can go on from a place."""
    s[POSITION], s[NEED] = at, count


@kernel
def is_within(tags: Any, tag: Any) -> Any:
    """Whether a tag is one of some in order."""
    at = np.searchsorted(tags, tag)
    return at < tags.size and tags[at] == tag


@kernel
def is_reserved(tag: Any) -> Any:
    """Whether a tag reserves another block than the first where makers of PET have theirs (PS3.5 7.8.1)."""
    return 0x10 < tag & 0xFFFF <= 0xFF and tag >> 16 in (0x0009, 0x7053)


@kernel
def is_plain(b: Any, at: Any, count: Any) -> Any:
    """Whether the name of a character set has nothing but letters, digits, blanks and backslashes, and zeros at its end."""
    is_over = False
    for n in range(at, at + count):
        c = byte_at(b, n)
        is_over = is_over or c == 0
        is_sign = c in (0, 32) or (not is_over and c in (45, 92, 95))
        if not (is_sign or (not is_over and (48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122))):
            return False
    return True
