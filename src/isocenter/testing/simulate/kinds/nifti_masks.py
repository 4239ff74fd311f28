"""A centre that hands over converted files: `{subject}/ct.nii.gz` and one mask per reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.testing.simulate import ct, marking
from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.ct import Patient, Protocol, Scan
from isocenter.testing.simulate.lattice import AXIAL, CORONAL, SAGITTAL, Lattice, turned
from isocenter.testing.simulate.marking import MASK_VALUES, Region
from isocenter.testing.simulate.people import Person
from isocenter.testing.simulate.truth import Mark, TrueSite
from isocenter.testing.simulate.volumes import nifti_notes, write_nifti


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How a converter leaves a file.

    Args:
        axes: Directions of i, j, k in LPS.
        codes: qform_code and sform_code.
        intercept: scl_inter, with unsigned stored values.
        slice_mm: Distance between slices.
    """

    axes: tuple[tuple[float, ...], ...] = AXIAL
    codes: tuple[int, int] = (1, 1)
    intercept: int = 0
    slice_mm: float = 5.0


_RAS = ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0))
_LAS = ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0))

CONVERSIONS = (
    Conversion(axes=_RAS),
    Conversion(axes=_LAS, intercept=-1024),
    Conversion(axes=turned(_RAS, -8, 6)),
    Conversion(axes=AXIAL, codes=(1, 0), slice_mm=4.0),
    Conversion(axes=SAGITTAL),
    Conversion(axes=_RAS, codes=(0, 2), slice_mm=3.0),
    Conversion(axes=CORONAL),
)
_STRAIGHT = (0, 5, 3, 1)


def write(archive: Archive, site: TrueSite, count: int, positives: int) -> None:
    """Write the centre's patients; in the last ones the reader looked and found no lesion."""
    for n in range(count):
        has_lesion = n < positives
        style = CONVERSIONS[n % len(CONVERSIONS) if has_lesion else _STRAIGHT[n % len(_STRAIGHT)]]
        patient = write_patient(
            archive, site, style, lesions=1 + n % 2 if has_lesion else 0,
            second="agrees" if has_lesion and n % 2 == 1 else "",
        )  # fmt: skip
        archive.cases.append(patient.case)


def write_patient(
    archive: Archive,
    site: TrueSite,
    style: Conversion,
    *,
    lesions: int = 1,
    second: str = "",
    qform_offset_mm: float = 0.0,
    **facts: Any,
) -> Patient:
    """Write one patient's image and masks; see `ct_rtstruct.write_patient` for the arguments."""
    person = archive.person(site)
    scan = ct.acquire(archive, person, Protocol(axes=style.axes, slice_mm=style.slice_mm), lesions=lesions)
    folder = archive.path(site.folder, person.patient_id)
    archive.plant("patient-id", person.patient_id)
    stored: NDArray[Any] = scan.values
    if style.intercept:
        stored = (scan.values.astype(np.int32) - style.intercept).astype(np.uint16)
    image = write_nifti(
        folder / "ct.nii.gz", stored, scan.lattice, codes=style.codes, intercept=style.intercept,
        notes=nifti_notes(archive, person), qform_offset_mm=qform_offset_mm,
    )  # fmt: skip
    readers = drawn_by(scan, second)
    marks: list[Mark] = []
    for reader, regions in enumerate(readers):
        path = folder / f"reader{reader + 1}.nii.gz"
        mask = marking.label_map(regions, scan.lattice)
        # Mask tools write both forms, whatever the converter did.
        codes = style.codes if style.codes == (0, 0) else (1, 1)
        write_nifti(path, mask, scan.lattice, codes=codes)
        marks += mask_marks(archive, regions, scan.lattice, reader, path)
    case = ct.true_case(
        archive, person, scan, [image], kind=site.kind, marks=tuple(marks),
        dice=marking.agreement(readers),
        **{**file_facts("nifti", person), **facts},
    )  # fmt: skip
    return Patient(case=case, person=person, scan=scan, folder=folder, images=(image,))


def drawn_by(scan: Scan, second: str) -> list[tuple[Region, ...]]:
    """What each reader drew."""
    first = marking.first_reader(scan.anatomy, scan.lattice)
    if not second:
        return [first]
    return [first, marking.second_reader(first, scan.lattice, agrees=second == "agrees", has_heart=True)]


def mask_marks(
    archive: Archive, regions: tuple[Region, ...], lattice: Lattice, reader: int, path: Path
) -> tuple[Mark, ...]:
    """The truth of one mask file; a label it lacks was looked for and not found."""
    labels = {"lesion", *(r.label for r in regions)}
    names = {label: str(MASK_VALUES[label]) for label in sorted(labels)}
    return marking.marks(regions, lattice, reader=reader, path=archive.relative([path])[0], names=names)


def file_facts(form: str, person: Person) -> dict[str, Any]:
    """What the path of a file without a header of its own tells."""
    return {"format": form, "subject": person.patient_id}
