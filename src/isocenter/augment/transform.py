"""The promise of a transform: chance is drawn apart from what is done, so that history can be replayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.patch import Patch
from isocenter.augment.policy import Policy
from isocenter.base.plugins import Plugins


class Transform(Protocol):
    """One kind of augmentation: a module with these names.

    Contract:
        * `draw` alone is random; its parameters fit JSON and stay within the policy's limits.
        * `apply` is a function of its arguments: same patch and parameters, same bytes; it changes neither.
        * Image, mask, `valid`, boxes and label states are moved alike; shape and affine stay.
        * Nothing is made up: what comes from outside the patch is background, 0 in the mask, and not valid.
        * No NaN, no infinity; types stay what they are.
    """

    order: int

    def draw(self, policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
        """Parameters of one application; None where the policy does not ask for it."""

    def reach(
        self, parameters: Mapping[str, Any], shape: tuple[int, int, int], affine: NDArray[np.float64]
    ) -> tuple[int, int, int]:
        """Voxels (k, j, i) beyond each side of a patch that would be moved into it."""

    def apply(self, patch: Patch, parameters: Mapping[str, Any]) -> Patch:
        """The patch, transformed."""


TRANSFORMS: Plugins[Transform] = Plugins("isocenter.augment.transforms")


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Draw what is to be done to one patch: transform to parameters, in the order of application."""
    every = sorted(TRANSFORMS, key=lambda pair: (pair[1].order, pair[0]))
    drawn = {name: transform.draw(policy, generator) for name, transform in every}
    return {name: parameters for name, parameters in drawn.items() if parameters is not None}


def reach(
    parameters: Mapping[str, Mapping[str, Any]], shape: tuple[int, int, int], affine: NDArray[np.float64]
) -> tuple[int, int, int]:
    """Voxels (k, j, i) beyond each side of a patch that the drawn transforms would move into it."""
    reaches = [TRANSFORMS.get(name).reach(p, shape, affine) for name, p in parameters.items()]
    k, j, i = (max((r[axis] for r in reaches), default=0) for axis in range(3))
    return k, j, i


def apply(patch: Patch, parameters: Mapping[str, Mapping[str, Any]]) -> Patch:
    """Do what was drawn, in its order."""
    for name, drawn in parameters.items():
        patch = TRANSFORMS.get(name).apply(patch, drawn)
    return patch
