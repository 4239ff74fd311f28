"""A slice that cannot be read is missed by the series, or else the folder, that it was taken from."""

import os
from pathlib import Path

import pytest

from isocenter.model.issue import Issue
from isocenter.model.rows import FileRow, Stack
from tests.contracts.files import ct_bytes
from tests.unit.stages.index.test_stage import Place

LOST = "index/lost-slices"


@pytest.fixture
def archive(tmp_path):
    """Two series of three slices, in a folder each."""
    folder = tmp_path / "archive" / "north"
    for series in ("one", "two"):
        (folder / series).mkdir(parents=True)
        for k in range(3):
            path = folder / series / f"IM{k:04}.dcm"
            path.write_bytes(
                ct_bytes(
                    k,
                    SeriesInstanceUID=f"2.25.4{len(series)}{ord(series[0])}",
                    SOPInstanceUID=f"2.25.5{k}{ord(series[0])}",
                )
            )
            os.utime(path, ns=(10**18, 10**18))
    return folder


@pytest.fixture
def place(tmp_path, archive):
    return Place(tmp_path / "work", archive)


def _missed(place):
    """Folder of each stack that may lack slices, and how many files it may lack."""
    files = {r.file_id: r.path for r in place.rows("files", FileRow)}
    folders = {s.id: Path(files[s.files[0]]).parts[0] for s in place.rows("stacks", Stack)}
    assert sorted(folders.values()) == ["one", "two"]
    return {folders[i.target]: i.measured for i in place.rows("issues", Issue) if i.rule == LOST}


def test_an_archive_that_is_whole_lacks_nothing(place):
    place.run()
    assert _missed(place) == {}


@pytest.mark.parametrize("number", [0, 2])
def test_a_cut_slice_is_missed_by_its_series_wherever_it_lies(place, archive, number):
    data = (archive / f"one/IM{number:04}.dcm").read_bytes()
    (archive / f"one/IM{number:04}.dcm").unlink()
    (archive / "two" / "stray").write_bytes(data[:-40])
    place.run()
    assert _missed(place) == {"one": "1 files"}


def test_it_is_missed_still_when_it_is_not_read_again(place, archive):
    path = archive / "one/IM0002.dcm"
    path.write_bytes(path.read_bytes()[:-40])
    place.run()
    os.utime(archive / "two/IM0000.dcm", ns=(5, 5))
    assert place.run()["scanned"] == 1
    assert _missed(place) == {"one": "1 files"}


def test_a_slice_cut_within_its_header_is_missed_by_its_folder(place, archive):
    path = archive / "one/IM0002.dcm"
    path.rename(path.with_name("anything"))
    path = path.with_name("anything")
    path.write_bytes(path.read_bytes()[:400])
    place.run()
    assert {r.path: r.kind for r in place.rows("files", FileRow)}["one/anything"] == "dicom-unreadable"
    assert _missed(place) == {"one": "1 files"}


@pytest.mark.parametrize("content", [b"", bytes(5000)])
@pytest.mark.parametrize(
    ("name", "is_missed"),
    [("one/IM0003.dcm", True), ("one/x.DCM", True), ("one/list.txt", False), ("IM0003.dcm", False)],
)
def test_what_is_no_dicom_any_more_is_missed_where_it_is_named_so(place, archive, content, name, is_missed):
    (archive / name).write_bytes(content)
    place.run()
    assert _missed(place) == ({"one": "1 files"} if is_missed else {})


@pytest.mark.parametrize(("name", "is_missed"), [("IM_9.77", True), ("README", False)])
def test_without_an_extension_the_name_must_be_alike_but_for_its_numbers(place, archive, name, is_missed):
    for path in list((archive / "one").iterdir()):
        path.rename(path.with_name(path.stem.replace("IM", "IM_")))
    (archive / "one" / name).write_bytes(b"")
    place.run()
    assert _missed(place) == ({"one": "1 files"} if is_missed else {})


def test_a_text_is_no_slice_whatever_it_is_called(place, archive):
    (archive / "one/notes.dcm").write_bytes(b"Please use the second series.\n")
    place.run()
    assert _missed(place) == {}


def test_a_broken_copy_of_a_slice_that_is_there_is_no_loss(place, archive):
    (archive / "one/copy.dcm").write_bytes((archive / "one/IM0001.dcm").read_bytes()[:-40])
    place.run()
    assert _missed(place) == {}
    assert "index/conflicting-object" not in {i.rule for i in place.rows("issues", Issue)}
    assert {len(s.files) for s in place.rows("stacks", Stack)} == {3}


def test_radiographs_are_no_slices_of_each_other(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "IM0.dcm").write_bytes(ct_bytes(Modality="DX", SOPClassUID="1.2.840.10008.5.1.4.1.1.1.1"))
    (folder / "IM1.dcm").write_bytes(b"")
    place = Place(tmp_path / "work", folder)
    place.run()
    assert len(place.rows("stacks", Stack)) == 1
    assert LOST not in {i.rule for i in place.rows("issues", Issue)}
