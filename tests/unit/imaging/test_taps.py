import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from isocenter.imaging import taps

POSITIONS = np.array([-0.5, -0.2, 0.0, 0.3, 1.0, 2.5, 3.49])


def dense(one: taps.Taps, count: int) -> np.ndarray:
    """The taps as a matrix (N, count)."""
    matrix = np.zeros((len(one.start), count))
    for n, start in enumerate(one.start):
        matrix[n, start : start + len(one.weights)] = one.weights[:, n]
    return matrix


@pytest.mark.parametrize("factor", [0.4, 1.0, 1.7, 3.0])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("kernel", taps.KERNELS)
def test_weights_stay_inside_and_add_up_to_1(kernel: str, count: int, factor: float) -> None:
    positions = np.linspace(-0.5, count - 0.5, 40)
    one = taps.make(kernel, positions, count, factor)
    assert one.is_inside.all()
    assert one.start.min() >= 0
    assert (one.start + len(one.weights)).max() <= count
    assert np.abs(one.weights.sum(axis=0) - 1).max() < 1e-6


@pytest.mark.parametrize("kernel", taps.KERNELS)
def test_an_axis_that_keeps_its_voxels_has_one_tap(kernel: str) -> None:
    one = taps.make(kernel, np.arange(7.0), 7)
    expected = np.eye(7) if kernel != "cubic" else None
    if expected is None:
        assert len(one.weights) == 3
    else:
        assert len(one.weights) == 1
        assert np.array_equal(dense(one, 7), expected)


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


@pytest.mark.parametrize("factor", [1.2, 2.0, 6.5])
@pytest.mark.parametrize(("kernel", "order", "mode"), [("linear", 1, "nearest"), ("cubic", 3, "mirror")])
def test_smooth_weights_equal_a_gaussian_and_then_the_kernel(kernel, order, mode, factor: float) -> None:
    line = np.random.default_rng(0).normal(size=40)
    sigma = taps.sigma_voxels(factor)
    positions = np.linspace(0, 39, 17)
    radius = int(np.ceil(4 * sigma))
    smoothed = ndimage.gaussian_filter1d(line, sigma, mode=mode, radius=radius)
    expected = ndimage.map_coordinates(smoothed, [positions], order=order, mode=mode)
    source = line if kernel == "linear" else ndimage.spline_filter1d(line, mode="mirror")
    found = dense(taps.make(kernel, positions, 40, factor), 40) @ source
    assert np.abs(found - expected).max() < 1e-6
    alone = dense(taps.smoothing(kernel, 40, factor), 40)
    assert np.abs(alone @ line - smoothed).max() < 1e-6


def by_pillow(line: np.ndarray, count: int) -> np.ndarray:
    """Pillow's Lanczos filter has three lobes and is stretched where voxels grow; it cuts taps at the border."""
    image = Image.fromarray(np.tile(line.astype(np.float32), (2, 1)))
    return np.asarray(image.resize((count, 2), Image.Resampling.LANCZOS))[0]


@pytest.mark.parametrize("count", [25, 40, 97, 160])
def test_lanczos_equals_pillow_but_for_the_border(count: int) -> None:
    line = np.random.default_rng(0).normal(size=80)
    factor = 80 / count
    positions = (np.arange(count) + 0.5) * factor - 0.5
    found = dense(taps.lanczos(positions, 80, factor), 80) @ line
    reach = 3 * max(factor, 1) + 1
    is_clear = (positions > reach) & (positions < 79 - reach)
    assert is_clear.sum() > 10
    assert np.abs(found - by_pillow(line, count))[is_clear].max() < 1e-5


@pytest.mark.parametrize("factor", [1.01, 1.5, 2.0, 3.7, 20.0])
def test_area_is_the_integral_over_the_target_voxel(factor: float) -> None:
    line = np.random.default_rng(0).normal(size=12)
    positions = np.arange(-0.5, 11.5, 0.37)
    low, high = (np.clip(positions + side * factor / 2, -0.5, 11.5) for side in (-1, 1))
    integral = np.concatenate(([0.0], np.cumsum(line)))  # at the faces -0.5, 0.5, ...
    over = np.interp(high, np.arange(13) - 0.5, integral) - np.interp(low, np.arange(13) - 0.5, integral)
    found = dense(taps.area(positions, 12, factor), 12) @ line
    assert np.abs(found - over / (high - low)).max() < 1e-6


def test_area_is_linear_where_voxels_shrink() -> None:
    for factor in (0.3, 1.0):
        found, expected = taps.area(POSITIONS, 4, factor), taps.linear(POSITIONS, 4)
        assert np.array_equal(dense(found, 4), dense(expected, 4))


def gain(kernel: str, frequency: float, factor: float) -> tuple[float, float]:
    """Least and greatest height of waves of that many cycles per source voxel, over all phases."""
    count = 2000
    positions = np.arange(200.0, 1800.0, factor)
    one = taps.make(kernel, positions, count, factor)
    at = one.start + np.arange(len(one.weights))[:, None]
    wave = np.exp(2j * np.pi * frequency * at)
    if kernel == "cubic":  # coefficients of a wave are the wave divided by the filter (z + 4 + 1/z) / 6
        wave /= (4 + 2 * np.cos(2 * np.pi * frequency)) / 6
    heights = np.abs((one.weights * wave).sum(axis=0))
    return float(heights.min()), float(heights.max())


# A Gaussian that is summed at whole voxels lets pass what the continuous one does at f, 1 - f, 1 + f, ...
SAMPLED = np.arange(-3, 4)


def halfway(kernel: str, frequency: float) -> float:
    """What is left of a wave between two voxels, where a kernel takes most."""
    one, three = np.cos(np.pi * frequency), np.cos(3 * np.pi * frequency)
    if kernel == "linear":
        return float(one)
    return float((23 * one + three) / 24 / ((2 + np.cos(2 * np.pi * frequency)) / 3))


@pytest.mark.parametrize("factor", [1.5, 2.0, 3.3, 5.0])
@pytest.mark.parametrize("kernel", ["linear", "cubic", "lanczos", "area"])
def test_waves_are_damped_by_the_stated_factor(kernel: str, factor: float) -> None:
    nyquist = 0.5 / factor
    sigma = taps.sigma_voxels(factor)
    for frequency in nyquist * np.array([0.1, 0.25, 0.6, 1.1, 1.4, 1.8, 2.4]):
        if frequency > 0.5:
            break
        least, most = gain(kernel, frequency, factor)
        if kernel in {"linear", "cubic"}:
            stated = np.exp(-2 * (np.pi * sigma * (frequency - SAMPLED)) ** 2).sum()
            stated /= np.exp(-2 * (np.pi * sigma * SAMPLED) ** 2).sum()
            assert most <= stated + 2e-3
            assert least >= stated * halfway(kernel, frequency) - 2e-3
        elif kernel == "area":
            stated = abs(np.sinc(factor * frequency))
            assert most <= stated + frequency**2 * 4
        elif frequency <= nyquist * 2 / 3:
            assert 0.93 < least <= most < 1.05
        elif frequency > nyquist * 4 / 3:
            assert most < 0.07


@pytest.mark.parametrize("kernel", ["linear", "cubic", "lanczos", "area"])
def test_slow_waves_keep_their_height(kernel: str) -> None:
    """A tenth of the new Nyquist frequency keeps 98 %, whatever the kernel."""
    for factor in (1.2, 2.0, 4.0):
        least, most = gain(kernel, 0.1 * 0.5 / factor, factor)
        assert 0.98 < least <= most < 1.02


def test_sigma_adds_up_variances_of_voxels() -> None:
    assert taps.sigma_voxels(1.0) == taps.sigma_voxels(0.3) == 0
    # Full width at half maximum of sqrt(3) and of 1 make one of 2.
    assert taps.sigma_voxels(2.0) * 2.354820045 == pytest.approx(np.sqrt(3))
