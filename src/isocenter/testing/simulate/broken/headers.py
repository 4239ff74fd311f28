"""Faults of headers: what differs within a series, is missing, or is written as no standard has it."""

from __future__ import annotations

from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from isocenter.testing.simulate import dicom
from isocenter.testing.simulate.broken.fault import Fault, Outcome
from isocenter.testing.simulate.broken.scan import Planted, Scan, changed, packed, set_stored, stored

_FIELD, _R15 = "eighteen broken series", "ten assembly faults"
_ALL = ("CT", "MR", "PT")
_OK, _ASK, _NO = Outcome.REBUILT, Outcome.REVIEWED, Outcome.REFUSED


def written(dataset: Dataset, tag: int, text: str) -> None:
    """Write a decimal string as it is, also where no decimal string may be so."""
    data = text.encode("ascii")
    data += b" " * (len(data) % 2)
    dataset[Tag(tag)] = RawDataElement(Tag(tag), "DS", len(data), data, 0, False, True)


def _half(scan: Scan, **attributes: Any) -> Planted:
    return Planted(files=packed(changed(scan.objects(), range(scan.slices // 2, scan.slices), **attributes)))


def _one(scan: Scan, **attributes: Any) -> Planted:
    return Planted(files=packed(changed(scan.objects(), [6], **attributes)))


def _every(scan: Scan, *, is_true: bool = False, **attributes: Any) -> Planted:
    objects = changed(scan.objects(), **attributes)
    return Planted(files=packed(objects), volumes=(scan.truth(),) if is_true else ())


def _long_decimals(scan: Scan) -> Planted:
    objects = scan.objects()
    for one in objects:
        written(one, 0x00200037, "\\".join(f"{float(c):.16f}" for c in one.ImageOrientationPatient))
    return Planted(files=packed(objects), volumes=(scan.truth(),))


def _decimal_comma(scan: Scan) -> Planted:
    objects = scan.objects()
    for one in objects:
        written(
            one, 0x00200032, "\\".join(f"{float(p):.3f}".replace(".", ",") for p in one.ImagePositionPatient)
        )
    return Planted(files=packed(objects))


def _shorter_slice(scan: Scan) -> Planted:
    objects = scan.objects()
    plane = stored(objects[6])[:-2]
    changed(objects, [6], Rows=scan.rows - 2)
    set_stored(objects[6], plane)
    return Planted(files=packed(objects))


def _numbers(scan: Scan) -> Planted:
    objects = scan.objects()
    for k, one in enumerate(objects):
        one.InstanceNumber = k * 7 % scan.slices + 1
    return Planted(files=packed(objects), volumes=(scan.truth(),))


def _other_modality(scan: Scan) -> Planted:
    other = "MR" if scan.modality == "CT" else "CT"
    return _one(scan, Modality=other, SOPClassUID=dicom.SOP_CLASSES[other])


def _other_class(scan: Scan) -> Planted:
    other = "MR" if scan.modality == "CT" else "CT"
    return _every(scan, is_true=True, SOPClassUID=dicom.SOP_CLASSES[other])


def _fault(
    name: str, does: str, make: Any, outcome: Outcome, rules: tuple[str, ...], source: str = "own"
) -> Fault:
    return Fault(
        name=name, does=does, rules=rules, outcome=outcome, make=make, modalities=_ALL, source=source
    )


_UNPARSED = ("header/unparsable-values", "geometry/unknown-geometry")
_SPACING = ("geometry/mixed-pixel-spacings",)

FAULTS = (
    _fault(
        "pixel-spacing-changes", "The pixel spacing is another in the second half.",
        lambda s: _half(s, PixelSpacing=["0.75", "0.85"]), _NO, _SPACING, _FIELD,
    ),
    _fault(
        "pixel-spacing-of-one-slice", "The pixel spacing of one slice is another.",
        lambda s: _one(s, PixelSpacing=["0.75", "0.85"]), _NO, _SPACING, _R15,
    ),
    _fault(
        "two-frames-of-reference", "The second half lies in another frame of reference.",
        lambda s: _half(s, FrameOfReferenceUID=s.uid("another frame")), _NO,
        ("geometry/mixed-frames-of-reference",), _FIELD,
    ),
    _fault("matrix-of-one-slice", "One slice has fewer rows.", _shorter_slice, _NO, ("geometry/mixed-matrices",), _R15),
    _fault(
        "numbers-not-in-order", "Instance Numbers do not follow the positions.", _numbers, _OK, (), _FIELD,
    ),
    _fault(
        "long-decimals", "Direction cosines are written with 18 characters; 16 are allowed.", _long_decimals, _OK,
        ("conformance/long-decimal-strings",), _FIELD,
    ),
    _fault(
        "decimal-comma", "Positions are written with a decimal comma.", _decimal_comma, _NO, _UNPARSED,
    ),
    _fault(
        "two-patients", "One slice names another patient.", lambda s: _one(s, PatientID="SOMEBODY2"), _NO,
        ("identity/several-patients-in-series",),
    ),
    _fault(
        "modality-missing", "No slice names its modality.", lambda s: _every(s, Modality=None), _NO,
        ("header/missing-modality",),
    ),
    _fault("modality-of-one-slice", "One slice is of another modality.", _other_modality, _NO, ("header/inconsistent-modality",)),
    _fault(
        "modality-unlike-object", "The objects are of another modality's class.", _other_class, _ASK,
        ("header/modality-unlike-object",),
    ),
    _fault(
        "device-unknown", "Nothing says which device it was.",
        lambda s: _every(s, is_true=True, Manufacturer="", ManufacturerModelName=None), _ASK,
        ("header/missing-device",),
    ),
    _fault(
        "no-series-uid", "Series and study have no UID.",
        lambda s: _every(s, is_true=True, SeriesInstanceUID="", StudyInstanceUID=""), _OK,
        ("index/no-series-uid", "identity/missing-uids"),
    ),
    _fault(
        "negative-spacing", "A pixel spacing is negative.", lambda s: _every(s, PixelSpacing=["-0.7", "0.8"]), _NO,
        ("geometry/abnormal-voxel-size", "geometry/unknown-geometry", "header/unparsable-values"),
    ),
    _fault(
        "no-spacing", "A pixel spacing is 0.", lambda s: _every(s, PixelSpacing=["0", "0.8"]), _NO,
        ("geometry/abnormal-voxel-size", "geometry/unknown-geometry", "header/unparsable-values"),
    ),
)  # fmt: skip
