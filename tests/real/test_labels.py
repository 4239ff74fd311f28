"""A real mask of 117 classes on other grids: every class, its volume and its pieces."""

import itertools
import os
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


def kin_of(mask: np.ndarray, found: np.ndarray, axes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """How many pieces each piece lives on in, and of how many each new one is made: by the eight voxels around each.

    Any two of the eight touch, so that those of one label are of one piece.
    """
    touching = np.ones((3, 3, 3))
    (was, n_was), (now, n_now) = ndimage.label(mask, touching), ndimage.label(found, touching)
    at = np.nonzero(found)
    low = [np.floor(places[index]).astype(int) for places, index in zip(axes, at, strict=True)]
    came = np.zeros(len(at[0]), int)
    for corner in itertools.product((0, 1), repeat=3):
        around = (np.clip(n + c, 0, s - 1) for n, c, s in zip(low, corner, mask.shape, strict=True))
        came = np.maximum(came, was[tuple(around)])
    assert came.all()
    old, new = np.unique(np.stack([came, now[at]]), axis=1)
    return np.bincount(old, minlength=n_was + 1)[1:], np.bincount(new, minlength=n_now + 1)[1:]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_every_class_is_within_its_bound_and_no_piece_is_lost_untold(stored, spacing) -> None:
    labels, grid = stored
    target = target_grid(grid, spacing)
    found = resample_labels(labels, grid, target)
    changes = changes_of(labels, grid, found, target)
    touching = np.ones((3, 3, 3))
    for label, change in changes.items():
        mask = labels == label
        assert change.drawn_components_before == ndimage.label(mask, touching)[1]
        assert change.drawn_components_after == ndimage.label(found == label, touching)[1]
        parts, parents = kin_of(mask, found == label, positions_of(grid, target))
        assert change.vanished == np.count_nonzero(parts == 0)
        assert change.split == np.count_nonzero(parts > 1)
        assert change.merged == np.count_nonzero(parents > 1)
        if not any(np.take(mask, end, axis).any() for axis in range(3) for end in (0, -1)):
            bound = volume_bound(labels, label, grid.spacing_mm, spacing, positions_of(grid, target))
            assert bound.low <= change.drawn_after_ml * 1000 <= bound.high
