"""RT Structure Sets (PS3.3 A.19, C.8.8.5, C.8.8.6): what they refer to, and their contours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement

from isocenter.base.errors import FormatError
from isocenter.formats.dicom import regions as places
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.regions import MAX_CONTOUR_BYTES, Regions
from isocenter.imaging.shapes import Contours
from isocenter.model.rows import AnnotationObject

REFERENCE_KEYWORDS = ["ReferencedFrameOfReferenceSequence", "StructureSetROISequence", "ROIContourSequence"]
_SAMPLES = 64
_ESCAPE = b"\x1b"
_XOR = "CLOSEDPLANAR_XOR"
_CLOSED = {"CLOSED_PLANAR", _XOR}
# Whole numbers of so many digits are exact.
_MOST_DIGITS = 15
_KEYWORDS = {
    places.FRAME: "FrameOfReferenceUID",
    places.SERIES: "SeriesInstanceUID",
    places.IMAGE: "ReferencedSOPInstanceUID",
    places.NUMBER: "ROINumber",
    places.NAME: "ROIName",
    places.ROI_FRAME: "ReferencedFrameOfReferenceUID",
}
_Items = TypeVar("_Items", list[bytes], NDArray[np.int64])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """What the sequences of a structure set say of its regions, in the order of the file."""

    frames: list[str | None]
    series: list[str | None]
    images: list[str | None]
    rois: dict[int, str]
    samples_mm: tuple[float, ...]


def object_of(
    header: Header, file_id: str, source: int, site: str, regions: Regions | None = None
) -> AnnotationObject:
    """The row of one structure set: its ROIs by number, and the images it says it was drawn on.

    Args:
        header: The header; without its large sequences where `regions` holds them.
        file_id: Identifier of the file.
        source: Number of the source.
        site: Where the file comes from.
        regions: The sequences, where they were found without the parser.
    """
    drawn = _parsed(header) if regions is None else _found(header, regions)
    frames = _distinct(drawn.frames)
    return AnnotationObject(
        file_id=file_id,
        source=source,
        site=site,
        format="rtstruct",
        patient_id=header.text("PatientID"),
        patient_id_issuer=header.text("IssuerOfPatientID"),
        patient_name=header.text("PatientName"),
        birth_date=header.text("PatientBirthDate"),
        sop_instance_uid=header.text("SOPInstanceUID"),
        study_uid=header.text("StudyInstanceUID"),
        frame_of_reference_uid=frames[0] if len(frames) == 1 else header.text("FrameOfReferenceUID"),
        referenced_series_uids=_distinct(drawn.series),
        referenced_instance_uids=_distinct(drawn.images),
        samples_mm=drawn.samples_mm,
        labels=tuple(drawn.rois.values()),
        numbers=tuple(drawn.rois),
    )


def _parsed(header: Header) -> _Drawn:
    """What the parser makes of the sequences."""
    frames = header.sequence("ReferencedFrameOfReferenceSequence")
    series = [
        s
        for frame in frames
        for study in frame.sequence("RTReferencedStudySequence")
        for s in study.sequence("RTReferencedSeriesSequence")
    ]
    rois = rois_of(header)
    raw = [_raw(i) for roi in header.sequence("ROIContourSequence") for i in roi.sequence("ContourSequence")]
    long = [r for r in raw if r.count(b"\\") >= 8]
    return _Drawn(
        frames=[f.text("FrameOfReferenceUID") for f in frames]
        + [r.text("ReferencedFrameOfReferenceUID") for r in header.sequence("StructureSetROISequence")],
        series=[s.text("SeriesInstanceUID") for s in series],
        images=[
            i.text("ReferencedSOPInstanceUID") for s in series for i in s.sequence("ContourImageSequence")
        ],
        rois=rois,
        samples_mm=_samples(_spread(long)),
    )


def _found(header: Header, regions: Regions) -> _Drawn:
    """The same from what was found, text by text."""
    texts = _Texts(header, regions)
    sets = dict(texts.stored(places.CHARACTER_SET))
    names = {i: texts.text(places.NAME, raw, sets.get(i)) for i, raw in texts.stored(places.NAME)}
    numbers = [(i, texts.integer(places.NUMBER, raw)) for i, raw in texts.stored(places.NUMBER)]
    rois = _numbered((number, names.get(item)) for item, number in numbers)
    long = _spread(regions.rows[regions.rows[:, places.WHAT] == places.CONTOUR]).tolist()
    return _Drawn(
        frames=texts.all_of(places.FRAME) + texts.all_of(places.ROI_FRAME),
        series=texts.all_of(places.SERIES),
        images=texts.all_of(places.IMAGE),
        rois=rois,
        samples_mm=_samples([regions.data[at : at + n].strip(b" \0") for _, _, at, n in long]),
    )


class _Texts:
    """Texts and numbers out of stored bytes, as a header gives them."""

    def __init__(self, header: Header, regions: Regions) -> None:
        self._data, self._rows, self._is_implicit = regions.data, regions.rows, regions.is_implicit
        self._encodings = header.dataset.original_character_set

    def stored(self, what: int) -> list[tuple[int, bytes]]:
        """Bytes of all that is found of one sort, each with the item it belongs to."""
        data, rows = self._data, self._rows
        return [(i, data[at : at + n]) for _, i, at, n in rows[rows[:, places.WHAT] == what].tolist()]

    def all_of(self, what: int) -> list[str | None]:
        """Texts of one sort, each once."""
        distinct = dict.fromkeys([raw for _, raw in self.stored(what)])
        joined = b"\n".join(distinct)
        if joined.isascii() and _ESCAPE not in joined and joined.count(b"\n") == len(distinct) - 1:
            return [text.strip(" \0") or None for text in joined.decode("ascii").split("\n")]
        return [self.text(what, raw) for raw in distinct]

    def text(self, what: int, raw: bytes, character_set: bytes | None = None) -> str | None:
        if raw.isascii() and _ESCAPE not in raw:
            return raw.decode("ascii").strip(" \0") or None
        return self._header(what, raw, character_set).text(_KEYWORDS[what])

    def integer(self, what: int, raw: bytes) -> int | None:
        text = raw.strip(b" \0")
        if text.isdigit() and len(text) <= _MOST_DIGITS:
            return int(text)
        return self._header(what, raw).integer(_KEYWORDS[what])

    def _header(self, what: int, raw: bytes, character_set: bytes | None = None) -> Header:
        """The value alone in an item of its own."""
        tag = pydicom.tag.Tag(_KEYWORDS[what])
        vr = None if self._is_implicit else pydicom.datadict.dictionary_VR(tag)
        element = RawDataElement(tag, vr, len(raw), raw, 0, self._is_implicit, True)
        stated = None if character_set is None else character_set.decode("ascii").strip(" ")
        encodings = self._encodings if stated is None else pydicom.charset.convert_encodings(stated)
        item = pydicom.Dataset({tag: element}, parent_encoding=self._encodings)
        item.set_original_encoding(self._is_implicit, True, encodings)
        return Header(item)


def _spread(items: _Items) -> _Items:
    """Some of many, spread over all of them."""
    return items[:: max(1, len(items) // _SAMPLES)][:_SAMPLES]


def _samples(contours: Iterable[bytes]) -> tuple[float, ...]:
    """First points of contours spread over the object; the other points are not looked at."""
    firsts = [b"\\".join(raw.split(b"\\", 3)[:3]) for raw in contours]
    try:
        points = _parse(b"\\".join(firsts))
    except FormatError:
        # the first that is broken says what is wrong
        points = np.concatenate([_parse(first) for first in firsts])
    return tuple(points.ravel().tolist())


def rois_of(header: Header) -> dict[int, str]:
    """ROI number to ROI name, in the order of the numbers (the join is by number, never by position)."""
    items = header.sequence("StructureSetROISequence")
    return _numbered((item.integer("ROINumber"), item.text("ROIName")) for item in items)


def _numbered(rois: Iterable[tuple[int | None, str | None]]) -> dict[int, str]:
    out: dict[int, str] = {}
    for number, name in rois:
        if number is None:
            continue
        if number in out:
            raise FormatError("file/corrupt", "two structures have one number")
        out[number] = name or ""
    return dict(sorted(out.items()))


def _distinct(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t for t in texts if t))


def contours_of(header: Header, number: int) -> tuple[Contours | None, int]:
    """Closed contours of one ROI in RAS millimetres, None if it has none, and how many items are none."""
    contours, kinds, others = [], set(), 0
    for roi in header.sequence("ROIContourSequence"):
        if roi.integer("ReferencedROINumber") != number:
            continue
        for item in roi.sequence("ContourSequence"):
            kind = item.text("ContourGeometricType")
            points = _points(item)
            if kind in _CLOSED and len(points) > 2:
                contours.append(points)
                kinds.add(kind)
            else:
                others += 1
    if not contours:
        return None, others
    return Contours(tuple(contours), is_xor=kinds == {_XOR}), others


def _points(item: Header) -> NDArray[np.float64]:
    points = _parse(_raw(item))
    stated = item.integer("NumberOfContourPoints")
    if stated is not None and stated != len(points):
        raise FormatError(
            "file/corrupt",
            "a contour has another number of points than it says",
            measured=len(points),
            expected=stated,
        )
    return points


def _raw(item: Header) -> bytes:
    """The coordinates as they are stored: one by one, a hundred thousand decimal strings take seconds."""
    element = item.dataset.get_item("ContourData")
    raw = b"" if element is None or element.value is None else element.value
    raw = raw if isinstance(raw, bytes) else b"\\".join(str(v).encode() for v in raw)
    if len(raw) > MAX_CONTOUR_BYTES:
        raise FormatError("file/too-large", "a contour has too many points", measured=f"{len(raw)} bytes")
    return bytes(raw.strip(b" \0"))


def _parse(raw: bytes) -> NDArray[np.float64]:
    """Points (N, 3), turned from LPS to RAS."""
    try:
        points = np.array(raw.split(b"\\") if raw else [], dtype=np.float64).reshape(-1, 3)
    except ValueError:
        raise FormatError("file/corrupt", "a contour's coordinates cannot be understood") from None
    if not np.isfinite(points).all():
        raise FormatError("file/corrupt", "a contour's coordinates are not finite")
    points[:, :2] *= -1
    return points
