import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.descriptor import (
    PIXELS,
    PIXELS_OF_A_PLANE,
    VERSION,
    descriptor_of,
    even,
    picture_shape,
)
from isocenter.model.grid import Grid


def an_image(shape=(20, 64, 60), seed=0):
    values = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2) * 3000
    return np.rint(values).astype(np.int16), Grid(shape, np.diag([2.0, 2.0, 4.0, 1.0]))


def test_what_it_is_made_of():
    values, grid = an_image()
    found = descriptor_of(values, grid)
    assert found.version == VERSION
    assert found.vector.dtype == np.float32
    assert found.picture.dtype == np.uint8
    assert found.extent_mm == (80.0, 128.0, 120.0)
    assert not found.is_blank


def test_same_image_same_bytes():
    values, grid = an_image()
    one, other = descriptor_of(values, grid), descriptor_of(values.copy(), grid)
    assert one.exact == other.exact
    assert one.vector.tobytes() == other.vector.tobytes()
    assert one.picture.tobytes() == other.picture.tobytes()


def test_neither_slope_nor_order_of_axes_matters():
    values, grid = an_image()
    order = (2, 0, 1)  # the stored k, j, i run along what were i, k, j
    columns = [3 - 1 - o for o in order][::-1]
    affine = grid.affine[:, [*columns, 3]]
    turned = np.ascontiguousarray(values.transpose(order)) * np.float32(0.5) + 3
    one = descriptor_of(values, grid)
    other = descriptor_of(turned.astype(np.float32), Grid(turned.shape, affine))
    assert other.extent_mm == one.extent_mm
    assert np.abs(one.picture.astype(int) - other.picture).max() <= 1
    assert float(one.vector @ other.vector) > 0.999


def test_a_sagittal_plane_is_a_plane():
    values = np.random.default_rng(0).integers(0, 4000, (1, 50, 40)).astype(np.int16)
    # k runs from left to right, j to the feet, i to the back
    affine = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], float)
    found = descriptor_of(values, Grid(values.shape, affine))
    assert found.picture.shape[0] == 1
    assert found.extent_mm == (1.0, 50.0, 40.0)


def test_blank_images_are_told():
    _, grid = an_image()
    found = descriptor_of(np.zeros(grid.shape, np.int16), grid)
    assert found.is_blank
    assert found.exact == ""


def test_padding_is_left_out():
    values, grid = an_image()
    valid = np.ones(grid.shape, np.bool_)
    valid[:, :20] = False
    one = np.where(valid, values, -32000).astype(np.int16)
    other = np.where(valid, values, 20000).astype(np.int16)
    assert np.array_equal(
        descriptor_of(one, grid, valid=valid).picture, descriptor_of(other, grid, valid=valid).picture
    )


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((300, 512, 512), (1, 0.7, 0.7)), ((1, 3000, 2500), (1, 0.1, 0.1)), ((40, 500, 500), (9, 1, 1))],
)
def test_pictures_have_one_size_and_cubic_pixels(shape, spacing):
    found = picture_shape(shape, spacing)
    assert np.prod(found) == pytest.approx(PIXELS if shape[0] > 1 else PIXELS_OF_A_PLANE, rel=0.1)
    sizes = [n * s / m for n, s, m in zip(shape, spacing, found, strict=True) if n > 1]
    assert max(sizes) == pytest.approx(min(sizes), rel=0.1)


def test_few_voxels_are_kept_as_they_are():
    assert picture_shape((12, 10, 8), (1.0, 1.0, 1.0)) == (12, 10, 8)
    assert picture_shape((3, 512, 512), (5.0, 0.7, 0.7))[0] == 3


def test_greys_do_not_depend_on_the_window():
    means = np.random.default_rng(0).gamma(2, 100, (20, 20, 20))
    one = even(means)
    assert np.abs(one.astype(int) - even(means * 7 - 1000)).max() <= 1
    assert one.min() == 0
    assert one.max() == 255
