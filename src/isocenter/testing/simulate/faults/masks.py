"""Faults of masks and of NIfTI headers, and readers who do not agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from isocenter.testing.simulate import marking
from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.ct import Patient, Protocol
from isocenter.testing.simulate.kinds import ct_rtstruct, nifti_masks, nrrd_masks
from isocenter.testing.simulate.kinds.nifti_masks import CONVERSIONS, Conversion
from isocenter.testing.simulate.lattice import Lattice, rearranged
from isocenter.testing.simulate.truth import Expected, PlantedFault, TrueCase, TrueSite
from isocenter.testing.simulate.volumes import write_nifti

_PLAIN = CONVERSIONS[0]


def plant_disagreement(archive: Archive, site: TrueSite) -> None:
    """Two readers whose lesions overlap with a Dice below 0.7."""
    facts: dict[str, Any] = {"faults": ("readers-disagree",), "expected": Expected.REVIEW}
    if site.kind == "ct-rtstruct":
        patient = ct_rtstruct.write_patient(archive, site, Protocol(), second="disagrees", **facts)
    elif site.kind == "nrrd-masks":
        patient = nrrd_masks.write_patient(
            archive, site, Protocol(), second="disagrees", is_dicom=False, **facts
        )
    else:
        patient = nifti_masks.write_patient(archive, site, _PLAIN, second="disagrees", **facts)
    why = "The two readers' lesions overlap with a Dice below 0.7."
    _record(archive, patient, "readers-disagree", Expected.REVIEW, why, scope="case")


def plant_all(archive: Archive, site: TrueSite) -> None:
    """Plant the faults of files at a centre with NIfTI masks."""
    for name, expected, style, offset, why in (
        ("nifti-without-orientation", Expected.REVIEW, Conversion(codes=(0, 0)), 0.0,
         "Neither qform nor sform is set: nobody knows left from right."),
        ("qform-sform-conflict", Expected.REVIEW, _PLAIN, 6.0,
         "qform and sform lie 6 mm apart."),
    ):  # fmt: skip
        patient = nifti_masks.write_patient(
            archive, site, style, qform_offset_mm=offset, faults=(name,), expected=expected
        )
        if style.codes == (0, 0):
            patient = replace(patient, case=_without_axes(patient.case))
        _record(archive, patient, name, expected, why)
    for name, expected, why, change in (
        ("nifti-truncated", Expected.REJECT, "The compressed image ends too early.", _cut),
        ("mask-on-other-grid", Expected.REJECT, "The mask is one slice short.", _shorten),
        ("mask-axis-order", Expected.NOTE, "The mask's axes are stored in another order.", _reorder),
    ):
        patient = nifti_masks.write_patient(archive, site, _PLAIN, faults=(name,), expected=expected)
        change(patient)
        _record(archive, patient, name, expected, why)
    _plant_empty(archive, site)


def _without_axes(case: TrueCase) -> TrueCase:
    """The case without the digests that hang on knowing right from left."""
    return replace(case, values_digest="", marks=tuple(replace(mark, digest="") for mark in case.marks))


def _record(
    archive: Archive, patient: Patient, name: str, expected: Expected, why: str, *, scope: str = "case"
) -> None:
    archive.cases.append(patient.case)
    paths = {mark.path for mark in patient.case.marks} | set(patient.case.paths)
    archive.faults.append(
        PlantedFault(
            name=name,
            site=patient.case.site,
            subject=patient.case.subject,
            paths=tuple(sorted(paths)),
            scope=scope,
            expected=expected,
            why=why,
        )
    )


def _cut(patient: Patient) -> None:
    whole = patient.images[0].read_bytes()
    patient.images[0].write_bytes(whole[: len(whole) * 7 // 10])


def _shorten(patient: Patient) -> None:
    lattice = patient.scan.lattice
    mask = marking.label_map(marking.first_reader(patient.scan.anatomy, lattice), lattice)
    k, j, i = lattice.shape
    short = Lattice(lattice.origin, lattice.steps, (k - 1, j, i))
    write_nifti(patient.folder / "reader1.nii.gz", np.ascontiguousarray(mask[:-1]), short)


def _reorder(patient: Patient) -> None:
    lattice = patient.scan.lattice
    mask = marking.label_map(marking.first_reader(patient.scan.anatomy, lattice), lattice)
    order, flips = (2, 0, 1), (1,)
    write_nifti(
        patient.folder / "reader1.nii.gz", rearranged(mask, order, flips), lattice.stored_as(order, flips)
    )


def _plant_empty(archive: Archive, site: TrueSite) -> None:
    """The second reader's mask is empty: agreement on presence is gone."""
    name = "mask-empty"
    patient = nifti_masks.write_patient(
        archive, site, _PLAIN, second="agrees", faults=(name,), expected=Expected.REVIEW
    )
    lattice = patient.scan.lattice
    path = patient.folder / "reader2.nii.gz"
    write_nifti(path, np.zeros(lattice.shape, np.uint8), lattice)
    marks = tuple(m for m in patient.case.marks if m.reader == "reader1")
    empty = marking.marks((), lattice, reader=1, path=archive.relative([path])[0], names={"lesion": "1"})
    case = replace(patient.case, marks=(*marks, *empty), dice={"lesion": 0.0})
    _record(archive, replace(patient, case=case), name, Expected.REVIEW,
            "One reader marked a lesion and the other's mask is empty.")  # fmt: skip
