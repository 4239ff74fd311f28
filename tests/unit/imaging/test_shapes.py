import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.imaging.shapes import (
    BoxShape,
    EllipsoidShape,
    MaskShape,
    PointShape,
    TurnedBox,
    boxes_of_mask,
    boxes_to_voxel,
)
from isocenter.model.grid import Grid

GRID = Grid((4, 6, 8), np.diag([2.0, 2.0, 5.0, 1.0]))


def some_mask() -> np.ndarray:
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[1, 2:4, 3:7] = True
    return mask


def test_a_mask_on_its_own_grid_is_itself() -> None:
    shape = MaskShape(some_mask().astype(np.uint8), GRID)
    assert shape.mask(GRID).dtype == np.bool_
    assert np.array_equal(shape.mask(GRID), some_mask())


def test_a_mirrored_and_rounded_mask_is_put_in_order() -> None:
    affine = np.diag([-2.0, 2, 5, 1])
    affine[0, 3] = 14.02
    shape = MaskShape(some_mask()[..., ::-1], Grid(GRID.shape, affine))
    assert np.array_equal(shape.mask(GRID), some_mask())


def test_a_mask_elsewhere_is_refused_by_name() -> None:
    affine = GRID.affine.copy()
    affine[:3, 3] += (1, 1, 2.5)
    with pytest.raises(FormatError, match="half-voxel shift") as caught:
        MaskShape(some_mask(), Grid(GRID.shape, affine)).mask(GRID)
    assert caught.value.reason == "read/other-grid"
    assert caught.value.measured == f"{np.linalg.norm((1, 1, 2.5)):.4g} mm"


def test_a_box_holds_the_centres_from_its_lower_to_its_upper_faces() -> None:
    mask = BoxShape((2.0, 3.9, 5.0), (6.0, 8.1, 10.0)).mask(GRID)
    assert {tuple(v) for v in np.argwhere(mask).tolist()} == {(1, j, i) for j in (2, 3, 4) for i in (1, 2)}


def test_a_box_on_an_oblique_grid_holds_the_centres_inside() -> None:
    affine = np.array([[0.8, -0.6, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    grid = Grid((3, 20, 20), affine)
    mask = BoxShape((-3.13, 2.25, 0.5), (4.31, 9.77, 9.0)).mask(grid)
    k, j, i = np.indices(grid.shape).reshape(3, -1)
    world = grid.to_world(np.stack([i, j, k], axis=1).astype(float))
    expected = ((world > (-3.13, 2.25, 0.5)) & (world < (4.31, 9.77, 9.0))).all(axis=1)
    assert np.array_equal(mask.ravel(), expected)
    assert expected.sum() > 50


def test_a_box_outside_is_empty() -> None:
    assert not BoxShape((100, 100, 100), (110, 110, 110)).mask(GRID).any()
    assert not BoxShape((-100, -100, -100), (-90, -90, -90)).mask(GRID).any()


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((2.0, 3.9, 5.0, 6.0, 8.1, 10.0), (1, 2, 1, 2, 5, 3)),  # as the mask of the same box
        ((-1.0, -1.0, -2.5, 15.0, 11.0, 17.5), (0, 0, 0, 4, 6, 8)),  # outer faces of the image
        ((-99.0, -99.0, -99.0, 99.0, 99.0, 99.0), (0, 0, 0, 4, 6, 8)),
        ((4.1, 4.1, 5.6, 4.2, 4.2, 5.7), (1, 2, 2, 2, 3, 3)),  # thinner than a voxel
        ((3.1, 3.1, 7.4, 3.2, 3.2, 7.4), (1, 2, 2, 2, 3, 3)),
    ],
)
def test_boxes_become_half_open_voxel_boxes(box: tuple, expected: tuple) -> None:
    voxel = boxes_to_voxel(np.array([box]), GRID)
    assert voxel.dtype == np.int32
    assert tuple(voxel[0].tolist()) == expected


def test_voxel_box_and_mask_of_a_box_agree() -> None:
    box = (2.2, 3.9, 4.0, 9.0, 8.1, 14.0)
    lo_k, lo_j, lo_i, hi_k, hi_j, hi_i = boxes_to_voxel(np.array([box]), GRID)[0]
    mask = BoxShape(box[:3], box[3:]).mask(GRID)
    assert mask[lo_k:hi_k, lo_j:hi_j, lo_i:hi_i].all()
    assert mask.sum() == (hi_k - lo_k) * (hi_j - lo_j) * (hi_i - lo_i)


def test_a_box_outside_the_image_is_an_empty_voxel_box() -> None:
    (voxel,) = boxes_to_voxel(np.array([(50.0, 0, 0, 60, 5, 5)]), GRID)
    assert np.array_equal(voxel[:3], voxel[3:])
    assert boxes_to_voxel(np.empty((0, 6)), GRID).shape == (0, 6)


def test_boxes_of_a_mask_come_in_scan_order_and_go_back() -> None:
    mask = some_mask()
    mask[3, 5, 7] = True
    mask[2, 4, 2] = True  # touches the first by a corner only
    boxes, voxel = boxes_of_mask(mask, GRID)
    assert voxel.tolist() == [[1, 2, 2, 3, 5, 7], [3, 5, 7, 4, 6, 8]]
    assert boxes.tolist() == [[3.0, 3.0, 2.5, 13.0, 9.0, 12.5], [13.0, 9.0, 12.5, 15.0, 11.0, 17.5]]
    assert np.array_equal(boxes_to_voxel(boxes, GRID), voxel)


def test_boxes_of_a_mask_on_a_mirrored_grid_go_back() -> None:
    affine = np.diag([-2.0, -2.0, 5.0, 1.0])
    grid = Grid(GRID.shape, affine)
    boxes, voxel = boxes_of_mask(some_mask(), grid)
    assert boxes.tolist() == [[-13.0, -7.0, 2.5, -5.0, -3.0, 7.5]]
    assert np.array_equal(boxes_to_voxel(boxes, grid), voxel)


def test_an_empty_mask_has_no_boxes() -> None:
    boxes, voxel = boxes_of_mask(np.zeros(GRID.shape, dtype=bool), GRID)
    assert boxes.shape == voxel.shape == (0, 6)


OBLIQUE = np.array([[0.9, -0.2, 0.1, -4], [0.2, 0.9, 0.0, -5], [-0.1, 0.1, 1.4, -3], [0, 0, 0, 1.0]])


def centres(grid: Grid) -> np.ndarray:
    k, j, i = np.meshgrid(*map(np.arange, grid.shape), indexing="ij")
    return grid.to_world(np.stack([i, j, k], axis=-1).reshape(-1, 3).astype(float))


def test_a_turned_box_on_a_turned_grid() -> None:
    grid = Grid((8, 12, 14), OBLIQUE)
    c, s = np.cos(0.7), np.sin(0.7)
    axes = np.array([(c, s, 0), (-s, c, 0), (0, 0, 1.0)])
    middle, size = np.array((1.03, 0.57, 1.9)), np.array((6.0, 3.0, 5.0))
    along = (centres(grid) - middle) @ axes.T
    expected = (np.abs(along) <= size / 2).all(axis=1).reshape(grid.shape)
    assert expected.sum() > 30
    assert np.array_equal(TurnedBox(middle, axes, size).mask(grid), expected)


def test_an_ellipsoid_on_a_turned_grid() -> None:
    grid = Grid((8, 12, 14), OBLIQUE)
    halves = np.array([(3.0, 1.0, 0), (-0.8, 2.4, 0), (0, 0, 3.5)])
    middle = np.array((1.1, 0.4, 1.7))
    along = (centres(grid) - middle) @ (halves / np.linalg.norm(halves, axis=1)[:, None]).T
    level = np.square(along / np.linalg.norm(halves, axis=1)).sum(axis=1)
    expected = (level < 1).reshape(grid.shape)
    assert expected.sum() > 40
    assert np.array_equal(EllipsoidShape(middle, halves).mask(grid), expected)


def test_shapes_off_the_image_have_no_voxels() -> None:
    far = np.array((500.0, 0, 0))
    assert not TurnedBox(far, np.eye(3), np.ones(3)).mask(GRID).any()
    assert not EllipsoidShape(far, np.eye(3)).mask(GRID).any()
    assert not PointShape(far[None]).mask(GRID).any()


def test_points_are_in_the_voxel_they_are_nearest_to() -> None:
    shape = PointShape(np.array([(2.9, 5.1, 7.4), (3.0, 0, 0)]))
    assert np.argwhere(shape.mask(GRID)).tolist() == [[0, 0, 2], [1, 3, 1]]
    assert shape.length_mm == pytest.approx(np.linalg.norm((0.1, 5.1, 7.4)))
