"""Points on a fourth axis as channels of one case: from DICOM series and NIfTI files to records."""

import nibabel
import numpy as np
import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.base.errors import ConfigError
from isocenter.model.issue import Issue
from isocenter.model.rows import FileOutcome, PlannedCase
from isocenter.report.advice import advice_on
from isocenter.testing.simulate.broken import FAULTS, Scan, differences

B_VALUES = next(f for f in FAULTS if f.name == "b-values")  # 0, 500 and 1000 in one series
PEOPLE = (11, 12)
BY_VALUE = {"b0": {"axis": "b-value", "axis_value": "0"}, "b1000": {"axis": "b-value", "axis_value": "1000"}}
BY_ATTRIBUTE = {"b0": {"b_value": "0"}, "b1000": {"b_value": "1000"}}
BY_INDEX = {"b0": {"axis_index": "0"}, "b1000": {"axis_index": "2"}}
AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])


def written(folder, where, annotations, **changes):
    path = changes.pop("path", ["**"])
    document = {
        "name": "diffusion",
        "task": "segmentation",
        "channels": {n: {"modality": "MR", "path": path, "where": w} for n, w in where.items()},
        "labels": {"lesion": {"value": 1}},
        "annotations": annotations,
        "screen": {"stop_at_rejected_share": 1.0},
        "executor": {"kind": "serial"},
        "workspace": "work",
    } | changes
    write_yaml(folder / "cohort.yaml", document)
    return iso.run(folder / "cohort.yaml", until="build")


def issues_of(run, stage="enrol"):
    return list(tables.read(run.workspace / stage / "issues.parquet", Issue))


@pytest.fixture
def dicom(tmp_path):
    """Two people with one diffusion series each, and a table that names their series."""
    truth, rows = {}, []
    for seed in PEOPLE:
        scan = Scan(modality="MR", seed=seed)
        truth[seed] = B_VALUES.write(tmp_path / "data" / str(seed), scan).volumes
        series = scan.objects()[0].SeriesInstanceUID
        rows.append(f"{series},1")
    (tmp_path / "labels.csv").write_text("\n".join(["series,lesion", *rows, ""]))
    return tmp_path, truth


TABLE = {
    "kind": "table",
    "path": "labels.csv",
    "shape": "labels",
    "key": "series",
    "columns": {"key": "series", "lesion": "lesion"},
}


@pytest.mark.parametrize("where", [BY_VALUE, BY_ATTRIBUTE, BY_INDEX], ids=["value", "attribute", "index"])
def test_points_of_a_dicom_series_are_channels(where, dicom):
    folder, truth = dicom
    run = written(
        folder, where, [TABLE], task="classification", path=[],
        sources=[{"path": "data", "site": "s", "subject": {"pattern": ["{subject}/*"]}}],
    )  # fmt: skip
    store = iso.open(run.store)
    assert len(store) == len(PEOPLE)
    left = list(truth.values())
    for case in map(store.__getitem__, store):
        assert case.channels == ("b0", "b1000")
        [volumes] = [v for v in left if is_same(v[0], case, 0)]
        left.remove(volumes)
        assert is_same(volumes[2], case, 1)
        assert not is_same(volumes[1], case, 1)
        assert [label.state for label in case.labels] == ["positive"]
    assert issues_of(run) == []
    states = {r.state for r in tables.read(run.workspace / "build" / "files.parquet", FileOutcome)}
    assert states == {"used", "excluded"}  # b500 is in no channel


def is_same(true, case, channel):
    wrong, off_mm = differences(true, np.asarray(case.image[channel]), case.grid.affine)
    return wrong == 0 and off_mm < 1e-3


@pytest.fixture(params=["dwi.nii", "dwi.nii.gz"])
def nifti(request, tmp_path):
    """Two people with one file of three volumes each, and a mask on its grid."""
    truth = {}
    for person in PEOPLE:
        rng = np.random.default_rng(person)
        array = rng.integers(1, 2000, (12, 11, 10, 3)).astype(np.int16)
        mask = np.zeros(array.shape[:3], np.uint8)
        mask[4:8, 4:8, 4:8] = 1
        folder = tmp_path / "data" / f"p{person}"
        folder.mkdir(parents=True)
        for name, values in ((request.param, array), ("mask.nii.gz", mask)):
            image = nibabel.Nifti1Image(values, AFFINE)
            image.header.set_xyzt_units("mm")
            nibabel.save(image, folder / name)
        truth[array[..., 0].T.tobytes()] = array
    return tmp_path, request.param, truth


def of_files(folder, where, name, image="{subject}/{file}", masks="{subject}/mask.nii.gz"):
    template = image.replace("{file}", name)
    return written(
        folder, where, [{"kind": "masks", "path": masks, "image": template}], path=[f"*/{name}"],
        sources=[{"path": "data", "site": "s", "subject": {"pattern": ["{subject}/*"]}}],
    )  # fmt: skip


def test_volumes_of_a_file_are_channels_and_its_mask_is_that_of_both(nifti):
    folder, name, truth = nifti
    run = of_files(folder, BY_INDEX, name)
    store = iso.open(run.store)
    assert len(store) == len(PEOPLE)
    for case in map(store.__getitem__, store):
        array = truth.pop(np.asarray(case.image[0]).tobytes())
        assert np.array_equal(case.image[1], array[..., 2].T)
        assert int(np.asarray(case.mask).sum()) == 64
    assert issues_of(run) == []


def test_several_volumes_for_one_channel_are_held_and_it_is_said_how_to_choose(nifti):
    folder, name, _ = nifti
    run = of_files(folder, {"b0": {}}, name)
    issues = [i for i in issues_of(run) if i.rule == "enrol/several-candidates"]
    assert [i.measured for i in issues] == ["3 images for b0"] * len(PEOPLE)
    assert "axis_index" in advice_on("enrol/several-candidates").what_to_do
    cases = list(tables.read(run.workspace / "enrol" / "cases.parquet", PlannedCase))
    assert {c.is_to_build for c in cases} == {False}


def test_a_mask_of_several_volumes_is_told(nifti):
    folder, name, _ = nifti
    for person in PEOPLE:
        path = folder / "data" / f"p{person}" / "mask.nii.gz"
        mask = np.asarray(nibabel.load(path).dataobj)
        nibabel.save(nibabel.Nifti1Image(np.stack([mask] * 2, axis=-1), AFFINE), path)
    run = of_files(folder, BY_INDEX, name)
    found = {(i.rule, i.measured) for i in issues_of(run)}
    assert ("enrol/unreadable-annotation", "several volumes") in found


def test_a_misspelt_condition_is_told_with_what_was_meant(nifti):
    folder, name, _ = nifti
    with pytest.raises(ConfigError, match=r"did you mean 'axis_index'"):
        of_files(folder, {"b0": {"axis_idx": "0"}}, name)
