"""What raters marked."""

import numpy as np
import pytest

from isocenter.model.annotation import AnnotationState
from isocenter.model.rows import LabelState
from isocenter.rules.catalogue.annotation.box_beyond_image import box_beyond_image
from isocenter.rules.catalogue.annotation.changed_components import changed_components
from isocenter.rules.catalogue.annotation.empty_mask import empty_mask
from isocenter.rules.catalogue.annotation.low_agreement import low_agreement
from isocenter.rules.catalogue.annotation.mask_at_image_border import mask_at_image_border
from isocenter.rules.catalogue.annotation.mask_in_padding import mask_in_padding
from isocenter.rules.catalogue.annotation.mask_on_air import mask_on_air
from isocenter.rules.catalogue.annotation.overlapping_labels import overlapping_labels
from isocenter.rules.catalogue.annotation.tiny_components import tiny_components
from isocenter.rules.catalogue.annotation.too_few_raters import too_few_raters
from isocenter.rules.catalogue.annotation.vanished_component import vanished_component
from isocenter.rules.catalogue.annotation.vanished_label import vanished_label
from isocenter.testing.rules import a_case, a_consensus, an_annotation, issues_of

MASK = a_case().mask


@pytest.mark.parametrize(
    ("dice", "caught"), [((14 / 20,), 0), ((0.6999999,), 1), ((1.0, 0.0), 1), ((None,), 0), ((), 0)]
)
def test_the_worst_pair_counts_and_exactly_the_limit_passes(dice: tuple, caught: int) -> None:
    assert len(issues_of(low_agreement, a_consensus(*dice))) == caught


def test_no_number_is_no_agreement() -> None:
    assert len(issues_of(low_agreement, a_consensus(float("nan")))) == 1


def test_absent_is_not_empty_and_a_class_needs_no_voxel() -> None:
    nothing = np.zeros((5, 32, 32), bool)
    assert issues_of(empty_mask, an_annotation(nothing, state=AnnotationState.ABSENT)) == []
    assert issues_of(empty_mask, an_annotation(shape=None)) == []
    assert issues_of(empty_mask, an_annotation(nothing, grid=None)) == []


def test_a_label_vanishes_only_where_masks_are_made() -> None:
    gone = (LabelState(label="lesion", state="positive"), LabelState(label="liver", state="negative"))
    assert issues_of(vanished_label, a_case(labels=gone)) == ["lesion is positive, but its mask is empty"]
    assert issues_of(vanished_label, a_case(labels=gone, mask=None)) == []


def test_three_labels_at_one_voxel_are_one_voxel() -> None:
    box = np.zeros((2, 2, 2), bool)
    box[0, 0, 0] = True
    masks = {"a": box, "b": box.copy(), "c": box.copy()}
    assert issues_of(overlapping_labels, a_consensus(masks=masks)) == [
        "1 voxel belongs to more than one label"
    ]
    assert masks["a"].sum() == 1
    assert issues_of(overlapping_labels, a_consensus(masks=masks), max_voxels=1) == []


def test_several_raters_are_counted() -> None:
    case = a_case(raters={"rater-1": MASK, "rater-2": MASK})
    assert issues_of(too_few_raters, case, min_raters=2) == []
    assert issues_of(too_few_raters, case, min_raters=3) == ["2 raters, fewer than 3"]
    assert issues_of(too_few_raters, a_case(mask=None), min_raters=3) == []


def test_a_border_of_padding_may_be_touched() -> None:
    valid = np.ones((5, 32, 32), bool)
    valid[3, 14, 14] = False
    assert issues_of(mask_in_padding, a_case(valid=valid), max_share=0.05) == []
    assert len(issues_of(mask_in_padding, a_case(valid=valid))) == 1


def test_aerated_lung_is_not_air_and_airways_may_be_named() -> None:
    image = np.full((1, 5, 32, 32), -870, np.int16)
    assert issues_of(mask_on_air, a_case(image=image)) == []
    image[:] = -1000
    assert issues_of(mask_on_air, a_case(image=image)) == ["100 % of label 1 lies in air"]
    assert issues_of(mask_on_air, a_case(image=image), ignore_values=(1,)) == []
    assert issues_of(mask_on_air, a_case(image=image, units=("arbitrary",))) == []


def test_pieces_are_joined_over_corners() -> None:
    mask = MASK.copy()
    mask[0, 13, 13] = 1  # touches the lesion at a corner
    assert issues_of(tiny_components, a_case(mask=mask)) == []
    mask[4, 0, 0] = mask[4, 2, 2] = 1
    assert issues_of(tiny_components, a_case(mask=mask)) == ["2 of 3 pieces of label 1 have at most 1 voxel"]


def test_all_faces_are_named_and_a_lone_slice_has_none_along_k() -> None:
    full = np.ones((5, 32, 32), np.uint8)
    assert issues_of(mask_at_image_border, a_case(mask=full)) == [
        "label 1 reaches the first slice, the last slice, the first row, the last row, the first column, the last column"
    ]
    lone = a_case(mask=MASK[2:3], grid=a_case().grid.__class__((1, 32, 32), a_case().grid.affine))
    assert issues_of(mask_at_image_border, lone) == []


def test_a_box_may_enclose_the_outer_voxels_whole() -> None:
    grid = a_case().grid
    low, high = grid.corners_mm().min(axis=0), grid.corners_mm().max(axis=0)
    half = np.array([0.4, 0.4, 1.25])
    outer = np.concatenate([low - half, high + half])[np.newaxis]
    assert issues_of(box_beyond_image, a_case(boxes=outer), tolerance_voxels=1e-6) == []
    assert len(issues_of(box_beyond_image, a_case(boxes=outer + 1.0))) == 1
    assert len(issues_of(box_beyond_image, a_case(boxes=np.full((1, 6), np.nan)))) == 1


def test_every_lost_piece_is_told_and_crumbs_only_if_they_are_asked_for() -> None:
    lost = LabelState(label="a", state="positive", drawn_components_before=4, vanished=2, vanished_ml=0.05)
    whole = LabelState(label="b", state="positive", drawn_components_before=2, drawn_components_after=2)
    case = a_case(labels=(lost, whole))
    assert issues_of(vanished_component, case) == [
        "2 of 4 pieces of a vanished on the grid of the case, the largest had 0.05 ml"
    ]
    assert len(issues_of(vanished_component, case, min_ml=0.05)) == 1
    assert issues_of(vanished_component, case, min_ml=0.051) == []
    none = LabelState(label="a", state="positive", drawn_components_before=1, vanished=1)
    assert len(issues_of(vanished_component, a_case(labels=(none,)))) == 1


def test_pieces_that_ran_together_and_fell_apart_are_told_together() -> None:
    both = LabelState(
        label="a", state="positive", drawn_components_before=4, drawn_components_after=4, merged=2, split=1
    )
    assert issues_of(changed_components, a_case(labels=(both,))) == [
        "a: 2 pieces are made of several, 1 piece fell apart"
    ]
    assert issues_of(changed_components, a_case()) == []
