"""Faults of what is among the slices and is none: localizers, projections, captures, colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from isocenter.testing.simulate import dicom
from isocenter.testing.simulate.broken.fault import Fault, Outcome
from isocenter.testing.simulate.broken.scan import Planted, Scan, changed, packed, set_stored

_FIELD, _R15 = "eighteen broken series", "ten assembly faults"
_ALL = ("CT", "MR", "PT")


def _with(*extras: Callable[[Scan], Dataset]) -> Callable[[Scan], Planted]:
    """The sound series and something more."""

    def make(scan: Scan) -> Planted:
        more = [extra(scan) for extra in extras]
        for number, one in enumerate(more):
            changed([one], SOPInstanceUID=scan.uid("extra", number), InstanceNumber=scan.slices + 1 + number)
        return Planted(files=packed([*scan.objects(), *more]), volumes=(scan.truth(),))

    return make


def _view(scan: Scan, **attributes: Any) -> Dataset:
    """A picture from the side, through the middle of the body."""
    (out,) = changed(
        scan.objects()[:1], ImageOrientationPatient=["0", "1", "0", "0", "0", "-1"], **attributes
    )
    out.ImagePositionPatient = ["3", "-25", "80"]
    set_stored(out, np.indices((out.Rows, out.Columns)).sum(axis=0) * 9)
    return out


def _localizer(scan: Scan) -> Dataset:
    return _view(scan, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])


def _projection(scan: Scan) -> Dataset:
    """A maximum intensity projection along the slices, at the place of one of them."""
    (out,) = changed(scan.objects()[4:5], ImageType=["DERIVED", "SECONDARY", "MIP"])
    set_stored(out, scan.values().max(axis=0) + (1024 if scan.modality == "CT" else 0))
    return out


def _capture(scan: Scan) -> Dataset:
    (out,) = changed(
        scan.objects()[:1], SOPClassUID=dicom.SOP_CLASSES["SC"], ImageType=["DERIVED", "SECONDARY"],
        ConversionType="WSD", ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None,
        RescaleSlope=None, RescaleIntercept=None, RescaleType=None, FrameOfReferenceUID=None,
    )  # fmt: skip
    return out


def _dose_screen(scan: Scan) -> Dataset:
    (out,) = changed(
        [_capture(scan)], SOPClassUID=dicom.SOP_CLASSES[scan.modality],
        ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"], BurnedInAnnotation="YES",
    )  # fmt: skip
    return out


def _colour(scan: Scan) -> Dataset:
    (out,) = changed(
        scan.objects()[6:7], SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0
    )
    changed([out], BitsAllocated=8, BitsStored=8, HighBit=7, ImageType=["DERIVED", "SECONDARY"])
    out.PixelData = np.zeros((out.Rows, out.Columns, 3), np.uint8).tobytes()
    return out


def _palette(scan: Scan) -> Planted:
    objects = scan.objects()
    changed(objects, PhotometricInterpretation="PALETTE COLOR")
    for one in objects:
        for colour in ("Red", "Green", "Blue"):
            setattr(one, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(one, f"{colour}PaletteColorLookupTableData", np.arange(256, dtype="<u2").tobytes())
    return Planted(files=packed(objects))


def _planes(scan: Scan) -> Planted:
    """Three pictures in three planes, as a localizer of MR has them."""
    front = changed([_view(scan)], ImageOrientationPatient=["1", "0", "0", "0", "0", "-1"])
    planes = [scan.objects()[3], _view(scan), *front]
    for number, one in enumerate(planes):
        changed([one], SOPInstanceUID=scan.uid("plane", number), InstanceNumber=number + 1)
    return Planted(files=packed(planes))


def _fault(
    name: str, does: str, make: Any, rules: tuple[str, ...], source: str = "own", **more: Any
) -> Fault:
    settled = {"modalities": _ALL, "outcome": Outcome.REBUILT, **more}
    return Fault(name=name, does=does, rules=rules, make=make, source=source, **settled)


_SPLIT = "index/series-split"

FAULTS = (
    _fault("localizer", "A localizer is in the series.", _with(_localizer), ("content/localizer",), _FIELD),
    _fault(
        "localizer-unmarked", "A picture from the side is in the series, and nothing calls it a localizer.",
        _with(_view), (_SPLIT, "geometry/too-few-slices"), _R15,
    ),
    _fault("projection", "A projection (MIP) is in the series.", _with(_projection), ("content/projection-image",)),
    _fault("capture", "A secondary capture is in the series.", _with(_capture), ("content/dose-screen-or-capture",)),
    _fault("dose-screen", "A dose page is in the series.", _with(_dose_screen), ("content/dose-screen-or-capture",)),
    _fault("colour", "A colour picture is in the series.", _with(_colour), ("content/colour-image",)),
    _fault(
        "several-strangers", "A localizer, a projection and a capture are in the series.",
        _with(_localizer, _projection, _capture), ("content/localizer",),
    ),
    _fault("palette", "The pixels are indices of colours.", _palette, ("content/colour-image",), outcome=Outcome.REFUSED),
    _fault(
        "three-planes", "Three pictures in three planes and no volume.", _planes,
        ("geometry/too-few-slices", "content/suspected-localizer"), outcome=Outcome.REFUSED, modalities=("MR",),
    ),
)  # fmt: skip
