import os
import shutil
from pathlib import Path

import pytest

from isocenter.base import tables
from isocenter.base.bulk import CHANGED
from isocenter.base.errors import ConfigError
from isocenter.base.progress import silent
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import EXECUTORS
from isocenter.model.issue import Issue
from isocenter.model.rows import FileRow, Stack
from isocenter.stages.index import earlier, heads, listing, merge, stage
from isocenter.stages.index.options import IndexOptions, SeriesBy, Source, SubjectFrom
from isocenter.stages.index.stage import index
from tests.contracts.files import ct_bytes
from tests.properties.tiny import KEY, bytes_of, write_patient

TABLES = (
    "files",
    "instances",
    "frames",
    "annotations",
    "series",
    "stacks",
    "studies",
    "subjects",
    "layout",
    "values",
    "issues",
)


@pytest.fixture
def archive(tmp_path):
    for n in range(3):
        write_patient(tmp_path / "archive", "north", f"p{n}", seed=n)
    return tmp_path / "archive" / "north"


class Place:
    def __init__(self, folder: Path, archive: Path) -> None:
        folder.mkdir()
        (folder / "secret.key").write_text(KEY)
        (folder / "secret.key").chmod(0o600)
        self.workspace = Workspace(folder)
        self.source = {
            "path": str(archive),
            "site": "north",
            "subject": SubjectFrom(pattern=("{subject}/*",)),
        }

    def run(self, *, before=(), progress=silent, **changes):
        options = IndexOptions(sources=(*before, Source(**(self.source | changes))))
        serial = EXECUTORS.get("serial")
        return index(options, self.workspace, base=Path("/"), executor=serial, jobs=1, progress=progress)

    def rows(self, name, kind):
        return list(tables.read(self.workspace.table("index", name), kind))

    def names(self):
        return {p.name for p in (self.workspace.root / "index").iterdir()}

    def bytes(self):
        return {n: self.workspace.table("index", n).read_bytes() for n in TABLES}


@pytest.fixture
def place(tmp_path, archive):
    return Place(tmp_path / "work", archive)


def _touch(archive):
    os.utime(archive / "p1/ct.nii", ns=(5, 5))


def _remove(archive):
    (archive / "p0/ct.nii").unlink()


def _add(archive):
    write_patient(archive.parent, "north", "p9")


def _replace(archive):
    shutil.copy(archive / "p2/ct.nii", archive / "p1/ct.nii")
    os.utime(archive / "p1/ct.nii", ns=(6, 6))


def _damage(archive):
    (archive / "p1/ct.nii").write_bytes((archive / "p1/ct.nii").read_bytes()[:400])


@pytest.mark.parametrize(
    ("change", "scanned"), [(_touch, 1), (_remove, 0), (_add, 2), (_replace, 1), (_damage, 1)]
)
def test_only_what_changed_is_scanned_and_the_tables_are_those_of_a_first_run(
    place, archive, tmp_path, change, scanned
):
    place.run()
    change(archive)
    assert place.run()["scanned"] == scanned
    fresh = Place(tmp_path / "fresh", archive)
    fresh.run()
    assert place.bytes() == fresh.bytes()


def test_nothing_is_read_twice(place):
    first, again = place.run(), place.run()
    assert (first["scanned"], first["reused"]) == (first["files"], 0)
    assert (again["scanned"], again["reused"]) == (0, first["files"])


_BY_NAME = SubjectFrom(pattern=("p{subject}/*",))


@pytest.mark.parametrize("changes", [{"exclude": ("p0/*",)}, {"subject": _BY_NAME}, {"include": ("p1/*",)}])
def test_what_is_left_out_or_whose_it_is_needs_no_file_to_be_read_again(place, tmp_path, archive, changes):
    files = place.run()["files"]
    assert place.run(**changes)["scanned"] == 0
    fresh = Place(tmp_path / "fresh", archive)
    fresh.run(**changes)
    assert place.bytes() == fresh.bytes()
    left_out = sum(r.kind == "left-out" for r in place.rows("files", FileRow))
    again = place.run()
    assert (again["files"], again["scanned"]) == (files, left_out)
    assert "left-out" not in {r.kind for r in place.rows("files", FileRow)}


@pytest.mark.parametrize("changes", [{"site": "south"}, {"layout": "nnunet"}])
def test_another_centre_or_layout_has_all_files_read_again(place, tmp_path, archive, changes):
    (archive / "dataset.json").write_text('{"channel_names": {"0": "CT"}, "labels": {"background": 0}}')
    files = place.run()["files"]
    assert place.run(**changes)["scanned"] == files
    fresh = Place(tmp_path / "fresh", archive)
    fresh.run(**changes)
    assert place.bytes() == fresh.bytes()


def test_another_source_leaves_the_findings_of_the_first_as_they_are(place, tmp_path, archive):
    files = place.run()["files"]
    write_patient(tmp_path / "more", "south", "q0")
    other = Source(path=str(tmp_path / "more" / "south"), site="south", subject=place.source["subject"])
    counts = place.run(before=(other,))
    assert (counts["scanned"], counts["reused"]) == (counts["files"] - files, files)
    fresh = Place(tmp_path / "fresh", archive)
    fresh.run(before=(other,))
    assert place.bytes() == fresh.bytes()


class Interruption(BaseException):
    pass


@pytest.mark.parametrize("is_begun", [False, True])
def test_an_interrupted_run_is_taken_up_where_it_stopped(place, archive, tmp_path, monkeypatch, is_begun):
    monkeypatch.setattr(earlier, "_FILES", 2)
    monkeypatch.setattr(stage, "_LEAST_FILES", 2)
    monkeypatch.setattr(stage, "BATCH_FILES", 2)
    known = 0
    if is_begun:
        known = place.run()["files"]
        for n in range(3, 6):
            write_patient(archive.parent, "north", f"p{n}", seed=n)

    def stop(step):
        if step.done == 4:
            raise Interruption

    with pytest.raises(Interruption):
        place.run(progress=stop)
    assert len(list((place.workspace.root / "index/scan").rglob("*_files.arrow"))) == 2
    (archive / "p1/ct.nii").touch()
    resumed = place.run()
    fresh = Place(tmp_path / "fresh", archive)
    files = fresh.run()["files"]
    assert resumed["scanned"] == files - known - 4 + 1
    assert place.bytes() == fresh.bytes()
    assert place.names() == fresh.names()


def test_it_does_not_matter_whether_instances_fit_in_memory(place, archive, tmp_path, monkeypatch):
    found = place.run()
    monkeypatch.setattr(merge, "_IN_MEMORY_BYTES", 0)
    large = Place(tmp_path / "large", archive)
    assert large.run() == found
    assert large.bytes() == place.bytes()


def test_findings_of_another_version_are_not_used(place, monkeypatch):
    def stop(step):
        if step.done == step.total:
            raise Interruption

    with pytest.raises(Interruption):
        place.run(progress=stop)
    with monkeypatch.context() as patched:
        patched.setattr(earlier, "__version__", "another")
        assert place.run()["reused"] == 0
    assert place.run()["reused"] == 0
    assert place.run()["scanned"] == 0


def test_a_corrected_table_of_subjects_is_a_changed_input(place, tmp_path):
    table = tmp_path / "people.csv"
    how = SubjectFrom(pattern=("{subject}/*",), table=str(table))
    table.write_text("id,subject\np0,a\np1,b\np2,c\n")
    place.run(subject=how)
    assert len({s.subject for s in place.rows("stacks", Stack)}) == 3
    table.write_text("id,subject\np0,a\np1,a\np2,c\n")
    place.run(subject=how)
    assert len({s.subject for s in place.rows("stacks", Stack)}) == 2


def test_a_table_that_gives_one_key_two_subjects_is_refused(place, tmp_path):
    (tmp_path / "people.csv").write_text("id,subject\np0,a\np0,b\n")
    with pytest.raises(ConfigError, match="two subjects"):
        place.run(subject=SubjectFrom(table=str(tmp_path / "people.csv")))


def test_special_files_and_folders_are_listed_once_each(place, archive):
    os.mkfifo(archive / "pipe")
    (archive / "dead").symlink_to("nowhere")
    (archive / "loop").symlink_to(archive)
    (archive / "empty").write_bytes(b"")
    counts = place.run()
    kinds = {r.path: r.kind for r in place.rows("files", FileRow)}
    assert len(kinds) == counts["files"]
    assert {p: kinds[p] for p in ("pipe", "dead", "loop", "empty")} == {
        "pipe": "fifo", "dead": "symlink", "loop": "symlink", "empty": "empty",
    }  # fmt: skip


def test_a_folder_that_cannot_be_listed_is_told_once(place, archive, monkeypatch):
    real = listing.list_folder

    def refuse(folder, listed=None):
        if folder.rstrip(b"/").endswith(b"/p1"):
            raise PermissionError
        return real(folder, listed)

    monkeypatch.setattr(listing, "list_folder", refuse)
    place.run()
    unreadable = [r for r in place.rows("files", FileRow) if r.kind == "unreadable"]
    assert [r.path for r in unreadable] == ["p1"]
    assert [i.rule for i in place.rows("issues", Issue) if i.target == unreadable[0].file_id] == [
        "file/unreadable"
    ]


def test_a_file_that_could_not_be_opened_is_tried_again_once_it_can_be(place, archive, tmp_path, monkeypatch):
    """A change of permissions leaves size and time as they were."""
    real = heads.read_heads

    def refuse(root, names, *rest):
        counts = real(root, names, *rest)
        paths = names.data.tobytes().split(b"\0")
        counts[[n for n, path in enumerate(paths) if path.endswith(b"p1/ct.nii")]] = -1
        return counts

    with monkeypatch.context() as patched:
        patched.setattr(heads, "read_heads", refuse)
        patched.setattr(stage, "is_readable", lambda path: path.parts[-2:] != ("p1", "ct.nii"))
        place.run()
        assert place.run()["scanned"] == 0
    assert [i.rule for i in place.rows("issues", Issue)] == ["file/unreadable"]
    assert place.run()["scanned"] == 1
    fresh = Place(tmp_path / "fresh", archive)
    fresh.run()
    assert place.bytes() == fresh.bytes()
    assert place.run()["scanned"] == 0


def test_a_name_that_is_no_utf8_is_indexed_the_same_again(place, archive, tmp_path):
    folder = archive / os.fsdecode(b"l\xe4sion")
    (archive / "p1").rename(folder)
    place.run()
    os.utime(folder / "ct.nii", ns=(7, 7))
    assert place.run()["scanned"] == 1
    fresh = Place(tmp_path / "fresh", archive)
    fresh.run()
    assert place.bytes() == fresh.bytes()


def test_identifiers_stay_in_the_index(place):
    place.run()
    others = {k: v for k, v in bytes_of(place.workspace.root).items() if not k.startswith("index/")}
    assert set(others) == {"secret.key"}


def test_a_file_that_was_another_for_a_moment_is_read_by_the_next_run(place, archive, monkeypatch):
    """Its size and time may be those of the one that took its place."""
    real = heads.read_heads

    def swap(root, names, *rest):
        counts = real(root, names, *rest)
        paths = names.data.tobytes().split(b"\0")
        counts[[n for n, path in enumerate(paths) if path.endswith(b"p1/ct.nii")]] = CHANGED
        return counts

    with monkeypatch.context() as patched:
        patched.setattr(heads, "read_heads", swap)
        place.run()
    assert [i.rule for i in place.rows("issues", Issue)] == ["file/changed"]
    assert place.run()["scanned"] == 1
    assert place.rows("issues", Issue) == []


def test_a_volume_over_several_series_is_one_where_the_source_says_so(tmp_path):
    folder = tmp_path / "archive" / "p1"
    folder.mkdir(parents=True)
    for n in range(6):
        place = {"ImagePositionPatient": [0, 0, 2.5 * n], "SeriesInstanceUID": f"1.2.{n % 2}"}
        (folder / f"{n}.dcm").write_bytes(ct_bytes(InstanceNumber=n, SOPInstanceUID=f"1.3.{n}", **place))
    place = Place(tmp_path / "w", tmp_path / "archive")
    place.run()
    assert [len(s.files) for s in place.rows("stacks", Stack)] == [3, 3]
    counts = place.run(series=SeriesBy.FOLDER)
    assert [len(s.files) for s in place.rows("stacks", Stack)] == [6]
    assert (counts["scanned"], counts["reused"]) == (0, 6)
    assert place.run()["series"] == 2


def test_what_deidentification_took_is_not_missing_and_what_names_somebody_is_withheld(tmp_path):
    removed = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "emptied"}
    headers = [
        ({"PatientSex": ""} | removed, "sex", ("", "de-identified")),
        ({"PatientSex": "X"} | removed, "sex", ("", "de-identified")),
        ({"PatientSex": "F"} | removed, "sex", ("F", "known")),
        ({"PatientSex": "", "PatientIdentityRemoved": "NO"}, "sex", ("", "missing")),
        ({"ContrastBolusAgent": "Quimbleworth"}, "contrast_agent", ("", "withheld")),
    ]
    (tmp_path / "archive").mkdir()
    for number, (header, _, _) in enumerate(headers):
        names = {
            "StudyInstanceUID": f"1.1.{number}",
            "SeriesInstanceUID": f"1.2.{number}",
            "KVP": number + 80,
        }
        names |= {"PatientName": "Quimbleworth" if number == 4 else "", "PatientID": f"id-{number}"}
        for n in range(3):
            place = {"ImagePositionPatient": [0, 0, 2.5 * n], "SOPInstanceUID": f"1.3.{number}.{n}"}
            data = ct_bytes(InstanceNumber=n, **names, **place, **header)
            (tmp_path / f"archive/{number}-{n}.dcm").write_bytes(data)
    place = Place(tmp_path / "w", tmp_path / "archive")
    place.run(subject=SubjectFrom(tag="PatientID"))
    told = [{a.name: a for a in s.attributes} for s in place.rows("stacks", Stack)]
    of = {int(attributes["kvp"].value) - 80: attributes for attributes in told}
    assert len(of) == len(headers)
    for number, (_, name, expected) in enumerate(headers):
        assert (of[number][name].value, of[number][name].state.value) == expected, number
