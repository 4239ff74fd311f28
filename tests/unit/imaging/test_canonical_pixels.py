import numpy as np
import pytest

from isocenter.imaging.canonical_pixels import pixel_digest
from isocenter.model.grid import Grid


def an_image(dtype=np.int16):
    values = np.random.default_rng(1).integers(-1000, 1500, (4, 6, 5)).astype(dtype)
    return values, Grid((4, 6, 5), np.diag([0.7, 0.8, 3.0, 1.0]))


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.astype(np.float32),
        lambda v: v.astype(np.int32) * 3 - 17,
        lambda v: v.astype(np.float64) * 2 + 5,
        lambda v: (v.astype(np.int32) + 1024).astype(np.uint16),
        lambda v: v.astype(np.int64) * 10_000_000,
    ],
)
def test_slope_and_type_do_not_matter(change):
    values, grid = an_image()
    assert pixel_digest(change(values), grid) == pixel_digest(values, grid)


def test_order_does_not_matter_but_mirroring_does():
    values, grid = an_image()
    affine = grid.affine.copy()
    affine[:, 0] *= -1
    affine[0, 3] = 4 * 0.7
    flipped = np.ascontiguousarray(values[:, :, ::-1])
    assert pixel_digest(flipped, Grid(grid.shape, affine)) == pixel_digest(values, grid)
    assert pixel_digest(flipped, grid) != pixel_digest(values, grid)


def test_one_voxel_matters():
    values, grid = an_image()
    other = values.copy()
    other[2, 3, 1] = values[0, 0, 0]
    assert values[2, 3, 1] != values[0, 0, 0]
    assert pixel_digest(other, grid) != pixel_digest(values, grid)


def test_shape_matters():
    values, grid = an_image()
    assert pixel_digest(values.reshape(4, 5, 6), Grid((4, 5, 6), grid.affine)) != pixel_digest(values, grid)


def test_fractions_are_taken_as_they_are():
    values, grid = an_image()
    floats = values / np.float32(7)
    assert pixel_digest(floats, grid) == pixel_digest(floats.astype(np.float64), grid)
    assert pixel_digest(floats * np.float32(1.5), grid) != pixel_digest(floats, grid)


def test_what_is_no_number_and_both_zeros_have_one_digest():
    values, grid = an_image(np.float32)
    a, b = values + np.float32(0.5), values + np.float32(0.5)
    a[0, 0, 0], b[0, 0, 0] = np.nan, -np.nan
    a[0, 0, 1], b[0, 0, 1] = 0.0, -0.0
    assert pixel_digest(a, grid) == pixel_digest(b, grid)


def test_blank_images_have_none():
    _, grid = an_image()
    assert pixel_digest(np.full(grid.shape, -1024, np.int16), grid) == ""
    assert pixel_digest(np.zeros(grid.shape, np.bool_), grid) == ""
