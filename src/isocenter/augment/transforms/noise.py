"""Add noise to what is valid in a patch: Gaussian, or Rician in the magnitudes of MR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.placement import Triple
from isocenter.augment.policy import AUTO, Policy
from isocenter.augment.tone import Tone

order = 5


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
    """A sigma within the policy's limit, and the key of the noise itself."""
    if not policy.noise_sigma:
        return None
    return {
        "sigma": float(generator.uniform(0, policy.noise_sigma)),
        "law": policy.noise_law,
        "key": int(generator.integers(0, 1 << 63)),
    }


def motion(_: Mapping[str, Any], __: Triple, ___: NDArray[np.float64]) -> None:
    """Nothing moves."""


def tone(parameters: Mapping[str, Any]) -> Tone | None:
    """Sigma is a share of each channel's range, as its `span` says."""
    return Tone(sigma=parameters["sigma"], key=parameters["key"], law=parameters.get("law", AUTO))
