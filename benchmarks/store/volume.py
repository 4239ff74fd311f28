"""The volume that is stored: a real chest CT made longer by reflection, and a mask of drawn-up organs in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from benchmarks.read.series import LONG, chest_in

_ORGANS, _STEP = 24, 4


def make(data: Path, folder: Path) -> str:
    """Keep image.npy (int16 HU) and mask.npy (uint8) in a folder; what they are."""
    slices = chest_in(data)
    real = np.stack([_hounsfield(one) for one in slices])
    n = len(real)
    image = real[[min(k % (2 * n), 2 * n - 1 - k % (2 * n)) for k in range(LONG)]]
    np.save(folder / "image.npy", image)
    np.save(folder / "mask.npy", _organs(image))
    return (
        f"chest CT, kernel B70f, {LONG} slices: the {n} real ones reflected in z; two thirds of {_ORGANS} organs drawn up "
        f"in the body"
    )


def _hounsfield(one: pydicom.Dataset) -> NDArray[np.int16]:
    values: NDArray[np.int16] = one.pixel_array.astype(np.int16) + np.int16(one.RescaleIntercept)
    return values


def _organs(image: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Cells around points in the body, every third one left out: labels with large and smooth borders."""
    coarse = image[::_STEP, ::_STEP, ::_STEP] > -500
    body = ndimage.binary_fill_holes(ndimage.binary_opening(coarse, iterations=2))
    inside = np.argwhere(body)
    points = inside[np.random.default_rng(0).choice(len(inside), _ORGANS, replace=False)]
    fine = np.argwhere(np.kron(body, np.ones((2, 2, 2), bool)))  # half as coarse: smoother borders
    _, nearest = cKDTree(points * 2).query(fine)
    labels = np.zeros([2 * n for n in body.shape], np.uint8)
    labels[tuple(fine.T)] = (nearest + 1) * (nearest % 3 > 0)
    half = _STEP // 2
    whole = labels.repeat(half, 0).repeat(half, 1).repeat(half, 2)
    return np.ascontiguousarray(whole[: image.shape[0], : image.shape[1], : image.shape[2]])
