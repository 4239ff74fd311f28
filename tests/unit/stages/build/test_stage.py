"""Whole builds of tiny volumes: what is in the records, and what becomes of cases that go wrong."""

import os
import shutil

import nibabel
import numpy as np
import pytest

import isocenter
from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.base.outcome import Failure, Outcome
from isocenter.executors.executor import EXECUTORS
from isocenter.executors.work import attempt
from isocenter.model.issue import Issue
from isocenter.model.rows import AgreementRow, CaseRow, PlannedCase, PreviewRow
from isocenter.stages.build import shard
from isocenter.stages.build.images import SourceFile
from isocenter.testing.simulate import simulate
from tests.unit.stages.cohort import BOX, SHAPE, Cohort


@pytest.fixture
def cohort(tmp_path):
    return Cohort(tmp_path)


def test_any_orientation_is_packed_canonical_and_voxel_for_voxel(cohort):
    affine = np.array([[0, 0, -2.0, 9], [-1.0, 0, 0, 3], [0, 1.5, 0, 5], [0, 0, 0, 1]])
    array = cohort.ct(affine=affine)
    mask = cohort.mask("p/mask1.nii", (1, BOX), affine=affine)
    cohort.run()
    [record] = cohort.records()
    assert record.grid.axis_codes == "RAS"
    oracle = nibabel.as_closest_canonical(nibabel.Nifti1Image(array, affine))
    assert np.array_equal(np.asarray(record.image)[0], oracle.get_fdata().transpose(2, 1, 0))
    assert np.allclose(record.grid.affine, oracle.affine)
    oracle = nibabel.as_closest_canonical(nibabel.Nifti1Image(mask, affine))
    assert np.array_equal(np.asarray(record.mask), oracle.get_fdata().transpose(2, 1, 0))


def test_a_wanted_spacing_is_made_for_image_and_mask(cohort):
    cohort.ct(affine=np.diag([1.0, 1.0, 3.0, 1.0]))
    cohort.mask("p/mask1.nii", (1, BOX), affine=np.diag([1.0, 1.0, 3.0, 1.0]))
    cohort.run(standardise={"spacing": [1.5, 1.0, 1.0]})
    [record] = cohort.records()
    assert record.grid.spacing_mm == pytest.approx((1.5, 1.0, 1.0))
    assert record.image.shape[1:] == record.mask.shape
    assert record.mask.shape[1:] == (7, 8)
    assert record.mask.shape[0] in {11, 12}
    assert np.asarray(record.mask).sum() * 1.5 == pytest.approx(3 * 3 * 2 * 3.0, rel=0.3)


def test_a_second_channel_lies_on_the_grid_of_the_reference(cohort):
    """It is finer, and holds the place of each of its voxels along x, so that the answer is known."""
    cohort.ct()
    affine = np.diag([0.5, 0.5, 0.5, 1.0])
    affine[:3, 3] = -4.0
    x_mm = np.broadcast_to((np.arange(32, dtype=np.float32) * 0.5 - 4.0)[:, None, None], (32, 30, 28))
    cohort.save("p/pt.nii", np.ascontiguousarray(x_mm), affine)
    cohort.mask("p/mask1.nii", (1, BOX))
    pt = {"modality": "PT", "path": ["*/pt.nii"], "assume_registered": "made so", "optional": True}
    channels = cohort.document["channels"] | {"pt": pt}
    cohort.run(channels=channels)
    [record] = cohort.records()
    assert record.channels == ("ct", "pt")
    image = np.asarray(record.image)
    assert image.dtype == np.float32
    assert image[1] == pytest.approx(np.broadcast_to(np.arange(8.0), (6, 7, 8)), abs=1e-4)
    (cohort.folder / "data/p/pt.nii").unlink()
    cohort.run(channels=channels)
    [record] = cohort.records()
    assert (np.asarray(record.image)[1] == 0).all()


def test_a_missing_ct_is_air_in_hounsfield_units(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (1, BOX))
    late = {"modality": "CT", "path": ["*/late.nii"], "optional": True}
    cohort.run(channels={"mr": {"modality": "MR", "path": ["*/ct.nii"]}, "late": late})
    [record] = cohort.records()
    assert record.units[1] == "HU"
    assert (np.asarray(record.image)[1] == -1024).all()


def test_clipping_is_recorded_and_can_be_left(cohort):
    array = cohort.ct()
    cohort.mask("p/mask1.nii", (1, BOX))
    cohort.run(standardise={"hu_range": [-100, 300]})
    [record] = cohort.records()
    assert np.array_equal(np.asarray(record.image)[0], np.clip(array, -100, 300).transpose(2, 1, 0))
    assert record.statistics["ct"]["clipped_below"] == pytest.approx((array < -100).mean())
    assert record.statistics["ct"]["clipped_above"] == pytest.approx((array > 300).mean())
    assert "read/clipped" in {i.rule for i in cohort.rows("issues", Issue)}
    cohort.run(standardise={"hu_range": None})
    [record] = cohort.records()
    assert np.array_equal(np.asarray(record.image)[0], array.transpose(2, 1, 0))
    assert record.statistics["ct"]["clipped_below"] == 0


def test_a_missing_ct_beside_unsigned_integers_is_air_too(cohort):
    cohort.save("p/ct.nii", np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE))
    cohort.mask("p/mask1.nii", (1, BOX))
    late = {"modality": "CT", "path": ["*/late.nii"], "optional": True}
    cohort.run(channels={"mr": {"modality": "MR", "path": ["*/ct.nii"]}, "late": late})
    [record] = cohort.records()
    assert np.asarray(record.image).dtype == np.float32
    assert (np.asarray(record.image)[1] == -1024).all()


def test_padding_is_background_whatever_values_are_clipped_to(tmp_path):
    truth = simulate(tmp_path / "data", patients=3, matrix=40, slices=8, kinds=("ct-rtstruct",))
    assert truth.cases
    document = {
        "task": "classification",
        "sources": [{"path": "data", "site": "s"}],
        "channels": {"ct": {"modality": "CT"}},
        "labels": {"lesion": {"aliases": ["*"]}},
        "annotations": [{"kind": "objects", "rater": "{file}", "absent": "negative"}],
        "standardise": {"hu_range": [-200, 300]},
        "screen": {"stop_at_rejected_share": 1.0},
        "executor": {"kind": "serial"},
    }
    write_yaml(tmp_path / "cohort.yaml", document)
    store = isocenter.open(isocenter.run(tmp_path / "cohort.yaml", until="build").store)
    padded = [c for c in store.values() if c.valid is not None]
    assert padded
    for case in padded:
        image, valid = np.asarray(case.image)[0], np.asarray(case.valid) != 0
        assert set(np.unique(image[~valid])) == {-1024}
        assert image[valid].min() == -200


def test_a_lesion_lost_in_resampling_is_no_negative(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (1, np.s_[3:4, 3:4, 3:4]))
    cohort.run(standardise={"spacing": [4.0, 4.0, 4.0]}, screen={"select": ["case", "annotation"]})
    [record] = cohort.records()
    assert not np.asarray(record.mask).any()
    assert {s.label: s.state for s in record.labels}["lesion"] == "positive"
    assert record.verdict == "review"
    assert "annotation/vanished-label" in {i.rule for i in record.issues}


def test_a_mask_of_foreign_values_only_is_no_negative(cohort):
    """0 and 255 where 1 is wanted: the commonest other way to write a mask."""
    for name in ("p", "q"):
        cohort.ct(f"{name}/ct.nii")
    cohort.mask("p/mask1.nii", (255, BOX))
    cohort.mask("q/mask1.nii", (255, BOX), (1, np.s_[0:2, 0:2, 0:2]))
    cohort.run(labels={"lesion": {"value": 1}}, screen={"select": ["annotation"]})
    rows = {r.verdict: r for r in cohort.rows("cases", CaseRow)}
    assert {s.state for s in rows["review"].labels} == {"unknown"}
    assert {s.state for s in rows["keep"].labels} == {"positive"}
    told = [i for i in cohort.rows("issues", Issue) if i.rule == "enrol/unmapped-label"]
    assert {(i.measured, i.expected) for i in told} == {("255", "1")}


def test_the_bytes_of_the_store_do_not_depend_on_the_times_of_the_files(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (1, BOX))

    def content():
        return {p.name: p.read_bytes() for p in (cohort.work / "store").rglob("*") if p.is_file()}

    cohort.run()
    before = content()
    for path in (cohort.folder / "data").rglob("*.nii"):
        os.utime(path, ns=(1, 1))
    assert cohort.run().stages[3].counts["built"] == 1
    assert content() == before


def test_raters_are_kept_beside_their_consensus(cohort):
    cohort.ct()
    boxes = [np.s_[1:4, 1:4, 1:3], np.s_[1:4, 1:4, 1:4], np.s_[1:4, 1:4, 2:4]]
    masks = [cohort.mask(f"p/mask{n}.nii", (1, b)) for n, b in enumerate(boxes)]
    cohort.run()
    [record] = cohort.records()
    assert len(record.raters) == 3
    assert {np.asarray(m).tobytes() for m in record.raters.values()} == {
        np.ascontiguousarray(m.transpose(2, 1, 0)).tobytes() for m in masks
    }
    assert np.array_equal(np.asarray(record.mask), (sum(masks) >= 2).transpose(2, 1, 0))
    dices = sorted(round(a.dice, 6) for a in cohort.rows("agreements", AgreementRow) if a.dice is not None)
    assert dices == [0.5, 0.8, 0.8]


def test_labels_that_overlap_are_layers(cohort):
    cohort.ct()
    cohort.mask("p/maskA.nii", (1, np.s_[1:4, 1:4, 1:3]))
    cohort.mask("p/maskB.nii", (2, np.s_[2:5, 1:4, 1:3]))
    source = {"kind": "masks", "image": "{s}/ct.nii"}
    annotations = [
        source | {"path": "{s}/maskA.nii", "values": {1: "lesion"}},
        source | {"path": "{s}/maskB.nii", "values": {2: "heart"}},
    ]
    cohort.run(annotations=annotations, overlapping=True)
    [record] = cohort.records()
    assert record.mask.shape == (2, 6, 7, 8)
    layers = np.asarray(record.mask)
    assert (layers.sum(axis=(1, 2, 3)) == 18).all()
    assert (layers[0] & layers[1]).sum() == 12


def test_a_mask_decides_all_its_labels_and_an_empty_one_says_no(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (1, BOX))
    cohort.run()
    [record] = cohort.records()
    assert {s.label: (s.state, s.volume_ml) for s in record.labels} == {
        "lesion": ("positive", pytest.approx(0.018)),
        "heart": ("negative", 0.0),
    }


def table(cohort, text, **how):
    (cohort.folder / "t.csv").write_text(text)
    return [{"kind": "table", "path": "t.csv", "key": "subject"} | how]


def test_what_raters_say_is_put_to_the_vote(cohort):
    cohort.ct()
    rows = "id,lesion,heart,who\np,1,0,a\np,1,1,b\np,0,,c\n"
    columns = {"key": "id", "lesion": "lesion", "heart": "heart", "rater": "who"}
    cohort.run(task="classification", annotations=table(cohort, rows, columns=columns))
    [record] = cohort.records()
    assert {s.label: s.state for s in record.labels} == {"lesion": "positive", "heart": "unknown"}
    assert "build/tied-labels" in {i.rule for i in cohort.rows("issues", Issue)}
    assert record.verdict == "review"


def test_a_person_of_two_channels_is_labelled_once(cohort):
    cohort.ct()
    cohort.ct("p/late.nii")
    columns = {"key": "id", "lesion": "lesion"}
    late = {"modality": "CT", "path": ["*/late.nii"]}
    annotations = table(cohort, "id,lesion\np,1\n", columns=columns)
    cohort.run(
        task="classification", annotations=annotations, channels=cohort.document["channels"] | {"late": late}
    )
    [record] = cohort.records()
    assert record.verdict == "keep"
    assert {s.label: s.state for s in record.labels} == {"lesion": "positive", "heart": "unknown"}


def test_boxes_of_tables_and_of_masks(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (2, BOX))
    rows = "id,x0,y0,z0,x1,y1,z1\np,0.5,0.5,0.5,2.5,2.5,2.5\n"
    how = {"shape": "boxes", "columns": {"key": "id"}, "label": "lesion", "world": "RAS"}
    cohort.run(task="detection", annotations=[*table(cohort, rows, **how), *cohort.document["annotations"]])
    [record] = cohort.records()
    assert record.box_labels == ("lesion", "heart")
    assert np.allclose(record.boxes[0], [0.5, 0.5, 0.5, 2.5, 2.5, 2.5])
    assert np.allclose(record.boxes[1], [1.5, 1.5, 1.5, 4.5, 4.5, 3.5])
    assert record.boxes_voxel.tolist()[1] == [2, 2, 2, 4, 5, 5]


def test_a_box_table_of_one_label_says_nothing_of_another(cohort):
    cohort.ct()
    how = {"shape": "centres", "columns": {"key": "id"}, "label": "lesion"}
    cohort.run(task="detection", annotations=table(cohort, "id,x,y,z,diameter_mm\np,,,,\n", **how))
    [record] = cohort.records()
    assert {s.label: s.state for s in record.labels} == {"lesion": "negative", "heart": "unknown"}


def test_facts_and_previews_go_with_every_case(cohort):
    array = cohort.ct(low=-400, high=400)
    cohort.mask("p/mask1.nii", (1, BOX))
    cohort.run(standardise={"hu_range": None})
    [record] = cohort.records()
    assert record.statistics["ct"]["max"] == array.max()
    previews = cohort.rows("previews", PreviewRow)
    assert {p.plane for p in previews} == {"axial", "coronal", "sagittal"}
    for preview in previews:
        assert len(preview.image) == preview.rows * preview.columns == len(preview.mask)
        assert set(preview.mask) <= {0, 1}


def test_a_case_beyond_the_limit_leaves_a_row_in_the_plan_only(cohort):
    for name in ("p", "q"):
        cohort.ct(f"{name}/ct.nii")
        cohort.mask(f"{name}/mask1.nii", (1, BOX))
    cohort.save("q/ct.nii", np.zeros((20, 20, 20), np.int16))
    cohort.run(standardise={"max_case_bytes": 2000})
    plan = list(tables.read(cohort.work / "enrol/cases.parquet", PlannedCase))
    assert sorted(c.reason for c in plan) == ["", "build/too-large"]
    assert len(cohort.records()) == 1


def two_patients(cohort):
    for n, name in enumerate(("p", "q")):
        cohort.ct(f"{name}/ct.nii", seed=n)
        cohort.mask(f"{name}/mask1.nii", (1, BOX))


def outcomes(cohort):
    return sorted((r.verdict, bool(r.shape)) for r in cohort.rows("cases", CaseRow))


def test_a_case_that_fails_for_no_known_reason_does_not_cost_the_others(cohort, monkeypatch):
    two_patients(cohort)
    real = shard.build_case
    secret = "Doe^Jane /secret/path"
    failing = []

    def build_case(plan, *rest):
        if not failing or plan.planned.id in failing:
            failing.append(plan.planned.id)
            raise ZeroDivisionError(secret)
        return real(plan, *rest)

    monkeypatch.setattr(shard, "build_case", build_case)
    cohort.run(store={"shards": 1})
    assert outcomes(cohort) == [("keep", True), ("reject", False)]
    [issue] = [i for i in cohort.rows("issues", Issue) if i.severity == "reject"]
    assert (issue.rule, issue.measured) == ("build/failed", "ZeroDivisionError")
    log = (cohort.work / "log.jsonl").read_text()
    assert "ZeroDivisionError" in log
    assert "Doe" not in log
    assert "secret" not in log
    assert cohort.made.stages[-1].counts["crashes"] == 1


def test_a_case_for_which_memory_was_short_is_tried_again(cohort, monkeypatch):
    two_patients(cohort)
    with monkeypatch.context() as patched:
        real = shard.build_case
        calls = []

        def build_case(plan, *rest):
            calls.append(plan)
            if len(calls) == 1:
                raise MemoryError
            return real(plan, *rest)

        patched.setattr(shard, "build_case", build_case)
        cohort.run(store={"shards": 1})
    assert outcomes(cohort) == [("keep", True), ("reject", False)]
    counts = cohort.run(store={"shards": 1}).stages[-1].counts
    assert (counts["built"], counts["kept"]) == (1, 1)
    assert outcomes(cohort) == [("keep", True), ("keep", True)]
    assert cohort.run(store={"shards": 1}).is_fresh


def test_a_case_that_kills_its_worker_is_found_and_the_others_go_on(cohort, monkeypatch):
    """An executor tells of a killed worker; here one that says so whenever it is given the deadly case."""
    two_patients(cohort)
    deadly = []

    def kill(function, items, *, jobs):
        for item in items:
            ids = [c.planned.id for c in getattr(item, "cases", ())]
            deadly.extend(ids[:1] if not deadly else [])
            if set(ids) & set(deadly) - set(getattr(item, "deadly", ())):
                yield Outcome(failure=Failure("WorkerDied", "here"))
            else:
                yield attempt(function, item)

    with monkeypatch.context() as patched:
        patched.setattr(EXECUTORS.get("serial"), "map", kill)
        cohort.run(store={"shards": 1})
    assert outcomes(cohort) == [("keep", True), ("reject", False)]
    assert [i.rule for i in cohort.rows("issues", Issue) if i.severity == "reject"] == ["build/worker-died"]
    cohort.run(store={"shards": 1})
    assert outcomes(cohort) == [("keep", True), ("keep", True)]


def test_a_file_that_changes_after_the_index_is_not_read(cohort, monkeypatch):
    two_patients(cohort)
    real = SourceFile.__init__

    def touched(self, **facts):
        if facts["path"].endswith("p/ct.nii"):
            os.utime(facts["path"], ns=(9, 9))
        real(self, **facts)

    with monkeypatch.context() as patched:
        patched.setattr(SourceFile, "__init__", touched)
        cohort.run(store={"shards": 1})
    assert outcomes(cohort) == [("keep", True), ("reject", False)]
    assert "file/changed" in {i.rule for i in cohort.rows("issues", Issue)}
    cohort.run(store={"shards": 1})
    assert outcomes(cohort) == [("keep", True), ("keep", True)]


def test_a_shard_whose_cases_are_all_gone_is_removed(cohort):
    two_patients(cohort)
    cohort.run(store={"shards": 64})
    assert len(list((cohort.work / "store/shards").iterdir())) == 2
    shutil.rmtree(cohort.folder / "data" / "q")
    cohort.run(store={"shards": 64})
    assert len(list((cohort.work / "store/shards").iterdir())) == 1
    assert len(list((cohort.work / "build/shards").iterdir())) == 1


def test_a_shard_of_rejected_cases_only_has_rows_but_no_file(cohort, monkeypatch):
    two_patients(cohort)
    cohort.save("q/mask1.nii", np.full(SHAPE, 0.5, np.float32))
    cohort.run(store={"shards": 64})
    assert outcomes(cohort) == [("keep", True), ("reject", False)]
    assert len(list((cohort.work / "store/shards").iterdir())) == 1


def test_a_name_that_is_no_utf8_is_built(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (1, BOX))
    (cohort.folder / "data/p").rename(cohort.folder / "data" / os.fsdecode(b"l\xe4sion"))
    cohort.run()
    assert outcomes(cohort) == [("keep", True)]
