"""From what was found in many headers to the columns of `Instance`."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.formats.boundary import parsing
from isocenter.formats.bytes import MAX_PADDING_BYTES
from isocenter.formats.dicom import slots, steps
from isocenter.formats.dicom.fields import FIELDS, Field, longest
from isocenter.formats.dicom.found import Found
from isocenter.formats.dicom.gather import (
    are_equal,
    begins_run,
    gather,
    lists_of,
    raw_values,
    repeated,
    split,
    text_at,
    tuples_of,
)
from isocenter.formats.dicom.instance import kind_of_class
from isocenter.formats.dicom.mosaic import MOSAIC
from isocenter.formats.dicom.odd import settle
from isocenter.formats.dicom.private_b_value import PRIVATE_TAGS, private_b_value
from isocenter.formats.dicom.tracers import texts_of_tracers
from isocenter.formats.dicom.values import ABSENT, GOOD, SENSELESS, read_numbers, strip_texts
from isocenter.formats.header_reader import Column, Headers, Numbers

_STATED = ("Rows", "Columns", "BitsAllocated", "NumberOfFrames", "SamplesPerPixel")
# Without any of these no object can be recognised, and the slow reader says so.
_TELLING = ("SOPClassUID", "Rows", "Modality", "SeriesInstanceUID", "DirectoryRecordSequence")
# Structure sets, segmentations and reports are annotation objects, and a dose has a row for each plane: all for the slow
# reader.
_NOT_HERE = {"dicom-rtstruct", "dicom-rtdose", "dicom-seg", "dicom-report"}
_MAX_EXACT = float(1 << 53)
# Columns of one text; codes are never met here, so that theirs is empty.
_TEXT_FORMS = {"uid", "text", "code"}
_MOSAIC = MOSAIC.encode()
# Bytes that each attribute may have where its numbers are texts; of all others there is no such bound.
_LONGEST = np.full(len(slots.KEYWORDS), np.iinfo(np.int32).max, np.int32)
for _field in FIELDS:
    if _field.form in {"number", "numbers"}:
        _LONGEST[[slots.SLOT[k] for k in _field.keywords]] = longest(_field)
# How numbers are read, and the slot that tells the sign of some, as `read_numbers` takes them.
NUMBER_RULES = (slots.PLACES, slots.IS_INTEGER, slots.BOUNDS)
SIGN = slots.SLOT["PixelRepresentation"]
_PRIVATE_SLOTS = np.array([slots.SLOT[tag] for tag in PRIVATE_TAGS], np.int64)


def read_values(found: Found) -> None:
    """Narrow all texts of some headers to what they say, and read all numbers."""
    strip_texts(*found.memory, found.cells, slots.TEXT_SLOTS, slots.IS_UID, slots.FORMS, found.status)
    read_numbers(
        *found.memory,
        found.cells,
        slots.NUMBER_SLOTS,
        NUMBER_RULES,
        slots.FORMS,
        SIGN,
        found.values,
        found.status,
    )


def headers_of(found: Found, files: NDArray[np.int64], count: int) -> Headers:
    """The kinds and columns of those headers that are understood completely.

    Args:
        found: What was found, its values read.
        files: Number of the file of each header, in order.
        count: How many files there are in all.
    """
    is_known = np.any([found.is_present(k) for k in _TELLING], axis=0) & settle(found) & _fits(found)
    rows = np.flatnonzero(is_known)
    kinds, is_instance = _kinds(found, rows)
    is_instance &= ~_are_mosaics(found, rows)
    rows, kinds = rows[is_instance], kinds[is_instance]
    tracers = _tracers(found, rows, kinds)
    if any(texts is None for texts in tracers):
        is_clear = np.array([texts is not None for texts in tracers])
        rows, kinds = rows[is_clear], kinds[is_clear]
    out = np.zeros(count, np.bool_)
    out[files[rows]] = True
    columns = _columns(found.taken(rows)) | {"pet": lists_of([t for t in tracers if t is not None])}
    return Headers(out, kinds.tolist(), columns)


def _tracers(found: Found, rows: NDArray[np.int64], kinds: NDArray[Any]) -> list[tuple[bytes, ...] | None]:
    """What each PET says of its tracer, times and scale, () for all else; None where the slow reader has to say it."""
    out: list[tuple[bytes, ...] | None] = [()] * rows.size
    is_pet = are_equal(found.memory, found.cells, rows, slots.SLOT["Modality"], "PT")
    if not is_pet.any():
        return out
    places = np.flatnonzero(is_pet & (kinds == "dicom-image"))
    for n, texts in zip(
        places.tolist(), texts_of_tracers(found, rows[places]) if places.size else (), strict=True
    ):
        out[n] = texts
    return out


def _fits(found: Found) -> NDArray[np.bool_]:
    """Where native pixel data are as long as the attributes of a grey image ask for (`check_pixels`)."""
    is_native = found.is_native()
    is_clear = np.all([found.status_of(k) != SENSELESS for k in _STATED], axis=0)
    is_stated = np.all([found.status_of(k) == GOOD for k in _STATED[:3]], axis=0)
    is_grey = (found.status_of("SamplesPerPixel") == ABSENT) | (found.number("SamplesPerPixel") == 1)
    rows, columns, bits, frames = (found.number(k) for k in _STATED[:4])
    has_frames = (found.status_of("NumberOfFrames") == GOOD) & (frames != 0)
    is_checked = is_native & is_stated & is_grey
    n_bits = np.where(is_checked, rows, 1) * np.where(is_checked, columns, 1) * np.where(is_checked, bits, 1)
    n_bits *= np.where(has_frames, frames, 1)
    is_clear &= n_bits < _MAX_EXACT
    needed = (np.where(is_clear, n_bits, 0).astype(np.int64) + 7) // 8
    length = found.state[:, steps.LENGTH]
    is_right = (length >= needed) & (length <= needed + MAX_PADDING_BYTES)
    out: NDArray[np.bool_] = ~is_native | (is_clear & (is_right | ~is_checked))
    return out


def _kinds(found: Found, rows: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The kind of each header, and whether it is one that makes a row here."""
    wanted = np.array([slots.SLOT["SOPClassUID"], slots.SLOT["MediaStorageSOPClassUID"]])
    stated, stored = gather(found.memory, found.cells, rows, wanted)
    has_records = found.is_present("DirectoryRecordSequence")[rows]
    is_picture = (found.is_present("Rows") | (found.state[:, steps.PIXELS] > 0))[rows]
    # neighbours are mostly alike, so that each run of them is looked at once
    flags = has_records * 2 + is_picture
    is_first = (
        begins_run(stated) | begins_run(stored) | np.append(True, flags[1:] != flags[:-1])[: flags.size]
    )
    starts, found_kinds = np.flatnonzero(is_first), []
    for n in starts.tolist():
        uid = text_at(stated, n) or text_at(stored, n)
        found_kinds.append(_kind(uid, bool(has_records[n]), bool(is_picture[n])))
    run = np.cumsum(is_first) - 1
    is_instance = np.array([kind not in _NOT_HERE for kind in found_kinds], np.bool_)
    return np.array(found_kinds, object)[run], is_instance[run]


def _every(found: Found) -> NDArray[np.int64]:
    return np.arange(len(found.state))


def _are_mosaics(found: Found, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pictures of many slices, whose private elements the slow reader looks at."""
    (types,) = gather(found.memory, found.cells, rows, np.array([slots.SLOT["ImageType"]]))
    if _MOSAIC not in types.data.tobytes():
        return np.zeros(rows.size, np.bool_)
    return np.array([_MOSAIC in text_at(types, n) for n in range(rows.size)])


@lru_cache(maxsize=1 << 12)
def _kind(uid: bytes, has_records: bool, is_picture: bool) -> str:
    with parsing("the kind"):
        return kind_of_class(uid.decode("ascii"), has_records=has_records, is_picture=is_picture)


def _columns(found: Found) -> dict[str, Column]:
    unparsable = _unparsable(found)
    out: dict[str, Column] = {"format": repeated("dicom", len(found.state)), **_texts(found)}
    for field in FIELDS:
        if field.form not in _TEXT_FORMS:
            out[field.name] = _column(found, field)
    out["b_value"] = _b_values(found)
    is_native = found.is_native()
    out["has_pixels"] = _all(found.state[:, steps.PIXELS] > 0)
    out["pixel_offset"] = Numbers(found.state[:, steps.OFFSET], is_native)
    out["pixel_bytes"] = Numbers(found.state[:, steps.LENGTH], is_native)
    out["unparsable"] = unparsable
    out["overlong"] = _overlong(found)
    return out


def _texts(found: Found) -> dict[str, Column]:
    """All columns that are one text."""
    fields = {f.name: f.keywords for f in FIELDS if f.form in _TEXT_FORMS}
    fields["transfer_syntax_uid"] = ("TransferSyntaxUID",)
    for first, *others in fields.values():
        for other in others:
            _fill(found, slots.SLOT[first], slots.SLOT[other])
    wanted = np.array([slots.SLOT[keywords[0]] for keywords in fields.values()])
    return dict(zip(fields, gather(found.memory, found.cells, _every(found), wanted), strict=True))


def _fill(found: Found, first: int, other: int) -> None:
    """Put what another attribute says in the place of the first where that has no text."""
    rows = np.flatnonzero(found.counts[:, first] < 0)
    found.starts[rows, first] = found.starts[rows, other]
    found.counts[rows, first] = found.counts[rows, other]


def _column(found: Found, field: Field) -> Column:
    keyword = field.keywords[0]
    if field.form == "present":
        return _all(found.is_present(keyword))
    if field.form == "equals":
        return _all(are_equal(found.memory, found.cells, _every(found), slots.SLOT[keyword], field.value))
    if field.form == "texts":
        slot = np.array([slots.SLOT[keyword]])
        return split(gather(found.memory, found.cells, _every(found), slot)[0])
    if field.form == "numbers":
        return _tuples(found, field)
    values, is_good = found.number(keyword), found.status_of(keyword) == GOOD
    if field.form == "number":
        return Numbers(values, is_good)
    whole = np.where(is_good, values, 0).astype(np.int64)
    if field.default is None:
        return Numbers(whole, is_good)
    return _all(np.where(whole == 0, field.default, whole))


def _tuples(found: Found, field: Field) -> Column:
    """A column of tuples of numbers; the first of its attributes that has them counts."""
    at = slots.PLACE[field.keywords[0]]
    values = found.values[:, at : at + field.count].copy("C")
    is_good = found.status_of(field.keywords[0]) == GOOD
    for other in field.keywords[1:]:
        at = slots.PLACE[other]
        is_next = ~is_good & (found.status_of(other) == GOOD)
        values[is_next] = found.values[is_next, at : at + field.count]
        is_good |= is_next
    if field.is_lps:
        for n in range(field.count):
            if n % 3 < 2:
                values[:, n] = 0.0 - values[:, n]
    return tuples_of(values, is_good)


def _unparsable(found: Found) -> Column:
    """The names of the attributes that made no sense and were looked at."""
    names: list[tuple[bytes, ...]] = [()] * len(found.state)
    is_senseless = found.status == SENSELESS
    if not is_senseless.any():
        return lists_of(names)
    for field in FIELDS:
        for keyword, other in pairwise(field.keywords):
            is_senseless[found.status_of(keyword) == GOOD, slots.SLOT[other]] = False
    for n in np.flatnonzero(is_senseless.any(axis=1)).tolist():
        names[n] = tuple(sorted(slots.KEYWORDS[k].encode() for k in np.flatnonzero(is_senseless[n])))
    return lists_of(names)


def _overlong(found: Found) -> Column:
    """The names of the attributes whose numbers are longer texts than the standard allows; bytes never are."""
    is_long = found.counts > _LONGEST
    names: list[tuple[bytes, ...]] = [()] * len(found.state)
    for n in np.flatnonzero(is_long.any(axis=1)).tolist():
        names[n] = tuple(sorted(slots.KEYWORDS[k].encode() for k in np.flatnonzero(is_long[n])))
    return lists_of(names)


def _b_values(found: Found) -> Numbers:
    """The b-values of MR images, private ones where there is no public one."""
    values, is_good = found.number("DiffusionBValue"), found.status_of("DiffusionBValue") == GOOD
    is_wanted = np.any([found.is_present(tag) for tag in PRIVATE_TAGS], axis=0) & ~is_good
    is_wanted &= are_equal(found.memory, found.cells, _every(found), slots.SLOT["Modality"], "MR")
    is_wanted &= ~(found.number("NumberOfFrames") > 1)
    places = np.flatnonzero(is_wanted)
    raw = raw_values(found.memory, found.cells, places, _PRIVATE_SLOTS) if places.size else []
    for n, own in zip(places.tolist(), zip(*raw, strict=True), strict=True):
        value = _private_b_value(own)
        if value is not None:
            values[n], is_good[n] = value, True
    return Numbers(values, is_good)


@lru_cache(maxsize=1 << 12)
def _private_b_value(own: tuple[tuple[int, bytes] | None, ...]) -> float | None:
    """As `private_b_value`, of the private elements themselves."""
    given = dict(zip(PRIVATE_TAGS, own, strict=True))

    def read(tag: str) -> tuple[str, bytes]:
        code, value = given[tag] or (0, b"")
        return steps.name_of_code(code), value

    return private_b_value(read)


def _all(values: NDArray[Any]) -> Numbers:
    return Numbers(values, np.ones(len(values), np.bool_))
