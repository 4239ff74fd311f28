"""Marks: boxes, points and label names of a patch, moved and exchanged as its voxels are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.motion import Motion
from isocenter.augment.patch import Patch
from isocenter.augment.placement import Triple

_ROUNDING = 1e-6  # voxels: a side this near to a face between voxels is on it
_PER_SIDE = 9  # points along each side of a box that a field bends


def without_margin(patch: Patch, margin: Triple) -> Patch:
    """The patch with affine and boxes as they are without a margin; its arrays still have it."""
    if not any(margin):
        return patch
    affine = patch.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ np.array(margin[::-1], np.float64)
    return replace(patch, affine=affine, boxes_voxel=patch.boxes_voxel - np.array(margin * 2, np.int32))


def moved_points(patch: Patch, motion: Motion, shape: Triple) -> NDArray[np.float64]:
    """Points in mm, each to where what is there comes to lie."""
    if not len(patch.points) or motion.is_still():
        return patch.points
    middle = _middle(patch, shape)
    return motion.moved(patch.points - middle) + middle


def moved_boxes(patch: Patch, motion: Motion, shape: Triple) -> NDArray[np.float64]:
    """Boxes in mm that hold what the old ones held."""
    if not len(patch.boxes) or motion.is_still():
        return patch.boxes
    middle = _middle(patch, shape)
    lows, highs = patch.boxes[:, :3] - middle, patch.boxes[:, 3:] - middle
    return _around(motion, lows, highs, np.eye(3)) + np.tile(middle, 2)


def moved_voxel_boxes(patch: Patch, motion: Motion, shape: Triple) -> NDArray[np.int32]:
    """Boxes in voxels that hold what the old ones held; a voxel reaches half its size around its centre."""
    if not len(patch.boxes_voxel) or motion.is_still():
        return patch.boxes_voxel
    middle = (np.array(shape[::-1]) - 1) / 2
    edges = patch.boxes_voxel[:, [2, 1, 0, 5, 4, 3]].astype(np.float64) - 0.5
    held = _around(motion, edges[:, :3] - middle, edges[:, 3:] - middle, patch.affine[:3, :3])
    lows, highs = held[:, :3] + middle + 0.5, held[:, 3:] + middle + 0.5
    voxel = np.concatenate([np.floor(lows[:, ::-1] + _ROUNDING), np.ceil(highs[:, ::-1] - _ROUNDING)], axis=1)
    return voxel.astype(np.int32)


def swapped(patch: Patch, swap: Mapping[str, str]) -> Patch:
    """The patch with labels that have changed places."""
    if all(name == other for name, other in swap.items()):
        return patch
    names = list(patch.label_values)
    target = [names.index(swap.get(name, name)) for name in names]
    values = np.arange(max(patch.label_values.values(), default=0) + 1)
    for name, other in swap.items():
        values[patch.label_values[name]] = patch.label_values[other]
    mask, known = patch.mask, patch.known
    if mask is not None:
        mask = mask[target] if mask.ndim == 4 else values.astype(mask.dtype)[mask]
    if known is not None and known.ndim == 4:
        known = known[target]
    return replace(
        patch,
        mask=mask,
        known=known,
        soft=None if patch.soft is None else patch.soft[target],
        box_labels=values[patch.box_labels],
        labels=patch.labels[np.array(target, int)],
    )


def _middle(patch: Patch, shape: Triple) -> NDArray[np.float64]:
    """The patch's centre in RAS+ mm."""
    out: NDArray[np.float64] = patch.affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2) + patch.affine[:3, 3]
    return out


def _around(
    motion: Motion, lows: NDArray[np.float64], highs: NDArray[np.float64], steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bounds (N, 6) of moved boxes, along axes with such steps in mm, from the patch's centre.

    Of a box that is turned the corners tell; one that is bent is followed at points of its faces, and made larger by
    what a face may bulge between them.
    """
    n = 2 if motion.bend is None else _PER_SIDE
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[((grid == 0) | (grid == 1)).any(axis=1)]
    places = lows[:, None] + grid[None] * (highs - lows)[:, None]
    moved = motion.moved((places @ steps.T).reshape(-1, 3)) @ np.linalg.inv(steps).T
    each = moved.reshape(len(lows), len(grid), 3)
    out = np.concatenate([each.min(axis=1), each.max(axis=1)], axis=1)
    if motion.bend is not None:
        sides_mm = (highs - lows) * np.linalg.norm(steps, axis=0) / (n - 1)
        bulge_mm = motion.bend.bend_per_mm * (sides_mm**2).sum(axis=1, keepdims=True) / 8
        bulge = bulge_mm / np.linalg.norm(steps, axis=0)
        out += np.concatenate([-bulge, bulge], axis=1)
    return out
