import numpy as np
import pytest

from isocenter.agreement.metrics import agreement_of, dice, overlap, overlaps_of_labels
from isocenter.model.grid import Grid

GRID = Grid((2, 3, 4), np.diag([1.0, 2.0, 5.0, 1.0]))


def mask(*voxels: int) -> np.ndarray:
    flat = np.zeros(24, dtype=bool)
    flat[list(voxels)] = True
    return flat.reshape(GRID.shape)


def test_dice_by_hand() -> None:
    assert dice(mask(0, 1, 2), mask(1, 2, 3)) == 4 / 6
    assert dice(mask(0), mask(0)) == 1
    assert dice(mask(0), mask(1)) == 0


def test_both_empty_is_no_number_and_one_empty_is_0() -> None:
    assert dice(mask(), mask()) is None
    assert dice(mask(), mask(3)) == dice(mask(3), mask()) == 0


def test_masks_need_not_be_contiguous() -> None:
    assert dice(mask(0, 5)[..., ::-1], mask(0, 5)[..., ::-1]) == 1


def test_masks_of_two_shapes_are_a_bug() -> None:
    with pytest.raises(ValueError, match="masks are"):
        dice(mask(), mask()[1:])


def test_all_pairs_in_the_order_of_names() -> None:
    found = agreement_of({"c": mask(0), "a": mask(0, 1), "b": mask()}, "liver", GRID)
    assert [(a.raters, a.dice) for a in found] == [
        (("a", "b"), 0.0),
        (("a", "c"), 2 / 3),
        (("b", "c"), 0.0),
    ]
    assert found[1].volumes_ml == pytest.approx((0.02, 0.01))
    assert found[1].volume_difference_ml == pytest.approx(-0.01)
    assert {a.label for a in found} == {"liver"}


def test_who_did_not_annotate_is_in_no_pair() -> None:
    assert agreement_of({"a": mask(0), "b": None}, "liver", GRID) == ()
    assert [a.raters for a in agreement_of({"a": mask(), "b": None, "c": mask()}, "x", GRID)] == [("a", "c")]


def test_iou_and_volume_difference_by_hand() -> None:
    found = overlap(mask(0, 1, 2), mask(1, 2, 3, 4, 5))
    assert (found.first, found.second, found.both) == (3, 5, 2)
    assert found.iou == 2 / 6
    assert found.volume_difference == 0.5
    nothing = overlap(mask(), mask())
    assert (nothing.dice, nothing.iou, nothing.volume_difference) == (None, None, None)
    alone = overlap(mask(), mask(3))
    assert (alone.dice, alone.iou, alone.volume_difference) == (0, 0, 2)


def test_all_labels_in_one_pass() -> None:
    first = np.array([[0, 1, 1, 2, 2, 5]], dtype=np.uint8)
    second = np.array([[0, 1, 2, 2, 2, 0]], dtype=np.uint8)
    found = overlaps_of_labels(first, second)
    assert {label: each.dice for label, each in found.items()} == {1: 2 / 3, 2: 0.8, 5: 0}


def test_lesions_of_a_pair() -> None:
    (found,) = agreement_of({"a": mask(0, 3), "b": mask(0, 1)}, "x", GRID)
    assert found.lesions == (2, 1)
    assert found.lesions_matched == 1
    assert found.lowest_lesion_dice == 0
    (nothing,) = agreement_of({"a": mask(), "b": mask()}, "x", GRID, surface_mm=1.0)
    assert (nothing.lesions, nothing.lowest_lesion_dice, nothing.hd95_mm) == ((0, 0), None, None)


def test_surfaces_in_millimetres_and_none_on_a_sheared_grid() -> None:
    (found,) = agreement_of({"a": mask(0), "b": mask(12)}, "x", GRID, surface_mm=5.0)
    assert (found.hd95_mm, found.surface_dice) == (5.0, 1.0)
    sheared = GRID.affine.copy()
    sheared[1, 2] = 1.0
    (none,) = agreement_of({"a": mask(0), "b": mask(12)}, "x", Grid(GRID.shape, sheared), surface_mm=5.0)
    assert (none.hd95_mm, none.surface_dice, none.dice) == (None, None, 0)
