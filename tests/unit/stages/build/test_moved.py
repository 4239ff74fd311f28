"""Annotations in another frame of reference."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from isocenter.base.errors import FormatError
from isocenter.imaging.pixel_shapes import PixelBoxes
from isocenter.imaging.shapes import BoxShape, Contours, EllipsoidShape, MaskShape, PointShape, TurnedBox
from isocenter.model.annotation import Annotation
from isocenter.model.grid import Grid
from isocenter.stages.build.moved import moved

MATRIX = np.eye(4)
MATRIX[:3, :3] = Rotation.from_euler("zx", [25, -10], degrees=True).as_matrix()
MATRIX[:3, 3] = 12.0, -3.0, 40.0
GRID = Grid((20, 24, 28), np.diag([2.0, 2.0, 3.0, 1.0]), "frame")
# The same voxels, where the registration has them.
THERE = Grid(GRID.shape, MATRIX @ GRID.affine)


def drawn(shape, **more):
    return Annotation(id="annotation-1", concept="lesion", shape=shape, **more)


def circle(k, radius=9.0):
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack((28 + radius * np.cos(angle), 24 + radius * np.sin(angle), np.full(40, 3.0 * k)), axis=1)


SHAPES = {
    "mask": MaskShape(np.random.default_rng(0).random(GRID.shape) < 0.3, GRID),
    "contours": Contours(tuple(circle(k) for k in range(5, 12))),
    "points": PointShape(np.array([[20.0, 22.0, 30.0], [31.0, 12.5, 9.0]])),
    "turned box": TurnedBox(np.array([28.0, 24, 30]), np.eye(3), np.array([17.0, 13, 20])),
    "box": BoxShape((19.5, 17.5, 20.5), (36.5, 30.5, 40.5)),
    "ellipsoid": EllipsoidShape(np.array([28.0, 24, 30]), np.diag([11.0, 8.0, 14.0])),
}


@pytest.mark.parametrize("name", SHAPES)
def test_voxels_that_move_along_are_the_same(name):
    before = drawn(SHAPES[name])
    after = moved(before, MATRIX)
    assert before.mask(GRID).any()
    assert (after.mask(THERE) != before.mask(GRID)).sum() <= 0.002 * before.mask(GRID).sum()


def test_what_was_looked_at_moves_too_and_the_move_is_told():
    extent = MaskShape(np.ones(GRID.shape, bool), GRID)
    after = moved(drawn(None, extent=extent, grid=GRID), MATRIX)
    assert np.allclose(after.grid.affine, THERE.affine)
    assert np.allclose(after.extent.grid.affine, THERE.affine)
    (issue,) = after.issues
    assert issue.rule == "read/registered"
    assert issue.measured == "turned by 26.9 degrees, origin shifted by 41.9 mm"


def test_a_box_that_would_be_askew_is_refused():
    skew = np.eye(4)
    skew[0, 1] = 0.3
    with pytest.raises(FormatError, match="no box"):
        moved(drawn(SHAPES["box"]), skew)


def test_pixels_of_another_image_cannot_be_moved():
    with pytest.raises(FormatError, match="pixels"):
        moved(drawn(PixelBoxes(np.zeros((1, 4)))), MATRIX)
