"""Motion: where the content of a patch comes to lie, and the limits that hold however many transforms made it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.field import INJECTIVE, Field
from isocenter.augment.policy import (
    MAX_ELASTIC_MM,
    MAX_ELASTIC_VOLUME,
    MAX_ROTATION_DEG,
    MIN_ELASTIC_CELL_MM,
)
from isocenter.base.errors import ConfigError

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Motion:
    """What was at p, in mm from the patch's centre, comes to lie at y, where y + bend(y) = turn @ p.

    Args:
        turn: float64 (3, 3), RAS+: a rotation, a reflection, or both.
        bend: A displacement after it.
        swap: Labels that change places.
    """

    turn: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    bend: Field | None = None
    swap: Mapping[str, str] = field(default_factory=dict)

    def then(self, other: Motion) -> Motion:
        """This motion and another one after it.

        Raises:
            ConfigError: a field has to come last, and there can be one.
        """
        if self.bend is not None and (other.bend is not None or not np.array_equal(other.turn, np.eye(3))):
            raise ConfigError("augmentation: nothing can be moved after an elastic field")
        names = {*self.swap, *other.swap}
        after = {n: self.swap.get(n, n) for n in names}
        return Motion(
            turn=other.turn @ self.turn,
            bend=self.bend or other.bend,
            swap={n: other.swap.get(m, m) for n, m in sorted(after.items())},
        )

    def moved(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where points (N, 3), mm from the patch's centre, come to lie."""
        turned = points @ self.turn.T
        return turned if self.bend is None else self.bend.settle(turned)

    def is_still(self) -> bool:
        """Whether nothing moves."""
        return self.bend is None and np.array_equal(self.turn, np.eye(3))


def check_motion(motion: Motion, flips: NDArray[np.float64]) -> None:
    """Refuse what a patient cannot have done: to grow, to shear, to turn too far, to fold.

    Args:
        motion: All that is done to a patch.
        flips: The reflection (3, 3) in it, in mm.

    Raises:
        ConfigError: which limit is passed.
    """
    turn = motion.turn
    if np.abs(turn.T @ turn - np.eye(3)).max() > _ROUNDING:
        raise ConfigError(
            "augmentation: scaling and shearing are forbidden (a sheared grid cannot be mirrored)"
        )
    cosine = (np.trace(turn @ flips) - 1) / 2
    degrees = math.degrees(math.acos(min(1.0, max(-1.0, cosine))))
    if not degrees <= MAX_ROTATION_DEG + 1e-4:
        raise ConfigError(
            f"augmentation: a turn of {degrees:g} degrees is outside the limit of {MAX_ROTATION_DEG:g}"
        )
    if motion.bend is not None:
        _check_field(motion.bend)


def check_cell(cell_mm: float) -> None:
    """Refuse control points so near that a field is no longer smooth, or so far that there is none.

    Raises:
        ConfigError: it is outside the limit.
    """
    if not MIN_ELASTIC_CELL_MM * (1 - _ROUNDING) <= cell_mm < math.inf:
        raise ConfigError(
            f"augmentation: control points every {cell_mm:g} mm are outside the limit of at least"
            f" {MIN_ELASTIC_CELL_MM:g} mm"
        )


def _check_field(displaced: Field) -> None:
    if not displaced.largest_mm <= MAX_ELASTIC_MM * (1 + _ROUNDING):
        raise ConfigError(f"augmentation: a displacement is over the limit of {MAX_ELASTIC_MM:g} mm")
    if not displaced.largest_share < INJECTIVE:
        raise ConfigError("augmentation: the field may fold: displacements are too large for their distance")
    low, high = displaced.volumes()
    if not 1 - MAX_ELASTIC_VOLUME <= low <= high <= 1 + MAX_ELASTIC_VOLUME:
        raise ConfigError(
            f"augmentation: volumes change by factors from {low:g} to {high:g}, over the limit of"
            f" {MAX_ELASTIC_VOLUME:g}"
        )
    check_cell(displaced.cell_mm)
