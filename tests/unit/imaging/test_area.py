import numpy as np
import pytest

from isocenter.imaging.area import area_mean


def by_repeating(values, shape):
    """Means over boxes, of an image in which every voxel is repeated until boxes hold whole voxels."""
    for axis, count in enumerate(shape):
        length = values.shape[axis]
        values = np.repeat(values, count, axis).astype(float)
        values = values.reshape(*values.shape[:axis], count, length, *values.shape[axis + 1 :]).mean(axis + 1)
    return values


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (5, 7, 3), (7, 11, 13)])
def test_voxels_count_by_their_share(dtype, shape):
    values = np.random.default_rng(0).integers(0, 200, (7, 11, 13)).astype(dtype)
    assert np.allclose(area_mean(values, shape), by_repeating(values, shape))


def test_what_is_not_valid_or_no_number_does_not_count():
    values = np.array([[[1.0, 3.0, np.nan, 100.0, 7.0, 9.0]]])
    valid = np.array([[[True, True, True, False, True, True]]])
    assert area_mean(values, (1, 1, 3), valid=valid).ravel().tolist() == [2.0, 2.0, 8.0]


def test_boxes_without_any_have_the_lowest_mean():
    values = np.array([[[5.0, 5.0, 9.0, 9.0]]])
    assert area_mean(values, (1, 1, 2), valid=values > 6).ravel().tolist() == [9.0, 9.0]
    assert area_mean(values, (1, 1, 2), valid=values > 10).ravel().tolist() == [0.0, 0.0]
