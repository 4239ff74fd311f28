"""Shapes as boxes, points and voxels, in positions that were worked out by hand."""

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.imaging.pixel_outlines import PixelOutlines, PixelPoints
from isocenter.imaging.pixel_shapes import PixelBoxes
from isocenter.imaging.shapes import BoxShape, EllipsoidShape, MaskShape, PointShape, TurnedBox
from isocenter.model.grid import Grid
from isocenter.stages.build.shapes import box_around, boxes_in, filled, on_slice, points_in

# Rows run to the left of the patient, columns to the back, slices 2 mm apart towards the head.
AXIAL = Grid((4, 5, 6), np.array([[-1, 0, 0, 10], [0, -1, 0, 20], [0, 0, 2, 30], [0, 0, 0, 1.0]]))
FLAT = Grid((1, 5, 6), AXIAL.affine)


def test_a_box_on_a_slice_reaches_to_the_borders_of_its_pixels():
    [box] = boxes_in(PixelBoxes(np.array([[1.0, 2, 3, 4]]), (6, 5)), AXIAL, 2)
    # columns 1 and 2 (8 and 9 mm), rows 2 and 3 (17 and 18 mm), slice 2 (34 mm), each a pixel wide
    assert box == (7.5, 16.5, 33.0, 9.5, 18.5, 35.0)
    inside = filled([box], AXIAL)
    assert np.argwhere(inside).tolist() == [[2, 2, 1], [2, 2, 2], [2, 3, 1], [2, 3, 2]]


def test_a_picture_is_its_own_slice():
    shape = PixelBoxes(np.array([[1.0, 2, 3, 4]]))
    assert boxes_in(shape, FLAT) == boxes_in(shape, AXIAL, 0)


@pytest.mark.parametrize(("size", "number"), [((6, 5), None), ((5, 6), 2)])
def test_boxes_of_another_picture_or_of_no_slice(size, number):
    with pytest.raises(FormatError) as error:
        boxes_in(PixelBoxes(np.array([[1.0, 2, 3, 4]]), size), AXIAL, number)
    assert error.value.reason == "read/other-grid"


def test_boxes_in_space():
    assert boxes_in(BoxShape((1, 2, 3), (4, 5, 6)), AXIAL) == [(1, 2, 3, 4, 5, 6)]
    turned = TurnedBox(
        np.zeros(3), np.array([[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1]]), np.array([10.0, 0, 2])
    )
    np.testing.assert_allclose(boxes_in(turned, AXIAL), [[-3, -4, -1, 3, 4, 1]])
    ball = EllipsoidShape(np.array([1.0, 2, 3]), np.diag([4.0, 5, 6]))
    np.testing.assert_allclose(boxes_in(ball, AXIAL), [[-3, -3, -3, 5, 7, 9]])
    assert boxes_in(MaskShape(np.ones(AXIAL.shape, bool), AXIAL), AXIAL) is None
    assert boxes_in(None, AXIAL) is None


def test_points_and_the_width_of_a_line():
    points = np.array([[1.0, 2, 3], [1, 2, 9]])
    assert points_in(PointShape(points), AXIAL) == [(1, 2, 3, 0), (1, 2, 9, 0)]
    assert points_in(PointShape(points, is_line=True), AXIAL) == [(1, 2, 6, 6)]
    bent = PointShape(np.array([[0.0, 0, 0], [3, 0, 0], [3, 3, 0]]), is_line=True)
    assert points_in(bent, AXIAL) == [(2, 1, 0, 0)]
    assert points_in(BoxShape((1, 2, 3), (4, 5, 6)), AXIAL) is None


def test_points_on_a_slice():
    """The middle of the first pixel is half a pixel from its corner."""
    assert points_in(PixelPoints(np.array([[0.5, 0.5], [2.5, 1.5]])), AXIAL, 3) == [
        (10, 20, 36, 0),
        (8, 19, 36, 0),
    ]
    with pytest.raises(FormatError):
        points_in(PixelPoints(np.array([[0.5, 0.5]])), AXIAL)


def test_a_point_with_a_diameter_has_a_box():
    assert box_around((1, 2, 3, 4)) == (-1, 0, 1, 3, 4, 5)
    assert box_around((1, 2, 3, 0)) is None


def test_outlines_on_one_slice():
    square = PixelOutlines((np.array([[1.0, 1], [4, 1], [4, 3], [1, 3]]),))
    shape = on_slice(square, AXIAL, 2)
    assert np.argwhere(shape.mask(AXIAL)).tolist() == [[2, j, i] for j in (1, 2) for i in (1, 2, 3)]
    other = BoxShape((1, 2, 3), (4, 5, 6))
    assert on_slice(other, AXIAL, None) is other
    with pytest.raises(FormatError):
        on_slice(square, AXIAL, None)
