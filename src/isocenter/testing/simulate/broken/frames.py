"""Many slices in one object: enhanced multi-frame objects and Siemens mosaics, sound and broken."""

from __future__ import annotations

import struct
from collections.abc import Sequence as Several
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from isocenter.testing.simulate import dicom
from isocenter.testing.simulate.broken.fault import Fault, Outcome
from isocenter.testing.simulate.broken.scan import Planted, Scan, encoded, packed, set_stored

_ENHANCED = {"CT": "1.2.840.10008.5.1.4.1.1.2.1", "MR": "1.2.840.10008.5.1.4.1.1.4.1"}
_OK, _NO = Outcome.REBUILT, Outcome.REFUSED


def item(**attributes: Any) -> Dataset:
    """One item of a sequence."""
    out = Dataset()
    for keyword, value in attributes.items():
        setattr(out, keyword, value)
    return out


def _one(**attributes: Any) -> Sequence:
    return Sequence([item(**attributes)])


def enhanced(scan: Scan, values: Several[NDArray[Any]], order: Several[tuple[int, int]]) -> Dataset:
    """One enhanced object (PS3.3 C.7.6.16); `order` lists part and slice of each frame as it is stored."""
    slices, lattice = scan.objects(), scan.lattice()
    out = slices[0]
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(out, keyword)
    shared = item(
        PlaneOrientationSequence=_one(ImageOrientationPatient=slices[1].ImageOrientationPatient),
        PixelMeasuresSequence=_one(
            PixelSpacing=slices[1].PixelSpacing, SliceThickness=dicom.decimal(scan.spacing_mm[0])
        ),
    )
    if scan.modality == "CT":
        del out.RescaleSlope, out.RescaleIntercept, out.RescaleType
        shared.PixelValueTransformationSequence = _one(
            RescaleSlope="1", RescaleIntercept="-1024", RescaleType="HU"
        )
    out.SOPClassUID, out.SOPInstanceUID = _ENHANCED[scan.modality], scan.uid("enhanced")
    out.NumberOfFrames, out.InstanceNumber = len(order), 1
    out.SharedFunctionalGroupsSequence = Sequence([shared])
    out.PerFrameFunctionalGroupsSequence = Sequence(
        item(
            PlanePositionSequence=_one(ImagePositionPatient=[dicom.decimal(p, 8) for p in lattice.position(k)]),
            FrameContentSequence=_one(
                StackID="1", InStackPositionNumber=k + 1, TemporalPositionIndex=part + 1,
                DimensionIndexValues=[k + 1, part + 1],
            ),
        )
        for part, k in order
    )  # fmt: skip
    shift = 1024 if scan.modality == "CT" else 0
    set_stored(out, np.stack([values[part][k] + shift for part, k in order]))
    return out


def _enhanced(scan: Scan, parts: int, lost: int | None = None) -> Planted:
    values = [scan.values(part) for part in range(parts)]
    order = [(part, k) for k in range(scan.slices) for part in range(parts) if k != lost]
    shuffled = [order[n * 7 % len(order)] for n in range(len(order))] if len(order) % 7 else order[::-1]
    return Planted(
        files={"enhanced.dcm": encoded(enhanced(scan, values, shuffled))},
        volumes=tuple(scan.truth(v) for v in values) if lost is None else (),
    )


def mosaic(scan: Scan, part: int = 0) -> Dataset:
    """The slices as tiles of one picture, with the private header that says how many and which way (CSA, "SV10")."""
    lattice, values = scan.lattice(), scan.values(part)
    side = int(np.ceil(np.sqrt(scan.slices)))
    picture = np.zeros((side * scan.rows, side * scan.columns), np.uint16)
    for k in range(scan.slices):
        row, column = k // side * scan.rows, k % side * scan.columns
        picture[row : row + scan.rows, column : column + scan.columns] = values[k]
    out = scan.objects()[0]
    out.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    out.Manufacturer, out.AcquisitionNumber = "SIEMENS", part + 1
    out.SpacingBetweenSlices = dicom.decimal(scan.spacing_mm[0])
    out.SOPInstanceUID, out.InstanceNumber = scan.uid("mosaic", part), part + 1
    out.AcquisitionTime = f"1015{part * 2:02d}"
    out.Rows, out.Columns = picture.shape
    # the position is that of a picture as large as the mosaic around the same centre (dcm2niix, nii_dicom.cpp)
    steps = lattice.steps
    corner = (
        lattice.origin
        - steps[:, 0] * (side - 1) * scan.columns / 2
        - steps[:, 1] * (side - 1) * scan.rows / 2
    )
    out.ImagePositionPatient = [dicom.decimal(p, 8) for p in corner]
    set_stored(out, picture)
    group = out.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    group.add_new(0x0A, "US", scan.slices)
    header = out.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    normal = [f"{n:.8f}" for n in lattice.normal]
    header.add_new(
        0x10, "OB", _csa({"NumberOfImagesInMosaic": [str(scan.slices)], "SliceNormalVector": normal})
    )
    return out


def _csa(tags: dict[str, list[str]]) -> bytes:
    """Siemens' private header of named values: SV10, counts, then per tag name, VM, VR and padded items."""
    out = b"SV10\x04\x03\x02\x01" + struct.pack("<II", len(tags), 77)
    for name, values in tags.items():
        vr = b"FD\0\0" if len(values) > 1 else b"US\0\0"
        out += struct.pack("<64si4siii", name.encode(), len(values), vr, 4, len(values), 77)
        for value in values:
            text = value.encode() + b"\0"
            out += struct.pack("<iiii", len(text), len(text), 77, len(text)) + text + b"\0" * (-len(text) % 4)
    return out + b"\0" * 4


def _mosaics(scan: Scan, *, is_marked: bool) -> Planted:
    objects = [mosaic(scan, part) for part in range(2)]
    for one in objects if not is_marked else ():
        del one[0x0029, 0x0010], one[0x0029, 0x1010], one[0x0019, 0x0010], one[0x0019, 0x100A]
    volumes = tuple(scan.truth(scan.values(part)) for part in range(2)) if is_marked else ()
    return Planted(files=packed(objects), volumes=volumes)


def _no_positions(scan: Scan) -> Planted:
    one = enhanced(scan, [scan.values()], [(0, k) for k in range(scan.slices)])
    for frame in one.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence
    return Planted(files={"enhanced.dcm": encoded(one)})


def _fewer_groups(scan: Scan) -> Planted:
    """Functional groups of fewer frames than the object says it has."""
    one = enhanced(scan, [scan.values()], [(0, k) for k in range(scan.slices)])
    one.PerFrameFunctionalGroupsSequence = Sequence(list(one.PerFrameFunctionalGroupsSequence)[:-2])
    return Planted(files={"enhanced.dcm": encoded(one)})


def _fewer_pixels(scan: Scan) -> Planted:
    """More frames than there are pixels of."""
    one = enhanced(scan, [scan.values()], [(0, k) for k in range(scan.slices)])
    one.PixelData = one.PixelData[: -2 * scan.rows * scan.columns]
    return Planted(files={"enhanced.dcm": encoded(one)})


def _fault(
    name: str, does: str, make: Any, outcome: Outcome, rules: tuple[str, ...], modalities: tuple[str, ...]
) -> Fault:
    return Fault(name=name, does=does, rules=rules, outcome=outcome, make=make, modalities=modalities)


_BOTH = ("CT", "MR")

FAULTS = (
    _fault(
        "frame-missing", "A frame in the middle of an enhanced object is gone.", lambda s: _enhanced(s, 1, 9), _NO,
        ("geometry/missing-slices",), _BOTH,
    ),
    _fault(
        "frames-without-position", "The frames of an enhanced object do not say where they lie.", _no_positions, _NO,
        ("geometry/unknown-geometry", "content/multi-frame-object"), _BOTH,
    ),
    _fault(
        "fewer-groups-than-frames", "An enhanced object describes fewer frames than it holds.", _fewer_groups, _NO,
        ("file/corrupt", "geometry/unknown-geometry", "content/multi-frame-object", "index/frames-without-groups"),
        _BOTH,
    ),
    _fault(
        "fewer-pixels-than-frames", "An enhanced object holds pixels of one frame too few.", _fewer_pixels, _NO,
        ("file/truncated", "file/corrupt"), _BOTH,
    ),
    _fault("mosaic-untold", "A mosaic does not say how many slices it holds.", lambda s: _mosaics(s, is_marked=False), _NO, ("content/mosaic",), ("MR",)),
)  # fmt: skip

CLEAN = (
    _fault(
        "enhanced", "One enhanced object, its frames in any order.", lambda s: _enhanced(s, 1), _OK, (), _BOTH
    ),
    _fault(
        "enhanced-in-time",
        "One enhanced object of two time points.",
        lambda s: _enhanced(s, 2),
        _OK,
        (),
        _BOTH,
    ),
    _fault(
        "mosaics",
        "Two time points as Siemens mosaics.",
        lambda s: _mosaics(s, is_marked=True),
        _OK,
        (),
        ("MR",),
    ),
)
