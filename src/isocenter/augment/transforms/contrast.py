"""Change the contrast of a patch about a stated value: x becomes centre + factor * (x - centre)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from isocenter.augment.patch import Patch, nothing_beyond
from isocenter.augment.policy import Policy

order = 3
reach = nothing_beyond


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
    """A factor around 1, within the policy's limit."""
    if not policy.contrast:
        return None
    return {"factor": float(generator.uniform(1 - policy.contrast, 1 + policy.contrast))}


def apply(patch: Patch, parameters: Mapping[str, Any]) -> Patch:
    """The patch with its contrast changed; padding changes with it, so that it stays like air.

    Windowed channels may leave [0, 1] by half of the change, as values are not clipped again.
    """
    factor = np.float32(parameters["factor"])
    centre = np.array(patch.centre, dtype=np.float32)[:, None, None, None]
    image = patch.image * factor
    image += centre * (1 - factor)
    background = tuple(
        c + float(factor) * (b - c) for b, c in zip(patch.background, patch.centre, strict=True)
    )
    return replace(patch, image=image, background=background)
