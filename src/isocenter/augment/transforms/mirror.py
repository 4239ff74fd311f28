"""Mirror a patch along an anatomical axis; labels that name a side change places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.patch import Patch, array_axis, nothing_beyond
from isocenter.augment.policy import Policy

order = 1
reach = nothing_beyond


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
    """The axes to mirror along, each by half of the lots, and the labels that change places."""
    if not policy.mirror:
        return None
    axes = [axis for axis in policy.mirror if generator.random() < 0.5]
    return {"axes": axes, "swap": policy.swaps if "R" in axes else {}}


def apply(patch: Patch, parameters: Mapping[str, Any]) -> Patch:
    """The patch mirrored about its centre along the array axes nearest to the anatomical ones."""
    for axis in parameters["axes"]:
        patch = _flipped(patch, array_axis(patch.affine, axis))
    return _swapped(patch, parameters["swap"]) if parameters["swap"] else patch


def _flipped(patch: Patch, axis: int) -> Patch:
    n = patch.shape[axis]
    voxel = patch.boxes_voxel.copy()
    voxel[:, axis], voxel[:, axis + 3] = n - patch.boxes_voxel[:, axis + 3], n - patch.boxes_voxel[:, axis]
    return replace(
        patch,
        image=np.ascontiguousarray(np.flip(patch.image, axis + 1)),
        valid=np.ascontiguousarray(np.flip(patch.valid, axis)),
        mask=_turned_round(patch.mask, axis),
        known=_turned_round(patch.known, axis),
        soft=_turned_round(patch.soft, axis),
        instances=_turned_round(patch.instances, axis),
        boxes=_mirrored_boxes(patch, 2 - axis),
        boxes_voxel=voxel,
    )


def _turned_round(array: NDArray[Any] | None, axis: int) -> NDArray[Any] | None:
    """An array whose last three axes are those of the patch, mirrored along one of them."""
    return None if array is None else np.ascontiguousarray(np.flip(array, axis - 3))


def _mirrored_boxes(patch: Patch, column: int) -> NDArray[np.float64]:
    """Boxes in mm: each box's corners mirrored in the patch's voxels, then their bounds."""
    if not len(patch.boxes):
        return patch.boxes
    sides = patch.boxes.reshape(-1, 2, 3)
    corners = np.stack(
        [sides[:, (n >> np.arange(3)) & 1, np.arange(3)] for n in range(8)], axis=1
    )  # (N, 8, 3)
    mirror = np.eye(4)
    mirror[column, column] = -1
    mirror[column, 3] = patch.shape[2 - column] - 1
    world = patch.affine @ mirror @ np.linalg.inv(patch.affine)
    moved = corners @ world[:3, :3].T + world[:3, 3]
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)


def _swapped(patch: Patch, swap: Mapping[str, str]) -> Patch:
    names = list(patch.label_values)
    target = [names.index(swap.get(name, name)) for name in names]
    values = np.arange(max(patch.label_values.values(), default=0) + 1)
    for name, other in swap.items():
        values[patch.label_values[name]] = patch.label_values[other]
    mask = patch.mask
    if mask is not None:
        mask = mask[target] if mask.ndim == 4 else values.astype(mask.dtype)[mask]
    known = patch.known
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
