"""From the header of one DICOM file to its row in the index."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

import pydicom
from pydicom.uid import UID

from isocenter.formats.dicom.fields import FIELDS, longest, read_uid, value_of
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.layout import Pixels
from isocenter.formats.dicom.once import tag_of
from isocenter.formats.dicom.private_b_value import PRIVATE_TAGS, private_b_value
from isocenter.model.rows import Instance

# Non-image objects by SOP Class (PS3.4 B.5); what is not here and has rows and columns is an image.
_KINDS = {
    "1.2.840.10008.1.3.10": "dicom-directory",
    "1.2.840.10008.5.1.4.1.1.481.3": "dicom-rtstruct",
    "1.2.840.10008.5.1.4.1.1.66.4": "dicom-seg",
    "1.2.840.10008.5.1.4.1.1.66.7": "dicom-seg",
    "1.2.840.10008.5.1.4.1.1.66": "dicom-raw",
    "1.2.840.10008.5.1.4.1.1.481.2": "dicom-rtdose",
    "1.2.840.10008.5.1.4.1.1.481.5": "dicom-rtplan",
    "1.2.840.10008.5.1.4.1.1.66.1": "dicom-registration",
    "1.2.840.10008.5.1.4.1.1.66.3": "dicom-registration",
}
_KIND_PREFIXES = (
    ("1.2.840.10008.5.1.4.1.1.88.", "dicom-report"),
    ("1.2.840.10008.5.1.4.1.1.11.", "dicom-presentation"),
    ("1.2.840.10008.5.1.4.1.1.104.", "dicom-document"),
    ("1.2.840.10008.5.1.4.1.1.9.", "dicom-waveform"),
    ("1.2.840.10008.5.1.4.1.1.481.", "dicom-radiotherapy"),
)
# Attributes that `kind_of_object` and `instance_of` look at.
KEYWORDS = [
    *(keyword for field in FIELDS for keyword in field.keywords),
    *("PerFrameFunctionalGroupsSequence", "DirectoryRecordSequence"),
    *PRIVATE_TAGS,
]
_TAGS = [(field, frozenset(map(tag_of, field.keywords))) for field in FIELDS]
_LONGEST = [(k, tag_of(k), longest(f)) for f in FIELDS if f.form in {"number", "numbers"} for k in f.keywords]


def kind_of_object(header: Header, *, has_pixels: Pixels | bool) -> str:
    """What an object is, by its SOP Class and never by a free-text field."""
    uid = header.text("SOPClassUID") or str(header.dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    return kind_of_class(
        uid,
        has_records="DirectoryRecordSequence" in header.dataset,
        is_picture="Rows" in header.dataset or bool(has_pixels),
    )


def kind_of_class(uid: str, *, has_records: bool, is_picture: bool) -> str:
    """What an object of a SOP Class is.

    Args:
        uid: The SOP Class UID, "" where none is stated.
        has_records: Whether the object has the records of a media directory.
        is_picture: Whether it has rows or pixel data.
    """
    if has_records:
        return "dicom-directory"
    if uid in _KINDS:
        return _KINDS[uid]
    for prefix, kind in _KIND_PREFIXES:
        if uid.startswith(prefix):
            return kind
    return "dicom-image" if is_picture or UID(uid).name.endswith("Image Storage") else "dicom-other"


def instance_of(
    header: Header, file_id: str, source: int, site: str, *, has_pixels: Pixels | bool
) -> Instance:
    """The row of one object; positions and directions are turned from LPS to RAS here and nowhere else."""
    there = frozenset(map(int, header.dataset.keys()))
    overlong = _overlong(header, there)
    stated = (f for f, tags in _TAGS if not tags.isdisjoint(there))
    values = _absent() | {field.name: value_of(header, field) for field in stated}
    if values["b_value"] is None and values["modality"] == "MR" and values["frames"] == 1:
        values["b_value"] = private_b_value(header.raw)
    pixels = has_pixels if isinstance(has_pixels, Pixels) else Pixels(is_there=has_pixels)
    return Instance(
        file_id=file_id,
        source=source,
        site=site,
        format="dicom",
        transfer_syntax_uid=read_uid(Header(header.dataset.file_meta), "TransferSyntaxUID"),
        has_pixels=pixels.is_there,
        pixel_offset=pixels.offset,
        pixel_bytes=pixels.length,
        **values,
        unparsable=tuple(sorted(header.unparsable)),
        overlong=overlong,
    )


@cache
def _absent() -> dict[str, Any]:
    """What the fields are of an object that has none of their attributes."""
    header = Header(pydicom.Dataset())
    return {field.name: value_of(header, field) for field in FIELDS}


def _overlong(header: Header, there: Collection[int]) -> tuple[str, ...]:
    """Attributes whose numbers are longer texts than the standard allows, as they are in the file."""
    return tuple(sorted(k for k, tag, limit in _LONGEST if tag in there and header.size(k) > limit))
