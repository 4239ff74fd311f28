"""Masks that are not on their image, through a whole run: what becomes of the case, and what a person is shown."""

import nibabel
import numpy as np
import pytest

from isocenter.base import tables
from isocenter.imaging.affine import canonical
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.rows import CaseRow, PreviewRow
from tests.unit.stages.cohort import SHAPE, Cohort

AFFINE = np.diag([-0.5, -0.75, 2.0, 1.0])
AFFINE[:3, 3] = 40.0, 60.5, -20.0
BOX = np.s_[2:5, 1:4, 2:4]
MASK = np.zeros(SHAPE, np.uint8)
MASK[BOX] = 1
NEGATED = np.diag([-1.0, -1, 1, 1]) @ AFFINE


@pytest.fixture
def cohort(tmp_path):
    made = Cohort(tmp_path)
    made.document["store"] = {"shards": 1}
    made.document["annotations"][0] |= {"path": "{s}/mask.nii", "rater": ""}
    made.ct("p/ct.nii", AFFINE)
    return made


def run(cohort, array, affine, **changes):
    """The one case of a run over one mask, and what was told of it."""
    cohort.save("p/mask.nii", array, affine)
    cohort.document["annotations"][0] |= changes
    cohort.run()
    (case,) = cohort.rows("cases", CaseRow)
    issues = tables.read(cohort.work / "build/issues.parquet", Issue)
    return case, {i.rule: i for i in issues if i.rule.startswith(("read/grid", "read/other"))}


def canonical_mask():
    order = canonical(Grid(SHAPE[::-1], AFFINE))
    return order.apply(np.ascontiguousarray(MASK.T))


def state_of(case):
    return next(s.state for s in case.labels if s.label == "lesion")


def test_a_part_of_the_image_is_put_in_place_and_the_rest_is_not_known(cohort):
    affine = AFFINE.copy()
    affine[:3, 3] += AFFINE[:3, :3] @ [1, 1, 1]
    case, told = run(cohort, MASK[1:6, 1:6, 1:5], affine)
    assert (case.verdict, state_of(case)) == ("keep", "partial")
    assert set(told) == {"read/grid-part"}
    (record,) = cohort.records()
    assert np.array_equal(np.asarray(record.mask), canonical_mask())
    known = np.asarray(record.known["lesion"])
    assert known.sum() == 5 * 5 * 4
    assert known[canonical_mask() > 0].all()


@pytest.mark.parametrize(
    ("affine", "rule", "word"),
    [
        (NEGATED, "read/grid-negated", "negated"),
        (np.diag([10.0, 10, 10, 1]) @ AFFINE, "read/grid-unit", "unit"),
        (np.eye(4), "read/grid-without-position", "no-position"),
    ],
)
def test_a_suspected_mistake_is_shown_and_undone_once_it_is_accepted(cohort, affine, rule, word):
    case, told = run(cohort, MASK, affine)
    assert (case.verdict, state_of(case)) == ("review", "failed")
    assert told[rule].severity == "review"
    (record,) = cohort.records()
    assert not np.asarray(record.mask).any()
    rows = cohort.rows("previews", PreviewRow)
    assert {row.drawn_by for row in rows} == {("?",)}
    assert all(any(row.drawn) for row in rows)
    case, told = run(cohort, MASK, affine, accept=[word])
    assert (case.verdict, state_of(case)) == ("keep", "positive")
    assert told[rule].severity == "note"
    (record,) = cohort.records()
    assert np.array_equal(np.asarray(record.mask), canonical_mask())


def test_other_voxels_are_resampled_and_held_unless_the_cohort_says_otherwise(cohort):
    fine = MASK.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    affine = AFFINE @ np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] -= AFFINE[:3, :3] @ [0.25, 0.25, 0.25]
    case, told = run(cohort, fine, affine)
    assert (case.verdict, state_of(case)) == ("review", "positive")
    assert told["read/grid-resampled"].expected == "0.0135 ml in 1 pieces"
    (record,) = cohort.records()
    assert np.array_equal(np.asarray(record.mask), canonical_mask())
    case, told = run(cohort, fine, affine, align="resample")
    assert (case.verdict, told["read/grid-resampled"].severity) == ("keep", "note")
    case, told = run(cohort, fine, affine, align="reject")
    assert case.verdict == "reject"
    assert set(told) == {"read/other-grid"}


def test_a_mask_beside_its_image_is_held(cohort):
    affine = AFFINE.copy()
    affine[:3, 3] += AFFINE[:3, :3] @ [1, 0, 0]
    case, told = run(cohort, MASK, affine, align="resample")
    assert case.verdict == "review"
    assert set(told) == {"read/grid-shifted"}


def test_raters_who_disagree_are_shown_side_by_side(cohort):
    cohort.document["annotations"][0] |= {"path": "{s}/mask{r}.nii", "rater": "{r}"}
    cohort.document["screen"] = {"select": ["annotation/low-agreement"]}
    other = np.roll(MASK, 2, axis=0)
    for name, array in (("a", MASK), ("b", other)):
        cohort.save(f"p/mask{name}.nii", array, AFFINE)
    cohort.run()
    (case,) = cohort.rows("cases", CaseRow)
    assert case.verdict == "review"
    rows = cohort.rows("previews", PreviewRow)
    assert {row.drawn_by for row in rows} == {case.raters}
    axial = next(row for row in rows if row.plane == "axial")
    first, second = np.frombuffer(axial.drawn, np.uint8).reshape(2, axial.rows, axial.columns)
    assert first.any()
    assert second.any()
    assert (first != second).any()


def test_nibabel_has_the_same_idea_of_where_the_mask_is(cohort):
    """The voxels of the store and those of the file lie at the same millimetres, by another library."""
    run(cohort, MASK, NEGATED, accept=["negated"])
    (record,) = cohort.records()
    packed = np.argwhere(np.asarray(record.mask) != 0)[:, ::-1]
    ours = np.sort(nibabel.affines.apply_affine(record.grid.affine, packed), axis=0)
    theirs = np.sort(nibabel.affines.apply_affine(AFFINE, np.argwhere(MASK)), axis=0)
    assert np.allclose(ours, theirs)
