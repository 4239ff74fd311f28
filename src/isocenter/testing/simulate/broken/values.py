"""Faults of the numbers: rescale, padding, bits, sign, inversion, what they cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from isocenter.testing.simulate.broken.fault import Fault, Outcome
from isocenter.testing.simulate.broken.scan import Planted, Scan, changed, packed, set_stored, stored

_FIELD, _R15 = "eighteen broken series", "ten assembly faults"
_BACKGROUND = -1024
_OK, _ASK, _NO = Outcome.REBUILT, Outcome.REVIEWED, Outcome.REFUSED


def _same(
    which: Callable[[Scan], list[int]], *, is_true: bool = True, **attributes: Any
) -> Callable[[Scan], Planted]:
    """Attributes of some slices are others; the volume is the sound one, or nobody knows what it is."""

    def make(scan: Scan) -> Planted:
        objects = changed(scan.objects(), which(scan), **attributes)
        return Planted(files=packed(objects), volumes=(scan.truth(),) if is_true else ())

    return make


def _every(scan: Scan) -> list[int]:
    return list(range(scan.slices))


def _one(scan: Scan) -> list[int]:
    return [scan.slices // 3]


def _signed(scan: Scan, values: NDArray[Any]) -> list[Dataset]:
    """Slices of 16 bits with a sign; stored are HU + 1024."""
    objects = scan.objects()
    changed(objects, BitsStored=16, HighBit=15, PixelRepresentation=1)
    for one, plane in zip(objects, values, strict=True):
        set_stored(one, plane + 1024)
    return objects


def _round(scan: Scan) -> NDArray[np.bool_]:
    """What lies outside the round field of view."""
    j, i = np.meshgrid(np.linspace(-1, 1, scan.rows), np.linspace(-1, 1, scan.columns), indexing="ij")
    return np.broadcast_to(j**2 + i**2 > 1.4, (scan.slices, scan.rows, scan.columns)).copy()


def _padding(scan: Scan, values: tuple[int, ...], limit: int | None = None) -> Planted:
    """Stored padding of those values; with a limit they are a range."""
    outside, hu = _round(scan), scan.values().astype(np.int32)
    places = np.flatnonzero(outside)
    hu.flat[places] = np.resize(values, places.size) - 1024
    objects = changed(_signed(scan, hu), PixelPaddingValue=values[0])
    for one in objects if limit is not None else ():
        one.add_new(0x00280121, "SS", limit)
    for one in objects:
        one["PixelPaddingValue"].VR = "SS"
    true = scan.values()
    true[outside] = _BACKGROUND
    return Planted(files=packed(objects), volumes=(replace(scan.truth(true), padding=outside),))


def _unmarked_padding(scan: Scan) -> Planted:
    hu = scan.values().astype(np.int32)
    hu[_round(scan)] = -3024
    return Planted(files=packed(_signed(scan, hu)), volumes=(scan.truth(hu),))


def _pet_slopes(scan: Scan) -> Planted:
    """Each slice has a slope of its own, the first a whole one."""
    objects, values = scan.objects(), scan.values().astype(np.float64)
    for k, one in enumerate(objects):
        slope = f"{1 + 0.05 * k:.2f}"
        changed([one], RescaleSlope=slope)
        values[k] *= float(slope)
    return Planted(files=packed(objects), volumes=(scan.truth(values.astype(np.float32)),))


def _one_intercept(scan: Scan) -> Planted:
    """One slice says an intercept of 0 for the numbers of the others."""
    return Planted(files=packed(changed(scan.objects(), _one(scan), RescaleIntercept="0")))


def _half_intercept(scan: Scan) -> Planted:
    """Half of the slices are stored with another intercept, and their HU are right."""
    objects = scan.objects()
    for k in range(scan.slices // 2, scan.slices):
        changed(objects, [k], RescaleIntercept="-1000")
        set_stored(objects[k], np.clip(scan.values()[k].astype(np.int32) + 1000, 0, None))
    true = scan.values()
    true[scan.slices // 2 :] = np.maximum(true[scan.slices // 2 :], -1000)
    return Planted(files=packed(objects), volumes=(scan.truth(true),))


def _signed_slice(scan: Scan) -> Planted:
    objects = changed(scan.objects(), _one(scan), PixelRepresentation=1, BitsStored=16, HighBit=15)
    return Planted(files=packed(objects), volumes=(scan.truth(),))


def _overlay(scan: Scan, *, is_declared: bool) -> Planted:
    """A drawing in bit 12, above the twelve bits of the values (PS3.5 8.1.2, retired)."""
    objects = scan.objects()
    drawing = (np.indices((scan.rows, scan.columns)).sum(axis=0) % 7 == 0) * 4096
    for one in objects:
        set_stored(one, stored(one) | drawing)
        if is_declared:
            one.add_new(0x60000010, "US", scan.rows)
            one.add_new(0x60000011, "US", scan.columns)
            one.add_new(0x60000040, "CS", "G")
            one.add_new(0x60000050, "SS", [1, 1])
            one.add_new(0x60000100, "US", 16)
            one.add_new(0x60000102, "US", 12)
    # undeclared, nobody knows whether it is a drawing or Bits Stored is wrong
    return Planted(files=packed(objects), volumes=(scan.truth(),) if is_declared else ())


def _inverted_slice(scan: Scan) -> Planted:
    objects = changed(scan.objects(), _one(scan), PhotometricInterpretation="MONOCHROME1")
    return Planted(files=packed(objects))


def _table(scan: Scan) -> Planted:
    """The numbers become values by a table (Modality LUT Sequence, PS3.3 C.11.1)."""
    objects = changed(scan.objects(), RescaleSlope=None, RescaleIntercept=None, RescaleType=None)
    for one in objects:
        entry = Dataset()
        entry.add_new(0x00283002, "US", [4096, 0, 16])
        entry.ModalityLUTType = "HU"
        entry.add_new(0x00283006, "OW", np.arange(4096, dtype="<u2").tobytes())
        one.ModalityLUTSequence = Sequence([entry])
    return Planted(files=packed(objects))


def _blank(scan: Scan) -> Planted:
    objects = scan.objects()
    set_stored(objects[7], np.zeros((scan.rows, scan.columns), np.uint16))
    return Planted(files=packed(objects))


def _metal(scan: Scan) -> Planted:
    values = scan.values()
    values[:, 12:20, 20:28] = 3071
    return Planted(files=packed(scan.objects(values)), volumes=(scan.truth(values),))


def _fault(
    name: str,
    does: str,
    make: Any,
    outcome: Outcome,
    rules: tuple[str, ...],
    source: str = "own",
    modality: str = "CT",
) -> Fault:
    return Fault(
        name=name, does=does, rules=rules, outcome=outcome, make=make, modalities=(modality,), source=source
    )


_HU = ("values/implausible-hounsfield", "values/shifted-hounsfield", "values/coarse-hounsfield")

FAULTS = (
    _fault("padding", "Pixel Padding Value is -2000.", lambda s: _padding(s, (-2000,)), _OK, ("read/padding-masked",), _FIELD),
    _fault(
        "padding-range", "Pixel Padding Value and Range Limit name a range.",
        lambda s: _padding(s, (-2000, -1990, -1980), -1980), _OK, ("read/padding-masked",),
    ),
    _fault(
        "padding-unmarked", "The corners hold -3024 HU and no attribute calls them padding.", _unmarked_padding, _OK,
        ("values/unmarked-padding",),
    ),
    _fault(
        "inverted-ct", "A CT says MONOCHROME1; its HU are right as they are.",
        _same(_every, PhotometricInterpretation="MONOCHROME1"), _OK,
        ("content/inverted-display",), _FIELD,
    ),
    _fault(
        "inverted-slice", "One slice says MONOCHROME1 and the others do not.", _inverted_slice, _ASK,
        ("values/mixed-photometrics",),
    ),
    _fault("pet-slopes", "Each slice of a PET has its own slope.", _pet_slopes, _OK, (), _FIELD, "PT"),
    _fault(
        "rescale-missing-on-one-slice", "One slice has no rescale.",
        _same(_one, is_true=False, RescaleSlope=None, RescaleIntercept=None, RescaleType=None), _NO,
        ("values/partial-rescale",), _R15,
    ),
    _fault(
        "intercept-of-one-slice", "One slice has another intercept for the same numbers.", _one_intercept, _ASK,
        ("values/mixed-rescale", "values/slice-unlike-neighbours"),
    ),
    _fault(
        "intercept-of-half", "Half of the slices are stored with another intercept; their HU are right.",
        _half_intercept, _OK, ("values/mixed-rescale",),
    ),
    _fault("intercept-lost", "The intercept is 0.", _same(_every, is_true=False, RescaleIntercept="0"), _ASK, _HU),
    _fault(
        "intercept-twice", "The intercept is applied twice.",
        _same(_every, is_true=False, RescaleIntercept="-2048"), _ASK, _HU,
    ),
    _fault("slope-of-two", "The slope is 2.", _same(_every, is_true=False, RescaleSlope="2"), _ASK, _HU),
    _fault(
        "slope-of-zero", "The slope is 0.", _same(_every, is_true=False, RescaleSlope="0"), _NO,
        ("values/degenerate-rescale",),
    ),
    _fault(
        "not-hounsfield", "The values are milligrams per millilitre.",
        _same(_every, is_true=False, RescaleType="MGML"), _NO, ("values/not-hounsfield",),
    ),
    _fault(
        "not-hounsfield-on-one-slice", "One slice holds milligrams per millilitre.",
        _same(_one, is_true=False, RescaleType="MGML"), _NO, ("values/not-hounsfield", "values/mixed-rescale-types"),
    ),
    _fault(
        "bits-of-one-slice", "One slice is stored with 16 bits, the others with 12.",
        _same(_one, BitsStored=16, HighBit=15), _ASK, ("values/mixed-bit-depths",),
    ),
    _fault(
        "sign-of-one-slice", "One slice is stored with a sign, the others without.", _signed_slice, _ASK,
        ("values/mixed-bit-depths", "conformance/mixed-signs"),
    ),
    _fault(
        "overlay-in-bits", "A drawing lies in an unused bit of the pixels, and the header says so.",
        lambda s: _overlay(s, is_declared=True), _OK, ("read/overlay-bits", "read/bits"),
    ),
    _fault(
        "overlay-in-bits-untold", "A drawing lies in an unused bit of the pixels.",
        lambda s: _overlay(s, is_declared=False), _ASK, ("read/overlay-bits", "read/bits"),
    ),
    _fault("table-of-values", "A table and no slope makes HU of the numbers.", _table, _ASK, ("values/modality-lut",)),
    _fault("blank-slice", "One slice holds nothing.", _blank, _ASK, ("values/empty-slices",)),
    _fault("metal", "Metal is at the upper end of the range.", _metal, _OK, ("values/saturated-values",)),
    _fault(
        "lossy-slice", "One slice was compressed with loss.",
        _same(_one, LossyImageCompression="01", LossyImageCompressionRatio="8"), _OK, ("content/lossy-compression",),
    ),
)  # fmt: skip
