"""Faults across series: one Patient ID for two people, and an MR whose slices lie too far apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.ct import Patient, Protocol
from isocenter.testing.simulate.kinds import ct_rtstruct, nrrd_masks, other_modalities
from isocenter.testing.simulate.truth import Expected, PlantedFault, TrueSite

MR_SLICE_MM = 6.5


def plant_shared_id(archive: Archive, first: TrueSite, second: TrueSite) -> None:
    """Two people at two centres who happen to have the same Patient ID."""
    name = "patient-id-in-two-sites"
    facts: dict[str, Any] = {"faults": (name,), "expected": Expected.NOTE}
    here = ct_rtstruct.write_patient(archive, first, Protocol(), **facts)
    person = replace(archive.person(second), patient_id=here.person.patient_id)
    there = nrrd_masks.write_patient(archive, second, Protocol(), person=person, **facts)
    for patient in (here, there):
        archive.cases.append(patient.case)
        _record(
            archive, patient, name, patient.case.paths, Expected.NOTE,
            "One ID at two centres is two people until proven otherwise.",
        )  # fmt: skip


def plant_thick_mr(archive: Archive, site: TrueSite) -> None:
    """An MR of 6.5 mm between slices, where 5 mm is the most that is allowed; the patient's CT is good."""
    name = "mr-slices-far-apart"
    writer = nrrd_masks.write_patient if site.kind == "nrrd-masks" else ct_rtstruct.write_patient
    patient = writer(archive, site, Protocol())
    cases = other_modalities.write_mr(
        archive, patient, slice_mm=MR_SLICE_MM, faults=(name,), expected=Expected.REJECT
    )
    archive.cases.extend([patient.case, *cases])
    for case in cases:
        _record(archive, patient, name, case.paths, Expected.REJECT, "Slices are 6.5 mm apart.")


def _record(
    archive: Archive, patient: Patient, name: str, paths: tuple[str, ...], expected: Expected, why: str
) -> None:
    archive.faults.append(
        PlantedFault(
            name=name,
            site=patient.case.site,
            subject=patient.case.subject,
            paths=paths,
            scope="case",
            expected=expected,
            why=why,
        )
    )
