import numpy as np
import pytest

from isocenter.agreement.metrics import agreement_of, dice
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
    assert {a.label for a in found} == {"liver"}


def test_who_did_not_annotate_is_in_no_pair() -> None:
    assert agreement_of({"a": mask(0), "b": None}, "liver", GRID) == ()
    assert [a.raters for a in agreement_of({"a": mask(), "b": None, "c": mask()}, "x", GRID)] == [("a", "c")]
