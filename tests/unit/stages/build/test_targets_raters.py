"""Several raters of one case: how they are compared, fused, and put to review."""

from dataclasses import replace

import numpy as np
import pytest

from isocenter.base.errors import ConfigError
from isocenter.base.workspace import Workspace
from isocenter.model.annotation import AnnotationState
from isocenter.model.issue import Issue
from isocenter.model.rows import AgreementRow, CaseRow, PerformanceRow
from isocenter.model.task import Task
from isocenter.report.facts import ReportFacts, read_facts
from isocenter.report.sections.agreement import render
from isocenter.stages.build.opinions import Opinion
from isocenter.stages.build.options import AgreementOptions
from isocenter.stages.build.states import _said
from tests.unit.stages.cohort import Cohort

LARGE, SMALL = np.s_[1:5, 1:5, 1:5], np.s_[1:4, 1:5, 1:5]


@pytest.fixture
def cohort(tmp_path):
    return Cohort(tmp_path)


def two_masks(cohort):
    cohort.ct()
    return [cohort.mask(f"p/mask{n}.nii", (1, b)) for n, b in enumerate((LARGE, SMALL))]


def test_one_named_rater_decides(cohort):
    masks = two_masks(cohort)
    [source] = cohort.document["annotations"]
    annotations = [source | {"path": "{s}/mask{n}.nii", "rater": "reader-{n}"}]
    for n, mask in enumerate(masks):
        cohort.run(annotations=annotations, agreement={"method": "single", "rater": f"reader-{n}"})
        [record] = cohort.records()
        assert np.array_equal(np.asarray(record.mask), mask.transpose(2, 1, 0))
        assert len(record.raters) == 2


def test_surfaces_and_lesions_are_in_the_rows(cohort):
    two_masks(cohort)
    cohort.run(agreement={"surface_mm": 1.0})
    rows = {r.label: r for r in cohort.rows("agreements", AgreementRow)}
    lesion = rows["lesion"]
    assert lesion.dice == pytest.approx(96 / 112)
    assert lesion.iou == 0.75
    assert (lesion.surface_dice, lesion.hd95_mm) == (1.0, 1.0)
    assert (lesion.lesions_a, lesion.lesions_b, lesion.lesions_matched) == (1, 1, 1)
    assert lesion.lowest_lesion_dice == lesion.dice
    assert lesion.volume_a_ml != lesion.volume_b_ml
    assert lesion.volume_difference_ml == pytest.approx(lesion.volume_b_ml - lesion.volume_a_ml)
    assert rows["heart"].dice is None
    assert rows["heart"].volume_difference_ml == 0
    low = replace(lesion, dice=0.1, volume_a_ml=3.0, volume_b_ml=1.5, volume_difference_ml=-1.5)
    told = str(render(ReportFacts(agreements=(low,))))
    assert "Difference (mL)" in told
    assert "'3 / 1.5', '\N{MINUS SIGN}1.5'" in told


def test_staple_tells_how_good_each_rater_is(cohort):
    two_masks(cohort)
    cohort.mask("p/mask2.nii", (1, SMALL))
    cohort.run(agreement={"method": "staple"})
    rows = cohort.rows("performances", PerformanceRow)
    assert len({r.rater for r in rows}) == len(rows) == 3
    assert {r.label for r in rows} == {"lesion"}
    assert all(r.sensitivity > 0.99 and r.specificity > 0.9 for r in rows)
    facts = read_facts(Workspace(cohort.folder / "work"))
    assert facts.performances == tuple(rows)
    assert "Raters against the consensus" in str(render(facts))


def boxes(cohort, text, **agreement):
    cohort.ct()
    (cohort.folder / "boxes.csv").write_text(text)
    source = {
        "kind": "table", "path": str(cohort.folder / "boxes.csv"), "shape": "boxes", "label": "lesion",
        "world": "RAS", "columns": {"key": "id", "rater": "who"},
    }  # fmt: skip
    screen = {"select": ["annotation/low-agreement"]}
    cohort.run(annotations=[source], task="detection", agreement=agreement, screen=screen)
    return cohort.records()


HEAD = "id,who,x0,y0,z0,x1,y1,z1\n"
TWO = (
    HEAD + "p,anna,0.5,0.5,0.5,2.5,2.5,2.5\np,bert,0.5,0.5,0.5,3.5,2.5,2.5\np,bert,4.5,3.5,3.5,5.5,4.5,4.5\n"
)


def test_boxes_of_several_raters_are_fused_by_lesion(cohort):
    [record] = boxes(cohort, TWO)
    assert record.boxes.tolist() == [[0.5, 0.5, 0.5, 3.0, 2.5, 2.5]]
    [row] = cohort.rows("agreements", AgreementRow)
    assert row.f1 == pytest.approx(2 / 3)
    assert (sorted((row.lesions_a, row.lesions_b)), row.lesions_matched, row.dice) == ([1, 2], 1, None)
    [issue] = [i for i in cohort.rows("issues", Issue) if i.rule == "annotation/low-agreement"]
    assert issue.unit == "F1"
    assert record.verdict == "review"


def test_an_even_vote_on_a_box_is_as_said(cohort):
    [record] = boxes(cohort, TWO, tie="foreground", min_f1=0.5)
    assert len(record.boxes) == 2
    assert record.verdict == "keep"


def test_boxes_of_one_rater_stay_as_they_are(cohort):
    [record] = boxes(cohort, HEAD + "p,anna,4.5,3.5,3.5,5.5,4.5,4.5\np,anna,0.5,0.5,0.5,2.5,2.5,2.5\n")
    assert record.boxes[:, 0].tolist() == [4.5, 0.5]
    assert cohort.rows("agreements", AgreementRow) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": "single"}, "needs a rater"),
        ({"rater": "anna"}, "no other method"),
        ({"surface_mm": -1.0}, "surface_mm"),
        ({"min_f1": 1.5}, "min_f1"),
        ({"box_rule": "area"}, "box_rule"),
        ({"min_iou": 0.0}, "min_iou"),
    ],
)
def test_wrong_options(wrong, message):
    with pytest.raises(ValueError, match=message):
        AgreementOptions(**wrong)


def test_wrong_options_are_told_with_the_config(cohort):
    cohort.ct()
    with pytest.raises(ConfigError, match="needs a rater"):
        cohort.run(agreement={"method": "single"})


SILENT = "p,{},0.5,0.5,0.5,2.5,2.5,2.5\n"


@pytest.mark.parametrize(("who", "state"), [("bert", "unknown"), ("anna", "positive")])
def test_boxes_of_others_are_no_absence_by_the_named_rater(cohort, who, state):
    boxes(cohort, HEAD + SILENT.format("anna"), method="single", rater=who)
    [row] = cohort.rows("cases", CaseRow)
    assert {s.label: s.state for s in row.labels}["lesion"] == state
    told = [i.severity for i in cohort.rows("issues", Issue) if i.rule == "build/silent-rater"]
    assert told == (["review"] if who == "bert" else [])


def test_the_named_rater_alone_says_what_is_known(cohort):
    """Anna drew the lesion on some slices, Carl looked at all; of the rib Carl alone says something."""
    cohort.ct()
    anna = cohort.mask("p/mask-anna.nii", (1, SMALL))
    cohort.mask("p/mask-carl.nii", (3, SMALL))
    [source] = cohort.document["annotations"]
    each = [
        source | {"path": "{s}/mask-anna.nii", "rater": "anna", "covers": "slices", "values": {1: "lesion"}},
        source | {"path": "{s}/mask-carl.nii", "rater": "carl", "values": {1: "lesion", 3: "rib"}},
    ]
    labels = {"lesion": {"value": 1}, "rib": {"value": 3}}
    found = {}
    for who in ("anna", "carl"):
        cohort.run(annotations=each, labels=labels, agreement={"method": "single", "rater": who})
        [row] = cohort.rows("cases", CaseRow)
        found[who] = {s.label: s.state for s in row.labels}
        assert "build/silent-rater" not in {i.rule for i in cohort.rows("issues", Issue)}
        if who == "anna":
            [record] = cohort.records()
            known = np.asarray(record.known["lesion"])
            assert np.array_equal(known.all(axis=(1, 2)), anna.any(axis=(0, 1)))
    assert found == {
        "anna": {"lesion": "partial", "rib": "unknown"},
        "carl": {"lesion": "negative", "rib": "positive"},
    }


def test_an_absence_is_none_while_the_named_rater_is_silent(cohort):
    cohort.ct()
    cohort.mask("p/mask-a.nii", (1, SMALL))
    cohort.mask("p/mask-c.nii")
    [source] = cohort.document["annotations"]
    annotations = [source | {"path": "{s}/mask-{r}.nii"}]
    screen = {"select": ["annotation"]}
    cohort.run(annotations=annotations, agreement={"method": "single", "rater": "b"}, screen=screen)
    [row] = cohort.rows("cases", CaseRow)
    assert {s.label: s.state for s in row.labels} == {"lesion": "unknown", "heart": "unknown"}
    assert row.verdict == "review"
    [told] = [i for i in cohort.rows("issues", Issue) if i.rule == "build/silent-rater"]
    assert told.measured == "heart, lesion"


def test_no_absence_where_somebody_marked():
    opinions = {"a": Opinion(AnnotationState.MARKED), "c": Opinion(AnnotationState.ABSENT)}
    assert _said(opinions, Task.CLASSIFICATION) == "unknown"
    assert _said({"c": opinions["c"]}, Task.CLASSIFICATION) == "negative"
