"""Resampling against SimpleITK and scipy."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as its own documentation has it
from scipy import ndimage
from scipy.spatial.transform import Rotation

from isocenter.imaging.resample import resample_array, resample_labels, target_grid
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


def test_hounsfield_units_are_the_rounded_values() -> None:
    grid = grid_of((0, 0, 0), (0.7, 0.8, 2.5))
    array = np.rint(smooth_noise(grid)).astype(np.int16)
    target = target_grid(grid, 1.0)
    found, _ = resample_array(array, grid, target, antialias=False)
    exact = by_sitk(array.astype(np.float64), grid, target, sitk.sitkLinear)
    assert np.abs(found - exact).max() <= 0.5 + 1e-3


@pytest.mark.parametrize(("turn", "spacing", "new"), CASES)
def test_masks_are_inside_where_simpleitk_has_one_half(turn, spacing, new) -> None:
    grid = grid_of(turn, spacing)
    mask = smooth_noise(grid) > 200
    turned = grid_of((3, 4, 5), new[::-1])
    turned.affine[:3, 3] += grid.corners_mm().mean(axis=0) - turned.corners_mm().mean(axis=0) + 0.01
    for target in (target_grid(grid, new), turned):
        share = by_sitk(mask.astype(np.float64), grid, target, sitk.sitkLinear)
        found = resample_labels(mask, grid, target)
        is_clear = np.abs(share - 0.5) > 1e-5
        assert np.array_equal(found[is_clear], share[is_clear] > 0.5)
        assert is_clear.mean() > 0.95
        assert found.any()


def test_labels_equal_the_largest_linear_share() -> None:
    grid = grid_of((0, 0, 0), (0.7, 0.8, 2.5))
    labels = np.digitize(smooth_noise(grid), (-200, 0, 150)).astype(np.uint8)
    target = target_grid(grid, (1.1, 0.9, 1.3))
    shares = np.stack(
        [by_sitk((labels == n).astype(np.float64), grid, target, sitk.sitkLinear) for n in range(4)]
    )
    top = np.sort(shares, axis=0)
    is_clear = top[-1] - top[-2] > 1e-5
    assert is_clear.mean() > 0.95
    found = resample_labels(labels, grid, target)
    assert np.array_equal(found[is_clear], np.argmax(shares, axis=0)[is_clear])
