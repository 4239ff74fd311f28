"""Why the grid of a mask is not that of its image."""

import numpy as np
import pytest

from isocenter.imaging.alignment import Cause, diagnose
from isocenter.model.grid import Grid

AFFINE = np.array([[-0.75, 0, 0, 90.5], [0, -0.75, 0, 120.25], [0, 0, 2.0, -31], [0, 0, 0, 1]])
IDENTITY = np.eye(4)
IMAGE = Grid((5, 6, 8), AFFINE, "frame")


def own(shape=IMAGE.shape, frame="", is_oriented=True, start=(0, 0, 0), by=IDENTITY):
    affine = by @ AFFINE
    affine[:3, 3] += affine[:3, :3] @ np.array(start[::-1], float)
    return Grid(shape, affine, frame, is_oriented)


@pytest.mark.parametrize(
    ("grid", "cause"),
    [
        (own(), Cause.EXACT),
        (own(frame="frame"), Cause.EXACT),
        (own(start=(0, 0.02, 0)), Cause.ROUNDING),
        (own(start=(0, 0.5, 0)), Cause.HALF_VOXEL),
        (own(start=(0.5, -0.5, 0.5)), Cause.HALF_VOXEL),
        (own(start=(0, 1, 0)), Cause.SHIFTED),
        (own(start=(0, 0.3, 0)), Cause.SHIFTED),
        (own((3, 6, 8), start=(1, 0, 0)), Cause.PART),
        (own((7, 8, 10), start=(-1, -1, -1)), Cause.PART),
        (own((4, 6, 8)), Cause.OFF_BY_ONE),
        (own((6, 6, 8), start=(-1, 0, 0)), Cause.OFF_BY_ONE),
        (own((3, 6, 8), start=(40, 0, 0)), Cause.APART),
        (own(start=(5, 0, 0)), Cause.APART),
        (own(by=np.diag([-1.0, -1, 1, 1])), Cause.NEGATED),
        (own(by=np.diag([10.0, 10, 10, 1])), Cause.UNIT),
        (own(frame="another"), Cause.OTHER_FRAME),
        (own(is_oriented=False), Cause.NO_POSITION),
        (own((4, 6, 8), is_oriented=False), Cause.APART),
        (Grid(IMAGE.shape, np.eye(4)), Cause.NO_POSITION),
        (Grid(IMAGE.shape, np.diag([1.0, 1, 0, 1])), Cause.NO_VOLUME),
        (Grid(IMAGE.shape, np.full((4, 4), np.nan)), Cause.NO_VOLUME),
        (own(by=np.diag([1.0, 1, 1.05, 1])), Cause.OTHER_GRID),
    ],
)
def test_the_cause_is_named(grid, cause):
    found = diagnose(grid, IMAGE)
    assert found.cause is cause
    assert found.is_safe == (cause in {Cause.EXACT, Cause.ROUNDING, Cause.PART})
    assert bool(found.told) == (cause not in {Cause.EXACT, Cause.ROUNDING, Cause.PART})


def test_a_format_that_cuts_masks_may_leave_one_slice_out():
    assert diagnose(own((4, 6, 8)), IMAGE, is_cut=True).cause is Cause.PART


def test_how_far_corners_lie_apart_is_measured_in_voxels_and_millimetres():
    found = diagnose(own(start=(0, 0.02, 0.03)), IMAGE)
    assert found.distance_voxels == pytest.approx(0.03)
    assert found.distance_mm == pytest.approx(0.75 * np.hypot(0.02, 0.03))
    assert diagnose(own((3, 3, 3), start=(0, 0.02, 0)), IMAGE).distance_mm == pytest.approx(0.015)
    assert diagnose(own(by=np.diag([-1.0, -1, 1, 1])), IMAGE).distance_mm > 200


def test_what_a_turn_and_a_negation_explain_alike_is_a_doubt():
    centred = AFFINE.copy()
    centred[:2, 3] = 0.75 * 7 / 2, 0.75 * 5 / 2
    image = Grid(IMAGE.shape, centred)
    mask = np.zeros(image.shape, bool)
    mask[1, 1, 2] = True
    found = diagnose(Grid(image.shape, np.diag([-1.0, -1, 1, 1]) @ centred), image)
    assert found.cause is Cause.TURN
    assert not found.is_safe
    assert found.place.apply(mask)[1, 4, 5]
    assert found.rival.apply(mask)[1, 1, 2]
    assert found.told == "axes run RAS instead of LPS, or axes and origin negated in x and y"


def test_two_ways_to_undo_a_mistake_are_none():
    """Half a voxel of a part may go either way."""
    found = diagnose(own((3, 4, 4), start=(1, 1, 1.5)), IMAGE)
    assert (found.cause, found.place) == (Cause.HALF_VOXEL, None)
