"""The attributes that the fast header reader looks for, as tables in the order of their tags."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import DicomDictionary, dictionary_VR

from isocenter.formats.dicom.fields import FIELDS
from isocenter.formats.dicom.once import READ_ALONE, tag_of
from isocenter.formats.dicom.private_b_value import PRIVATE_TAGS
from isocenter.formats.dicom.steps import CHARACTERS, CLASS, NEVER, PRESENCE, VALUE, WHOLE, table_of
from isocenter.formats.dicom.tracer import PLAIN, PRIVATE_TRACER_TAGS, SEQUENCE

# What a value is made of: text, whole numbers, floating point, or whole numbers whose sign is told elsewhere.
TEXT, US, SS, UL, SL, FD, FL, SIGNED_BY_PIXELS = range(1, 9)
MADE_OF = {
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "LO", "PN", "SH"), TEXT),
    "US": US,
    "SS": SS,
    "UL": UL,
    "SL": SL,
    "FD": FD,
    "FL": FL,
    "US or SS": SIGNED_BY_PIXELS,
}

_CONTROL = {
    "MediaStorageSOPClassUID": VALUE,
    "TransferSyntaxUID": VALUE,
    "SpecificCharacterSet": CHARACTERS,
    "DirectoryRecordSequence": PRESENCE,
    # the frames differ, which the slow reader tells
    "SharedFunctionalGroupsSequence": NEVER,
    "PerFrameFunctionalGroupsSequence": NEVER,
}
# A code lies within a sequence, which the slow reader looks into.
_OF_FORM = {"present": PRESENCE, "code": NEVER}
_ROLES = {
    # one that is there twice is for the slow reader
    **dict.fromkeys(READ_ALONE, PRESENCE),
    **dict.fromkeys((*PRIVATE_TAGS, *PLAIN, *PRIVATE_TRACER_TAGS), VALUE),
    SEQUENCE: WHOLE,
    **{k: _OF_FORM.get(f.form, VALUE) for f in FIELDS for k in f.keywords},
    "SOPClassUID": CLASS,
    **_CONTROL,
}


KEYWORDS = tuple(sorted(_ROLES, key=tag_of))
SLOT = {keyword: n for n, keyword in enumerate(KEYWORDS)}
FIELD_OF = {keyword: field for field in FIELDS for keyword in field.keywords}
# One tag above all others ends the search.
TAGS = np.array([*map(tag_of, KEYWORDS), 1 << 40], np.int64)
ROLES = np.array([_ROLES[k] for k in KEYWORDS], np.int64)
# What the dictionary says that a value is made of, which counts where a file in implicit VR says nothing; of private ones it knows nothing.
FORMS = np.array([MADE_OF.get(dictionary_VR(t), 0) if t >> 16 & 1 == 0 else 0 for t in TAGS[:-1]], np.int64)
FORM_OF_VR = table_of({vr: form for vr, form in MADE_OF.items() if len(vr) == 2})
_TEXTS = {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}


def _tags_of(vrs: set[str]) -> NDArray[np.int64]:
    return np.array(sorted(tag for tag, entry in DicomDictionary.items() if entry[0] in vrs), np.int64)


# All sequences and all texts of the dictionary, which in implicit VR alone tells one from the other.
TABLES = (_tags_of({"SQ"}), _tags_of(_TEXTS))

TEXT_SLOTS = np.array(
    [
        SLOT[k]
        for k in KEYWORDS
        if k in {"MediaStorageSOPClassUID", "TransferSyntaxUID"}
        or (k in FIELD_OF and FIELD_OF[k].form in {"uid", "text", "texts", "equals"})
    ],
    np.int64,
)
_NUMBERS = [k for k in KEYWORDS if k in FIELD_OF and FIELD_OF[k].form in {"number", "integer", "numbers"}]
NUMBER_SLOTS = np.array([SLOT[k] for k in _NUMBERS], np.int64)
COUNTS = np.array([FIELD_OF[k].count for k in _NUMBERS], np.int64)
# Where the numbers of a slot begin in a row of all of them.
PLACES = np.concatenate([[0], np.cumsum(COUNTS)]).astype(np.int64)
PLACE = {k: int(PLACES[n]) for n, k in enumerate(_NUMBERS)}


def is_uid(slot: int) -> bool:
    """Whether the text of a slot must be a UID."""
    keyword = KEYWORDS[slot]
    return keyword not in FIELD_OF or FIELD_OF[keyword].form == "uid"


IS_UID = np.array([is_uid(n) for n in TEXT_SLOTS], np.bool_)
IS_INTEGER = np.array([FIELD_OF[k].form == "integer" for k in _NUMBERS], np.bool_)
BOUNDS = np.array([[FIELD_OF[k].low, FIELD_OF[k].high] for k in _NUMBERS], np.float64)
