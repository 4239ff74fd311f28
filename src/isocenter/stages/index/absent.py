"""Absent: what the standard asks every slice to say (type 1), and a slice does not."""

from __future__ import annotations

import numpy as np

from isocenter.stages.index.columns import NOTHING, Members, Rows

# Keyword to column: SOP Common, General Series and Study (PS3.3 C.12.1, C.7.3.1, C.7.2.1), Image Pixel (C.7.6.3).
_ALL = {
    "SOPClassUID": "sop_class_uid",
    "StudyInstanceUID": "study_uid",
    "SeriesInstanceUID": "series_uid",
    "Modality": "modality",
    "Rows": "rows",
    "Columns": "columns",
    "BitsAllocated": "bits_allocated",
    "BitsStored": "bits_stored",
    "PixelRepresentation": "pixel_representation",
    "PhotometricInterpretation": "photometric",
}
# Frame of Reference, Image Plane, and the image of each modality (C.7.4.1, C.7.6.2, C.8.2.1, C.8.3.1, C.8.9.4).
_SLICES = {
    "FrameOfReferenceUID": "frame_of_reference_uid",
    "ImageType": "image_type",
    "PixelSpacing": "pixel_spacing_mm",
    "ImageOrientationPatient": "orientation",
}
_RESCALE = {"RescaleSlope": "rescale_slope", "RescaleIntercept": "rescale_intercept"}
_OF_MODALITY = {
    "CT": _SLICES | _RESCALE,
    "MR": _SLICES,
    "PT": _SLICES | _RESCALE | {"Units": "pet_units"},
}
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def absent_from(members: Members, rows: Rows) -> tuple[str, ...]:
    """Keywords of the attributes of type 1 that some of a stack's slices lack, sorted.

    Args:
        members: The series.
        rows: The slices.
    """
    if members.value("format") != "dicom":
        return ()
    asked, modality = dict(_ALL), members.value("modality", int(rows[0])) or ""
    is_capture = (members.value("sop_class_uid", int(rows[0])) or "").startswith(_SECONDARY_CAPTURE)
    of_slices = {} if is_capture else _OF_MODALITY.get(modality, {})
    asked |= of_slices
    lacking = members.columns.lacking
    out = [
        k for k, c in asked.items() if c in lacking and any(v in NOTHING for v in members.distinct(c, rows))
    ]
    if of_slices and bool(np.isnan(members.positions_mm[rows, 0]).any()):
        out.append("ImagePositionPatient")
    uids = members.uids
    if not all(uids) and not all(uids[n] for n in rows.tolist()):
        out.append("SOPInstanceUID")
    return tuple(sorted(out))
