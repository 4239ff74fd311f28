"""Mirror a patch along an anatomical axis; labels that name a side change places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.motion import Motion
from isocenter.augment.patch import AXES, array_axes
from isocenter.augment.placement import Triple
from isocenter.augment.policy import Policy
from isocenter.base.errors import ConfigError

order = 1
_ROUNDING = 1e-6


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
    """The axes to mirror along, each by half of the lots, and the labels that change places."""
    if not policy.mirror:
        return None
    axes = [axis for axis in policy.mirror if generator.random() < 0.5]
    return {"axes": axes, "swap": policy.swaps if "R" in axes else {}}


def motion(parameters: Mapping[str, Any], _: Triple, affine: NDArray[np.float64]) -> Motion | None:
    """About the patch's centre, along the array axes that stand for the anatomical ones.

    Where a grid is so oblique that this would not reverse the axes asked for, or others too, nothing is done: sides would
    change names that do not change places.
    """
    axes, swap = list(parameters["axes"]), parameters["swap"]
    if len(set(axes)) != len(axes) or not set(axes) <= set(AXES) or (swap and "R" not in axes):
        raise ConfigError(
            f"augmentation: cannot mirror along {axes}, swap {dict(swap)}: each of R, A, S once, and a swap with R only"
        )
    if not axes:
        return None
    steps, places = affine[:3, :3], array_axes(affine)
    signs = [-1.0 if n in {2 - places[axis] for axis in axes} else 1.0 for n in range(3)]
    turn = steps @ np.diag(signs) @ np.linalg.inv(steps)
    wanted = np.array([-1.0 if axis in axes else 1.0 for axis in AXES])
    if (np.diag(turn) * wanted < -_ROUNDING).any():
        return None
    return Motion(turn=turn, swap=swap)


def tone(_: Mapping[str, Any]) -> None:
    """Values stay as they are."""
