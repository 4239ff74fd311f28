"""A centre that works in 3D Slicer: masks as NRRD; images as NRRD, or still as the DICOM they came as."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset

from isocenter.testing.simulate import ct, dicom, marking
from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.ct import Patient, Protocol
from isocenter.testing.simulate.kinds.nifti_masks import drawn_by, file_facts, mask_marks
from isocenter.testing.simulate.lattice import AXIAL, turned
from isocenter.testing.simulate.people import Person
from isocenter.testing.simulate.truth import Mark, TrueSite
from isocenter.testing.simulate.volumes import nrrd_notes, write_nrrd

_PROTOCOLS = (
    Protocol(slice_mm=4.0, numbering="down", names="plain"),
    Protocol(),
    Protocol(is_signed=True, intercept=0, syntax=dicom.IMPLICIT),
    Protocol(axes=turned(AXIAL, 6, -4), slice_mm=4.0),
)


def write(archive: Archive, site: TrueSite, count: int, positives: int) -> list[Patient]:
    """Write the centre's patients, every second with a DICOM image."""
    out = []
    for n in range(count):
        has_lesion = n < positives
        patient = write_patient(
            archive,
            site,
            _PROTOCOLS[n % 4 if has_lesion else n % 3],
            lesions=1 + n % 2 if has_lesion else 0,
            second="agrees" if has_lesion and n % 3 == 0 else "",
            is_dicom=n % 2 == 0,
        )
        archive.cases.append(patient.case)
        out.append(patient)
    return out


def write_patient(
    archive: Archive,
    site: TrueSite,
    protocol: Protocol,
    *,
    lesions: int = 1,
    second: str = "",
    is_dicom: bool = True,
    person: Person | None = None,
    plant: Callable[[list[Dataset]], object] | None = None,
    **facts: Any,
) -> Patient:
    """Write one patient's image and masks; see `ct_rtstruct.write_patient` for the arguments."""
    person = person or archive.person(site)
    scan = ct.acquire(archive, person, protocol, lesions=lesions)
    folder = archive.path(site.folder, person.patient_id)
    archive.plant("patient-id", person.patient_id)
    series = None
    if is_dicom:
        series = dicom.new_series(archive, person, "CT", 2, "CT thorax", syntax=protocol.syntax)
        datasets = ct.slices(series, scan, protocol)
        if plant:
            plant(datasets)
        images = ct.write(series, datasets, folder / "ct", protocol)
        known = ct.dicom_facts(series)
    else:
        images = [write_nrrd(folder / "ct.nrrd", scan.values, scan.lattice, nrrd_notes(archive, person))]
        known = file_facts("nrrd", person)
    readers = drawn_by(scan, second)
    marks: list[Mark] = []
    for reader, regions in enumerate(readers):
        path = folder / f"reader{reader + 1}-label.nrrd"
        write_nrrd(path, marking.label_map(regions, scan.lattice), scan.lattice, {})
        marks += mask_marks(archive, regions, scan.lattice, reader, path)
    case = ct.true_case(
        archive, person, scan, images, kind=site.kind, marks=tuple(marks),
        dice=marking.agreement(readers),
        **{**known, **facts},
    )  # fmt: skip
    return Patient(case=case, person=person, scan=scan, folder=folder, images=tuple(images), series=series)
