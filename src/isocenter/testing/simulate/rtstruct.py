"""RT Structure Sets: a reader's outlines as DICOM contours in LPS millimetres (PS3.3 C.8.8.5, C.8.8.6)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag

from isocenter.testing.simulate import people
from isocenter.testing.simulate.archive import READERS
from isocenter.testing.simulate.dicom import SOP_CLASSES, Series, header, save
from isocenter.testing.simulate.marking import Region

_CONTOUR_DATA = Tag(0x3006, 0x0050)
_COLOURS = (["255", "64", "64"], ["64", "160", "255"], ["160", "160", "160"])


def write_rtstruct(
    series: Series,
    path: Path,
    regions: Sequence[tuple[str, Region]],
    sop_uids: Sequence[str],
    *,
    image_series_uid: str,
    reader: int,
) -> Path:
    """Write one reader's structure set.

    Args:
        series: The structure set's own series; its study and frame of reference are the image's.
        path: Where to write it.
        regions: Name as the reader wrote it, and what was drawn.
        sop_uids: SOP Instance UID of each slice k of the image.
        image_series_uid: Series that was drawn on.
        reader: 0 or 1.
    """
    out = header(series)
    out.SOPInstanceUID = series.sop_uid(reader)
    out.StructureSetLabel = READERS[reader]
    out.StructureSetDate, out.StructureSetTime = out.StudyDate, out.StudyTime
    out.InstanceNumber = reader + 1
    out.ApprovalStatus = "UNAPPROVED"
    if series.person.name:
        name = people.reader_name(reader)
        out.OperatorsName = name
        series.archive.plant("reader", name, *name.split("^"))
    out.ReferencedFrameOfReferenceSequence = Items([_references(series, image_series_uid, sop_uids)])
    rois, contours, observations = [], [], []
    # Numbers that are neither their order nor consecutive: the three sequences are joined by them.
    for place, (name, region) in enumerate(regions):
        number = 11 + 7 * place
        rois.append(_item(ROINumber=number, ReferencedFrameOfReferenceUID=series.frame_uid, ROIName=name,
                          ROIGenerationAlgorithm="MANUAL"))  # fmt: skip
        drawn = Items([_contour(region, xyz, sop_uids[k]) for k, xyz in region.outlines])
        contours.append(
            _item(ROIDisplayColor=_COLOURS[place % 3], ContourSequence=drawn, ReferencedROINumber=number)
        )
        observations.append(
            _item(
                ObservationNumber=place + 1,
                ReferencedROINumber=number,
                RTROIInterpretedType="",
                ROIInterpreter="",
            )
        )
    out.StructureSetROISequence = Items(rois)
    out.ROIContourSequence = Items(contours[::-1])
    out.RTROIObservationsSequence = Items(observations)
    return save(out, path, series.syntax)


def _references(series: Series, image_series_uid: str, sop_uids: Sequence[str]) -> Dataset:
    """Frame of reference, study, series and every slice that was drawn on."""
    images = Items([_image(uid) for uid in sop_uids])
    in_series = _item(SeriesInstanceUID=image_series_uid, ContourImageSequence=images)
    in_study = _item(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
        ReferencedSOPInstanceUID=series.study_uid,
        RTReferencedSeriesSequence=Items([in_series]),
    )
    return _item(FrameOfReferenceUID=series.frame_uid, RTReferencedStudySequence=Items([in_study]))


def _contour(region: Region, xyz: NDArray[np.float64], sop_uid: str) -> Dataset:
    """One outline; outlines within outlines are XOR contours (C.8.8.6.3)."""
    kind = "CLOSEDPLANAR_XOR" if region.has_core else "CLOSED_PLANAR"
    out = _item(
        ContourImageSequence=Items([_image(sop_uid)]),
        ContourGeometricType=kind,
        NumberOfContourPoints=len(xyz),
    )
    text = "\\".join([f"{value:.4f}" for value in xyz.ravel()]).encode()
    text += b" " * (len(text) % 2)
    # Raw: pydicom would make an object of each of the thousands of numbers.
    out[_CONTOUR_DATA] = RawDataElement(_CONTOUR_DATA, "DS", len(text), text, 0, False, True)
    return out


def _image(uid: str) -> Dataset:
    return _item(ReferencedSOPClassUID=SOP_CLASSES["CT"], ReferencedSOPInstanceUID=uid)


def _item(**attributes: object) -> Dataset:
    out = Dataset()
    for keyword, value in attributes.items():
        setattr(out, keyword, value)
    return out
