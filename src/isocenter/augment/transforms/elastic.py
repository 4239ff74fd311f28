"""Bend a patch: a free-form deformation on cubic B-splines that cannot fold, with bounds in millimetres and volume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.field import draw_field
from isocenter.augment.motion import Motion, check_cell
from isocenter.augment.placement import Triple
from isocenter.augment.policy import Policy
from isocenter.base import seeds

order = 3


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
    """A bound for the displacement within the policy's limit, and the key of the field itself."""
    if not policy.elastic_mm:
        return None
    return {
        "largest_mm": float(generator.uniform(0, policy.elastic_mm)),
        "cell_mm": float(policy.elastic_cell_mm),
        "volume": float(policy.elastic_volume),
        "in_plane": bool(policy.elastic_in_plane),
        "key": int(generator.integers(0, 1 << 63)),
    }


def motion(parameters: Mapping[str, Any], shape: Triple, affine: NDArray[np.float64]) -> Motion | None:
    """Control points displaced by lot, scaled back where volumes would change by more than they may."""
    check_cell(parameters["cell_mm"])  # before as many are drawn as it asks for
    drawn = draw_field(
        seeds.stream(parameters["key"], "elastic"),
        largest_mm=parameters["largest_mm"],
        cell_mm=parameters["cell_mm"],
        shape=shape,
        affine=affine,
        is_in_plane=parameters["in_plane"],
    )
    return Motion(bend=drawn.within(parameters["volume"]))


def tone(_: Mapping[str, Any]) -> None:
    """Values stay as they are."""
