"""Faults of what was acquired or stored twice: copies, conflicts, phases, echoes, time points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from isocenter.testing.simulate import dicom
from isocenter.testing.simulate.broken.fault import Fault, Outcome
from isocenter.testing.simulate.broken.scan import (
    Planted,
    Scan,
    again,
    changed,
    encoded,
    packed,
    set_stored,
    stored,
)

_FIELD, _R15 = "eighteen broken series", "ten assembly faults"
_ALL = ("CT", "MR", "PT")
_SPLIT = ("index/series-split",)
Make = Callable[[Scan], Planted]


def _copy(scan: Scan) -> Planted:
    files = packed(scan.objects())
    files["copy.dcm"] = encoded(scan.objects()[5])
    return Planted(files=files, volumes=(scan.truth(),))


def _same_pixels(scan: Scan) -> Planted:
    (extra,) = changed(scan.objects()[5:6], SOPInstanceUID=scan.uid("extra"), InstanceNumber=scan.slices + 1)
    return Planted(files=packed([*scan.objects(), extra]), volumes=(scan.truth(),))


def _other_pixels(scan: Scan) -> Planted:
    (extra,) = changed(scan.objects()[5:6], SOPInstanceUID=scan.uid("extra"), InstanceNumber=scan.slices + 1)
    set_stored(extra, stored(extra) + 40)
    return Planted(files=packed([*scan.objects(), extra]))


def _conflict(scan: Scan) -> Planted:
    (extra,) = scan.objects()[5:6]
    set_stored(extra, stored(extra) + 40)
    return Planted(files=packed([*scan.objects(), extra]))


def _header_differs(scan: Scan) -> Planted:
    """One object twice, and only a description differs."""
    extra = changed(scan.objects()[5:6], SeriesDescription="sent again")
    return Planted(files=packed([*scan.objects(), *extra]), volumes=(scan.truth(),))


def _series_twice(scan: Scan) -> Planted:
    """The whole series once more under new object UIDs."""
    copies = scan.objects()
    for k, one in enumerate(copies):
        changed([one], SOPInstanceUID=scan.uid("copy", k), InstanceNumber=scan.slices + k + 1)
    return Planted(files=packed([*scan.objects(), *copies]), volumes=(scan.truth(),))


def _parts(points: Sequence[dict[str, Any]], *, shift_mm: float = 0.0) -> Make:
    """The series once for each point, which differ by those attributes."""

    def make(scan: Scan) -> Planted:
        objects, volumes = [], []
        for part, attributes in enumerate(points):
            lattice = scan.lattice()
            moved = replace(lattice, origin=lattice.origin + part * shift_mm * lattice.normal)
            made = again(scan, part, **attributes)
            for k, one in enumerate(made):
                one.ImagePositionPatient = [dicom.decimal(p, 8) for p in moved.position(k)]
            objects += made
            volumes.append(scan.truth(scan.values(part), moved))
        return Planted(files=packed(objects), volumes=tuple(volumes))

    return make


def _half_a_phase(scan: Scan) -> Planted:
    """The second phase covers the lower half only."""
    half = scan.slices // 2
    second = again(scan, 1, AcquisitionNumber=2, AcquisitionTime="101530")[:half]
    part = scan.truth(scan.values(1)[:half])
    return Planted(files=packed([*scan.objects(), *second]), volumes=(scan.truth(), part))


def _by_number_alone(scan: Scan) -> Planted:
    """Time points that nothing tells apart but the order of Instance Numbers."""
    points = 3
    objects = [one for part in range(points) for one in again(scan, part)]
    changed(objects, NumberOfTemporalPositions=str(points), ImagesInAcquisition=str(scan.slices))
    volumes = tuple(scan.truth(scan.values(part)) for part in range(points))
    return Planted(files=packed(objects), volumes=volumes)


def _private_b_values(scan: Scan) -> Planted:
    """Two weightings of diffusion that nothing but a private element of the maker tells apart."""
    parts = [again(scan, part) for part in range(2)]
    for b_value, objects in zip(("50", "800"), parts, strict=True):
        for one in objects:
            one.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, "IS", b_value)
    volumes = tuple(scan.truth(scan.values(part)) for part in range(2))
    return Planted(files=packed([*parts[0], *parts[1]]), volumes=volumes)


def _fault(name: str, does: str, make: Make, outcome: Outcome, rules: tuple[str, ...], source: str) -> Fault:
    return Fault(
        name=name, does=does, rules=rules, outcome=outcome, make=make, modalities=_ALL, source=source
    )


def _set(
    name: str, does: str, points: Sequence[dict[str, Any]], modality: str, source: str = "own", **more: float
) -> Fault:
    return Fault(
        name=name, does=does, rules=_SPLIT, outcome=Outcome.REBUILT, make=_parts(points, **more),
        modalities=(modality,), source=source,
    )  # fmt: skip


_OK, _NO = Outcome.REBUILT, Outcome.REFUSED
_TIMES = [{"AcquisitionTime": time, "ContentTime": time} for time in ("101500", "101530")]
_CONFLICTS = ("geometry/repeated-positions", "index/conflicting-object", "geometry/missing-slices")

FAULTS = (
    _fault("file-copied", "One file is there twice.", _copy, _OK, ("index/duplicate-object",), _FIELD),
    _fault(
        "slice-copied", "One slice is there twice, under two object UIDs.", _same_pixels, _OK,
        ("index/duplicate-pixels",), _FIELD,
    ),
    _fault(
        "slice-in-conflict", "Two slices with other pixels lie at one place.", _other_pixels, _NO, _CONFLICTS[:1],
        _FIELD,
    ),
    _fault(
        "object-in-conflict", "Two files with other pixels claim one object UID.", _conflict, _NO, _CONFLICTS,
        _R15,
    ),
    _fault(
        "object-sent-again", "One object is there twice, and only its description differs.", _header_differs, _OK,
        ("index/duplicate-object", "index/duplicate-pixels"), "own",
    ),
    _fault(
        "series-copied", "Every slice is there twice, under two object UIDs.", _series_twice, _OK,
        ("index/duplicate-pixels",), "own",
    ),
    _fault(
        "half-a-phase", "A second phase covers half of the first.", _half_a_phase, _OK, _SPLIT, "own",
    ),
    Fault(
        name="private-b-values", does="Two b-values share a series, in private elements alone.", rules=_SPLIT,
        outcome=_OK, make=_private_b_values, modalities=("MR",), source="own",
    ),
    _set("two-phases", "Two phases differ in their acquisition time.", _TIMES, "CT", _FIELD),
    _set(
        "two-acquisitions", "Two acquisitions share a series.", [{}, {"AcquisitionNumber": 2}], "CT", _FIELD,
    ),
    _set("two-kernels", "Two reconstructions share a series.", [{}, {"ConvolutionKernel": "B70"}], "CT", _R15),
    _set(
        "interleaved", "A second acquisition lies 1.1 mm beside the first.",
        [{}, {"AcquisitionNumber": 2}], "CT", shift_mm=1.1,
    ),
    _set("interleaved-in-time", "The same, and only the time tells.", _TIMES, "CT", shift_mm=1.1),
    _set("two-energies", "Two tube voltages share a series.", [{"KVP": "80"}, {"KVP": "140"}], "CT"),
    _set(
        "contrast-and-none", "Slices without and with contrast agent share a series.",
        [{}, {"ContrastBolusAgent": "Agent", "AcquisitionTime": "102000"}], "CT",
    ),
    _set("echoes", "Three echoes.", [{"EchoTime": str(t), "EchoNumbers": str(n)} for n, t in enumerate((10, 30, 50), 1)], "MR"),
    _set("b-values", "Three b-values.", [{"DiffusionBValue": float(b)} for b in (0, 500, 1000)], "MR"),
    _set(
        "gradients", "Three gradient directions at one b-value.",
        [{"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": d} for d in ([1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0])],
        "MR",
    ),
    _set("trigger-times", "Three phases of the heart.", [{"TriggerTime": str(t)} for t in (0, 120, 240)], "MR"),
    _set(
        "time-points", "Three time points.",
        [{"TemporalPositionIdentifier": str(n), "NumberOfTemporalPositions": "3"} for n in (1, 2, 3)], "MR",
    ),
    _set("inversion-times", "Two inversion times.", [{"InversionTime": str(t)} for t in (100, 900)], "MR"),
    _set(
        "magnitude-and-phase", "Magnitude and phase.",
        [{"ImageType": ["ORIGINAL", "PRIMARY", kind]} for kind in ("M", "P")], "MR",
    ),
    _set(
        "echoes-in-time", "Two echoes at each of two time points.",
        [{"EchoTime": e, "TemporalPositionIdentifier": t} for t in ("1", "2") for e in ("10", "30")], "MR",
    ),
    _set(
        "frames-of-pet", "Two frames of a dynamic PET.",
        [{"FrameReferenceTime": t, "AcquisitionTime": s} for t, s in (("0", "101500"), ("60000", "101600"))], "PT",
    ),
    Fault(
        name="time-by-number-alone", does="Three time points that only the order of Instance Numbers tells apart.",
        rules=("index/series-split", "index/time-by-number"), outcome=_OK, make=_by_number_alone,
        modalities=("MR",),
    ),
)  # fmt: skip
