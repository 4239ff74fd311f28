"""What is known of labels, from the files of a cohort to the record in the store."""

import nibabel
import numpy as np
import pytest

from isocenter.model.issue import Issue
from isocenter.model.rows import CaseRow, OpinionRow
from tests.unit.stages.cohort import BOX, SHAPE, Cohort

TWO = np.s_[0:1, 0:2, 0:1]


@pytest.fixture
def cohort(tmp_path):
    return Cohort(tmp_path)


def states(cohort):
    [row] = cohort.rows("cases", CaseRow)
    return {s.label: s.state for s in row.labels}


def opinions(cohort):
    return {(o.label, o.rater): o for o in cohort.rows("opinions", OpinionRow)}


def masks(cohort, **more):
    return [cohort.document["annotations"][0] | more]


def test_slices_that_nobody_looked_at_are_no_background(cohort):
    cohort.ct()
    array = cohort.mask("p/mask1.nii", (1, BOX))
    cohort.run(annotations=masks(cohort, covers="slices"))
    assert states(cohort) == {"lesion": "partial", "heart": "partial"}
    [record] = cohort.records()
    on_slices = array.any(axis=(0, 1))
    for label in ("lesion", "heart"):
        known = np.asarray(record.known[label])
        assert known.dtype == np.bool_
        np.testing.assert_array_equal(known.all(axis=(1, 2)), on_slices)
        np.testing.assert_array_equal(known.any(axis=(1, 2)), on_slices)
    assert record.slice_labels.tolist() == [[-1, -1, 1, 1, -1, -1], [-1, -1, 0, 0, -1, -1]]
    [lesion] = [o for o in record.opinions if o.label == "lesion"]
    assert (lesion.state, lesion.looked) == ("partial", pytest.approx(2 / 6, abs=1e-6))


def test_nothing_but_marks_is_known(cohort):
    cohort.ct()
    array = cohort.mask("p/mask1.nii", (1, BOX)).transpose(2, 1, 0)
    cohort.run(annotations=masks(cohort, covers="marks"), screen={"select": ["annotation", "case"]})
    [record] = cohort.records()
    np.testing.assert_array_equal(np.asarray(record.known["lesion"]), array == 1)
    told = [i.message for i in cohort.rows("issues", Issue) if i.rule == "annotation/partial-label"]
    assert sorted(told) == [f"{n} is known in a part of the image only" for n in ("heart", "lesion")]


def test_a_whole_reader_and_one_of_some_slices(cohort):
    """On the slices of both an even vote is background; on the others the one who looked decides."""
    cohort.ct()
    whole = cohort.mask("p/mask1.nii", (1, np.s_[2:5, 2:5, 1:5]))
    part = cohort.mask("p/part2.nii", (1, np.s_[3:6, 2:5, 2:4]))
    source = masks(cohort)[0]
    cohort.run(annotations=[source, source | {"path": "{s}/part{r}.nii", "covers": "slices"}])
    [record] = cohort.records()
    expected = whole.copy()
    expected[..., 2:4] &= part[..., 2:4]
    np.testing.assert_array_equal(np.asarray(record.mask), expected.transpose(2, 1, 0))
    assert states(cohort)["lesion"] == "positive"
    assert record.known == {}
    [(rater, known)] = record.rater_known.items()
    assert set(known) == {"lesion", "heart"}
    assert np.asarray(known["lesion"]).any(axis=(1, 2)).tolist() == [False, False, True, True, False, False]
    assert len(record.raters) == 2
    assert opinions(cohort)["lesion", rater].state == "partial"


def test_one_reader_of_two_failed(cohort):
    cohort.ct()
    mask = cohort.mask("p/mask1.nii", (1, BOX))
    path = cohort.folder / "data/p/mask2.nii"
    nibabel.save(nibabel.Nifti1Image((mask / 2).astype(np.float32), np.eye(4)), path)  # a half is no label
    cohort.run(screen={"select": ["annotation", "case"]})
    [record] = cohort.records()
    assert record.verdict == "review"
    np.testing.assert_array_equal(np.asarray(record.mask), mask.transpose(2, 1, 0))
    assert sorted(o.state for o in record.opinions if o.label == "lesion") == ["failed", "marked"]
    rules = {i.rule: i.severity for i in cohort.rows("issues", Issue)}
    assert rules["annotation/failed-label"] == "review"
    assert "reject" not in rules.values()


def test_where_all_failed_nothing_is_packed(cohort):
    cohort.ct()
    path = cohort.folder / "data/p/mask1.nii"
    nibabel.save(nibabel.Nifti1Image(np.full(SHAPE, 0.5, np.float32), np.eye(4)), path)
    cohort.run()
    assert cohort.records() == []


def table(cohort, text, **more):
    (cohort.folder / "boxes.csv").write_text(text)
    return {
        "kind": "table", "path": str(cohort.folder / "boxes.csv"), "shape": "boxes", "label": "lesion",
        "world": "RAS", "columns": {"key": "id", "rater": "who"}, **more,
    }  # fmt: skip


HEAD = "id,who,x0,y0,z0,x1,y1,z1\n"
ONE = "p,anna,1.5,1.5,1.5,4.5,4.5,3.5\n"


def test_inside_a_box_nobody_drew_voxels(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (2, TWO))
    cohort.run(annotations=[table(cohort, HEAD + ONE), *masks(cohort, values={2: "heart"})])
    assert states(cohort) == {"lesion": "partial", "heart": "positive"}
    [record] = cohort.records()
    expected = np.ones(SHAPE[::-1], bool)
    expected[2:4, 2:5, 2:5] = False
    np.testing.assert_array_equal(np.asarray(record.known["lesion"]), expected)
    assert not (np.asarray(record.mask) == 1).any()
    where, labels = record.rater_boxes.of(record.rater_boxes.raters[0])
    assert where.tolist() == [[1.5, 1.5, 1.5, 4.5, 4.5, 3.5]]
    assert labels == ("lesion",)


def test_boxes_are_filled_where_the_task_asks(cohort):
    cohort.ct()
    cohort.run(annotations=[table(cohort, HEAD + ONE)], boxes_as_masks=True)
    [record] = cohort.records()
    expected = np.zeros(SHAPE[::-1], np.uint8)
    expected[2:4, 2:5, 2:5] = 1
    np.testing.assert_array_equal(np.asarray(record.mask), expected)
    assert states(cohort)["lesion"] == "positive"


def test_boxes_of_every_reader_stay(cohort):
    cohort.ct()
    rows = HEAD + ONE + "p,bert,1.5,1.5,1.5,5.5,4.5,3.5\np,bert,5.5,0.5,0.5,6.5,1.5,1.5\n"
    cohort.run(annotations=[table(cohort, rows)], task="detection")
    [record] = cohort.records()
    assert len(record.boxes) == 1
    assert {r: len(record.rater_boxes.of(r)[0]) for r in set(record.rater_boxes.raters)} == dict(
        zip(sorted(set(record.rater_boxes.raters), key=record.rater_boxes.raters.count), (1, 2), strict=True)
    )
    assert sorted(o.boxes for o in record.opinions if o.label == "lesion") == [1, 2]


def test_a_class_label_says_not_where(cohort):
    cohort.ct()
    (cohort.folder / "labels.csv").write_text("id,lesion,heart\np,1,0\n")
    source = {
        "kind": "table", "path": str(cohort.folder / "labels.csv"), "shape": "labels",
        "columns": {"key": "id", "lesion": "lesion", "heart": "heart"},
    }  # fmt: skip
    cohort.mask("p/mask1.nii", (3, TWO))
    labels = {"lesion": {"value": 1}, "heart": {"value": 2}, "rib": {"value": 3}}
    cohort.run(annotations=[source, *masks(cohort, values={3: "rib"})], labels=labels)
    assert states(cohort) == {"lesion": "partial", "heart": "negative", "rib": "positive"}
    [record] = cohort.records()
    assert not np.asarray(record.known["lesion"]).any()
    cohort.run(annotations=[source], task="classification")
    assert states(cohort) == {"lesion": "positive", "heart": "negative"}


def test_lesions_are_told_apart(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (1, BOX), (1, TWO), (2, np.s_[6:8, 5:7, 5:6]))
    cohort.run(instances=True)
    [record] = cohort.records()
    instances = np.asarray(record.instances)
    assert record.box_labels == ("lesion", "lesion", "heart")
    assert np.unique(instances).tolist() == [0, 1, 2, 3]
    for number, box in enumerate(record.boxes_voxel.tolist(), 1):
        k, j, i = np.nonzero(instances == number)
        assert box == [k.min(), j.min(), i.min(), k.max() + 1, j.max() + 1, i.max() + 1]
    np.testing.assert_array_equal(instances > 0, np.asarray(record.mask) > 0)
    [row] = cohort.rows("cases", CaseRow)
    assert {s.label: s.count for s in row.labels} == {"lesion": 2, "heart": 1}


def test_values_of_one_label_are_lesions_of_their_own(cohort):
    """They touch, and would be one piece."""
    cohort.ct()
    cohort.mask(
        "p/mask1.nii", (1, np.s_[0:3, 2:5, 2:4]), (2, np.s_[3:5, 2:5, 2:4]), (3, np.s_[7:8, 0:1, 0:1])
    )
    values = {1: "lesion", 2: "lesion", 3: "lesion"}
    cohort.run(annotations=masks(cohort, values=values), instances=True, labels={"lesion": {"value": 1}})
    [record] = cohort.records()
    assert len(record.boxes) == 3
    sizes = np.bincount(np.asarray(record.instances).reshape(-1))[1:]
    assert sorted(sizes.tolist()) == [1, 12, 18]


def test_connectivity_is_what_was_said(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (1, np.s_[1:3, 1:3, 1:3]), (1, np.s_[3:5, 3:5, 3:5]))  # they share a corner
    for connectivity, count in ((26, 1), (18, 2)):
        cohort.run(instances=True, connectivity=connectivity)
        [record] = cohort.records()
        assert len(record.boxes) == count


def test_readers_lesions_are_matched_before_they_are_fused(cohort):
    cohort.ct()
    for n in (1, 2, 3):
        cohort.mask(f"p/mask{n}.nii", (1, BOX), *([(1, TWO)] if n == 1 else []))
    cohort.run(instances=True)
    [record] = cohort.records()
    assert record.boxes_voxel.tolist() == [[2, 2, 2, 4, 5, 5]]
    assert sorted(o.instances for o in record.opinions if o.label == "lesion") == [1, 1, 2]


def test_shares_of_several_raters(cohort):
    cohort.ct()
    for n in (1, 2, 3):
        cohort.mask(f"p/mask{n}.nii", (1, np.s_[2 : 3 + n, 2:5, 2:4]))
    cohort.run(agreement={"method": "soft-mean"})
    [record] = cohort.records()
    shares = np.asarray(record.shares["lesion"])
    assert shares.dtype == np.uint16
    np.testing.assert_allclose(shares[2, 3, 2:6] / 65_535, [1, 1, 2 / 3, 1 / 3], atol=1e-5)
    assert "heart" in record.shares
    cohort.run(annotations=masks(cohort, path="{s}/mask1.nii", rater=""), agreement={"method": "soft-mean"})
    [record] = cohort.records()
    assert record.shares == {}
