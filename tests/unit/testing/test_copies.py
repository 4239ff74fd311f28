import numpy as np
import pytest

from isocenter.model.grid import Grid
from isocenter.testing.copies import LISTED


def an_image(shape=(10, 20, 30)):
    values = np.random.default_rng(0).integers(-900, 900, shape).astype(np.int16)
    return values, Grid(shape, np.diag([1.0, 2.0, 3.0, 1.0]))


@pytest.mark.parametrize("shape", [(10, 20, 30), (1, 40, 50)])
@pytest.mark.parametrize("kind", LISTED)
def test_what_is_copied_has_a_grid_of_its_shape(kind, shape):
    values, grid = LISTED[kind](*an_image(shape))
    assert values.shape == grid.shape
    assert values.ndim == 3


def test_crops_stay_where_they_were():
    values, grid = an_image()
    part, own = LISTED["crop of 20 %, all axes"](values, grid)
    assert part.shape == (8, 16, 24)
    assert np.array_equal(part, values[1:9, 2:18, 3:27])
    assert np.allclose(own.to_world(np.zeros((1, 3))), grid.to_world(np.array([[3.0, 2.0, 1.0]])))


def test_resampling_keeps_the_field_of_view():
    _, grid = LISTED["resampled, larger pixels"](*an_image())
    assert grid.shape == (10, 12, 18)
    assert np.allclose(np.array(grid.shape) * grid.spacing_mm, (30, 40, 30))


def test_lost_spacing_is_lost():
    _, grid = LISTED["resampled, spacing lost"](*an_image())
    assert grid.shape == (10, 13, 20)
    assert np.allclose(grid.spacing_mm, (3, 2, 1))
