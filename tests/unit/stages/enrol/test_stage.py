"""The stage as a whole: what one file can do to a case, and which source reads it."""

import os

import pytest

from isocenter.base import tables
from isocenter.model.issue import Issue
from isocenter.model.rows import PlannedAnnotation, PlannedCase
from isocenter.stages.enrol.stage import _without_repeats
from tests.unit.stages.cohort import BOX, Cohort


@pytest.fixture
def cohort(tmp_path):
    made = Cohort(tmp_path)
    made.ct()
    made.mask("p/mask1.nii", (1, BOX))
    return made


def plan(cohort):
    [case] = tables.read(cohort.work / "enrol/cases.parquet", PlannedCase)
    issues = {i.rule: i for i in tables.read(cohort.work / "enrol/issues.parquet", Issue)}
    return case, issues


def test_a_readers_mask_that_cannot_be_read_is_for_a_person(cohort):
    path = cohort.folder / "data/p/mask2.nii"
    cohort.mask("p/mask2.nii", (1, BOX))
    path.write_bytes(path.read_bytes()[:200])
    cohort.run()
    case, _ = plan(cohort)
    assert (case.verdict, case.reason) == ("review", "enrol/unreadable-annotation")


def test_a_mask_that_fits_two_images_does_not_vanish_from_their_case(cohort):
    """The second source finds two images of its grid; the case keeps its own mask, but is to be looked at."""
    cohort.ct("p/late.nii")
    cohort.mask("p/other.nii", (1, BOX))
    source = {"kind": "masks", "rater": "else", "path": "{s}/other.nii"}
    late = {"modality": "CT", "path": ["*/late.nii"]}
    channels = cohort.document["channels"] | {"late": late}
    cohort.run(annotations=[*cohort.document["annotations"], source], channels=channels)
    case, issues = plan(cohort)
    assert "enrol/ambiguous-annotation" in issues
    assert (case.verdict, case.reason) == ("review", "enrol/ambiguous-annotation")


def test_a_file_that_two_sources_name_is_read_once_by_the_first(cohort):
    [source] = cohort.document["annotations"]
    again = source | {"rater": "somebody else"}
    cohort.run(annotations=[source, again])
    case, _ = plan(cohort)
    assert len(case.annotations) == 1
    assert case.verdict == "keep"
    parts = [source | {"values": {1: "lesion"}}, again | {"values": {1: "lesion", 2: "heart"}}]
    cohort.run(annotations=parts)
    case, _ = plan(cohort)
    assert [a.labels for a in case.annotations] == [("lesion",), ("heart",)]


def test_a_corrected_table_is_a_changed_input(cohort):
    table = cohort.folder / "t.csv"
    source = {"kind": "table", "path": "t.csv", "columns": {"key": "id", "lesion": "lesion"}}
    table.write_text("id,lesion\np,1\n")
    cohort.run(task="classification", annotations=[source])
    before, _ = plan(cohort)
    table.write_text("id,lesion\np,0\n")
    os.utime(table, ns=(1, 1))
    cohort.run(task="classification", annotations=[source])
    after, _ = plan(cohort)
    assert before.annotations[0].states == ("marked",)
    assert after.annotations[0].states == ("absent",)
    assert before.digest != after.digest


def test_a_mask_that_cannot_be_read_is_not_taken_for_an_absent_one(cohort):
    [source] = cohort.document["annotations"]
    path = cohort.folder / "data/p/mask1.nii"
    path.write_bytes(path.read_bytes()[:200])
    cohort.run(annotations=[source | {"absent": "negative"}])
    case, issues = plan(cohort)
    assert case.annotations == ()
    assert "enrol/unreadable-annotation" in issues


def test_a_file_without_a_known_name_stays_with_its_image():
    nameless = PlannedAnnotation(
        id="ann-1", kind="contours", format="rtstruct", rater="", on="s", file_id="f"
    )
    taken = set()
    assert _without_repeats([nameless], taken) == [nameless]
    assert _without_repeats([nameless], taken) == []


def test_a_label_that_an_earlier_source_read_is_left_out_with_all_that_is_its_own():
    drawn = PlannedAnnotation(
        id="ann-1", kind="boxes", format="aim", rater="", on="s", file_id="f",
        keys=(1, 2, 3), labels=("a", "b", "a"), slices=("6", "7", "8"), searched_slices=("6", "7", "8"),
    )  # fmt: skip
    [left] = _without_repeats([drawn], {("ann-1", "a")})
    assert (left.keys, left.labels, left.slices) == ((2,), ("b",), ("7",))
    assert left.searched_slices == drawn.searched_slices
    assert _without_repeats([drawn], {("ann-1", "a"), ("ann-1", "b")}) == []
    assert _without_repeats([drawn], {("ann-2", "a")}) == [drawn]


def test_what_is_told_of_a_whole_image_is_new_once():
    told = PlannedAnnotation(
        id="ann-1",
        kind="labels",
        format="aim",
        rater="",
        on="s",
        labels=("a", "b"),
        states=("marked", "absent"),
    )
    taken = set()
    assert _without_repeats([told], taken) == [told]
    assert taken == {("ann-1", "a"), ("ann-1", "b")}
    assert _without_repeats([told], taken) == []
    [left] = _without_repeats([told], {("ann-1", "a")})
    assert (left.keys, left.labels, left.states, left.slices) == ((), ("b",), ("absent",), ())
