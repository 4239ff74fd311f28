"""Batches: archives in place, digests, and what a worker could not do."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from isocenter.base import tables
from isocenter.base.progress import silent
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import EXECUTORS
from isocenter.model.issue import Issue
from isocenter.model.rows import FileRow, Instance
from isocenter.stages.index.options import Content, IndexOptions, ReadingOptions, Source
from isocenter.stages.index.stage import index
from tests.contracts.files import ct_bytes, nifti_bytes, stored


@pytest.fixture
def scans(tmp_path):
    folder = tmp_path / "scans"
    (folder / "a").mkdir(parents=True)
    for n in range(3):
        (folder / "a" / f"{n}").write_bytes(
            ct_bytes(InstanceNumber=n + 1, SOPInstanceUID=f"1.2.3.{n}", ImagePositionPatient=[0, 0, 2.5 * n])
        )
    (folder / "ct.nii").write_bytes(nifti_bytes(stored()))
    (folder / "note.txt").write_text("hello\n")
    return folder


def zipped(scans: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for file in sorted(scans.rglob("*")):
            out.write(file, file.relative_to(scans))


def tarred(scans: Path, path: Path) -> None:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as out:
        out.add(scans, ".")


def indexed(folder: Path, work: Path, content=Content.UIDS):
    options = IndexOptions(sources=(Source(path=str(folder)),), reading=ReadingOptions(content=content))
    workspace = Workspace(work)
    serial = EXECUTORS.get("serial")
    counts = index(options, workspace, base=Path("/"), executor=serial, jobs=1, progress=silent)
    rows = {n: list(tables.read(workspace.table("index", n), t)) for n, t in _TYPES.items()}
    return counts, {r.path: r for r in rows["files"]}, rows["instances"], rows["issues"]


_TYPES = {"files": FileRow, "instances": Instance, "issues": Issue}


@pytest.mark.parametrize(("make", "name"), [(zipped, "s.zip"), (tarred, "s.tar"), (tarred, "s.tar.gz")])
def test_an_archive_holds_what_the_folder_held(tmp_path, scans, make, name):
    (tmp_path / "packed").mkdir()
    make(scans, tmp_path / "packed" / name)
    _, plain, plain_instances, _ = indexed(scans, tmp_path / "w1")
    counts, files, instances, issues = indexed(tmp_path / "packed", tmp_path / "w2")
    assert {i.rule for i in issues} == {"index/no-subject"}  # the NIfTI file names nobody
    assert {p.partition("!/")[2]: r.kind for p, r in files.items() if r.archive} == {
        p: r.kind for p, r in plain.items()
    }
    assert {r.archive for r in files.values()} == {"", files[name].file_id}
    assert counts["files"] == len(plain) + 1
    described = [
        [(r.sop_instance_uid, r.shape, r.position_mm, r.rows) for r in i]
        for i in (instances, plain_instances)
    ]
    assert sorted(described[0], key=str) == sorted(described[1], key=str)
    again, *_ = indexed(tmp_path / "packed", tmp_path / "w2")
    assert (again["scanned"], again["files"]) == (0, counts["files"])


def test_an_archive_in_an_archive_is_told_and_not_opened(tmp_path, scans):
    zipped(scans, tmp_path / "inner.zip")
    (tmp_path / "packed").mkdir()
    with zipfile.ZipFile(tmp_path / "packed" / "outer.zip", "w") as out:
        out.write(tmp_path / "inner.zip", "inner.zip")
    _, files, instances, _ = indexed(tmp_path / "packed", tmp_path / "w")
    assert {p: r.kind for p, r in files.items()} == {
        "outer.zip": "zip",
        "outer.zip!/inner.zip": "nested-archive",
    }
    assert instances == []


def test_a_broken_archive_is_refused_and_none_of_its_members_counts(tmp_path, scans):
    (tmp_path / "packed").mkdir()
    tarred(scans, tmp_path / "packed" / "s.tar.gz")
    whole = (tmp_path / "packed" / "s.tar.gz").read_bytes()
    (tmp_path / "packed" / "s.tar.gz").write_bytes(whole[:-30])
    _, files, instances, issues = indexed(tmp_path / "packed", tmp_path / "w")
    assert [r.kind for r in files.values()] == ["tar-gzip-unreadable"]
    assert [i.rule for i in issues] == ["file/truncated"]
    assert instances == []


def test_links_in_an_archive_are_listed_and_never_followed(tmp_path):
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / "s.tar", "w") as out:
        data = ct_bytes()
        one = tarfile.TarInfo("one")
        one.size = len(data)
        out.addfile(one, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        out.addfile(link)
    _, files, _, issues = indexed(tmp_path / "packed", tmp_path / "w")
    assert {p: r.kind for p, r in files.items()} == {
        "s.tar": "tar", "s.tar!/one": "dicom-image", "s.tar!/link": "symlink",
    }  # fmt: skip
    assert issues == []


def test_same_pixels_under_another_uid_are_found_where_they_are_looked_for(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    for n, series in enumerate(("1.2.3", "1.2.4")):
        data = ct_bytes(SOPInstanceUID=f"1.2.5.{n}", SeriesInstanceUID=series, PatientID=f"p{n}")
        (folder / f"{n}").write_bytes(data)
    assert indexed(folder, tmp_path / "w1")[3] == []
    _, files, _, issues = indexed(folder, tmp_path / "w2", Content.PIXELS)
    assert {i.rule for i in issues} == {"index/same-pixels"}
    assert len({r.pixel_digest for r in files.values()}) == 1
    assert len({r.content_digest for r in files.values()} - {""}) == 2
