"""Makes a simulated CT archive of any size quickly: few headers are built, and each file is a patched copy.

Usage: python -m benchmarks.index.make FOLDER [--files 100000] [--matrix 32]

Every series takes one of three headers in turn, each as a scanner and a picture archive write them: about 110
elements, a private block, sequences, 4 to 6 KB. Of a header, what differs between patients, series and slices
is kept at a fixed width, so that a file costs a few copies of bytes and one write. There are 100 to 200 slices
in a series, one folder each, and 3 series of one patient.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

SERIES_OF_A_PATIENT = 3
SPARE_BYTES, SPARE_FILES = 2 << 30, 10_000
_BLOCK = 4096
_SERIES_FIELDS = ("patient", "name", "study", "series", "frame", "accession")
_SLICE_FIELDS = ("object", "number", "position", "location", "time")
# A text of the right width for each field; none is part of another.
_MARKS = {
    "patient": "PATIENT#ID",
    "name": "FAMILY##^GIVEN##",
    "study": "9.25." + "1" * 39,
    "series": "9.25." + "2" * 39,
    "frame": "9.25." + "3" * 39,
    "object": "9.25." + "4" * 39,
    "accession": "ACCESSION#",
    "number": "765432",
    "position": "-181.123\\-182.456\\+5555.55",
    "location": "+6666.66",
    "time": "235959.123456 ",
}


@dataclass(frozen=True, slots=True)
class Template:
    """The bytes of a file, and where in them each field is."""

    content: bytes
    places: dict[str, tuple[int, ...]]


def main() -> None:
    """Make the archive that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--matrix", type=int, default=32)
    chosen = parser.parse_args()
    start = time.monotonic()
    make(chosen.folder, chosen.files, chosen.matrix)
    print(f"{chosen.files} files in {time.monotonic() - start:.0f} s")


def make(folder: Path, files: int, matrix: int = 32) -> None:
    """Write `files` slices of `matrix` by `matrix` pixels below a new folder."""
    templates = [template(*kind, matrix) for kind in _HEADERS]
    size = max(len(t.content) for t in templates)
    check_room(folder.parent, files, size)
    folder.mkdir()
    for series, count in enumerate(slices_of_series(files)):
        _write_series(folder, series, count, templates[series % len(templates)])


def slices_of_series(files: int) -> Iterator[int]:
    """How many slices each series has, 100 to 200, and what is left in the last."""
    series = 0
    while files > 0:
        count = min(files, 100 + series * 37 % 101)
        yield count
        files -= count
        series += 1


def check_room(folder: Path, files: int, size: int) -> None:
    """Stop before a disk is filled."""
    folders = files // 100 + files // 300 + 2
    needed = files * -(-size // _BLOCK) * _BLOCK + folders * 4 * _BLOCK
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise SystemExit(f"{files} files need {needed / 1e9:.1f} GB; {free / 1e9:.1f} GB are free")
    entries = os.statvfs(folder)
    if entries.f_files and entries.f_favail < files + folders + SPARE_FILES:
        raise SystemExit(f"{files} files need as many inodes; {entries.f_favail} are free")


def _write_series(folder: Path, series: int, count: int, made: Template) -> None:
    patient = series // SERIES_OF_A_PATIENT
    place = folder / f"P{patient:06d}" / f"S{series % SERIES_OF_A_PATIENT}"
    place.mkdir(parents=True)
    content = bytearray(made.content)
    values = {
        "patient": f"P{patient:09d}",
        "name": f"F{patient:07d}^G{patient % 1_000_000:06d}",
        "study": uid(1, patient),
        "series": uid(2, series),
        "frame": uid(3, patient),
        "accession": f"A{patient:09d}",
    }
    for field in _SERIES_FIELDS:
        _patch(content, made.places[field], values[field].encode())
    wheres = [made.places[field] for field in _SLICE_FIELDS]
    start = f"{place}/I"
    for k in range(count):
        location = f"{-300 + 1.25 * k:+08.2f}"
        seconds = k * 250_000 + series % 1000
        texts = (
            uid(4, series * 1000 + k),
            f"{k + 1:06d}",
            f"-181.123\\-182.456\\{location}",
            location,
            f"1012{seconds // 1_000_000 % 60:02d}.{seconds % 1_000_000:06d} ",
        )
        for where, text in zip(wheres, texts, strict=True):
            _patch(content, where, text.encode())
        handle = os.open(f"{start}{k:05d}.dcm", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(handle, content)
        os.close(handle)


def uid(kind: int, number: int) -> str:
    """The UID of one patient, study, series, frame of reference or object; always of one width."""
    return f"2.25.{10**38 + kind * 10**30 + number}"


def _patch(content: bytearray, places: tuple[int, ...], value: bytes) -> None:
    for place in places:
        content[place : place + len(value)] = value


def template(syntax: str, private_bytes: int, has_undefined_lengths: bool, matrix: int) -> Template:
    """One of the headers, with the pixels behind it."""
    dataset = _header(matrix)
    _add_sequences(dataset, has_undefined_lengths)
    _add_private(dataset, private_bytes)
    dataset.PixelData = _filler(matrix * matrix * 2)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.ImplementationVersionName = "SIMULATED_1"
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    content = file.getvalue()
    return Template(content, {field: _places(content, mark) for field, mark in _MARKS.items()})


def _filler(count: int) -> bytes:
    """Bytes that are always the same and look like nothing."""
    return hashlib.shake_128(b"filler").digest(count)


def _places(content: bytes, mark: str) -> tuple[int, ...]:
    found, place = [], content.find(mark.encode())
    while place >= 0:
        found.append(place)
        place = content.find(mark.encode(), place + 1)
    if not found:
        raise AssertionError(f"{mark} is not in the header")
    return tuple(found)


def _header(matrix: int) -> Dataset:
    out = Dataset()
    for keyword, value in _VALUES.items():
        setattr(out, keyword, value)
    out.Rows = out.Columns = matrix
    out.PixelSpacing = [str(320 / matrix)] * 2
    # Written as they stand, so that each keeps its width.
    out.add_new("ImagePositionPatient", "DS", _MARKS["position"].split("\\"))
    return out


def _add_sequences(dataset: Dataset, has_undefined_lengths: bool) -> None:
    def code(value: str, meaning: str) -> Dataset:
        out = Dataset()
        out.CodeValue, out.CodingSchemeDesignator, out.CodeMeaning = value, "99SIM", meaning
        return out

    def reference(sop_class: str, number: int) -> Dataset:
        out = Dataset()
        out.ReferencedSOPClassUID, out.ReferencedSOPInstanceUID = sop_class, uid(5, number)
        return out

    request = Dataset()
    request.RequestedProcedureID = request.ScheduledProcedureStepID = "R0000001"
    request.RequestedProcedureDescription = request.ScheduledProcedureStepDescription = "CT thorax"
    request.ScheduledProtocolCodeSequence = [code("CTTHX", "CT thorax")]
    dataset.ProcedureCodeSequence = [code("CTTHX", "CT thorax")]
    dataset.ReferencedStudySequence = [reference("1.2.840.10008.3.1.2.3.1", 1)]
    dataset.ReferencedImageSequence = [reference("1.2.840.10008.5.1.4.1.1.2", n) for n in range(2, 5)]
    dataset.RequestAttributesSequence = [request]
    if has_undefined_lengths:
        for keyword in ("ProcedureCodeSequence", "ReferencedImageSequence", "RequestAttributesSequence"):
            dataset[keyword].is_undefined_length = True
            for item in dataset[keyword].value:
                item.is_undefined_length_sequence_item = True


def _add_private(dataset: Dataset, count: int) -> None:
    """A block of a maker's own: many short values, and a binary one for what is left of `count` bytes."""
    block = dataset.private_block(0x0029, "SIMULATED HEADER 1", create=True)
    for number in range(16):
        block.add_new(0x10 + number, "DS", f"{number * 1.25:.4f}")
        block.add_new(0x30 + number, "LO", f"reconstruction {number}")
    block.add_new(0x60, "OB", _filler(count))


_VALUES = {
    "SpecificCharacterSet": "ISO_IR 100",
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"],
    "InstanceCreationDate": "20240131",
    "InstanceCreationTime": "101500.000000",
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
    "SOPInstanceUID": _MARKS["object"],
    "StudyDate": "20240131",
    "SeriesDate": "20240131",
    "AcquisitionDate": "20240131",
    "ContentDate": "20240131",
    "StudyTime": "100959.203000",
    "SeriesTime": "101153.890000",
    "AcquisitionTime": _MARKS["time"],
    "ContentTime": _MARKS["time"],
    "AccessionNumber": _MARKS["accession"],
    "Modality": "CT",
    "Manufacturer": "SIMULATED",
    "InstitutionName": "University Hospital of Nowhere",
    "InstitutionAddress": "Long Street 1, Nowhere, District, 12345",
    "ReferringPhysicianName": "DOCTOR^REFERRING^^DR.",
    "StationName": "CT00001",
    "StudyDescription": "Thorax^01_Thorax_routine (Adult)",
    "SeriesDescription": "Thorax 1.25 B31f",
    "InstitutionalDepartmentName": "Department of Radiology",
    "PhysiciansOfRecord": "DOCTOR^RECORD",
    "PerformingPhysicianName": "DOCTOR^PERFORMING",
    "OperatorsName": "OPERATOR^ONE",
    "ManufacturerModelName": "Model 64",
    "IrradiationEventUID": f"2.25.{10**38 + 7}",
    "PatientName": _MARKS["name"],
    "PatientID": _MARKS["patient"],
    "PatientBirthDate": "19600229",
    "PatientSex": "F",
    "PatientAge": "063Y",
    "PatientSize": "1.71",
    "PatientWeight": "70.5",
    "AdditionalPatientHistory": "Follow-up of a nodule in the right upper lobe",
    "ContrastBolusAgent": "Contrast 350",
    "BodyPartExamined": "CHEST",
    "ScanOptions": "HELICAL MODE",
    "SliceThickness": "1.25",
    "KVP": "120",
    "DataCollectionDiameter": "500",
    "DeviceSerialNumber": "65432",
    "SoftwareVersions": "simulated CT 2012B",
    "ProtocolName": "01_Thorax_routine",
    "ContrastBolusRoute": "IV",
    "ContrastBolusVolume": "90",
    "ReconstructionDiameter": "320",
    "DistanceSourceToDetector": "1040",
    "DistanceSourceToPatient": "570",
    "GantryDetectorTilt": "0",
    "TableHeight": "151.5",
    "RotationDirection": "CW",
    "ExposureTime": "500",
    "XRayTubeCurrent": "211",
    "Exposure": "105",
    "FilterType": "WEDGE_3",
    "GeneratorPower": "25",
    "FocalSpots": "1.2",
    "DateOfLastCalibration": "20240131",
    "TimeOfLastCalibration": "065412.000000",
    "ConvolutionKernel": "B31f",
    "PatientPosition": "HFS",
    "RevolutionTime": 0.5,
    "SingleCollimationWidth": 0.6,
    "TotalCollimationWidth": 38.4,
    "TableSpeed": 76.8,
    "SpiralPitchFactor": 1.0,
    "ExposureModulationType": "XYZ_EC",
    "EstimatedDoseSaving": 12.5,
    "CTDIvol": 7.13,
    "StudyInstanceUID": _MARKS["study"],
    "SeriesInstanceUID": _MARKS["series"],
    "StudyID": "1",
    "SeriesNumber": "4",
    "AcquisitionNumber": "3",
    "InstanceNumber": _MARKS["number"],
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
    "FrameOfReferenceUID": _MARKS["frame"],
    "PositionReferenceIndicator": "",
    "SliceLocation": _MARKS["location"],
    "ImageComments": "simulated",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "SmallestImagePixelValue": 0,
    "LargestImagePixelValue": 4095,
    "WindowCenter": ["40", "-600"],
    "WindowWidth": ["400", "1200"],
    "RescaleIntercept": "-1024",
    "RescaleSlope": "1",
    "RescaleType": "HU",
    "WindowCenterWidthExplanation": ["MEDIASTINUM", "LUNG"],
    "PerformedProcedureStepStartDate": "20240131",
    "PerformedProcedureStepStartTime": "100959.203000",
    "PerformedProcedureStepID": "PPS0000001",
    "PerformedProcedureStepDescription": "CT thorax",
}

# Transfer syntax, bytes of the private block, whether sequences are of undefined length.
_HEADERS = (
    (str(ExplicitVRLittleEndian), 256, False),
    (str(ExplicitVRLittleEndian), 2600, True),
    (str(ImplicitVRLittleEndian), 1200, False),
)

if __name__ == "__main__":
    main()
