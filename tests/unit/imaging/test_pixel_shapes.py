import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.imaging.affine import canonical
from isocenter.imaging.pixel_shapes import AxialOutlines, AxialPoints, Outline, PixelBoxes
from isocenter.model.grid import Grid

SHAPE = (5, 20, 24)
# as a scanner stores it: rows to the left, columns to the back, slices to the head
STORED = Grid(SHAPE, np.array([[-0.7, 0, 0, 100], [0, -0.7, 0, 90], [0, 0, 2.5, -40], [0, 0, 0, 1]]))
SQUARE = np.array([(3, 2), (10, 2), (10, 8), (3, 8)])


def test_what_the_outline_runs_through_is_outside():
    mask = AxialOutlines((Outline(-35.0, SQUARE),)).mask(STORED)
    assert mask[2, 3:8, 4:10].all()
    assert mask.sum() == 5 * 6


def test_a_diagonal_edge_runs_through_the_pixels_on_it():
    mask = AxialOutlines((Outline(-35.0, np.array([(2, 2), (12, 2), (2, 12)])),)).mask(STORED)
    j, i = np.mgrid[:20, :24]
    assert np.array_equal(mask[2], (i > 2) & (j > 2) & (i + j < 14))


def test_a_hole_is_taken_out_whatever_the_order():
    hole = Outline(-35.0, np.array([(5, 4), (8, 4), (8, 7), (5, 7)]), is_hole=True)
    for outlines in ((Outline(-35.0, SQUARE), hole), (hole, Outline(-35.0, SQUARE))):
        mask = AxialOutlines(outlines).mask(STORED)
        assert mask.sum() == 5 * 6 - 2 * 2
        assert not mask[2, 5:7, 6:8].any()


@pytest.mark.parametrize("flips", [(False, True, True), (True, False, False), (True, True, True)])
def test_pixels_do_not_move_when_the_array_is_turned(flips):
    shape = AxialOutlines((Outline(-37.5, SQUARE), Outline(-30.0, SQUARE + 4)))
    turned = STORED.affine.copy()
    for axis, is_flipped in enumerate(flips[::-1]):
        if is_flipped:
            turned[:, 3] += turned[:, axis] * (SHAPE[2 - axis] - 1)
            turned[:, axis] *= -1
    runs = tuple(slice(None, None, -1 if f else 1) for f in flips)
    expected = shape.mask(STORED)
    assert expected.sum() == 60
    assert np.array_equal(shape.mask(Grid(SHAPE, turned)), expected[runs])
    ras = canonical(STORED)
    assert np.array_equal(shape.mask(ras.grid), ras.apply(expected))


def test_points_are_their_pixels():
    mask = AxialPoints((-40.0, -32.5), np.array([(23, 0), (4, 19)])).mask(STORED)
    assert np.argwhere(mask).tolist() == [[0, 0, 23], [3, 19, 4]]


@pytest.mark.parametrize(
    "shape",
    [
        AxialOutlines((Outline(-50.0, SQUARE),)),
        AxialOutlines((Outline(-35.0, SQUARE + 18),)),
        AxialPoints((-35.0,), np.array([(24, 0)])),
    ],
    ids=["slice", "outline", "point"],
)
def test_what_is_not_on_the_image_is_refused(shape):
    with pytest.raises(FormatError) as caught:
        shape.mask(STORED)
    assert caught.value.reason == "read/other-grid"


def test_an_image_that_is_not_axial_is_refused():
    tilted = STORED.affine.copy()
    tilted[2, 1] = 0.2
    for grid in (Grid(SHAPE, tilted), Grid(SHAPE, STORED.affine, "", False)):
        with pytest.raises(FormatError):
            AxialOutlines((Outline(-35.0, SQUARE),)).mask(grid)


def test_boxes_on_a_picture():
    picture = Grid((1, 20, 24), np.eye(4))
    boxes = np.array([(0, 0, 2, 1), (5.4, 5.6, 8.4, 9.6), (22.0, 18.0, 30.0, 30.0)])
    mask = PixelBoxes(boxes, (24, 20)).mask(picture)[0]
    j, i = np.mgrid[:20, :24] + 0.5
    expected = np.any([(i >= a) & (i < c) & (j >= b) & (j < d) for a, b, c, d in boxes], axis=0)
    assert np.array_equal(mask, expected)
    for other in (Grid((2, 20, 24), np.eye(4)), Grid((1, 24, 20), np.eye(4))):
        with pytest.raises(FormatError):
            PixelBoxes(boxes, (24, 20)).mask(other)
