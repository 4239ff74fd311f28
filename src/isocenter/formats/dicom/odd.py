"""Single values that the fast header reader leaves to the slow one: other character sets, unusual numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.charset import default_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import parsing
from isocenter.formats.dicom import slots
from isocenter.formats.dicom.fields import read_value
from isocenter.formats.dicom.found import Found, frozen
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.values import ABSENT, GOOD, ODD, SENSELESS

# Codecs of the usual character sets, and what is written in them.
_CODECS = {b"": "latin-1", b"ISO_IR 100": "latin-1", b"ISO_IR 192": "utf-8"}
_CODED = {"LO", "SH", "PN"}
# Without these no kind can be told; a header in which they are odd is left out.
_PLAIN = ("MediaStorageSOPClassUID", "TransferSyntaxUID", "SOPClassUID")


def settle(found: Found) -> NDArray[np.bool_]:
    """Ask the slow reader for each odd value; which headers are clear thereafter, (N,)."""
    is_clear: NDArray[np.bool_] = np.all([found.status_of(k) != ODD for k in _PLAIN], axis=0)
    pieces: list[bytes] = []
    size = found.arena.size + found.extra.size
    # one number for each place is found much faster than two, and attributes lie in one piece
    for place in np.flatnonzero(found.status.T == ODD).tolist():
        slot, row = divmod(place, len(found.status))
        if not is_clear[row]:
            continue
        keyword = slots.KEYWORDS[slot]
        others = found.raw(row, "SpecificCharacterSet"), found.raw(row, "PixelRepresentation")
        try:
            value, is_senseless = odd_value(keyword, *found.raw(row, keyword), *others)
            text = _text_of(value).encode()
        except (FormatError, UnicodeEncodeError):
            is_clear[row] = False
            continue
        found.status[row, slot] = SENSELESS if is_senseless else GOOD if value not in {None, ()} else ABSENT
        if keyword in slots.PLACE:
            _put(found, row, keyword, value)
            continue
        found.starts[row, slot], found.counts[row, slot] = size, len(text) if value not in {None, ()} else -1
        pieces.append(text)
        size += len(text)
    found.extra = frozen(np.concatenate([found.extra, np.frombuffer(b"".join(pieces), np.uint8)]))
    return is_clear


def _text_of(value: Any) -> str:
    if isinstance(value, tuple) and all(isinstance(v, str) for v in value):
        return "\\".join(value)
    return value if isinstance(value, str) else ""


def _put(found: Found, row: int, keyword: str, value: Any) -> None:
    if value is None or value == ():
        return
    numbers = value if isinstance(value, tuple) else (value,)
    at = slots.PLACE[keyword]
    found.values[row, at : at + len(numbers)] = numbers


@lru_cache(maxsize=1 << 16)
def odd_value(
    keyword: str, vr: str, raw: bytes, characters: tuple[str, bytes], sign: tuple[str, bytes]
) -> tuple[Any, bool]:
    """What the slow reader says of one value, and whether it finds it senseless.

    Values repeat from slice to slice (the name of a patient, the kernel), so each is worked out once.

    Args:
        keyword: The attribute.
        vr: Value representation in the file, "" in implicit VR.
        raw: The value.
        characters: The same two of the Specific Character Set, no bytes where it is absent.
        sign: The same two of the Pixel Representation.

    Raises:
        FormatError: it fails.
    """
    text = plain_text(keyword, vr, raw, characters[1])
    return (text, False) if text else asked_value(keyword, vr, raw, characters, sign)


def plain_text(keyword: str, vr: str, raw: bytes, characters: bytes) -> str | None:
    """A text in one of the usual character sets (PS3.3 C.12.1.1.2); None where there is more to it."""
    kind = vr or dictionary_VR(_tag(keyword))
    codec = _CODECS.get(characters.rstrip(b" \0"))
    if slots.FIELD_OF[keyword].form != "text" or kind not in _CODED or codec is None:
        return None
    # escapes change the set within a text, and the groups of a name are put together anew
    if b"\x1b" in raw or (kind == "PN" and (b"=" in raw or b"\\" in raw)):
        return None
    try:
        parts = raw.decode(codec).split("\\")
    except UnicodeDecodeError:
        return None
    return "\\".join(part.rstrip(" \0") for part in parts).strip(" \0") or None


def asked_value(
    keyword: str, vr: str, raw: bytes, characters: tuple[str, bytes], sign: tuple[str, bytes]
) -> tuple[Any, bool]:
    """As `odd_value`, by the slow reader itself."""
    given = {"SpecificCharacterSet": characters, "PixelRepresentation": sign, keyword: (vr, raw)}
    with parsing("a value"):
        dataset = Dataset(
            {
                _tag(k): RawDataElement(_tag(k), v or None, len(b), b, 0, not v, True)
                for k, (v, b) in given.items()
                if b
            },
            parent_encoding=default_encoding,
        )
        header = Header(dataset)
        field = slots.FIELD_OF[keyword]
        value = header.text(keyword) if field.form == "equals" else read_value(header, field, keyword)
        return value, keyword in header.unparsable


def _tag(keyword: str) -> BaseTag:
    return BaseTag(int(slots.TAGS[slots.SLOT[keyword]]))
