import numpy as np
import pytest

from isocenter.imaging.masks import combine, preview_planes, volume_ml, volumes_ml
from isocenter.imaging.windows import WINDOWS
from isocenter.model.grid import Grid

SHAPE = (10, 20, 30)
GRID = Grid(SHAPE, np.diag([1.0, 1.0, 3.0, 1.0]))


def box(*bounds: slice) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[bounds] = True
    return mask


LIVER = box(slice(2, 6), slice(2, 10), slice(2, 10))
LESION = box(slice(3, 5), slice(4, 6), slice(4, 12))


def test_the_higher_value_wins_and_the_overlap_is_counted() -> None:
    for masks in ({"liver": LIVER, "lesion": LESION}, {"lesion": LESION, "liver": LIVER}):
        labels, overlap = combine(masks, {"liver": 1, "lesion": 2})
        assert labels.dtype == np.uint8
        assert np.array_equal(labels == 2, LESION)
        assert np.array_equal(labels == 1, LIVER & ~LESION)
        assert overlap == (LIVER & LESION).sum() == 24


def test_a_voxel_of_three_labels_is_counted_once() -> None:
    masks = {"a": LIVER, "b": LIVER, "c": LIVER}
    labels, overlap = combine(masks, {"a": 1, "b": 2, "c": 300})
    assert overlap == LIVER.sum()
    assert labels.dtype == np.uint16
    assert np.array_equal(labels == 300, LIVER)


def test_masks_of_two_shapes_or_none_are_a_bug() -> None:
    with pytest.raises(ValueError, match="masks are"):
        combine({"a": LIVER, "b": LIVER[:5]}, {"a": 1, "b": 2})
    with pytest.raises(ValueError, match="nothing"):
        combine({}, {})


def test_volumes_in_millilitres() -> None:
    labels, _ = combine({"liver": LIVER, "lesion": LESION}, {"liver": 1, "lesion": 2})
    assert volume_ml(LIVER, GRID) == pytest.approx(256 * 3 / 1000)
    assert volumes_ml(labels, GRID) == pytest.approx({1: 232 * 0.003, 2: 32 * 0.003})
    sheared = GRID.affine.copy()
    sheared[1, 2] = 1.0
    assert volume_ml(LIVER, Grid(SHAPE, sheared)) == pytest.approx(256 * 0.003)
    assert volumes_ml(np.zeros(SHAPE, np.uint8), GRID) == {}


def corner_volume() -> np.ndarray:
    array = np.full(SHAPE, -1000, dtype=np.int16)
    array[:, :, -5:] = 3000  # the patient's right
    return array


def test_planes_are_seen_as_radiologists_see_them() -> None:
    marked = box(slice(7, 9), slice(15, 19), slice(20, 28))  # superior, anterior, right
    axial, coronal, sagittal = preview_planes(corner_volume(), marked, GRID, window=WINDOWS["full"])
    assert [p.name for p in (axial, coronal, sagittal)] == ["axial", "coronal", "sagittal"]
    assert axial.pixels.dtype == np.uint8
    for plane in (axial, coronal):
        assert plane.pixels[0, 0] > 200  # right is on the left
        assert plane.pixels[0, -1] < 10
    for plane in (axial, coronal, sagittal):
        assert plane.mask is not None
        rows, columns = np.nonzero(plane.mask)
        assert rows.mean() < plane.mask.shape[0] / 2  # anterior or superior on top
        assert columns.mean() < plane.mask.shape[1] / 2  # right or anterior on the left
    assert axial.pixels.shape == (20, 30)
    assert coronal.pixels.shape == (30, 30)  # 10 slices of 3 mm
    assert coronal.pixel_mm == (1.0, 1.0)


def test_planes_do_not_depend_on_how_the_image_is_stored() -> None:
    mask = box(slice(7, 9), slice(15, 19), slice(20, 28))
    affine = np.diag([-1.0, -1, 3, 1])
    affine[:2, 3] = (29, 19)
    stored = Grid(SHAPE, affine)
    expected = preview_planes(corner_volume(), mask, GRID)
    found = preview_planes(corner_volume()[:, ::-1, ::-1], mask[:, ::-1, ::-1], stored)
    for a, b in zip(expected, found, strict=True):
        assert np.array_equal(a.pixels, b.pixels)
        assert np.array_equal(a.mask, b.mask)


def test_large_planes_are_made_small_in_proportion() -> None:
    grid = Grid((4, 512, 1024), np.diag([0.5, 0.5, 1, 1]))
    array = np.zeros(grid.shape, dtype=np.float32)
    array[:, :, ::2] = 1
    axial, coronal, _ = preview_planes(array, None, grid)
    assert axial.pixels.shape == (80, 160)
    assert axial.pixel_mm == pytest.approx((3.2, 3.2))
    assert coronal.pixels.shape == (1, 160)
    assert axial.mask is None


def test_an_unoriented_image_is_shown_as_stored() -> None:
    array = np.arange(600, dtype=np.uint16).reshape(1, 20, 30)
    grid = Grid((1, 20, 30), np.eye(4), is_oriented=False)
    (plane,) = preview_planes(array, np.zeros(array.shape, np.uint8), grid)
    assert plane.name == "stored"
    assert plane.pixels[0, 0] == 0
    assert plane.pixels[-1, -1] == 255
    assert (np.diff(plane.pixels.astype(int), axis=1) >= 0).all()


def test_a_constant_volume_and_one_of_no_numbers_have_planes() -> None:
    assert len(preview_planes(np.zeros(SHAPE, np.int16), None, GRID)) == 3
    empty = preview_planes(np.full(SHAPE, np.nan, np.float32), None, GRID)
    assert not empty[0].pixels.any()
