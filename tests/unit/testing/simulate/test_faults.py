"""Each planted fault is really there, and only where the truth says."""

from __future__ import annotations

import gzip
import hashlib
import stat
import zlib
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.errors import InvalidDicomError

from isocenter.testing.simulate import Expected, simulate

NAMES = {
    "device-unknown": Expected.REVIEW,
    "dicomdir": Expected.IGNORE,
    "file-empty": Expected.REJECT,
    "file-folder-record": Expected.IGNORE,
    "file-pdf": Expected.IGNORE,
    "file-text": Expected.IGNORE,
    "file-truncated": Expected.REJECT,
    "gantry-tilt": Expected.NOTE,
    "label-unknown": Expected.NOTE,
    "localizer-in-series": Expected.REJECT,
    "mask-axis-order": Expected.NOTE,
    "mask-empty": Expected.REVIEW,
    "mask-on-other-grid": Expected.REJECT,
    "modality-missing": Expected.REJECT,
    "mr-slices-far-apart": Expected.REJECT,
    "nifti-truncated": Expected.REJECT,
    "nifti-without-orientation": Expected.REVIEW,
    "padding-below-air": Expected.NOTE,
    "patient-id-dummy": Expected.REJECT,
    "patient-id-in-two-sites": Expected.NOTE,
    "patient-id-missing": Expected.REJECT,
    "qform-sform-conflict": Expected.REVIEW,
    "readers-disagree": Expected.REVIEW,
    "rescale-missing-on-one-slice": Expected.REJECT,
    "rescale-type-not-hu": Expected.REJECT,
    "rtstruct-of-nothing": Expected.NOTE,
    "secondary-capture": Expected.REJECT,
    "slice-missing": Expected.REJECT,
    "slice-twice": Expected.NOTE,
    "uid-conflict": Expected.REJECT,
}


@pytest.fixture
def planted(archive):
    """Files of one fault, and its case where it has one."""
    root, truth = archive

    def find(name: str):
        fault = next(f for f in truth.faults if f.name == name)
        case = next((c for c in truth.cases if name in c.faults), None)
        return [root / path for path in fault.paths], case

    return find


def headers(paths: list[Path]) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in paths]


def test_every_fault_is_recorded_with_its_outcome(archive):
    root, truth = archive
    assert {f.name: f.expected for f in truth.faults} == NAMES
    for fault in truth.faults:
        assert fault.paths
        assert fault.why.endswith(".")
        assert all((root / path).is_file() for path in fault.paths)
    of_cases = {f.name for f in truth.faults if f.scope == "case"}
    for case in truth.cases:
        assert bool(case.faults) == (case.expected != Expected.KEEP) or set(case.faults).isdisjoint(of_cases)


def test_good_series_have_no_fault(archive):
    root, truth = archive
    uids = Counter()
    for case in truth.cases:
        if case.format != "dicom" or case.faults:
            continue
        slices = headers([root / path for path in case.paths])
        uids.update(str(s.SOPInstanceUID) for s in slices)
        if case.modality == "DX":
            continue
        z = [np.array(s.ImagePositionPatient, float) for s in slices]
        steps = np.linalg.norm(np.diff(z, axis=0), axis=1)
        assert np.ptp(steps) < 1e-4
        assert len(slices) == case.shape[0]
        assert {s.Modality for s in slices} == {case.modality}
    assert set(uids.values()) == {1}


def test_slice_missing(planted):
    paths, case = planted("slice-missing")
    z = [float(h.ImagePositionPatient[2]) for h in headers(paths)]
    assert sorted(np.round(np.diff(z), 3))[-2:] == [5.0, 10.0]
    assert len(paths) == case.shape[0] - 1


def test_missing_attributes(planted):
    for name, keyword in (("modality-missing", "Modality"), ("device-unknown", "ManufacturerModelName")):
        assert all(keyword not in h for h in headers(planted(name)[0]))
    assert {h.PatientID for h in headers(planted("patient-id-missing")[0])} == {""}
    assert {h.PatientID for h in headers(planted("patient-id-dummy")[0])} == {"ANONYMOUS"}
    rescaled = ["RescaleSlope" in h for h in headers(planted("rescale-missing-on-one-slice")[0])]
    assert rescaled.count(False) == 1
    assert {h.RescaleType for h in headers(planted("rescale-type-not-hu")[0])} == {"MGML"}


def test_padding_would_be_minus_3024(planted):
    paths, case = planted("padding-below-air")
    stored = np.stack([pydicom.dcmread(path).pixel_array for path in paths])
    header = headers(paths)[0]
    assert (header.PixelPaddingValue, header.RescaleIntercept) == (-2000, -1024)
    assert np.count_nonzero(stored == -2000) == case.padding_voxels > 0


def test_repeated_objects(planted):
    paths, _ = planted("uid-conflict")
    by_uid: dict[str, set[bytes]] = {}
    for path in paths:
        one = pydicom.dcmread(path)
        by_uid.setdefault(str(one.SOPInstanceUID), set()).add(one.PixelData)
    assert sorted(len(pixels) for pixels in by_uid.values())[-2:] == [1, 2]
    (copy,), case = planted("slice-twice")
    folder = {hashlib.sha256(p.read_bytes()).digest() for p in copy.parent.iterdir()}
    assert len(folder) == case.shape[0] == len(list(copy.parent.iterdir())) - 1


def test_localizer_shares_the_series_but_not_the_orientation(planted):
    (path,), case = planted("localizer-in-series")
    scout = pydicom.dcmread(path)
    assert scout.ImageType[2] == "LOCALIZER"
    assert scout.SeriesInstanceUID == case.series_uid
    assert scout.ImageOrientationPatient[5] == -1
    assert scout.SOPInstanceUID not in {
        h.SOPInstanceUID for h in headers(list(path.parent.glob("IM00[0-9][1-9]*")))
    }


def test_broken_and_foreign_files(planted):
    (path,), _ = planted("file-truncated")
    one = pydicom.dcmread(path)
    assert len(one.PixelData) < one.Rows * one.Columns * 2
    assert planted("file-empty")[0][0].read_bytes() == b""
    for name in ("file-text", "file-pdf", "file-folder-record"):
        with pytest.raises(InvalidDicomError):
            pydicom.dcmread(planted(name)[0][0])
    assert (
        pydicom.dcmread(planted("dicomdir")[0][0]).file_meta.MediaStorageSOPClassUID == "1.2.840.10008.1.3.10"
    )
    capture = pydicom.dcmread(planted("secondary-capture")[0][0])
    assert capture.BurnedInAnnotation == "YES"
    assert capture.pixel_array.max() > 0


def test_orphan_refers_to_nothing(archive, planted):
    _, truth = archive
    (path,), _ = planted("rtstruct-of-nothing")
    orphan = pydicom.dcmread(path)
    frame = orphan.ReferencedFrameOfReferenceSequence[0]
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID not in {c.series_uid for c in truth.cases}


def test_shared_id_is_two_people(archive):
    root, truth = archive
    cases = [c for c in truth.cases if "patient-id-in-two-sites" in c.faults]
    assert len({c.subject for c in cases}) == 1
    assert len({c.site for c in cases}) == 2
    assert len({str(headers([root / c.paths[0]])[0].PatientBirthDate) for c in cases}) == 2


def test_nifti_faults(archive, planted):
    root, _ = archive

    def image_of(name: str) -> nibabel.Nifti1Image:
        return nibabel.load(root / planted(name)[1].paths[0])

    lost = image_of("nifti-without-orientation").header
    assert (lost["qform_code"], lost["sform_code"]) == (0, 0)
    torn = image_of("qform-sform-conflict").header
    assert np.linalg.norm(torn.get_qform()[:3, 3] - torn.get_sform()[:3, 3]) == pytest.approx(6, abs=1e-3)
    with pytest.raises((EOFError, zlib.error)):
        gzip.decompress((root / planted("nifti-truncated")[1].paths[0]).read_bytes())
    short = planted("mask-on-other-grid")[1]
    assert nibabel.load(root / short.marks[0].path).shape[2] == short.shape[0] - 1
    empty = planted("mask-empty")[1]
    assert not np.asarray(nibabel.load(root / empty.marks[-1].path).dataobj).any()
    turned = planted("mask-axis-order")[1]
    mask = nibabel.load(root / turned.marks[0].path)
    assert mask.shape != nibabel.load(root / turned.paths[0]).shape
    assert nibabel.as_closest_canonical(mask).shape == turned.canonical_shape[::-1]


def test_special_files_only_when_asked(tmp_path):
    truth = simulate(
        tmp_path / "a", patients=1, sites=1, matrix=40, slices=8, kinds=("ct-rtstruct",), special_files=True
    )
    by_name = {f.name: tmp_path / "a" / f.paths[0] for f in truth.faults}
    assert by_name["symlink"].is_symlink()
    assert pydicom.dcmread(by_name["symlink"]).Modality == "CT"
    assert stat.S_ISFIFO(by_name["pipe"].stat().st_mode)


def test_no_faults_when_not_asked(tmp_path):
    truth = simulate(tmp_path / "a", patients=3, matrix=40, slices=8, faults=False)
    assert {f.name for f in truth.faults} <= {"label-unknown"}
    assert {c.expected for c in truth.cases} == {Expected.KEEP}
