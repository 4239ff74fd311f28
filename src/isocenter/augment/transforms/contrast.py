"""Change the contrast of a patch about a stated value: x becomes centre + factor * (x - centre)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.placement import Triple
from isocenter.augment.policy import Policy
from isocenter.augment.tone import Tone

order = 4


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
    """A factor around 1, within the policy's limit."""
    if not policy.contrast:
        return None
    return {"factor": float(generator.uniform(1 - policy.contrast, 1 + policy.contrast))}


def motion(_: Mapping[str, Any], __: Triple, ___: NDArray[np.float64]) -> None:
    """Nothing moves."""


def tone(parameters: Mapping[str, Any]) -> Tone | None:
    """Padding changes with the image, so that it stays like air.

    Windowed channels may leave [0, 1] by half of the change, as values are not clipped again.
    """
    return Tone(factor=parameters["factor"])
