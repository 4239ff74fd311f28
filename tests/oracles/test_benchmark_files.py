"""The archive that the benchmark simulates is what it claims to be, as pydicom reads it."""

from collections import Counter
from itertools import pairwise

import pydicom
import pytest

from benchmarks.index import make


@pytest.fixture(scope="module")
def headers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive") / "simulated"
    make.make(folder, 450)
    paths = sorted(folder.rglob("*.dcm"))
    return {path: pydicom.dcmread(path) for path in paths}


def test_there_are_as_many_objects_as_were_asked_for(headers):
    assert len({h.SOPInstanceUID for h in headers.values()}) == len(headers) == 450
    assert all(h.file_meta.MediaStorageSOPInstanceUID == h.SOPInstanceUID for h in headers.values())


def test_a_folder_is_a_series_and_three_series_are_a_patient(headers):
    folders = {(path.parent, h.SeriesInstanceUID) for path, h in headers.items()}
    assert len(folders) == len({h.SeriesInstanceUID for h in headers.values()}) == 4
    assert Counter(h.PatientID for h in headers.values()) == {"P000000000": 411, "P000000001": 39}
    assert {
        (h.PatientID, str(h.PatientName), h.StudyInstanceUID, h.AccessionNumber) for h in headers.values()
    } == {
        ("P000000000", "F0000000^G000000", make.uid(1, 0), "A000000000"),
        ("P000000001", "F0000001^G000001", make.uid(1, 1), "A000000001"),
    }


def test_slices_lie_one_behind_the_other(headers):
    series = [h for path, h in headers.items() if path.parent.name == "S1"]
    assert [h.InstanceNumber for h in series] == list(range(1, len(series) + 1))
    heights = [float(h.ImagePositionPatient[2]) for h in series]
    assert {round(b - a, 6) for a, b in pairwise(heights)} == {1.25}
    assert heights == [float(h.SliceLocation) for h in series]


def test_headers_are_as_long_and_as_varied_as_those_of_scanners(headers):
    sizes = {path.stat().st_size - len(h.PixelData) for path, h in headers.items()}
    assert min(sizes) > 3000
    assert 5500 < max(sizes) < 8192
    assert all(len(h) > 110 for h in headers.values())
    assert len({h.file_meta.TransferSyntaxUID for h in headers.values()}) == 2


def test_a_full_disk_is_not_made_fuller(tmp_path):
    with pytest.raises(SystemExit, match="are free"):
        make.make(tmp_path / "archive", 10**12)
    assert list(tmp_path.iterdir()) == []
