"""RT Structure Sets (PS3.3 A.19, C.8.8.5, C.8.8.6): what they refer to, and their contours."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.header import Header
from isocenter.model.rows import AnnotationObject

REFERENCE_KEYWORDS = ["ReferencedFrameOfReferenceSequence", "StructureSetROISequence", "ROIContourSequence"]
_SAMPLES = 64
_CLOSED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}


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
    rois = _rois(header)
    return AnnotationObject(
        file_id=file_id,
        source=source,
        site=site,
        format="rtstruct",
        patient_id=header.text("PatientID"),
        patient_id_issuer=header.text("IssuerOfPatientID"),
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
    """First points of contours spread over the object."""
    firsts = []
    for roi in header.sequence("ROIContourSequence"):
        for item in roi.sequence("ContourSequence"):
            points = _points(item)
            if len(points) > 2:
                firsts.append(points[0])
    chosen = firsts[:: max(1, len(firsts) // _SAMPLES)][:_SAMPLES]
    return tuple(float(v) for point in chosen for v in point)


def _rois(header: Header) -> dict[int, str]:
    """ROI number to ROI name, in the order of the numbers (the join is by number, never by position)."""
    out = {}
    for item in header.sequence("StructureSetROISequence"):
        number = item.integer("ROINumber")
        if number is not None:
            out[number] = item.text("ROIName") or ""
    return dict(sorted(out.items()))


def _frame_of_reference(header: Header, frames: list[Header]) -> str | None:
    named = [f.text("FrameOfReferenceUID") for f in frames]
    named += [r.text("ReferencedFrameOfReferenceUID") for r in header.sequence("StructureSetROISequence")]
    distinct = _distinct(named)
    return distinct[0] if len(distinct) == 1 else header.text("FrameOfReferenceUID")


def _distinct(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t for t in texts if t))


def contours_of(header: Header, number: int) -> tuple[list[NDArray[np.float64]], int]:
    """Closed contours of one ROI as RAS millimetres (N, 3), and how many items are no closed contour."""
    contours, others = [], 0
    for roi in header.sequence("ROIContourSequence"):
        if roi.integer("ReferencedROINumber") != number:
            continue
        for item in roi.sequence("ContourSequence"):
            points = _points(item)
            if item.text("ContourGeometricType") in _CLOSED and len(points) > 2:
                contours.append(points)
            else:
                others += 1
    return contours, others


def _points(item: Header) -> NDArray[np.float64]:
    # the raw text, split by us: converting a hundred thousand decimal strings one by one takes seconds
    element = item.dataset.get_item("ContourData")
    raw = b"" if element is None or element.value is None else element.value
    text = raw if isinstance(raw, bytes) else b"\\".join(str(v).encode() for v in raw)
    try:
        points = np.array(text.strip(b" \0").split(b"\\") if text else [], dtype=np.float64).reshape(-1, 3)
    except ValueError:
        raise FormatError("file/corrupt", "a contour's coordinates cannot be understood") from None
    if not np.isfinite(points).all():
        raise FormatError("file/corrupt", "a contour's coordinates are not finite")
    points[:, :2] *= -1
    return points
