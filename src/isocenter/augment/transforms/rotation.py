"""Turn a patch about its centre in millimetres, so that anisotropic voxels do not shear what is in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.motion import Motion
from isocenter.augment.patch import AXES
from isocenter.augment.placement import Triple
from isocenter.augment.policy import NORMAL, Policy
from isocenter.base.errors import ConfigError

order = 2


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
    """One of the policy's axes and an angle within its limit."""
    if not policy.rotation_deg:
        return None
    return {
        "axis": policy.rotation_axes[int(generator.integers(len(policy.rotation_axes)))],
        "degrees": float(generator.uniform(-policy.rotation_deg, policy.rotation_deg)),
    }


def motion(parameters: Mapping[str, Any], _: Triple, affine: NDArray[np.float64]) -> Motion | None:
    """A turn in RAS+ about an axis: Rodrigues' formula."""
    if parameters["axis"] == NORMAL:
        x, y, z = np.cross(affine[:3, 0], affine[:3, 1])
    elif parameters["axis"] not in AXES:
        raise ConfigError(
            f"augmentation: the axis of a turn is limited to R, A, S, {NORMAL}, not {parameters['axis']!r}"
        )
    else:
        x, y, z = np.eye(3)[AXES.index(parameters["axis"])]
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) / math.sqrt(x * x + y * y + z * z)
    angle = math.radians(parameters["degrees"])
    return Motion(turn=np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * (cross @ cross))


def tone(_: Mapping[str, Any]) -> None:
    """Values stay as they are."""
