"""A centre that keeps CT as DICOM series and outlines as RT Structure Sets, under patients' names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from isocenter.testing.simulate import ct, dicom, marking
from isocenter.testing.simulate.archive import VOCABULARY, Archive
from isocenter.testing.simulate.ct import Patient, Protocol, Scan
from isocenter.testing.simulate.lattice import AXIAL, CORONAL, SAGITTAL, turned
from isocenter.testing.simulate.marking import Region
from isocenter.testing.simulate.people import Person
from isocenter.testing.simulate.rtstruct import write_rtstruct
from isocenter.testing.simulate.truth import Expected, Mark, PlantedFault, TrueSite

_MIRRORED = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0))

# The protocols a centre's patients go through in turn; the odd ones are where stackers go wrong.
PROTOCOLS = (
    Protocol(names="plain"),
    Protocol(syntax=dicom.IMPLICIT, intercept=0, is_signed=True, patient_position="FFS", numbering="down"),
    Protocol(axes=turned(AXIAL, 9, 5), names="uid"),
    Protocol(numbering="shuffled", names="plain", slice_mm=4.0),
    Protocol(is_signed=True, intercept=0, padding=-2048, names="person", slice_mm=3.75),
    Protocol(axes=SAGITTAL, syntax=dicom.IMPLICIT),
    Protocol(axes=_MIRRORED, patient_position="FFS", numbering="shuffled", names="plain"),
    Protocol(axes=CORONAL, is_signed=True, intercept=0),
)
_STRAIGHT = (0, 1, 3, 4)


def write(archive: Archive, site: TrueSite, count: int, positives: int) -> list[Patient]:
    """Write the centre's patients; the last ones have no lesion, only another organ outlined."""
    out = []
    for n in range(count):
        has_lesion = n < positives
        protocol = PROTOCOLS[n % len(PROTOCOLS) if has_lesion else _STRAIGHT[n % len(_STRAIGHT)]]
        patient = write_patient(
            archive,
            site,
            protocol,
            lesions=1 + n % 2 if has_lesion else 0,
            is_ring=has_lesion and n % 8 == 3,
            second="agrees" if has_lesion and n % 2 == 0 else "",
            has_unknown=n % 4 == 1,
            alias=n,
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
    is_ring: bool = False,
    second: str = "",
    has_unknown: bool = False,
    alias: int = 0,
    person: Person | None = None,
    plant: Callable[[list[Dataset]], object] | None = None,
    **facts: Any,
) -> Patient:
    """Write one patient's CT and structure sets.

    Args:
        archive: Where to.
        site: The centre.
        protocol: How the CT is made.
        lesions: How many the patient has.
        is_ring: Whether the first has a necrotic core.
        second: Whether a second reader "agrees" or "disagrees"; "" for none.
        has_unknown: Whether the first reader also drew something that is in no vocabulary.
        alias: Which of the free-text names to use.
        person: Who; a new one by default.
        plant: Changes the slices before they are written.
        facts: Further fields of `TrueCase`.
    """
    person = person or archive.person(site)
    scan = ct.acquire(archive, person, protocol, lesions=lesions, is_ring=is_ring)
    series = dicom.new_series(
        archive, person, "CT", 2, "CT axial", syntax=protocol.syntax, has_age=person.number % 3 != 0
    )
    datasets = ct.slices(series, scan, protocol)
    sop_uids = [str(d.SOPInstanceUID) for d in datasets]
    if plant:
        plant(datasets)
    folder = archive.path(site.folder, person.label, "study")
    images = ct.write(series, datasets, folder / "CT", protocol)
    marks, agreement = _outline(
        archive, series, scan, folder, sop_uids, second=second, has_unknown=has_unknown, alias=alias
    )
    known = {**ct.dicom_facts(series), **facts}
    case = ct.true_case(archive, person, scan, images, kind=site.kind, marks=marks, dice=agreement, **known)
    return Patient(case=case, person=person, scan=scan, folder=folder, images=tuple(images), series=series)


def _outline(
    archive: Archive,
    image: dicom.Series,
    scan: Scan,
    folder: Path,
    sop_uids: list[str],
    *,
    second: str,
    has_unknown: bool,
    alias: int,
) -> tuple[tuple[Mark, ...], dict[str, float]]:
    """Write the structure sets; returns what is marked in them and the readers' agreement."""
    first = marking.first_reader(scan.anatomy, scan.lattice)
    readers = [first]
    if second:
        agrees = second == "agrees"
        readers.append(marking.second_reader(first, scan.lattice, agrees=agrees, has_heart=False))
    out: list[Mark] = []
    for reader, regions in enumerate(readers):
        number = 50 + reader
        series = dicom.new_series(
            archive, image.person, "RTSTRUCT", number, "Contours", syntax=image.syntax, has_age=False
        )
        path = folder / f"reader{reader + 1}" / f"RS.{image.person.label}.dcm"
        names = {label: text[(alias + reader) % len(text)] for label, text in VOCABULARY.items()}
        named = [(names[r.label], r) for r in regions]
        if has_unknown and reader == 0:
            named.append(("Ring_3mm", _unknown(scan)))
        write_rtstruct(series, path, named, sop_uids, image_series_uid=image.series_uid, reader=reader)
        relative = archive.relative([path])[0]
        labels = {"lesion", *(r.label for r in regions)}
        wanted = {label: names[label] for label in sorted(labels)}
        out += marking.marks(regions, scan.lattice, reader=reader, path=relative, names=wanted)
        if has_unknown and reader == 0:
            unknown = marking.marks(
                (_unknown(scan),), scan.lattice, reader=0, path=relative, names={"": "Ring_3mm"}
            )
            out += unknown
            _record_unknown(archive, image.person, relative)
    return tuple(out), marking.agreement(readers)


def _unknown(scan: Scan) -> Region:
    """Something that was drawn to help with planning: a margin around the lesion, or within the heart."""
    lesions = scan.anatomy.solids("lesion")
    solid = lesions[0].scaled(1.3) if lesions else scan.anatomy.solids("heart")[0].scaled(0.6)
    return marking.region("", [solid], scan.lattice)


def _record_unknown(archive: Archive, person: Person, path: str) -> None:
    archive.faults.append(
        PlantedFault(
            name="label-unknown",
            site=person.site,
            subject=person.patient_id,
            paths=(path,),
            scope="annotation",
            expected=Expected.NOTE,
            why="A region is called Ring_3mm, which no vocabulary has; the others count as they are.",
        )
    )
