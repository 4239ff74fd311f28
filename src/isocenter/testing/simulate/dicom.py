"""Classic single-frame DICOM objects, written with pydicom from the simulator's own numbers.

`header` makes what all objects of a series share, `slices` one data set per slice, `save` a Part 10 file.
Faults are planted between the last two.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.lattice import Lattice
from isocenter.testing.simulate.people import Person

SOP_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
    "DICOMDIR": "1.2.840.10008.1.3.10",
}
EXPLICIT, IMPLICIT = str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian)
_IMPLEMENTATION = "2.25.302011437203157401234951021783427123456"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The identity of one series: whose it is, its UIDs, and its place in the study."""

    archive: Archive
    person: Person
    modality: str
    number: int
    study_uid: str
    series_uid: str
    frame_uid: str
    description: str
    syntax: str = EXPLICIT
    has_age: bool = True

    def sop_uid(self, *purpose: str | int) -> str:
        """UID of one object of this series."""
        return self.archive.uid(self.series_uid, "object", *purpose)


def new_series(
    archive: Archive,
    person: Person,
    modality: str,
    number: int,
    description: str,
    *,
    frame_uid: str | None = None,
    syntax: str = EXPLICIT,
    has_age: bool = True,
) -> Series:
    """A series of the person's one study, in the study's frame of reference unless another is named.

    With `frame_uid=""` it has none.
    """
    return Series(
        archive=archive,
        person=person,
        modality=modality,
        number=number,
        study_uid=archive.uid("study", person.number),
        series_uid=archive.uid("series", person.number, number),
        frame_uid=archive.uid("frame", person.number) if frame_uid is None else frame_uid,
        description=description,
        syntax=syntax,
        has_age=has_age,
    )


def header(series: Series) -> Dataset:
    """Patient, study, series and equipment; every identifying value is recorded with the archive."""
    person, archive = series.person, series.archive
    archive.plant_person(person)
    out = Dataset()
    out.SpecificCharacterSet = "ISO_IR 192"
    out.SOPClassUID = SOP_CLASSES[series.modality]
    out.StudyDate = out.SeriesDate = out.AcquisitionDate = out.ContentDate = person.study_date
    out.StudyTime = out.SeriesTime = out.AcquisitionTime = out.ContentTime = person.study_time
    out.AccessionNumber = person.accession
    out.Modality = series.modality
    out.Manufacturer = person.device.manufacturer
    out.ManufacturerModelName = person.device.model
    out.ReferringPhysicianName = person.doctor
    out.PatientName = person.name
    out.PatientID = person.patient_id
    out.PatientBirthDate = person.birth_date
    out.PatientSex = person.sex
    out.PatientWeight = f"{person.weight_kg:.1f}"
    out.PatientSize = f"{person.size_m:.2f}"
    if series.has_age or not person.birth_date:
        out.PatientAge = f"{person.age:03d}Y"
    out.StudyInstanceUID = series.study_uid
    out.SeriesInstanceUID = series.series_uid
    out.StudyID = str(person.number)
    out.SeriesNumber = series.number
    if series.frame_uid:
        out.FrameOfReferenceUID = series.frame_uid
        out.PositionReferenceIndicator = ""
    out.StudyDescription, out.SeriesDescription = "Thorax", series.description
    if person.name:
        out.OtherPatientIDs = person.other_id
        out.InstitutionName = person.device.institution
        out.StudyDescription = f"Thorax {person.family}, follow-up"
        out.SeriesDescription = f"{series.description} {person.given}"
        archive.plant("accession", person.accession)
        archive.plant("doctor", person.doctor, *person.doctor.split("^"))
        archive.plant("institution", person.device.institution)
    else:
        out.PatientIdentityRemoved = "YES"
        out.DeidentificationMethod = "simulated"
    return out


def slices(
    series: Series,
    lattice: Lattice,
    stored: NDArray[Any],
    numbers: Sequence[int],
    *,
    shared: dict[str, Any],
    each: Sequence[dict[str, Any]] = (),
) -> list[Dataset]:
    """One data set per slice, in the order of k.

    Args:
        series: Whose slices.
        lattice: Where they are.
        stored: (K, J, I) int16 or uint16.
        numbers: Instance Number of each.
        shared: Attributes that all of them have.
        each: Attributes of each, where they differ.
    """
    base = header(series)
    k_step, j_step, i_step = lattice.spacing_mm
    rows, columns = lattice.shape[1:]
    pixel_module(base, rows, columns, is_signed=stored.dtype.kind == "i")
    base.PixelSpacing = [decimal(j_step), decimal(i_step)]
    base.SliceThickness = decimal(k_step)
    cosines = np.concatenate([lattice.steps[:, 0] / i_step, lattice.steps[:, 1] / j_step])
    base.ImageOrientationPatient = [decimal(c, 11) for c in cosines]
    base.AcquisitionNumber = 1
    for keyword, value in shared.items():
        setattr(base, keyword, value)
    out = []
    for k in range(lattice.shape[0]):
        one = duplicate(base)
        position = lattice.position(k)
        one.SOPInstanceUID = series.sop_uid(k)
        one.InstanceNumber = int(numbers[k])
        one.ImagePositionPatient = [decimal(p, 6) for p in position]
        one.SliceLocation = decimal(float(position @ lattice.normal), 4)
        for keyword, value in each[k].items() if each else ():
            setattr(one, keyword, value)
        one.PixelData = stored[k].astype(stored.dtype.newbyteorder("<")).tobytes()
        out.append(one)
    return out


def duplicate(dataset: Dataset) -> Dataset:
    """A data set with elements of its own: pydicom's copies share them."""
    out = Dataset()
    for element in dataset:
        out[element.tag] = copy.copy(element)
    return out


def save(dataset: Dataset, path: Path, syntax: str = EXPLICIT) -> Path:
    """Write a Part 10 file; nothing in it depends on when or where it is written."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = "SIMULATED_1"
    dataset.file_meta = meta
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, dataset, enforce_file_format=True)
    return path


def decimal(value: float, places: int = 5) -> str:
    """A number as Decimal String: at most 16 characters (PS3.5 section 6.2), no trailing zeros."""
    text = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def set_pixels(dataset: Dataset, pixels: NDArray[np.uint16], *, bits: int) -> None:
    """Make a data set an image of one frame (rows, columns)."""
    pixel_module(dataset, *pixels.shape, is_signed=False, bits=bits)
    dataset.PixelData = pixels.astype("<u2").tobytes()


def pixel_module(dataset: Dataset, rows: int, columns: int, *, is_signed: bool, bits: int = 16) -> None:
    """Image Pixel Module (PS3.3 C.7.6.3) of one grey value per pixel in 16 bits."""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, bits, bits - 1
    dataset.PixelRepresentation = int(is_signed)
