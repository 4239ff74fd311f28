"""The wanted elements of a data set as pydicom would hold them, made from where the survey has seen them.

The parser goes through all elements once more to find some. What is not written as the standard says is left to it.
"""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache
from typing import Any, BinaryIO

import pydicom
from pydicom import uid
from pydicom.charset import convert_encodings, default_encoding, python_encoding
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement, empty_value_for_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_sequence
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from isocenter.formats.dicom.survey import Survey

_UNDEFINED = 0xFFFFFFFF
_PREAMBLE, _MAGIC = 128, b"DICM"
_META_LENGTH, _SYNTAX, _CHARACTER_SET = 0x00020000, 0x00020010, 0x00080005
_VRS = {vr.value.encode(): vr.value for vr in pydicom.valuerep.VR}
_MAX_PREFACE = 1 << 16


def dataset_of(file: BinaryIO, survey: Survey, most_bytes: int, but: Container[int] = ()) -> Any:
    """The wanted elements in front of the functional groups; None where the parser has to look for them.

    Args:
        file: The open file, as the parser may read it.
        survey: The structure of its header, with the wanted elements of the data set itself.
        most_bytes: How many bytes all values together may have.
        but: Tags that are not wanted after all.
    """
    meta = _meta_of(file, survey)
    syntax = None if meta is None else _syntax_of(meta)
    if meta is None or syntax is None or not _is_plain(survey, syntax):
        return None
    begin = None if survey.groups is None else survey.groups[0]
    rows = [row for row in survey.wanted.tolist() if row[0] not in but and (begin is None or row[2] < begin)]
    starts = [start for _, _, start, _ in rows]
    if starts != sorted(starts) or sum(n for *_, n in rows if n != _UNDEFINED) > most_bytes:
        return None
    values, encodings = {}, str(default_encoding)
    for tag, vr, start, length in rows:
        name = None if survey.is_implicit else _VRS.get(vr.to_bytes(2, "big"))
        if name is None and not survey.is_implicit:
            return None
        if length == _UNDEFINED:
            element = _sequence(file, survey, encodings, tag, name, start)
        else:
            element = _element(survey, tag, name, start, length)
        if tag == _CHARACTER_SET:
            encodings = _encodings(element)
        if element is None or encodings is None:
            return None
        values[element.tag] = element
    out = Dataset(values)
    out.set_original_encoding(survey.is_implicit, not survey.is_big, encodings)
    out.file_meta = meta
    return out


def _is_plain(survey: Survey, syntax: str) -> bool:
    """Whether the parser would find the same elements: each once, written as the transfer syntax says."""
    is_implicit, is_big = syntax == uid.ImplicitVRLittleEndian, syntax == uid.ExplicitVRBigEndian
    is_as_stated = survey.is_implicit == is_implicit and survey.is_big == is_big
    return (
        survey.is_complete and survey.is_ordered and not survey.repeated and is_as_stated and survey.is_whole
    )


def _element(survey: Survey, tag: int, vr: str | None, start: int, length: int) -> RawDataElement | None:
    """One element of a stated length."""
    survey.source.seek(start)
    value = survey.source.read(length) if length else empty_value_for_VR(vr, raw=True)
    if length and len(value) < length:
        return None
    return RawDataElement(BaseTag(tag), vr, length, value, start, survey.is_implicit, not survey.is_big)


def _sequence(
    file: BinaryIO, survey: Survey, encodings: Any, tag: int, vr: str | None, start: int
) -> DataElement | None:
    """A sequence of undefined length, which the parser reads at once."""
    known = dictionary_VR(tag) if vr is None and dictionary_has_tag(tag) else vr
    if survey.is_inflated or known != "SQ":
        return None
    file.seek(start)
    items = read_sequence(file, survey.is_implicit, not survey.is_big, _UNDEFINED, encodings)
    return DataElement(BaseTag(tag), "SQ", items, start, is_undefined_length=True)


def _encodings(element: Any) -> Any:
    """What the parser makes of a character set; None where it is not a plain one."""
    is_text = isinstance(element, RawDataElement) and element.VR in {None, "CS"}
    return _python_encodings(bytes(element.value or b"")) if is_text else None


@lru_cache(maxsize=256)
def _python_encodings(raw: bytes) -> list[str] | None:
    stated = raw.strip(b" \0").decode("latin-1")
    return list(convert_encodings(stated)) if stated in python_encoding else None


def _meta_of(file: BinaryIO, survey: Survey) -> FileMetaDataset | None:
    """The file meta information (PS3.10 7.1), where it is all that lies in front of the data set."""
    end = survey.meta_end
    if not _PREAMBLE + 4 < end <= _MAX_PREFACE:
        return None
    file.seek(0)
    data = file.read(end)
    at, out = _PREAMBLE + 4, dict[BaseTag, RawDataElement]()
    if data[_PREAMBLE:at] != _MAGIC:
        return None
    while at + 8 <= end:
        group, number = (int.from_bytes(data[n : n + 2], "little") for n in (at, at + 2))
        tag = group << 16 | number
        vr, size = _VRS.get(data[at + 4 : at + 6]), 8
        if vr is None or group != 2 or tag in out or (not out and (tag != _META_LENGTH or vr != "UL")):
            return None
        length = int.from_bytes(data[at + 6 : at + 8], "little")
        if vr in EXPLICIT_VR_LENGTH_32:
            length, size = int.from_bytes(data[at + 8 : at + 12], "little"), 12
        start, at = at + size, at + size + length
        if at > end or vr == "SQ" or (tag == _META_LENGTH and length != 4):
            return None
        value = data[start:at] if length else empty_value_for_VR(vr, raw=True)
        out[BaseTag(tag)] = RawDataElement(BaseTag(tag), vr, length, value, start, False, True, True, False)
    if at != end or not out:
        return None
    meta = FileMetaDataset(out)
    meta.set_original_encoding(False, True, default_encoding)
    return meta


def _syntax_of(meta: FileMetaDataset) -> str | None:
    """The transfer syntax, None where it is not stated or no legal UID (PS3.5 9.1)."""
    element = meta.get_item(_SYNTAX)
    raw = element.value if element is not None and element.VR == "UI" else None
    text = raw.rstrip(b" \0").decode("latin-1") if isinstance(raw, bytes) else ""
    return text if text and not text.strip("0123456789.") else None
