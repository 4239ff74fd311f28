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
from isocenter.formats.dicom.gather import are_equal, gather, lists_of, raw_values, repeated, split, tuples_of
from isocenter.formats.dicom.instance import kind_of_class
from isocenter.formats.dicom.mosaic import MOSAIC
from isocenter.formats.dicom.odd import settle
from isocenter.formats.dicom.private_b_value import PRIVATE_TAGS, private_b_value
from isocenter.formats.dicom.tracers import texts_of_tracers
from isocenter.formats.dicom.values import ABSENT, GOOD, SENSELESS, read_numbers, strip_texts
from isocenter.formats.header_reader import Column, Headers, Numbers, Texts

_STATED = ("Rows", "Columns", "BitsAllocated", "NumberOfFrames", "SamplesPerPixel")
# Without any of these no object can be recognised, and the slow reader says so.
_TELLING = ("SOPClassUID", "Rows", "Modality", "SeriesInstanceUID", "DirectoryRecordSequence")
# Structure sets, segmentations and reports are annotation objects, and a dose has a row for each plane: all for the slow
# reader.
_NOT_HERE = np.array(["dicom-rtstruct", "dicom-rtdose", "dicom-seg", "dicom-report"])
_MAX_EXACT = float(1 << 53)
# Columns of one text; codes are never met here, so that theirs is empty.
_TEXT_FORMS = {"uid", "text", "code"}
_MOSAIC = MOSAIC.encode()
# Bytes that each attribute may have where its numbers are texts; of all others there is no such bound.
_LONGEST = np.full(len(slots.KEYWORDS), np.iinfo(np.int32).max, np.int32)
for _field in FIELDS:
    if _field.form in {"number", "numbers"}:
        _LONGEST[[slots.SLOT[k] for k in _field.keywords]] = longest(_field)
_PRIVATE_SLOTS = np.array([slots.SLOT[tag] for tag in PRIVATE_TAGS], np.int64)


def headers_of(found: Found, files: NDArray[np.int64], count: int) -> Headers:
    """The kinds and columns of those headers that are understood completely.

    Args:
        found: What was found.
        files: Number of the file of each header, in order.
        count: How many files there are in all.
    """
    strip_texts(*found.memory, found.cells, slots.TEXT_SLOTS, slots.IS_UID, slots.FORMS, found.status)
    rules = (slots.PLACES, slots.IS_INTEGER, slots.BOUNDS)
    sign = slots.SLOT["PixelRepresentation"]
    read_numbers(
        *found.memory, found.cells, slots.NUMBER_SLOTS, rules, slots.FORMS, sign, found.values, found.status
    )
    is_known = np.any([found.is_present(k) for k in _TELLING], axis=0) & settle(found) & _fits(found)
    rows = np.flatnonzero(is_known)
    kinds = np.array(_kinds(found, rows), object)
    is_instance = ~np.isin(kinds.astype(str), _NOT_HERE) & ~_are_mosaics(found, rows)
    rows, kinds = rows[is_instance], kinds[is_instance]
    tracers = _tracers(found, rows, kinds)
    is_clear = np.array([texts is not None for texts in tracers], np.bool_)
    rows, kinds = rows[is_clear], kinds[is_clear]
    out = np.zeros(count, np.bool_)
    out[files[rows]] = True
    columns = _columns(found, rows) | {"pet": lists_of([texts for texts in tracers if texts is not None])}
    return Headers(out, kinds.tolist(), columns)


def _tracers(found: Found, rows: NDArray[np.int64], kinds: NDArray[Any]) -> list[tuple[bytes, ...] | None]:
    """What each PET says of its tracer, times and scale, () for all else; None where the slow reader has to say it."""
    is_pet = are_equal(found.memory, found.cells, rows, slots.SLOT["Modality"], "PT") & (
        kinds == "dicom-image"
    )
    out: list[tuple[bytes, ...] | None] = [()] * rows.size
    places = np.flatnonzero(is_pet)
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


def _kinds(found: Found, rows: NDArray[np.int64]) -> list[str]:
    wanted = np.array([slots.SLOT["SOPClassUID"], slots.SLOT["MediaStorageSOPClassUID"]])
    stated, stored = (_items(texts) for texts in gather(found.memory, found.cells, rows, wanted))
    has_records = found.is_present("DirectoryRecordSequence")[rows].tolist()
    is_picture = (found.is_present("Rows") | (found.state[:, steps.PIXELS] > 0))[rows].tolist()
    return [_kind(stated[n] or stored[n], has_records[n], is_picture[n]) for n in range(rows.size)]


def _are_mosaics(found: Found, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pictures of many slices, whose private elements the slow reader looks at."""
    (types,) = gather(found.memory, found.cells, rows, np.array([slots.SLOT["ImageType"]]))
    if _MOSAIC not in types.data.tobytes():
        return np.zeros(rows.size, np.bool_)
    return np.array([_MOSAIC in text for text in _items(types)])


def _items(texts: Texts) -> list[bytes]:
    data, ends = texts.data.tobytes(), texts.offsets.tolist()
    return [data[a:b] for a, b in pairwise(ends)]


@lru_cache(maxsize=1 << 12)
def _kind(uid: bytes, has_records: bool, is_picture: bool) -> str:
    with parsing("the kind"):
        return kind_of_class(uid.decode("ascii"), has_records=has_records, is_picture=is_picture)


def _columns(found: Found, rows: NDArray[np.int64]) -> dict[str, Column]:
    unparsable = _unparsable(found, rows)
    out: dict[str, Column] = {"format": repeated("dicom", rows.size), **_texts(found, rows)}
    for field in FIELDS:
        if field.form not in _TEXT_FORMS:
            out[field.name] = _column(found, rows, field)
    out["b_value"] = _b_values(found, rows)
    state, is_native = found.state[rows], found.is_native()[rows]
    out["has_pixels"] = _all(state[:, steps.PIXELS] > 0)
    out["pixel_offset"] = Numbers(state[:, steps.OFFSET], is_native)
    out["pixel_bytes"] = Numbers(state[:, steps.LENGTH], is_native)
    out["unparsable"] = unparsable
    out["overlong"] = _overlong(found, rows)
    return out


def _texts(found: Found, rows: NDArray[np.int64]) -> dict[str, Column]:
    """All columns that are one text."""
    fields = {f.name: f.keywords for f in FIELDS if f.form in _TEXT_FORMS}
    fields["transfer_syntax_uid"] = ("TransferSyntaxUID",)
    for first, *others in fields.values():
        for other in others:
            _fill(found, slots.SLOT[first], slots.SLOT[other])
    wanted = np.array([slots.SLOT[keywords[0]] for keywords in fields.values()])
    return dict(zip(fields, gather(found.memory, found.cells, rows, wanted), strict=True))


def _fill(found: Found, first: int, other: int) -> None:
    """Put what another attribute says in the place of the first where that has no text."""
    rows = np.flatnonzero(found.counts[:, first] < 0)
    found.starts[rows, first] = found.starts[rows, other]
    found.counts[rows, first] = found.counts[rows, other]


def _column(found: Found, rows: NDArray[np.int64], field: Field) -> Column:
    slot = slots.SLOT[field.keywords[0]]
    if field.form == "present":
        return _all(found.starts[rows, slot] >= 0)
    if field.form == "equals":
        return _all(are_equal(found.memory, found.cells, rows, slot, field.value))
    if field.form == "texts":
        return split(gather(found.memory, found.cells, rows, np.array([slot]))[0])
    if field.form == "numbers":
        return _tuples(found, rows, field)
    values = found.number(field.keywords[0])[rows]
    is_good = found.status[rows, slot] == GOOD
    if field.form == "number":
        return Numbers(values, is_good)
    whole = np.where(is_good, values, 0).astype(np.int64)
    if field.default is None:
        return Numbers(whole, is_good)
    return _all(np.where(whole == 0, field.default, whole))


def _tuples(found: Found, rows: NDArray[np.int64], field: Field) -> Column:
    """A column of tuples of numbers; the first of its attributes that has them counts."""
    at = slots.PLACE[field.keywords[0]]
    values = found.values[rows, at : at + field.count]
    is_good = found.status_of(field.keywords[0])[rows] == GOOD
    for other in field.keywords[1:]:
        at = slots.PLACE[other]
        is_next = ~is_good & (found.status_of(other)[rows] == GOOD)
        values[is_next] = found.values[rows[is_next], at : at + field.count]
        is_good |= is_next
    if field.is_lps:
        for n in range(field.count):
            if n % 3 < 2:
                values[:, n] = 0.0 - values[:, n]
    return tuples_of(values, is_good)


def _unparsable(found: Found, rows: NDArray[np.int64]) -> Column:
    """The names of the attributes that made no sense and were looked at."""
    names: list[tuple[bytes, ...]] = [()] * rows.size
    if not (found.status == SENSELESS).any():
        return lists_of(names)
    is_senseless = found.status[rows] == SENSELESS
    for field in FIELDS:
        for keyword, other in pairwise(field.keywords):
            is_senseless[found.status_of(keyword)[rows] == GOOD, slots.SLOT[other]] = False
    for n in np.flatnonzero(is_senseless.any(axis=1)).tolist():
        names[n] = tuple(sorted(slots.KEYWORDS[k].encode() for k in np.flatnonzero(is_senseless[n])))
    return lists_of(names)


def _overlong(found: Found, rows: NDArray[np.int64]) -> Column:
    """The names of the attributes whose numbers are longer texts than the standard allows; bytes never are."""
    is_long = found.counts > _LONGEST
    names: list[tuple[bytes, ...]] = [()] * rows.size
    if not is_long.any():
        return lists_of(names)
    is_long = is_long[rows]
    for n in np.flatnonzero(is_long.any(axis=1)).tolist():
        names[n] = tuple(sorted(slots.KEYWORDS[k].encode() for k in np.flatnonzero(is_long[n])))
    return lists_of(names)


def _b_values(found: Found, rows: NDArray[np.int64]) -> Numbers:
    """The b-values of MR images, private ones where there is no public one."""
    values = found.number("DiffusionBValue")[rows]
    is_good = found.status_of("DiffusionBValue")[rows] == GOOD
    is_wanted = np.any([found.is_present(tag) for tag in PRIVATE_TAGS], axis=0)[rows] & ~is_good
    is_wanted &= are_equal(found.memory, found.cells, rows, slots.SLOT["Modality"], "MR")
    is_wanted &= ~(found.number("NumberOfFrames")[rows] > 1)
    places = np.flatnonzero(is_wanted)
    raw = raw_values(found.memory, found.cells, rows[places], _PRIVATE_SLOTS) if places.size else []
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
