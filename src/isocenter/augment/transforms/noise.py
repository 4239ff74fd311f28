"""Add Gaussian noise to what is valid in a patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from isocenter.augment.patch import Patch, nothing_beyond
from isocenter.augment.policy import Policy
from isocenter.base import seeds

order = 4
reach = nothing_beyond


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
    """A sigma within the policy's limit, and the key of the noise itself."""
    if not policy.noise_sigma:
        return None
    return {
        "sigma": float(generator.uniform(0, policy.noise_sigma)),
        "key": int(generator.integers(0, 1 << 63)),
    }


def apply(patch: Patch, parameters: Mapping[str, Any]) -> Patch:
    """The patch with noise: sigma is a share of each channel's range, as its `span` says."""
    generator = seeds.stream(parameters["key"], "noise")
    image = generator.standard_normal(patch.image.shape, dtype=np.float32)
    sigma = np.array(patch.span, dtype=np.float32) * np.float32(parameters["sigma"])
    image *= sigma[:, None, None, None]
    image *= patch.valid
    image += patch.image
    return replace(patch, image=image)
