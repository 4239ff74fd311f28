"""Faults of where slices lie: too few, uneven, tilted, shifted, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from pydicom.dataset import Dataset

from isocenter.base import seeds
from isocenter.testing.simulate import dicom
from isocenter.testing.simulate.broken.fault import Fault, Outcome
from isocenter.testing.simulate.broken.scan import Planted, Scan, TrueVolume, changed, packed

_FIELD, _R15 = "eighteen broken series", "ten assembly faults"
_ALL = ("CT", "MR", "PT")


def _missing(scan: Scan) -> Planted:
    objects = scan.objects()
    del objects[scan.slices // 2]
    return Planted(files=packed(objects))


def _block_missing(scan: Scan) -> Planted:
    objects = scan.objects()
    del objects[5 : scan.slices // 2]
    return Planted(files=packed(objects))


def _part(scan: Scan, first: int, end: int) -> TrueVolume:
    lattice = scan.lattice()
    return scan.truth(scan.values()[first:end], replace(lattice, origin=lattice.position(first)))


def _first_missing(scan: Scan) -> Planted:
    objects = changed(scan.objects(), ImagesInAcquisition=str(scan.slices))
    return Planted(files=packed(objects[1:]), volumes=(_part(scan, 1, scan.slices),))


def _last_missing(scan: Scan) -> Planted:
    objects = changed(scan.objects(), ImagesInAcquisition=str(scan.slices))
    return Planted(files=packed(objects[:-1]), volumes=(_part(scan, 0, scan.slices - 1),))


def _at(scan: Scan, along_mm: Sequence[float]) -> list[Dataset]:
    """The slices at other distances along the normal."""
    objects, lattice = scan.objects(), scan.lattice()
    for one, distance in zip(objects, along_mm, strict=True):
        point = lattice.origin + distance * lattice.normal
        one.ImagePositionPatient = [dicom.decimal(p, 6) for p in point]
    return objects


def _jitter(scan: Scan) -> Planted:
    noise = seeds.stream(scan.seed, "broken", "jitter").uniform(-0.4, 0.4, scan.slices)
    step = scan.spacing_mm[0]
    return Planted(files=packed(_at(scan, [step * k + noise[k] for k in range(scan.slices)])))


def _spacing_changes(scan: Scan, factor: float) -> Planted:
    step, half = scan.spacing_mm[0], scan.slices // 2
    along = [step * min(k, half) + step * factor * max(k - half, 0) for k in range(scan.slices)]
    return Planted(files=packed(_at(scan, along)))


def _end_slice_far(scan: Scan) -> Planted:
    step = scan.spacing_mm[0]
    along = [step * k + 0.4 * step * (k == scan.slices - 1) for k in range(scan.slices)]
    return Planted(files=packed(_at(scan, along)))


def _tilt(scan: Scan) -> Planted:
    lattice = scan.lattice().sheared(15.0)
    objects = changed(scan.objects(lattice=lattice), GantryDetectorTilt="15")
    # the sheared lattice is longer along its own axis: the header says the distance along the normal
    changed(objects, SliceThickness=dicom.decimal(scan.spacing_mm[0]))
    return Planted(files=packed(objects), volumes=(scan.truth(lattice=lattice),))


def _tilt_changes(scan: Scan) -> Planted:
    """The first half straight, the second sheared."""
    objects, lattice = scan.objects(), scan.lattice().sheared(12.0)
    for k in range(scan.slices // 2, scan.slices):
        objects[k].ImagePositionPatient = [dicom.decimal(p, 8) for p in lattice.position(k)]
    return Planted(files=packed(objects))


def _no_geometry(scan: Scan) -> Planted:
    objects = changed(scan.objects(), ImagePositionPatient=None, ImageOrientationPatient=None)
    return Planted(files=packed(objects))


def _one_without_position(scan: Scan) -> Planted:
    objects = changed(scan.objects(), [7], ImagePositionPatient=None)
    return Planted(files=packed(objects))


def _shifted(scan: Scan) -> Planted:
    objects, lattice = scan.objects(), scan.lattice()
    point = lattice.position(7) + 6 * lattice.steps[:, 0] / np.linalg.norm(lattice.steps[:, 0])
    changed(objects, [7], ImagePositionPatient=[dicom.decimal(p, 6) for p in point])
    return Planted(files=packed(objects))


def _turned_slice(scan: Scan) -> Planted:
    objects = scan.objects()
    x, y = objects[7].ImageOrientationPatient[:3], objects[7].ImageOrientationPatient[3:]
    changed(objects, [7], ImageOrientationPatient=[*y, *(-v for v in x)])
    return Planted(files=packed(objects))


def _leaning_slice(scan: Scan) -> Planted:
    objects = scan.objects()
    lattice = scan.lattice()
    column = lattice.steps[:, 1] / np.linalg.norm(lattice.steps[:, 1]) + 9e-4 * lattice.normal
    cosines = [*objects[7].ImageOrientationPatient[:3], *(column / np.linalg.norm(column))]
    changed(objects, [7], ImageOrientationPatient=[dicom.decimal(float(c), 9) for c in cosines])
    return Planted(files=packed(objects), volumes=(replace(scan.truth(), tolerance_mm=0.05),))


def _long_cosines(scan: Scan) -> Planted:
    objects = scan.objects()
    cosines = [1.2 * float(c) for c in objects[0].ImageOrientationPatient]
    changed(objects, ImageOrientationPatient=[dicom.decimal(c, 6) for c in cosines])
    return Planted(files=packed(objects))


def _too_wide(scan: Scan) -> Planted:
    return Planted(files=packed(replace(scan, spacing_mm=(7.0, 0.7, 0.8)).objects()))


def _fault(
    name: str,
    does: str,
    outcome: Outcome,
    rules: tuple[str, ...],
    make: Callable[[Scan], Planted],
    source: str = "own",
) -> Fault:
    return Fault(
        name=name, does=does, rules=rules, outcome=outcome, make=make, modalities=_ALL, source=source
    )


_UNEVEN, _MISSING = "geometry/uneven-slice-spacing", "geometry/missing-slices"

FAULTS = (
    _fault("slice-missing", "One slice in the middle is gone.", Outcome.REFUSED, (_MISSING,), _missing, _FIELD),
    _fault("slices-missing", "Five slices in a row are gone.", Outcome.REFUSED, (_MISSING,), _block_missing, _R15),
    _fault("jitter", "Slices lie up to 0.4 mm off their places.", Outcome.REFUSED, (_UNEVEN,), _jitter, _FIELD),
    _fault(
        "spacing-doubles", "The distance of slices doubles halfway.", Outcome.REFUSED, (_UNEVEN, _MISSING),
        lambda scan: _spacing_changes(scan, 2.0), _FIELD,
    ),
    _fault(
        "spacing-changes", "The distance of slices grows by a third halfway.", Outcome.REFUSED, (_UNEVEN,),
        lambda scan: _spacing_changes(scan, 4 / 3), _R15,
    ),
    _fault("tilt", "The gantry was tilted by 15 degrees.", Outcome.REBUILT, ("geometry/gantry-tilt",), _tilt, _FIELD),
    _fault(
        "no-geometry", "No slice says where it lies.", Outcome.REFUSED, ("geometry/unknown-geometry",),
        _no_geometry, _FIELD,
    ),
    _fault(
        "first-slice-missing", "The first of the images that the acquisition counts is gone.", Outcome.REVIEWED,
        ("geometry/incomplete-acquisition",), _first_missing,
    ),
    _fault(
        "last-slice-missing", "The last of the images that the acquisition counts is gone.", Outcome.REVIEWED,
        ("geometry/incomplete-acquisition",), _last_missing,
    ),
    _fault("end-slice-far", "The last slice lies 40 % too far.", Outcome.REFUSED, (_UNEVEN,), _end_slice_far),
    _fault(
        "tilt-changes", "The second half is sheared and the first is not.", Outcome.REFUSED,
        ("geometry/slices-off-the-affine",), _tilt_changes,
    ),
    _fault(
        "one-without-position", "One slice does not say where it lies.", Outcome.REFUSED,
        ("geometry/unknown-geometry", _MISSING), _one_without_position,
    ),
    _fault(
        "slice-shifted", "One slice lies 6 mm aside in its plane.", Outcome.REFUSED,
        ("geometry/slices-off-the-affine", "geometry/missing-slices"), _shifted,
    ),
    _fault(
        "slice-turned", "One slice was turned by a right angle in its plane.", Outcome.REFUSED,
        ("geometry/varying-orientation", _MISSING), _turned_slice,
    ),
    _fault(
        "slice-leans", "The orientation of one slice differs by 9e-4.", Outcome.REBUILT,
        ("geometry/varying-orientation",), _leaning_slice,
    ),
    _fault(
        "long-cosines", "Row and column directions are no unit vectors.", Outcome.REFUSED,
        ("geometry/non-orthogonal-axes",), _long_cosines,
    ),
    Fault(
        name="wide-slices", does="Slices of an MR are 7 mm apart.", outcome=Outcome.REFUSED,
        rules=("geometry/wide-slice-spacing",), make=_too_wide, modalities=("MR",),
    ),
)  # fmt: skip
