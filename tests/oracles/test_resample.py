"""Resampling against SimpleITK and scipy."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as its own documentation has it
from scipy import ndimage
from scipy.spatial.transform import Rotation

from isocenter.imaging import oblique
from isocenter.imaging.placement import place
from isocenter.imaging.resample import resample_array, target_grid
from isocenter.model.grid import Grid

SHAPE = (14, 31, 27)
TO_LPS = np.diag([-1.0, -1.0, 1.0])


def grid_of(turn: tuple[float, float, float], spacing: tuple[float, float, float]) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() * spacing
    affine[:3, 3] = (-40.0, 25.0, 100.0)
    return Grid(SHAPE, affine)


def smooth_noise(grid: Grid) -> np.ndarray:
    random = np.random.default_rng(5).normal(0, 1, grid.shape)
    return (ndimage.gaussian_filter(random, 1.0) * 3000).astype(np.float32)


def to_sitk(array: np.ndarray, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    spacing = grid.spacing_mm[::-1]
    image.SetSpacing(spacing)
    image.SetOrigin((TO_LPS @ grid.affine[:3, 3]).tolist())
    image.SetDirection((TO_LPS @ grid.affine[:3, :3] / spacing).ravel().tolist())
    return image


def by_sitk(array: np.ndarray, grid: Grid, target: Grid, interpolator: int) -> np.ndarray:
    reference = to_sitk(np.zeros(target.shape, np.float32), target)
    image = sitk.Resample(to_sitk(array, grid), reference, sitk.Transform(), interpolator, -1024.0)
    return sitk.GetArrayFromImage(image)


CASES = [
    ((0, 0, 0), (0.7, 0.8, 2.5), (1.0, 1.0, 1.0)),
    ((0, 0, 180), (0.7, 0.8, 2.5), (3.1, 0.5, 1.3)),
    ((90, 0, 0), (0.7, 0.8, 2.5), (0.9, 2.0, 0.6)),
    ((12, -7, 30), (0.7, 0.8, 2.5), (2.0, 2.0, 2.0)),
]


@pytest.mark.parametrize(("turn", "spacing", "new"), CASES)
@pytest.mark.parametrize(
    ("kernel", "interpolator", "tolerance"),
    [("linear", sitk.sitkLinear, 0.01), ("cubic", sitk.sitkBSpline, 0.05)],
)
def test_a_centred_grid_equals_simpleitk(turn, spacing, new, kernel, interpolator, tolerance) -> None:
    grid = grid_of(turn, spacing)
    array = smooth_noise(grid)
    target = target_grid(grid, new)
    found, valid = resample_array(array, grid, target, kernel=kernel, antialias=False)
    assert valid is None
    expected = by_sitk(array, grid, target, interpolator)
    assert np.abs(array).max() > 500
    assert np.abs(found - expected).max() < tolerance


@pytest.mark.parametrize(("turn", "spacing", "new"), CASES)
@pytest.mark.parametrize(
    ("kernel", "interpolator", "tolerance"),
    [("nearest", sitk.sitkNearestNeighbor, 0.0), ("linear", sitk.sitkLinear, 0.01)],
)
def test_another_direction_equals_simpleitk(turn, spacing, new, kernel, interpolator, tolerance) -> None:
    grid = grid_of(turn, spacing)
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", (5, 21, -33), degrees=True).as_matrix() * new[::-1]
    affine[:3, 3] = grid.corners_mm().mean(axis=0) - affine[:3, :3] @ (10.01, 9.02, 8.03)
    target = Grid((16, 18, 20), affine)
    array = smooth_noise(grid)
    found, valid = resample_array(array, grid, target, kernel=kernel, background=-1024, antialias=False)
    expected = by_sitk(array, grid, target, interpolator)
    assert valid is not None
    assert valid.mean() > 0.2
    assert np.array_equal(valid, expected != -1024)
    assert np.abs(found - expected).max() <= tolerance


@pytest.mark.parametrize("turn", [(0, 0, 0), (12, -7, 30)])
@pytest.mark.parametrize(("kernel", "order", "mode"), [("linear", 1, "nearest"), ("cubic", 3, "mirror")])
def test_equals_scipy_in_float64(turn, kernel: str, order: int, mode: str) -> None:
    grid, target = grid_of((0, 0, 0), (0.7, 0.8, 2.5)), grid_of(turn, (0.9, 1.1, 1.7))
    array = smooth_noise(grid)
    k, j, i = np.indices(target.shape).reshape(3, -1)
    where = grid.to_voxel(target.to_world(np.stack([i, j, k], axis=1).astype(float)))[:, ::-1]
    found, valid = resample_array(array, grid, target, kernel=kernel, antialias=False)
    expected = ndimage.map_coordinates(array.astype(float), where.T, order=order, mode=mode)
    inside = np.ones(target.shape, bool) if valid is None else valid
    assert inside.mean() > 0.1
    assert np.abs(found - expected.reshape(target.shape))[inside].max() < 5e-3


def ct_noise(shape: tuple[int, int, int]) -> np.ndarray:
    """The hardest a CT can be: any value of its range beside any other."""
    return np.random.default_rng(3).integers(-1024, 3072, shape).astype(np.float32)


def by_scipy(array: np.ndarray, grid: Grid, target: Grid, order: int, mode: str) -> np.ndarray:
    """Float64 all the way."""
    k, j, i = np.indices(target.shape).reshape(3, -1)
    where = grid.to_voxel(target.to_world(np.stack([i, j, k], axis=1).astype(float)))[:, ::-1].T
    found = ndimage.map_coordinates(array.astype(np.float64), where, order=order, mode=mode)
    return found.reshape(target.shape)


SHAPES = [(1, 40, 40), (2, 17, 1), (3, 3, 3), (9, 2, 50), (40, 21, 5), (1, 1, 1), (33, 70, 130)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("kernel", "order", "mode"), [("linear", 1, "nearest"), ("cubic", 3, "mirror")])
def test_every_shape_is_within_a_hundredth_of_a_hounsfield_unit(shape, kernel, order, mode) -> None:
    grid = Grid(shape, np.diag([0.7, 0.8, 2.5, 1.0]))
    array = ct_noise(shape)
    for spacing in ((1.0, 1.0, 1.0), (2.5, 0.31, 0.7), (3.3, 1.7, 0.2)):
        target = target_grid(grid, spacing)
        found, valid = resample_array(array, grid, target, kernel=kernel, antialias=False)
        assert valid is None
        assert np.abs(found - by_scipy(array, grid, target, order, mode)).max() < 0.01
        whole, _ = resample_array(array.astype(np.int32), grid, target, kernel=kernel, antialias=False)
        assert np.abs(whole - by_scipy(array, grid, target, order, mode)).max() < 0.51


@pytest.mark.parametrize("shape", [(12, 20, 18), (3, 9, 2), (1, 20, 20)])
@pytest.mark.parametrize(("kernel", "order", "mode"), [("linear", 1, "nearest"), ("cubic", 3, "mirror")])
def test_a_tilted_gantry_is_within_a_hundredth_of_a_hounsfield_unit(shape, kernel, order, mode) -> None:
    affine = np.diag([0.7, 0.8, 2.5, 1.0])
    affine[1, 2], affine[0, 2] = 0.9, -0.35
    grid, upright = (
        Grid(shape, affine),
        target_grid(Grid(shape, np.diag([0.7, 0.8, 2.5, 1.0])), (1.1, 0.9, 0.6)),
    )
    placement = place(grid, upright)
    assert placement.is_sheared
    assert placement.is_parallel == (shape[0] == 1 and upright.shape[0] == 1)
    array = ct_noise(shape)
    found, valid = resample_array(array, grid, upright, kernel=kernel, antialias=False, background=-1e6)
    inside = np.ones(upright.shape, bool) if valid is None else valid
    assert 0.3 < inside.mean() <= 1
    assert np.abs(found - by_scipy(array, grid, upright, order, mode))[inside].max() < 0.01
    assert (found[~inside] == -1e6).all()


@pytest.mark.parametrize("shape", [(30, 28, 26), (3, 9, 2), (2, 1, 30)])
@pytest.mark.parametrize(("kernel", "order", "mode"), [("linear", 1, "nearest"), ("cubic", 3, "mirror")])
def test_any_direction_is_within_a_hundredth_of_a_hounsfield_unit(shape, kernel, order, mode) -> None:
    grid = Grid(shape, np.diag([0.7, 0.8, 2.5, 1.0]))
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", (5, 21, -33), degrees=True).as_matrix() * (0.6, 0.9, 1.3)
    affine[:3, 3] = grid.corners_mm().mean(axis=0) - affine[:3, :3] @ (20, 20, 20)
    target = Grid((41, 41, 41), affine)
    array = ct_noise(shape)
    found, inside = resample_array(array, grid, target, kernel=kernel, antialias=False)
    assert inside is not None
    assert inside.any()
    assert np.abs(found - by_scipy(array, grid, target, order, mode))[inside].max() < 0.01


def by_sums(array: np.ndarray, grid: Grid, target: Grid) -> np.ndarray:
    """Lanczos of three lobes as its formula has it, in float64, dense along each axis; parallel grids only."""
    out = array.astype(np.float64)
    matrix = np.linalg.inv(grid.affine) @ target.affine
    for axis in range(3):
        row = 2 - axis
        places = np.arange(target.shape[axis]) * matrix[row, row] + matrix[row, 3]
        count = array.shape[axis]
        away = np.clip(places, 0, count - 1)[:, None] - np.arange(-4, count + 4)
        weights = np.where(abs(away) < 3, np.sinc(away) * np.sinc(away / 3), 0)
        weights /= weights.sum(axis=1, keepdims=True)
        padded = np.take(out, np.clip(np.arange(-4, count + 4), 0, count - 1), axis=axis)
        out = np.moveaxis(np.tensordot(weights, padded, axes=(1, axis)), 0, axis)
    return out


@pytest.mark.parametrize("shape", SHAPES)
def test_lanczos_is_its_formula(shape) -> None:
    grid = Grid(shape, np.diag([0.7, 0.8, 2.5, 1.0]))
    array = ct_noise(shape)
    for spacing in ((1.0, 1.0, 1.0), (2.5, 0.31, 0.7)):
        target = target_grid(grid, spacing)
        found, _ = resample_array(array, grid, target, kernel="lanczos", antialias=False)
        assert np.abs(found - by_sums(array, grid, target)).max() < 0.01


def test_lanczos_in_any_direction_is_its_formula() -> None:
    """The kernel for grids that lie obliquely, asked for one that does not, which the formula can answer."""
    grid = Grid((12, 14, 13), np.diag([0.7, 0.8, 2.5, 1.0]))
    target = target_grid(grid, (1.0, 0.9, 0.61))
    array = ct_noise(grid.shape)
    matrix = place(grid, target).matrix
    out, inside = np.empty(target.shape, np.float32), np.empty(target.shape, bool)
    oblique.convolve_affine(array, matrix, 6, -np.inf, np.inf, 0, 0, target.shape[0], out, inside)
    assert inside.all()
    assert np.abs(out - by_sums(array, grid, target)).max() < 0.01


def test_hounsfield_units_are_the_rounded_values() -> None:
    grid = grid_of((0, 0, 0), (0.7, 0.8, 2.5))
    array = np.rint(smooth_noise(grid)).astype(np.int16)
    target = target_grid(grid, 1.0)
    found, _ = resample_array(array, grid, target, antialias=False)
    exact = by_sitk(array.astype(np.float64), grid, target, sitk.sitkLinear)
    assert np.abs(found - exact).max() <= 0.5 + 1e-3
