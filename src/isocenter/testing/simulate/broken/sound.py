"""Series that look unusual and are sound: whoever rejects them, or asks a person, is wrong."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydicom.dataset import Dataset

from isocenter.base import seeds
from isocenter.testing.simulate import dicom
from isocenter.testing.simulate.broken import frames
from isocenter.testing.simulate.broken.fault import Fault, Outcome
from isocenter.testing.simulate.broken.files import BIG_ENDIAN, DEFLATED
from isocenter.testing.simulate.broken.headers import written
from isocenter.testing.simulate.broken.scan import Planted, Scan, changed, packed, set_stored, stored
from isocenter.testing.simulate.lattice import CORONAL, SAGITTAL, turned

_ALL = ("CT", "MR", "PT")
Make = Callable[[Scan], Planted]


def _with(**attributes: Any) -> Make:
    return lambda scan: Planted(files=packed(changed(scan.objects(), **attributes)), volumes=(scan.truth(),))


def _lying(
    axes: tuple[tuple[float, ...], ...],
    position: str = "HFS",
    spacing_mm: tuple[float, float, float] = (2.5, 0.7, 0.8),
) -> Make:
    def make(scan: Scan) -> Planted:
        lying = replace(scan, axes=axes, spacing_mm=spacing_mm)
        objects = changed(lying.objects(), PatientPosition=position)
        return Planted(files=packed(objects), volumes=(lying.truth(),))

    return make


def _numbers(scan: Scan) -> Planted:
    objects = scan.objects()
    order = seeds.stream(scan.seed, "broken", "numbers").permutation(scan.slices)
    for one, number in zip(objects, order, strict=True):
        one.InstanceNumber = int(number) + 1
    return Planted(files=packed(objects), volumes=(scan.truth(),))


def _downwards(scan: Scan) -> Planted:
    objects = scan.objects()
    for k, one in enumerate(objects):
        one.InstanceNumber = scan.slices - k
        one.AcquisitionTime = one.ContentTime = f"1015{(scan.slices - k) % 60:02d}.{k:03d}"
    return Planted(files=packed(objects), volumes=(scan.truth(),))


def _rounded(scan: Scan, places: int, tolerance_mm: float) -> Planted:
    """Positions written with few decimals."""
    odd = replace(scan, spacing_mm=(1.23456789, 0.7123456, 0.8123456))
    objects, lattice = odd.objects(), odd.lattice()
    for k, one in enumerate(objects):
        one.ImagePositionPatient = [dicom.decimal(p, places) for p in lattice.position(k)]
    truth = replace(odd.truth(), tolerance_mm=tolerance_mm)
    return Planted(files=packed(objects), volumes=(truth,))


def _bits(scan: Scan, *, is_signed: bool) -> Planted:
    """Sixteen bits; with a sign HU are stored as they are."""
    objects = changed(scan.objects(), BitsStored=16, HighBit=15, PixelRepresentation=int(is_signed))
    if scan.modality == "CT":
        changed(objects, RescaleIntercept="0" if is_signed else "-1024")
    for one, plane in zip(objects, scan.values(), strict=True):
        set_stored(one, plane + (1024 if scan.modality == "CT" and not is_signed else 0))
    return Planted(files=packed(objects), volumes=(scan.truth(),))


def _long_decimals(scan: Scan) -> Planted:
    objects = scan.objects()
    for one in objects:
        written(one, 0x00200037, "\\".join(f"{float(c):.16f}" for c in one.ImageOrientationPatient))
        written(one, 0x00280030, "\\".join(f"{float(c):.16f}" for c in one.PixelSpacing))
    return Planted(files=packed(objects), volumes=(scan.truth(),))


def _in_syntax(syntax: str) -> Make:
    def make(scan: Scan) -> Planted:
        objects = scan.objects()
        for one in objects if syntax == BIG_ENDIAN else ():
            one.PixelData = stored(one).astype(">u2").tobytes()
        return Planted(files=packed(objects, syntax), volumes=(scan.truth(),))

    return make


def _bytes(change: Callable[[int, str, bytes], tuple[str, bytes]]) -> Make:
    """Every file is kept in another way."""

    def make(scan: Scan) -> Planted:
        files = packed(scan.objects())
        kept = dict(change(n, name, data) for n, (name, data) in enumerate(files.items()))
        return Planted(files=kept, volumes=(scan.truth(),))

    return make


def _without_meta(_: int, name: str, data: bytes) -> tuple[str, bytes]:
    """Neither preamble nor file meta information: the data set alone, as some archives keep it."""
    length = int.from_bytes(data[140:144], "little")
    return name, data[144 + length :]


def _two_series(scan: Scan) -> Planted:
    """Two series of one study in one folder."""
    other = scan.objects(scan.values(1))
    for k, one in enumerate(other):
        changed(
            [one], SOPInstanceUID=scan.uid("other", k), SeriesInstanceUID=scan.uid("other"), SeriesNumber=3
        )
    both: list[Dataset] = [*scan.objects(), *other]
    return Planted(files=packed(both), volumes=(scan.truth(), scan.truth(scan.values(1))))


def _sound(name: str, does: str, make: Make, modalities: tuple[str, ...] = _ALL) -> Fault:
    return Fault(name=name, does=does, rules=(), outcome=Outcome.REBUILT, make=make, modalities=modalities)


_PRONE = ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0))
_FEET_FIRST = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
_OBLIQUE = turned(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), 17.0, -23.0)

CLEAN = (
    _sound("plain", "Nothing is unusual.", _with()),
    _sound("shuffled-names", "File names are in no order.", _with(SeriesDescription="names")),
    _sound("shuffled-numbers", "Instance Numbers are in no order.", _numbers),
    _sound("downwards", "Numbers and times run from the head down.", _downwards),
    _sound("feet-first", "The patient lay feet first.", _lying(_FEET_FIRST, "FFS")),
    _sound("prone", "The patient lay prone.", _lying(_PRONE, "HFP")),
    _sound("coronal", "The slices are coronal.", _lying(CORONAL)),
    _sound("sagittal", "The slices are sagittal.", _lying(SAGITTAL)),
    _sound("oblique", "The slices are turned about two axes.", _lying(_OBLIQUE)),
    _sound("thin", "Slices are 0.6 mm apart.", _lying(_OBLIQUE, spacing_mm=(0.6, 0.7, 0.7))),
    _sound("signed-16", "16 bits with a sign.", lambda s: _bits(s, is_signed=True)),
    _sound("unsigned-16", "16 bits without a sign.", lambda s: _bits(s, is_signed=False)),
    _sound("long-decimals", "Decimal strings of 18 characters.", _long_decimals),
    _sound("three-decimals", "Positions have three decimals.", lambda s: _rounded(s, 3, 1e-3)),
    _sound("two-decimals", "Positions have two decimals.", lambda s: _rounded(s, 2, 1e-2)),
    _sound("no-tilt", "The gantry tilt is 0 and said so.", _with(GantryDetectorTilt="0"), ("CT",)),
    _sound("big-endian", "Big endian.", _in_syntax(BIG_ENDIAN)),
    _sound("implicit", "Implicit VR.", _in_syntax(dicom.IMPLICIT)),
    _sound("deflated", "Deflated.", _in_syntax(DEFLATED)),
    _sound("no-preamble", "Neither preamble nor meta information.", _bytes(_without_meta)),
    _sound(
        "gzipped", "Every file is in gzip.", _bytes(lambda _, n, d: (f"{n}.gz", gzip.compress(d, 1, mtime=0)))
    ),
    _sound(
        "folders",
        "All files have one name, each in a folder.",
        _bytes(lambda n, _, d: (f"{n % 7}/{n}/IM.dcm", d)),
    ),
    _sound("two-series", "Two series lie in one folder.", _two_series),
    _sound("overlapping", "Slices are thicker than their distance.", _with(SliceThickness="5")),
    *frames.CLEAN,
)
