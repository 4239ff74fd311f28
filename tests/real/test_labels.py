"""A real mask of 117 classes on other grids: every class, its volume and its pieces."""

import os
import time
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.changes import changes_of
from isocenter.imaging.labels import resample_labels
from isocenter.imaging.resample import target_grid
from isocenter.model.grid import Grid
from tests.properties.volume_bound import volume_bound

PATH = (
    Path(os.environ.get("ISOCENTER_REAL_DATA", "")) / "ct_j2k_series_plus_nifti_mask/example_seg_dicom.nii.gz"
)

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not os.environ.get("ISOCENTER_REAL_DATA") or not PATH.is_file(), reason="no real data"
    ),
]
SPACINGS = [(1.5, 1.5, 1.5), (5.0, 3.0, 3.0), (2.5, 0.6, 0.9)]


@pytest.fixture(scope="module")
def stored() -> tuple[np.ndarray, Grid]:
    image = nibabel.load(PATH)
    labels = np.ascontiguousarray(np.asarray(image.dataobj).T).astype(np.uint8)
    return labels, Grid(labels.shape, np.asarray(image.affine))


def positions_of(grid: Grid, target: Grid) -> list[np.ndarray]:
    matrix = np.linalg.inv(grid.affine) @ target.affine
    return [
        np.round(np.arange(n) * matrix[a, a] + matrix[a, 3], 9)
        for n, a in zip(target.shape, (2, 1, 0), strict=True)
    ]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_labels_are_those_of_the_largest_linear_share(stored, spacing) -> None:
    labels, grid = stored
    target = target_grid(grid, spacing)
    found = resample_labels(labels, grid, target)
    assert np.unique(labels).size == 32  # of its 117 classes 31 are in the picture
    axes = positions_of(grid, target)
    best = second = np.zeros(target.shape, np.float32)
    winner = np.zeros(target.shape, np.uint8)
    for label in np.unique(labels):
        share = (labels == label).astype(np.float32)
        for axis, places in enumerate(axes):
            low = np.floor(places).astype(int)
            part = (places - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
            last = labels.shape[axis] - 1
            share = (
                share.take(low.clip(0, last), axis) * (1 - part)
                + share.take((low + 1).clip(0, last), axis) * part
            )
        second = np.where(share > best, best, np.maximum(second, share))
        winner[share > best] = label
        best = np.maximum(best, share)
    is_clear = best - second > 1e-5
    assert is_clear.mean() > 0.98
    assert np.array_equal(found[is_clear], winner[is_clear])


@pytest.mark.parametrize("spacing", SPACINGS)
def test_every_class_is_within_its_bound_and_no_piece_is_lost_untold(stored, spacing) -> None:
    labels, grid = stored
    target = target_grid(grid, spacing)
    found = resample_labels(labels, grid, target)
    changes = changes_of(labels, grid, found, target)
    touching = np.ones((3, 3, 3))
    for label, change in changes.items():
        mask = labels == label
        assert change.components_before == ndimage.label(mask, touching)[1]
        assert change.components_after == ndimage.label(found == label, touching)[1]
        assert (
            change.components_after
            >= change.components_before - change.vanished - change.components_before * bool(change.merged)
        )
        if change.volume_after_ml == 0:
            assert change.vanished == change.components_before
        if not any(np.take(mask, end, axis).any() for axis in range(3) for end in (0, -1)):
            bound = volume_bound(labels, label, grid.spacing_mm, spacing, positions_of(grid, target))
            assert bound.low <= change.volume_after_ml * 1000 <= bound.high


def test_many_labels_take_hardly_longer_than_one(stored) -> None:
    labels, grid = stored
    target = target_grid(grid, (1.5, 1.5, 1.5))
    seconds = {"all": [], "one": []}
    for _ in range(5):
        for name, array in (("all", labels), ("one", (labels > 0).astype(np.uint8))):
            start = time.process_time()
            resample_labels(array, grid, target)
            seconds[name].append(time.process_time() - start)
    assert min(seconds["all"]) < 4 * min(seconds["one"])
