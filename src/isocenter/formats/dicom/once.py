"""Attributes that may be in a data set once only (PS3.5 7.1): all that the index or a reader of pixels looks at."""

from __future__ import annotations

from functools import cache

import numpy as np
import pydicom
from numpy.typing import NDArray

from isocenter.formats.dicom.elements import hash_of, kernel
from isocenter.formats.dicom.fields import FIELDS
from isocenter.formats.dicom.planes import OVERLAY_GROUPS
from isocenter.formats.dicom.private_b_value import PRIVATE_TAGS
from isocenter.formats.dicom.tracer import TRACER_KEYWORDS

# What no column of the index is made of, and readers need nevertheless.
READ_ALONE = (
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "GridFrameOffsetVector"),
    *TRACER_KEYWORDS,
    # of mosaics, where their maker puts them
    *("0019100A", "00291010"),
    *("ReferencedFrameOfReferenceSequence", "StructureSetROISequence", "ROIContourSequence"),
    *(f"{group:04X}0100" for group in OVERLAY_GROUPS),
)
_CONTROL = (
    *("MediaStorageSOPClassUID", "TransferSyntaxUID", "SpecificCharacterSet"),
    *("DirectoryRecordSequence", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
)
# Columns of what is known of each: a hash of its value, and whether it came again.
HASH, AGAIN = 0, 1
MAX_HASHED = 1024
# Columns of a place that is noted: tag, VR, and where and how long the value is.
PLACE_COLUMNS = 4


@kernel
def comes_otherwise(
    data: NDArray[np.uint8], known: NDArray[np.int64], at: int, count: int, length: int
) -> bool:
    """Whether an element that was there before has another value now; blanks around it do not count.

    Args:
        data: Bytes of the file.
        known: The row of the element, which is filled.
        at: Where the value begins.
        count: Bytes of it that are at hand.
        length: Bytes that it has.
    """
    value = hash_of(data, at, count)
    if length > MAX_HASHED:
        value ^= length << 1
    before = known[HASH]
    known[HASH] = value
    if before == 0:
        return False
    known[AGAIN] = 1
    return bool(before != value)


@kernel
def note_place(
    tags: NDArray[np.int64], rows: NDArray[np.int64], tag: int, vr: int, start: int, length: int
) -> bool:
    """Note where the value of a wanted element is, its row being (tag, VR, start, length); whether it was there before.

    Args:
        tags: Wanted tags, in order.
        rows: A row for each, zeros at first.
        tag: The element's tag.
        vr: Its value representation, 0 where none is written.
        start: Where its value begins.
        length: Bytes of its value.
    """
    place = np.searchsorted(tags, tag)
    if place == len(tags) or tags[place] != tag:
        return False
    row = rows[place]
    is_again = row[0] != 0
    row[0], row[1], row[2], row[3] = tag, vr, start, length
    return bool(is_again)


def tag_of(name: str) -> int:
    """The tag of an attribute by its keyword, or by eight hexadecimal digits where the dictionary has none for it."""
    return int(pydicom.tag.Tag(name))


def name_of(tag: int) -> str:
    """The keyword of an attribute, or its tag as it is written in the standard."""
    return pydicom.datadict.keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@cache
def tags_once() -> NDArray[np.int64]:
    """Tags of these attributes, in order."""
    names = {
        *READ_ALONE,
        *_CONTROL,
        *PRIVATE_TAGS,
        *(keyword for field in FIELDS for keyword in field.keywords),
    }
    return np.array(sorted(map(tag_of, names)), np.int64)
