import numpy as np
import pytest

from isocenter.imaging import landmarks
from isocenter.imaging.landmarks import PERCENTS, distinct, fit, is_usable, to_scale


def of(array) -> list[float]:
    return [float(v) for v in np.percentile(array, PERCENTS)]


def test_the_standard_scale_is_the_mean_of_linear_maps_from_0_to_100():
    """Worked by hand: deciles of two images, each brought from its own percentiles 1 and 99 to 0 and 100."""
    even = [0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    bent = [100.0, 100, 100, 100, 100, 120, 140, 160, 180, 200, 300]
    assert fit([even]) == pytest.approx([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    assert fit([even, bent]) == pytest.approx([0, 5, 10, 15, 20, 30, 40, 50, 60, 70, 100])
    assert fit([]) == ()


def test_images_that_differ_by_scanner_gain_become_the_same():
    random = np.random.default_rng(3)
    tissue = np.concatenate([random.normal(300, 40, 4000), random.normal(700, 60, 6000)])
    other = tissue * 3.7 + 150
    standard = fit([of(tissue), of(other)])
    ours, theirs = (to_scale(a, of(a), standard) for a in (tissue, other))
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
    np.testing.assert_allclose(np.percentile(ours, PERCENTS), standard, atol=0.05)


def test_between_landmarks_it_is_numpys_interpolation_and_beyond_them_the_last_slope_goes_on():
    own = [10.0, 20, 30, 40, 50, 60, 70, 80, 90, 100, 200]
    standard = [0.0, 5, 12, 20, 33, 47, 60, 71, 82, 90, 100]
    values = np.linspace(10, 200, 397, dtype=np.float32)
    np.testing.assert_allclose(to_scale(values, own, standard), np.interp(values, own, standard), atol=1e-4)
    beyond = to_scale(np.array([[-10, 300]], np.int16), own, standard)
    assert beyond.shape == (1, 2)
    assert beyond.dtype == np.float32
    assert beyond.tolist() == [[-10.0, 110.0]]


def test_landmarks_that_coincide_are_one_and_the_map_stays_ascending():
    own = [0.0, 0, 0, 0, 5, 5, 6, 7, 8, 9, 10]
    standard = [0.0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    left, places = distinct(own, standard)
    assert left.tolist() == [0, 5, 6, 7, 8, 9, 10]
    assert places.tolist() == [15, 45, 60, 70, 80, 90, 100]
    values = to_scale(np.arange(-3, 14, dtype=np.int16), own, standard)
    assert (np.diff(values) > 0).all()


def test_what_has_no_range_is_not_usable():
    assert not is_usable([4.0] * 11)
    assert not is_usable([float("nan")] * 11)
    assert is_usable(of(np.arange(100)))
    assert landmarks.SCALE == (0.0, 100.0)
