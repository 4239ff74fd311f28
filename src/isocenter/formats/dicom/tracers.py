"""The texts of `tracer_texts` for many PET objects at once: plain attributes compiled, what is nested parsed once."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import parsing
from isocenter.formats.dicom import slots, steps
from isocenter.formats.dicom.found import Found
from isocenter.formats.dicom.gather import gather, raw_values
from isocenter.formats.dicom.once import tag_of
from isocenter.formats.dicom.tracer import PLAIN, PRIVATE_TRACER_TAGS, SEQUENCE, tracer_texts
from isocenter.formats.dicom.values import ODD, strip_texts

_PLAIN_SLOTS = np.array([slots.SLOT[keyword] for keyword in PLAIN], np.int64)
_FORMS, _NO_UIDS = slots.FORMS[_PLAIN_SLOTS], np.zeros(len(PLAIN), np.bool_)
# What is the same in all slices of a series, and takes the library to understand.
_SHARED = ("SpecificCharacterSet", SEQUENCE, *PRIVATE_TRACER_TAGS)
_SHARED_SLOTS = np.array([slots.SLOT[keyword] for keyword in _SHARED], np.int64)
_VRS, _LOST, _NOTHING = {0, steps.code_of("SQ")}, -1, (0, b"")
# By group: what says that other blocks are reserved, and the creator of the first one that is looked for all the same.
_CREATORS = ((1, "00090010", b"GEMS_PETD_01"), (2, "70530010", b"Philips PET Private Group"))
# A value as it is in the file: its value representation and its bytes; None where it is absent.
_Raw = tuple[int, bytes] | None


def texts_of_tracers(found: Found, rows: NDArray[np.int64]) -> list[tuple[bytes, ...] | None]:
    """What `tracer_texts` says of each PET object; None where the slow reader has to say it.

    Args:
        found: What was found; its texts are stripped.
        rows: The PET objects.
    """
    plain, is_odd = _plain_texts(found, rows)
    shared = [_shared_texts(*key) for key in _shared_values(found, rows)]
    return [
        None if odd or more is None else tuple(sorted(filter(None, (*texts, *more))))
        for texts, more, odd in zip(plain, shared, is_odd.tolist(), strict=True)
    ]


def _plain_texts(found: Found, rows: NDArray[np.int64]) -> tuple[list[tuple[bytes, ...]], NDArray[np.bool_]]:
    """The attributes of the objects themselves, b"" for each that has no value, and which objects have odd ones."""
    cells = _cells(found, rows, _PLAIN_SLOTS)
    places, status = np.arange(len(PLAIN)), np.zeros(cells[0].shape, np.uint8)
    strip_texts(*found.memory, cells, places, _NO_UIDS, _FORMS, status)
    columns = []
    for name, texts in zip(PLAIN, gather(found.memory, cells, np.arange(rows.size), places), strict=True):
        data, ends, begin = texts.data.tobytes(), texts.offsets.tolist(), f"{name}=".encode()
        columns.append([begin + data[a:b] if b > a else b"" for a, b in pairwise(ends)])
    return list(zip(*columns, strict=True)), (status == ODD).any(axis=1)


def _cells(found: Found, rows: NDArray[np.int64], places: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
    at = np.ix_(rows, places)
    return tuple(np.ascontiguousarray(values[at]) for values in found.cells)


def _shared_values(found: Found, rows: NDArray[np.int64]) -> list[tuple[int, tuple[_Raw, ...]]]:
    """What other blocks are reserved in each object, and the values that all slices of a series share."""
    starts, counts, vrs = _cells(found, rows, _SHARED_SLOTS)
    # the walk did not find the end of what is there and has no length
    vrs[(starts >= 0) & (counts < 0)] = _LOST
    places = np.arange(rows.size), np.arange(len(_SHARED))
    columns = raw_values(found.memory, (starts, counts, vrs), *places)
    return list(zip(found.state[rows, steps.BLOCKS].tolist(), zip(*columns, strict=True), strict=True))


@lru_cache(maxsize=1 << 12)
def _shared_texts(blocks: int, values: tuple[_Raw, ...]) -> tuple[bytes, ...] | None:
    """The texts of nested and private elements; None where the slow reader has to say them."""
    given = {k: value for k, value in zip(_SHARED, values, strict=True) if value is not None}
    if any(vr == _LOST for vr, _ in given.values()) or given.get(SEQUENCE, _NOTHING)[0] not in _VRS:
        return None
    for bit, tag, creator in _CREATORS:
        if blocks & bit and given.get(tag, _NOTHING)[1].rstrip(b" \0") != creator:
            return None
    try:
        with parsing("the tracer"):
            dataset = Dataset(dict(map(_element, given.items())), parent_encoding=default_encoding)
            texts = tuple(text.encode() for text in tracer_texts(dataset))
    except (FormatError, UnicodeEncodeError):
        return None
    # a sequence that cannot be understood may be a broken file
    is_lost = bool(given.get(SEQUENCE, _NOTHING)[1]) and not any(t.startswith(b"Tracers=") for t in texts)
    return None if is_lost else texts


def _element(item: tuple[str, tuple[int, bytes]]) -> tuple[BaseTag, RawDataElement]:
    name, (code, value) = item
    tag, vr = BaseTag(tag_of(name)), steps.name_of_code(code) or None
    return tag, RawDataElement(tag, vr, len(value), value, 0, vr is None, True)
