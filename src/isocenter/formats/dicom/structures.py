"""RT Structure Sets (PS3.3 A.19, C.8.8.5, C.8.8.6): what they refer to, and their contours."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.header import Header
from isocenter.imaging.shapes import Contours
from isocenter.model.rows import AnnotationObject

REFERENCE_KEYWORDS = ["ReferencedFrameOfReferenceSequence", "StructureSetROISequence", "ROIContourSequence"]
_SAMPLES = 64
_XOR = "CLOSEDPLANAR_XOR"
_CLOSED = {"CLOSED_PLANAR", _XOR}
# A million points, the most that one contour may have, in decimal strings of 16 characters.
MAX_CONTOUR_BYTES = 3 * 17 * 1_000_000


def object_of(header: Header, file_id: str, source: int, site: str) -> AnnotationObject:
    """The row of one structure set: its ROIs by number, and the images it says it was drawn on."""
    frames = header.sequence("ReferencedFrameOfReferenceSequence")
    series = [
        s
        for frame in frames
        for study in frame.sequence("RTReferencedStudySequence")
        for s in study.sequence("RTReferencedSeriesSequence")
    ]
    images = [i.text("ReferencedSOPInstanceUID") for s in series for i in s.sequence("ContourImageSequence")]
    rois = rois_of(header)
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
        frame_of_reference_uid=_frame_of_reference(header, frames),
        referenced_series_uids=_distinct(s.text("SeriesInstanceUID") for s in series),
        referenced_instance_uids=_distinct(images),
        samples_mm=_samples(header),
        labels=tuple(rois.values()),
        numbers=tuple(rois),
    )


def _samples(header: Header) -> tuple[float, ...]:
    """First points of contours spread over the object; the other points are not looked at."""
    raw = [_raw(i) for roi in header.sequence("ROIContourSequence") for i in roi.sequence("ContourSequence")]
    long = [r for r in raw if r.count(b"\\") >= 8]
    chosen = long[:: max(1, len(long) // _SAMPLES)][:_SAMPLES]
    return tuple(float(v) for r in chosen for v in _parse(b"\\".join(r.split(b"\\", 3)[:3]))[0])


def rois_of(header: Header) -> dict[int, str]:
    """ROI number to ROI name, in the order of the numbers (the join is by number, never by position)."""
    out = {}
    for item in header.sequence("StructureSetROISequence"):
        number = item.integer("ROINumber")
        if number is None:
            continue
        if number in out:
            raise FormatError("file/corrupt", "two structures have one number")
        out[number] = item.text("ROIName") or ""
    return dict(sorted(out.items()))


def _frame_of_reference(header: Header, frames: list[Header]) -> str | None:
    named = [f.text("FrameOfReferenceUID") for f in frames]
    named += [r.text("ReferencedFrameOfReferenceUID") for r in header.sequence("StructureSetROISequence")]
    distinct = _distinct(named)
    return distinct[0] if len(distinct) == 1 else header.text("FrameOfReferenceUID")


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
