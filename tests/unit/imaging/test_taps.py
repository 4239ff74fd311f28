import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging import taps

POSITIONS = np.array([-0.5, -0.2, 0.0, 0.3, 1.0, 2.5, 3.49])


def dense(one: taps.Taps, count: int) -> np.ndarray:
    """The taps as a matrix (N, count)."""
    matrix = np.zeros((len(one.start), count))
    for n, start in enumerate(one.start):
        matrix[n, start : start + len(one.weights)] = one.weights[:, n]
    return matrix


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("kind", ["nearest", "linear", "smooth", "cubic"])
def test_weights_stay_inside_and_add_up_to_1(kind: str, count: int) -> None:
    positions = np.linspace(-0.5, count - 0.5, 40)
    make = {
        "nearest": taps.nearest,
        "linear": taps.linear,
        "smooth": lambda p, n: taps.linear(p, n, 1.3),
        "cubic": taps.cubic,
    }[kind]
    one = make(positions, count)
    assert one.is_inside.all()
    assert one.start.min() >= 0
    assert (one.start + len(one.weights)).max() <= count
    assert np.abs(one.weights.sum(axis=0) - 1).max() < 1e-6


def test_linear_weights_by_hand() -> None:
    matrix = dense(taps.linear(POSITIONS, 4), 4)
    expected = [
        [1, 0, 0, 0],
        [1, 0, 0, 0],
        [1, 0, 0, 0],
        [0.7, 0.3, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0.5, 0.5],
        [0, 0, 0, 1],
    ]
    assert np.abs(matrix - expected).max() < 1e-6


def test_nearest_takes_the_higher_of_two() -> None:
    assert taps.nearest(np.array([0.49, 0.5, 0.51, 1.5 - 1e-12]), 4).start.tolist() == [0, 1, 1, 2]


def test_what_lies_beyond_the_outer_faces_is_outside() -> None:
    one = taps.linear(np.array([-0.51, -0.5, 3.5, 3.51]), 4)
    assert one.is_inside.tolist() == [False, True, True, False]


@pytest.mark.parametrize("sigma", [0.4, 1.0, 3.7])
def test_smooth_weights_equal_a_gaussian_and_then_linear(sigma: float) -> None:
    line = np.random.default_rng(0).normal(size=30)
    positions = np.linspace(-0.5, 29.5, 17)
    smoothed = ndimage.gaussian_filter1d(line, sigma, mode="nearest", radius=taps.reach_voxels(sigma))
    expected = ndimage.map_coordinates(smoothed, [positions], order=1, mode="nearest")
    assert np.abs(dense(taps.linear(positions, 30, sigma), 30) @ line - expected).max() < 1e-6


def test_sigma_adds_up_variances_of_voxels() -> None:
    assert taps.sigma_voxels(1.0) == taps.sigma_voxels(0.3) == 0
    # Full width at half maximum of sqrt(3) and of 1 make one of 2.
    assert taps.sigma_voxels(2.0) * 2.354820045 == pytest.approx(np.sqrt(3))
