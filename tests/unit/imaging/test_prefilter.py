import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging import prefilter
from isocenter.imaging.filling import coefficients


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 2), (3, 2, 1), (2, 3, 4), (17, 16, 15), (5, 700, 300)])
def test_coefficients_equal_scipys_in_float64(shape: tuple[int, int, int]) -> None:
    array = np.random.default_rng(0).integers(-1024, 3072, shape).astype(np.int16)
    expected = ndimage.spline_filter(array.astype(np.float64), order=3, mode="mirror")
    assert np.abs(coefficients(array) - expected).max() < 0.02  # at most 27 times as large as voxels


def test_any_number_of_threads_makes_the_same_coefficients() -> None:
    array = np.random.default_rng(0).normal(size=(7, 33, 65)).astype(np.float32)
    assert coefficients(array).tobytes() == coefficients(array, 3).tobytes()


def test_a_constant_is_its_own_coefficients() -> None:
    assert np.abs(coefficients(np.full((20, 21, 22), -1024, np.int16)) + 1024).max() < 2e-3


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_indices_are_mirrored_at_the_border_voxels(count: int) -> None:
    line = np.arange(count)
    expected = np.pad(line, 20, mode="reflect") if count > 1 else np.zeros(41, int)
    assert [prefilter.mirrored(n, count) for n in range(-20, count + 20)] == expected.tolist()
