"""Mirror a patch along an anatomical axis; labels that name a side change places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.motion import Motion
from isocenter.augment.patch import array_axis
from isocenter.augment.placement import Triple
from isocenter.augment.policy import Policy

order = 1


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
    """The axes to mirror along, each by half of the lots, and the labels that change places."""
    if not policy.mirror:
        return None
    axes = [axis for axis in policy.mirror if generator.random() < 0.5]
    return {"axes": axes, "swap": policy.swaps if "R" in axes else {}}


def motion(parameters: Mapping[str, Any], _: Triple, affine: NDArray[np.float64]) -> Motion | None:
    """About the patch's centre, along the array axes nearest to the anatomical ones."""
    signs = np.ones(3)
    for axis in parameters["axes"]:
        signs[2 - array_axis(affine, axis)] *= -1
    steps, swap = affine[:3, :3], parameters["swap"]
    if (signs > 0).all():
        return Motion(swap=swap)
    return Motion(turn=steps @ np.diag(signs) @ np.linalg.inv(steps), swap=swap)


def tone(_: Mapping[str, Any]) -> None:
    """Values stay as they are."""
