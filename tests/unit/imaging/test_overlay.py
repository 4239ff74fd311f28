import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.overlay import Fit, fit

STEPS = (np.array([1.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0]))


def smooth(shape=(14, 16, 18)):
    return ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 2).astype(np.float32) * 20


def start(shape, **changes):
    values = {"matrix": np.eye(3), "offset": (np.array(shape) - 1) / 2, "steps": STEPS}
    return Fit(**{**values, "may_stretch": False, "is_mirrored": False, **changes})


def seen_through(array, matrix, offset):
    """scipy's own resampling as the oracle: at each pixel, what is found where the fit must end."""
    middle = (np.array(array.shape) - 1) / 2
    return ndimage.affine_transform(array, matrix, offset - matrix @ middle, order=1).astype(np.float32)


def test_a_shift_and_a_turn_are_found_again():
    second = smooth()
    angle = np.deg2rad(4)
    matrix = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    offset = (np.array(second.shape) - 1) / 2 + (0.6, -0.8, 0.5)
    inner = (slice(2, -2),) * 3
    first = seen_through(second, matrix, offset)[inner]
    found = fit(np.ascontiguousarray(first), second, start(second.shape), rounds=25)
    assert np.allclose(found.matrix, matrix, atol=0.01)
    assert np.allclose(found.offset, offset, atol=0.05)
    assert found.score > 0.995


def test_stretching_is_found_where_it_is_allowed():
    second = smooth((1, 40, 44))
    matrix, offset = np.diag([1, 0.93, 1.06]), (np.array(second.shape) - 1) / 2
    first = seen_through(second, matrix, offset)
    free = fit(first, second, start(second.shape, may_stretch=True), rounds=25)
    rigid = fit(first, second, start(second.shape), rounds=25)
    assert np.allclose(free.matrix, matrix, atol=0.01)
    assert free.score > 0.95 > rigid.score
    turned = rigid.matrix[1:, 1:]
    assert np.allclose(turned @ turned.T, np.eye(2), atol=1e-9)


def test_equal_arrays_are_equal():
    array = smooth()
    found = fit(array, array, start(array.shape), rounds=5)
    assert found.score == pytest.approx(1)
    assert found.count == array.size
