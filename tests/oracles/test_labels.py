"""Labels on another grid against SimpleITK, a plain one-hot arg-max in float64, and the usual resizing."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as its own documentation has it
from scipy import ndimage
from scipy.spatial.transform import Rotation
from skimage.transform import resize

from isocenter.imaging.labels import resample_labels
from isocenter.imaging.resample import target_grid
from isocenter.model.grid import Grid
from tests.oracles.test_resample import CASES, by_sitk, grid_of, smooth_noise


def organs(count: int, shape: tuple, seed: int = 0) -> np.ndarray:
    """As many blobs that touch each other, and background around them."""
    random = np.random.default_rng(seed)
    noise = np.stack([ndimage.gaussian_filter(random.normal(size=shape), 2.0) for _ in range(count)])
    found = (np.argmax(noise, axis=0) + 1).astype(np.uint16 if count > 100 else np.uint8)
    found[noise.max(axis=0) < np.quantile(noise.max(axis=0), 0.3)] = 0
    return found


def one_hot(labels: np.ndarray, grid: Grid, target: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Linear shares of every label in float64, (L, K, J, I), and the labels."""
    k, j, i = np.indices(target.shape).reshape(3, -1)
    where = grid.to_voxel(target.to_world(np.stack([i, j, k], axis=1).astype(float)))[:, ::-1]
    where = np.round(where, 9)
    names = np.unique(labels)
    shares = [
        ndimage.map_coordinates((labels == n).astype(float), where.T, order=1, mode="nearest") for n in names
    ]
    is_inside = ((where >= -0.5) & (where <= np.array(grid.shape) - 0.5)).all(axis=1)
    out = np.stack(shares) * is_inside
    out[names == 0, ~is_inside] = 1.0
    return out.reshape(len(names), *target.shape), names


@pytest.mark.parametrize("turn", [(0, 0, 0), (12, -7, 30)])
@pytest.mark.parametrize("count", [1, 24, 117])
def test_the_arg_max_of_one_hot_volumes_without_the_volumes(count: int, turn: tuple) -> None:
    """Of labels that tie to 1e-6 the smallest wins, background last; nothing else may differ."""
    grid = Grid((9, 20, 18), np.diag([0.7, 0.8, 2.5, 1.0]))
    labels = organs(count, grid.shape)
    for spacing in ((1.1, 0.9, 1.3), (2.0, 1.6, 1.4)):
        target = target_grid(grid, spacing)
        affine = np.eye(4)
        affine[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
        middle = grid.corners_mm().mean(axis=0)
        affine[:3, 3] = middle - affine[:3, :3] @ middle
        target = Grid(target.shape, affine @ target.affine)
        shares, names = one_hot(labels, grid, target)
        ties = shares >= shares.max(axis=0) - 1e-6
        order = np.argsort(np.where(names == 0, np.iinfo(np.int64).max, names.astype(np.int64)))
        expected = names[order][np.argmax(ties[order], axis=0)]
        found = resample_labels(labels, grid, target)
        near = np.abs(shares - shares.max(axis=0) + 1e-6).min(axis=0) < 5e-7  # on the edge of being a tie
        assert np.array_equal(found[~near], expected[~near])
        assert near.mean() < 1e-3
        assert np.unique(found).size > min(count, 24) * 0.8


@pytest.mark.parametrize("count", [1, 24])
def test_equals_the_usual_resizing_but_where_no_label_has_one_half(count: int) -> None:
    """Resizing one label after the other, each inside from one half on, as nnU-Net does (batchgenerators' resize_segmentation).

    Where three labels meet and none has one half it leaves a hole of background; here the largest share wins.
    """
    grid = Grid((12, 26, 24), np.diag([0.7, 0.8, 2.5, 1.0]))
    labels = organs(count, grid.shape)
    for shape in ((20, 31, 33), (7, 15, 13), (24, 52, 48)):
        spacing = np.array(grid.shape) * grid.spacing_mm / np.array(shape)
        target = target_grid(grid, spacing)
        assert target.shape == shape
        usual = np.zeros(shape, np.uint8)
        best = np.zeros(shape)
        for label in np.unique(labels):
            share = resize(
                (labels == label).astype(float), shape, 1, mode="edge", clip=True, anti_aliasing=False
            )
            usual[share >= 0.5] = label
            best = np.maximum(best, share)
        found = resample_labels(labels, grid, target)
        has_half, is_tied = best > 0.5 + 1e-6, np.abs(best - 0.5) <= 1e-6
        assert np.array_equal(found[has_half], usual[has_half])
        assert has_half.mean() > 0.7
        holes = best < 0.5 - 1e-6
        assert (usual[holes] == 0).all()
        if count == 1:
            assert not holes.any()
            assert np.array_equal(found[is_tied], usual[is_tied])
        else:
            assert (found[holes] > 0).mean() > 0.5


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
