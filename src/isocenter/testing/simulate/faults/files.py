"""Faults of single files: cut, empty, copied, foreign, or of a kind that is no image of anybody."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from isocenter.testing.simulate import ct, dicom
from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.ct import Patient, Protocol
from isocenter.testing.simulate.kinds import ct_rtstruct
from isocenter.testing.simulate.lattice import CORONAL
from isocenter.testing.simulate.marking import Region, first_reader
from isocenter.testing.simulate.rtstruct import write_rtstruct
from isocenter.testing.simulate.truth import Expected, PlantedFault, TrueSite

_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_STORE = b"\x00\x00\x00\x01Bud1" + bytes(24)


def plant_all(archive: Archive, site: TrueSite, bystander: Patient) -> None:
    """Plant the faults of files at a centre with structure sets; `bystander` gets harmless extra files."""
    _cut_slice(archive, site)
    _copy_slice(archive, site)
    _add_localizer(archive, site)
    _add_foreign(archive, site, bystander)
    _add_orphan(archive, bystander)
    _add_capture(archive, bystander)
    if archive.has_special_files:
        _add_special(archive, site, bystander)


def _record(
    archive: Archive, name: str, patient: Patient | TrueSite, paths: list[Path], scope: str,
    expected: Expected, why: str,
) -> None:  # fmt: skip
    site, subject = (
        (patient.case.site, patient.case.subject) if isinstance(patient, Patient) else (patient.name, "")
    )
    archive.faults.append(
        PlantedFault(
            name=name,
            site=site,
            subject=subject,
            paths=archive.relative(paths),
            scope=scope,
            expected=expected,
            why=why,
        )
    )


def _patient(archive: Archive, site: TrueSite, fault: str, expected: Expected) -> Patient:
    patient = ct_rtstruct.write_patient(archive, site, Protocol(), faults=(fault,), expected=expected)
    archive.cases.append(patient.case)
    return patient


def _cut_slice(archive: Archive, site: TrueSite) -> None:
    patient = _patient(archive, site, "file-truncated", Expected.REJECT)
    path = patient.images[len(patient.images) // 2]
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    _record(archive, "file-truncated", patient, [path], "case", Expected.REJECT,
            "One slice ends in the middle of its pixels, so the stack lacks it.")  # fmt: skip


def _copy_slice(archive: Archive, site: TrueSite) -> None:
    patient = _patient(archive, site, "slice-twice", Expected.NOTE)
    path = patient.images[1]
    copy = path.with_name(f"copy_of_{path.name}")
    shutil.copyfile(path, copy)
    _record(archive, "slice-twice", patient, [copy], "file", Expected.NOTE,
            "An identical copy of a slice under another name; one of the two is used.")  # fmt: skip


def _add_localizer(archive: Archive, site: TrueSite) -> None:
    """A scout image across the slices, under the series' own UID (PS3.3 C.8.2.1.1.1)."""
    patient = _patient(archive, site, "localizer-in-series", Expected.NOTE)
    assert patient.series is not None
    protocol = Protocol(axes=CORONAL)
    scout = ct.acquire(archive, patient.person, protocol, lesions=1, count=1)
    one = ct.slices(patient.series, scout, protocol)[0]
    one.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    one.SOPInstanceUID = patient.series.sop_uid("localizer")
    one.InstanceNumber = 0
    path = dicom.save(one, patient.images[0].with_name("IM0000.dcm"))
    _record(archive, "localizer-in-series", patient, [path], "file", Expected.REJECT,
            "A localizer shares the series' UID; without it the stack is whole.")  # fmt: skip


def _add_foreign(archive: Archive, site: TrueSite, bystander: Patient) -> None:
    """Things that lie about in every archive."""
    folder = archive.path(site.folder, "export", "x").parent
    content = {
        "file-empty": ("IM0000.dcm", b"", Expected.REJECT, "No bytes at all."),
        "file-text": ("notes.dcm", b"Please use the second series.\n", Expected.IGNORE, "A text named .dcm."),
        "file-pdf": ("report.pdf", _PDF, Expected.IGNORE, "A document."),
        "file-folder-record": (".DS_Store", _STORE, Expected.IGNORE, "What a desktop leaves in folders."),
    }
    for name, (file_name, data, expected, why) in content.items():
        (folder / file_name).write_bytes(data)
        _record(archive, name, site, [folder / file_name], "file", expected, why)
    directory = Dataset()
    directory.SOPClassUID = dicom.SOP_CLASSES["DICOMDIR"]
    directory.SOPInstanceUID = archive.uid("dicomdir", site.name)
    directory.FileSetID = "EXPORT"
    directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    directory.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    directory.FileSetConsistencyFlag = 0
    record = Dataset()
    record.OffsetOfTheNextDirectoryRecord = 0
    record.RecordInUseFlag = 0xFFFF
    record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    record.DirectoryRecordType = "PATIENT"
    record.PatientName, record.PatientID = bystander.person.name, bystander.person.patient_id
    directory.DirectoryRecordSequence = [record]
    path = dicom.save(directory, folder / "DICOMDIR")
    _record(archive, "dicomdir", site, [path], "file", Expected.IGNORE, "A directory of a disc, no image.")


def _add_orphan(archive: Archive, bystander: Patient) -> None:
    """A structure set whose image is not in the archive."""
    series = dicom.new_series(
        archive, bystander.person, "RTSTRUCT", 70, "Contours", has_age=False,
        frame_uid=archive.uid("frame-elsewhere", bystander.person.number),
    )  # fmt: skip
    regions = [("GTV_1", region) for region in _drawn(bystander)]
    elsewhere = archive.uid("series-elsewhere", bystander.person.number)
    sop_uids = [archive.uid(elsewhere, k) for k in range(bystander.scan.lattice.shape[0])]
    path = archive.path(bystander.case.paths[0]).parent.parent / "old" / "RS.old.dcm"
    write_rtstruct(series, path, regions, sop_uids, image_series_uid=elsewhere, reader=0)
    _record(archive, "rtstruct-of-nothing", bystander, [path], "annotation", Expected.NOTE,
            "Every object that this structure set refers to is absent.")  # fmt: skip


def _add_capture(archive: Archive, bystander: Patient) -> None:
    """A screen shot with text-like strokes burned into it."""
    series = dicom.new_series(archive, bystander.person, "SC", 90, "Screenshot", frame_uid="", has_age=False)
    one = dicom.header(series)
    one.Modality = "OT"
    one.SOPInstanceUID = series.sop_uid(0)
    one.InstanceNumber = 1
    one.ConversionType = "WSD"
    one.ImageType = ["DERIVED", "SECONDARY"]
    one.BurnedInAnnotation = "YES"
    pixels = np.zeros((archive.matrix, archive.matrix), np.uint16)
    strokes = archive.stream("strokes").random((5, archive.matrix // 2)) < 0.5
    pixels[3:8, 3 : 3 + strokes.shape[1]] = strokes * 4000
    dicom.set_pixels(one, pixels, bits=12)
    path = dicom.save(one, bystander.folder / "SC" / "capture.dcm")
    _record(archive, "secondary-capture", bystander, [path], "file", Expected.REJECT,
            "A screen shot with burned-in annotation is no source image.")  # fmt: skip


def _add_special(archive: Archive, site: TrueSite, bystander: Patient) -> None:
    """A symbolic link and a pipe: reading the one twice and the other for ever are both wrong."""
    folder = archive.path(site.folder, "export", "x").parent
    link, pipe = folder / "link.dcm", folder / "pipe.dcm"
    link.symlink_to(os.path.relpath(bystander.images[0], folder))
    os.mkfifo(pipe)
    _record(archive, "symlink", site, [link], "file", Expected.IGNORE, "A link to a file of the archive.")
    _record(archive, "pipe", site, [pipe], "file", Expected.IGNORE, "A pipe that nobody writes to.")


def _drawn(patient: Patient) -> list[Region]:
    """The first reader's lesions once more."""
    regions = first_reader(patient.scan.anatomy, patient.scan.lattice)
    return [region for region in regions if region.label == "lesion"]
