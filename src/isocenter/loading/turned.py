"""Turning: a sample with its axes in the order of MONAI and TorchIO, (C, I, J, K) in place of (C, K, J, I).

Voxels are not copied: what comes out are views. Whatever counts voxels is turned with them, so that one sample never
mixes two orders; millimetres are RAS+ in either, and the affine takes (i, j, k, 1) in either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VOLUMES = frozenset({"image", "mask", "valid", "loss_mask", "soft", "instances"})
"""What has a value for each voxel."""

PLACES = frozenset({"boxes_voxel", "points_voxel", "start", "padding"})
"""What counts voxels along each axis."""

_CORNERS = [2, 1, 0, 5, 4, 3]


def turned(sample: Mapping[str, Any]) -> dict[str, Any]:
    """A sample with the axes of its arrays, NumPy's or PyTorch's, in the order i, j, k.

    Args:
        sample: As of `Samples.sample`.

    Returns:
        The same names; volumes as views (C, I, J, K), with one channel where they had none.
    """
    out = dict(sample)
    for name in VOLUMES & sample.keys():
        volume = sample[name]
        out[name] = (volume if volume.ndim == 4 else volume[None]).swapaxes(1, 3)
    out["start"], out["padding"] = sample["start"][[2, 1, 0]], sample["padding"][[2, 1, 0]]
    out["boxes_voxel"] = sample["boxes_voxel"][:, _CORNERS]
    if "points_voxel" in sample:
        out["points_voxel"] = sample["points_voxel"][:, [2, 1, 0]]
    return out
