"""Faults inside a CT series: a slice too few or too many, attributes that are missing or lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from isocenter.testing.simulate import dicom
from isocenter.testing.simulate.archive import DUMMY_ID, Archive
from isocenter.testing.simulate.ct import Protocol
from isocenter.testing.simulate.kinds import ct_rtstruct, nrrd_masks
from isocenter.testing.simulate.people import Person
from isocenter.testing.simulate.truth import Expected, PlantedFault, TrueSite

_WRITERS = {"ct-rtstruct": ct_rtstruct.write_patient, "nrrd-masks": nrrd_masks.write_patient}
_RTSTRUCT, _NRRD = "ct-rtstruct", "nrrd-masks"


def _nothing(datasets: list[Dataset]) -> None:
    """Leave the slices as they are."""


def _same(person: Person) -> Person:
    return person


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFault:
    """One way to spoil a series.

    Args:
        name: As in the truth.
        expected: What a correct program does with the case.
        why: One sentence.
        homes: Kinds of site it can be planted in, the preferred one first.
        protocol: How the CT is made.
        plant: Changes the slices (in the order of k) before they are written.
        disguise: Changes the person.
    """

    name: str
    expected: Expected
    why: str
    homes: tuple[str, ...] = (_RTSTRUCT, _NRRD)
    protocol: Protocol = field(default_factory=Protocol)
    plant: Callable[[list[Dataset]], object] = _nothing
    disguise: Callable[[Person], Person] = _same


def plant_all(archive: Archive) -> None:
    """Plant every fault for which the archive has a site."""
    by_kind = {site.kind: site for site in reversed(archive.sites)}
    for fault in SERIES_FAULTS:
        homes = [by_kind[kind] for kind in fault.homes if kind in by_kind]
        if homes:
            _plant(archive, homes[0], fault)


def _plant(archive: Archive, site: TrueSite, fault: SeriesFault) -> None:
    person = fault.disguise(archive.person(site))
    patient = _WRITERS[site.kind](
        archive,
        site,
        fault.protocol,
        person=person,
        plant=fault.plant,
        faults=(fault.name,),
        expected=fault.expected,
    )
    archive.cases.append(patient.case)
    archive.faults.append(
        PlantedFault(
            name=fault.name,
            site=site.name,
            subject=person.patient_id,
            paths=patient.case.paths,
            scope="case",
            expected=fault.expected,
            why=fault.why,
        )
    )


def _all(keyword: str, value: Any) -> Callable[[list[Dataset]], object]:
    """Give every slice a value; None takes the attribute away."""

    def change(datasets: list[Dataset]) -> None:
        for one in datasets:
            if value is None:
                delattr(one, keyword)
            else:
                setattr(one, keyword, value)

    return change


def _drop_slice(datasets: list[Dataset]) -> None:
    del datasets[len(datasets) // 2]


def _drop_device(datasets: list[Dataset]) -> None:
    _all("Manufacturer", "")(datasets)
    _all("ManufacturerModelName", None)(datasets)


def _drop_rescale_once(datasets: list[Dataset]) -> None:
    one = datasets[len(datasets) // 3]
    del one.RescaleSlope, one.RescaleIntercept, one.RescaleType


def _repeat_uid(datasets: list[Dataset]) -> None:
    """A second object with the identity and place of the third slice, but other pixels."""
    third = datasets[2]
    other = dicom.duplicate(third)
    other.InstanceNumber = len(datasets) + 1
    pixels = np.frombuffer(third.PixelData, "<u2").reshape(third.Rows, third.Columns)
    other.PixelData = np.ascontiguousarray(pixels[::-1]).tobytes()
    datasets.append(other)


SERIES_FAULTS = (
    SeriesFault(
        name="slice-missing", expected=Expected.REJECT, homes=(_RTSTRUCT,), plant=_drop_slice,
        why="One slice in the middle is gone: the distance doubles there.",
    ),
    SeriesFault(
        name="modality-missing", expected=Expected.REJECT, plant=_all("Modality", None),
        why="No slice has a Modality (Type 1, PS3.3 C.7.3.1).",
    ),
    SeriesFault(
        name="device-unknown", expected=Expected.REVIEW, homes=(_NRRD, _RTSTRUCT), plant=_drop_device,
        why="Manufacturer is empty and the model absent, as after a thorough de-identification.",
    ),
    SeriesFault(
        name="patient-id-missing", expected=Expected.REJECT,
        disguise=lambda person: replace(person, patient_id=""),
        why="Patient ID is empty: nobody can say whose images these are.",
    ),
    SeriesFault(
        name="patient-id-dummy", expected=Expected.REJECT,
        disguise=lambda person: replace(person, patient_id=DUMMY_ID),
        why="Patient ID is a dummy that stands for many people.",
    ),
    SeriesFault(
        name="rescale-missing-on-one-slice", expected=Expected.REJECT, plant=_drop_rescale_once,
        why="One slice has no rescale attributes: its values would be 1024 too high.",
    ),
    SeriesFault(
        name="gantry-tilt", expected=Expected.NOTE, homes=(_RTSTRUCT,), protocol=Protocol(tilt_deg=12.0),
        why="Slice positions are sheared; the volume is right only with its exact affine.",
    ),
    SeriesFault(
        name="padding-below-air", expected=Expected.NOTE,
        protocol=Protocol(is_signed=True, intercept=-1024, padding=-2000),
        why="Pixel Padding Value -2000 lies outside the round field: it is no tissue of -3024 HU.",
    ),
    SeriesFault(
        name="rescale-type-not-hu", expected=Expected.REJECT, homes=(_NRRD, _RTSTRUCT),
        plant=_all("RescaleType", "MGML"),
        why="Values are milligrams per millilitre of a spectral scan, not Hounsfield units.",
    ),
    SeriesFault(
        name="uid-conflict", expected=Expected.REJECT, plant=_repeat_uid,
        why="Two different files claim one SOP Instance UID.",
    ),
)  # fmt: skip
