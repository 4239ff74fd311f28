"""The promise of a transform: chance is drawn apart from what is done, so that history can be replayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.motion import Motion
from isocenter.augment.placement import Triple
from isocenter.augment.plan import Plan
from isocenter.augment.policy import Policy
from isocenter.augment.tone import Tone
from isocenter.base.plugins import Plugins


class Transform(Protocol):
    """One kind of augmentation: a module with these names. It says what is to be done and does nothing itself.

    Contract:
        * `draw` alone is random; its parameters fit JSON and stay within the policy's limits.
        * `motion` and `tone` are functions of their arguments: same parameters, same numbers.
        * What they say is composed in `order`, checked against the limits, and done by one interpolation of image,
          masks, `valid`, known planes, shares and lesions; boxes and points are moved by the same motion.
        * Nothing is made up: what comes from outside the patch is background, 0 in the mask, and not valid.
        * Shape, affine and types stay; no NaN, no infinity.
    """

    order: int

    def draw(self, policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
        """Parameters of one application; None where the policy does not ask for it."""

    def motion(
        self, parameters: Mapping[str, Any], shape: Triple, affine: NDArray[np.float64]
    ) -> Motion | None:
        """Where the content of a patch of some shape comes to lie; None where it stays."""

    def tone(self, parameters: Mapping[str, Any]) -> Tone | None:
        """How values change; None where they do not."""


TRANSFORMS: Plugins[Transform] = Plugins("isocenter.augment.transforms")


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Draw what is to be done to one patch: transform to parameters, in the order of application."""
    every = sorted(TRANSFORMS, key=lambda pair: (pair[1].order, pair[0]))
    drawn = {name: transform.draw(policy, generator) for name, transform in every}
    return {name: parameters for name, parameters in drawn.items() if parameters is not None}


def plan(parameters: Mapping[str, Mapping[str, Any]], shape: Triple, affine: NDArray[np.float64]) -> Plan:
    """What was drawn, in its order, made into one motion and one tone for patches of a shape.

    Args:
        parameters: As drawn, or as a history tells.
        shape: (K, J, I) of the patch that is wanted.
        affine: Of it; only its axes matter.

    Raises:
        ConfigError: together they pass a limit.
    """
    motion, tone = Motion(), Tone()
    for name, drawn in parameters.items():
        transform = TRANSFORMS.get(name)
        motion = motion.then(transform.motion(drawn, shape, affine) or Motion())
        tone = tone.then(transform.tone(drawn) or Tone())
    return Plan(motion=motion, tone=tone, shape=shape, steps=np.array(affine[:3, :3], np.float64))
