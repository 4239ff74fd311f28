"""A whole folder of real files, most of them not what the cohort wants, as one archive."""

import os
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.model.rows import FileOutcome, FileRow
from isocenter.pipeline.explain import explain

pytestmark = pytest.mark.real

NIFTI = "rtstruct_ct_pet_mr_IBSI/nifti"
SEGMENTATIONS = (
    "dicom_seg_ct/liver.dcm",
    "dicom_seg_compressed_variants/liver_expb.dcm",
)


def document(real_data, **channel):
    """CT with the tumour drawn, from DICOM or NIfTI, over everything."""
    image = f"{NIFTI}/{{subject}}/CT_image.nii.gz"
    return {
        "name": "everything",
        "task": "segmentation",
        "sources": [
            {
                "path": str(real_data),
                "site": "archive",
                "subject": {"pattern": ["rtstruct_ct_pet_mr_IBSI/*/{subject}/**", "{subject}/**"]},
            }
        ],
        "channels": {"ct": {"modality": "CT", "path": ["**/*.dcm", image], **channel}},
        "labels": {"tumour": {"aliases": ["GTV_Mass_CT"]}},
        "annotations": [
            {"kind": "objects"},
            {"kind": "masks", "path": f"{NIFTI}/{{subject}}/CT_mask.nii.gz", "image": image},
        ],
        "screen": {"stop_at_rejected_share": 1.0},
        "executor": {"kind": "processes", "jobs": 2},
    }


@pytest.fixture(scope="module")
def everything(real_data, tmp_path_factory):
    """All of it, run with DICOM preferred, and what the tables say."""
    folder = tmp_path_factory.mktemp("everything")
    write_yaml(folder / "cohort.yaml", document(real_data, prefer=[{"format": "dicom"}]))
    run = iso.run(folder / "cohort.yaml")
    files = {f.path: f for f in tables.read(run.workspace / "index/files.parquet", FileRow)}
    outcomes = list(tables.read(run.workspace / "build/files.parquet", FileOutcome))
    return SimpleNamespace(run=run, folder=folder, files=files, outcomes=outcomes)


def told(everything, path):
    """The explanation of one file."""
    (one,) = explain(everything.run.workspace, path)
    assert one.target == path
    return one


def test_every_file_ends_in_exactly_one_state(everything, real_data):
    paths = [
        (Path(folder) / name).relative_to(real_data).as_posix()
        for folder, _, names in os.walk(real_data)
        for name in names
    ]
    assert len(paths) > 2000
    assert sorted(everything.files) == sorted(paths)
    ids = Counter(o.file_id for o in everything.outcomes)
    assert set(ids.values()) == {1}
    assert ids.keys() == {f.file_id for f in everything.files.values()}
    states = Counter(o.state for o in everything.outcomes)
    assert states.keys() <= {"used", "held", "excluded", "ignored"}
    counts = everything.run.counts
    assert sum(counts[s] for s in ("used", "held", "excluded", "ignored")) == counts["files"] == len(paths)
    assert all(counts[s] == n for s, n in states.items())
    assert all(o.reason for o in everything.outcomes)


def test_nothing_crashed(everything):
    assert everything.run.gate is None
    log = (everything.run.workspace / "log.jsonl").read_text()
    assert '"crash"' not in log
    assert "Traceback" not in log
    assert "file/reader-failed" not in {o.reason for o in everything.outcomes}
    assert "build/failed" not in {o.reason for o in everything.outcomes}


def test_explain_answers_for_every_single_file(everything, real_data):
    answers = {e.target: e for e in explain(everything.run.workspace, str(real_data))}
    states = {o.file_id: (o.state, o.reason) for o in everything.outcomes}
    assert answers.keys() == everything.files.keys()
    for path, file in everything.files.items():
        one = answers[path]
        assert (one.state, one.reason) == states[file.file_id]
        assert one.lines[0].startswith(f"{path}: {one.state}, {one.reason}")
        # whatever was wrong is told with its rule, or is a kind that is no image
        assert one.state != "held" or one.issues
    for path in sorted(everything.files)[::211]:
        assert told(everything, path).lines == answers[path].lines


@pytest.mark.parametrize("patient", ["STS_019", "STS_042"])
def test_patients_that_exist_only_as_nifti_are_cases(everything, patient):
    image, mask = (told(everything, f"{NIFTI}/{patient}/CT_{what}.nii.gz") for what in ("image", "mask"))
    assert (image.state, image.reason) == ("used", "image")
    assert (mask.state, mask.reason) == ("used", "annotation")


def test_fourteen_cases(everything):
    assert everything.run.counts["cases_packed"] == 14
    assert len(iso.open(everything.run.store)) == 14


@pytest.mark.parametrize("patient", ["STS_008", "STS_025"])
def test_twins_are_explained_where_one_is_preferred(everything, patient):
    image = told(everything, f"{NIFTI}/{patient}/CT_image.nii.gz")
    assert (image.state, image.reason) == ("excluded", "enrol/not-preferred")
    assert any("was a candidate for case" in line for line in image.lines)
    mask = told(everything, f"{NIFTI}/{patient}/CT_mask.nii.gz")
    assert (mask.state, mask.reason) == ("excluded", "enrol/annotation-of-nothing")
    dicom = explain(everything.run.workspace, f"dicom/{patient}/CT/image")
    assert len(dicom) > 10
    assert {(e.state, e.reason) for e in dicom} == {("used", "image")}


def test_twins_go_to_a_person_where_nothing_is_preferred(everything, real_data):
    write_yaml(everything.folder / "twins.yaml", document(real_data))
    work = everything.folder / "twins"
    work.mkdir()
    for part in ("index", "secret.key"):
        (work / part).symlink_to(everything.run.workspace / part)
    run = iso.run(everything.folder / "twins.yaml", workspace=work, until="enrol")
    assert run.stages[0].state == "fresh"
    for patient in ("STS_008", "STS_025"):
        (image,) = explain(work, f"{NIFTI}/{patient}/CT_image.nii.gz")
        (case,) = {line.split()[6].rstrip(",") for line in image.lines if "candidate for case" in line}
        assert (image.state, image.reason) == ("held", "enrol/several-candidates")
        (verdict,) = explain(work, case)
        assert (verdict.state, verdict.reason) == ("review", "enrol/several-candidates")
        (slices,) = {(e.state, e.reason) for e in explain(work, f"dicom/{patient}/CT/image")}
        assert slices == ("held", "enrol/several-candidates")


@pytest.mark.parametrize("path", SEGMENTATIONS)
def test_one_segmentation_in_two_folders_is_a_conflict(everything, path):
    """They claim one SOP Instance UID and differ: nobody can say which is right."""
    one = told(everything, path)
    assert (one.state, one.reason) == ("excluded", "index/conflicting-object")
    (issue,) = (i for i in one.issues if i.rule == "index/conflicting-object")
    assert issue.measured == "2 different contents"


def test_a_segmentation_of_no_known_number_of_frames_is_refused(everything):
    one = told(everything, "malformed_and_odd_pydicom/test_files/liver_1frame.dcm")
    assert (one.state, one.reason) == ("excluded", "file/corrupt")


def test_copies_are_told_as_such(everything):
    copy = told(everything, "mr_prostatex_0000/calc_bval_complete/1-01.dcm")
    assert (copy.state, copy.reason) == ("excluded", "index/duplicate-object")


def test_files_that_nobody_can_read_are_reported(everything):
    one = told(everything, "malformed_and_odd_pydicom/test_files/MR_truncated.dcm")
    assert (one.state, one.reason) == ("excluded", "file/truncated")
    assert one.issues[0].rule == "file/truncated"


def test_no_identifier_of_the_real_headers_is_told(everything):
    """Patients' names and IDs and every UID of the index, searched for in all other tables and the report."""
    rows = tables.read_table(everything.run.workspace / "index/instances.parquet").to_pylist()
    names = {r[k] for r in rows for k in ("patient_name", "patient_id") if r[k] and len(r[k]) >= 6}
    # "orientation" and "999999" are patients' IDs here, and also a word and the digits of a share
    names = {n for n in names if re.search(r"[0-9^]", n) and re.search(r"[A-Za-z]", n)}
    assert len(names) > 20
    uids = {
        r[k] for r in rows for k in ("series_uid", "study_uid", "sop_instance_uid") if r[k] and len(r[k]) > 20
    }
    assert len(uids) > 1000
    said = {
        "report": everything.run.report.read_text(),
        "log": (everything.run.workspace / "log.jsonl").read_text(),
    }
    for table in sorted(everything.run.workspace.rglob("*.parquet")):
        name = table.relative_to(everything.run.workspace)
        if name.parts[0] != "index":
            said[str(name)] = str(tables.read_table(table).to_pylist())
    store = iso.open(everything.run.store)
    said |= {case: str(store.meta(case)) for case in store}
    for name, text in said.items():
        words = set(text.replace("'", " ").replace('"', " ").replace(",", " ").split())
        assert not words & uids, name
        assert not [n for n in names if n in text], name
